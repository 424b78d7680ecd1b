"""ColorModel: what it learns, forgets and says."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.appearance import ColorModel, ColorModelOptions, log_ratio_table
from cvseg.arrays import to_host
from cvseg.color.lab import lab_image
from cvseg.errors import DeviceMismatchError, DtypeError, InputError, ShapeError
from cvseg.kernels.appearance.color_histogram import color_histogram

RED, GREEN, BLUE = (200, 40, 30), (40, 160, 50), (40, 60, 200)


def scene(*colors, size=12, noise=4, seed=0):
    """Vertical stripes of `colors`, with noise."""
    rng = np.random.default_rng(seed)
    image = np.repeat(np.array(colors, float)[None], size, axis=1).repeat(size, axis=0)
    return np.clip(image + rng.normal(0, noise, image.shape), 0, 255).astype(np.uint8)


def stripe(count, which, size=12):
    probability = np.zeros((size, size * count), np.float32)
    probability[:, which * size : (which + 1) * size] = 1
    return probability


def test_colours_of_the_foreground_speak_for_it_and_others_against(device):
    model = ColorModel()
    lab = lab_image(device.array(scene(RED, GREEN)))
    model.update(lab, device.array(stripe(2, 0)))
    ratio = to_host(model.log_ratio(lab))
    assert ratio[:, :12].min() > 1
    assert ratio[:, 12:].max() < -1


def test_an_unseen_colour_says_nothing(device):
    model = ColorModel()
    model.update(lab_image(device.array(scene(RED, GREEN))), device.array(stripe(2, 0)))
    assert abs(to_host(model.log_ratio(lab_image(device.array(scene(BLUE)))))).max() < 0.01


def test_before_any_evidence_every_ratio_is_zero(device):
    model = ColorModel()
    lab = lab_image(device.array(scene(RED, GREEN)))
    assert not to_host(model.log_ratio(lab)).any()
    model.update(lab, device.array(np.full((12, 24), 0.5, np.float32)))
    assert not to_host(model.log_ratio(lab)).any()


def test_a_background_alone_does_not_make_foreground_of_the_rest(device):
    model = ColorModel()
    lab = lab_image(device.array(scene(RED, GREEN)))
    model.update(lab, device.array(np.zeros((12, 24), np.float32)))
    assert abs(to_host(model.log_ratio(lab))).max() < 1e-6


def test_ratios_stay_within_the_limit():
    model = ColorModel(ColorModelOptions(limit=0.5, prior_px=0.1))
    lab = lab_image(scene(RED, GREEN))
    model.update(lab, stripe(2, 0))
    ratio = model.log_ratio(lab)
    assert (ratio.min(), ratio.max()) == (-0.5, 0.5)


def test_old_colours_fade_and_the_roles_may_change():
    model = ColorModel(ColorModelOptions(decay=0.5))
    lab = lab_image(scene(RED, GREEN))
    model.update(lab, stripe(2, 0))
    for _ in range(8):
        model.update(lab, stripe(2, 1))
    ratio = model.log_ratio(lab)
    assert ratio[:, :12].max() < 0 < ratio[:, 12:].min()


def test_decay_zero_keeps_the_last_frame_only():
    first, second = lab_image(scene(RED, GREEN)), lab_image(scene(BLUE, GREEN, seed=1))
    forgetful, fresh = ColorModel(ColorModelOptions(decay=0.0)), ColorModel()
    forgetful.update(first, stripe(2, 0))
    forgetful.update(second, stripe(2, 1))
    fresh.update(second, stripe(2, 1))
    assert_array_equal(forgetful.table(), fresh.table())


def test_smoothing_reaches_the_neighbouring_bin_and_keeps_all_evidence():
    lab = np.zeros((1, 2, 3), np.float32)
    lab[0, 0], lab[0, 1] = (53, 4, 4), (53, 60, 60)  # middle of bins (8, 8, 8) and (8, 15, 15)
    weight = np.float32([[1, 0]])
    near = np.float32([[[53, 12, 4]]])  # one bin further along a
    ratios = []
    for times in (0, 1):
        model = ColorModel(ColorModelOptions(smoothing=times, prior_px=0.1))
        model.update(lab, weight)
        ratios.append(float(model.log_ratio(near)[0, 0]))
    assert ratios[0] == 0
    assert ratios[1] > 1


def test_table_of_frames_kept_by_the_caller_is_that_of_the_model(device):
    labs = [device.array(lab_image(scene(RED, GREEN, seed=i))) for i in range(3)]
    probability = device.array(stripe(2, 0))
    model = ColorModel(ColorModelOptions(decay=0.5))
    for lab in labs:
        model.update(lab, probability)
    histograms = [color_histogram(lab, probability) for lab in labs]
    table = log_ratio_table(histograms, [0.25, 0.5, 1.0])
    assert_allclose(to_host(table), to_host(model.table(device.name)), atol=1e-6)


def test_no_weights_means_equal_weights():
    histograms = np.random.default_rng(0).integers(0, 999, (3, 2, 4096)).astype(np.int32)
    assert_array_equal(log_ratio_table(histograms), log_ratio_table(list(histograms), [1, 1, 1]))


def test_state_continues_bit_for_bit_on_either_device(device):
    lab, probability = lab_image(scene(RED, GREEN)), stripe(2, 0)
    model, other = ColorModel(), ColorModel()
    model.update(device.array(lab), device.array(probability))
    other.load_state_dict(pickle.loads(pickle.dumps(model.state_dict())))
    copy = pickle.loads(pickle.dumps(model))
    for each in (model, other, copy):
        each.update(device.array(lab), device.array(1 - probability))
    expected = to_host(model.log_ratio(device.array(lab)))
    assert_array_equal(to_host(other.log_ratio(device.array(lab))), expected)
    assert_array_equal(to_host(copy.log_ratio(device.array(lab))), expected)


def test_state_is_a_copy():
    model = ColorModel()
    lab = lab_image(scene(RED, GREEN))
    model.update(lab, stripe(2, 0))
    before, state = model.table().copy(), model.state_dict()
    state["evidence"][:] = 0
    assert_array_equal(model.table(), before)
    model.reset()
    assert not model.table().any()
    assert model.state_dict() == {"evidence": None}


def test_wrong_arguments_are_refused(emulated_cuda):
    model, lab = ColorModel(), np.zeros((4, 5, 3), np.float32)
    with pytest.raises(ShapeError, match=r"probability is \(4, 4\); expected \(4, 5\)"):
        model.update(lab, np.zeros((4, 4), np.float32))
    with pytest.raises(DtypeError, match="probability is float64"):
        model.update(lab, np.zeros((4, 5)))
    with pytest.raises(DeviceMismatchError):
        model.update(lab, emulated_cuda.zeros((4, 5), np.float32))
    with pytest.raises(DtypeError, match="lab is uint8"):
        model.log_ratio(np.zeros((4, 5, 3), np.uint8))
    with pytest.raises(ShapeError, match="evidence is"):
        model.load_state_dict({"evidence": np.zeros((2, 8))})
    with pytest.raises(InputError, match="no histogram"):
        log_ratio_table([])
    with pytest.raises(InputError, match="2 weights for 1 histograms"):
        log_ratio_table([np.zeros((2, 4096), np.int32)], [1, 2])
    with pytest.raises(ShapeError, match="a histogram is"):
        log_ratio_table([np.zeros((2, 512), np.int32)])


def test_a_color_that_neither_side_has_shown_says_nothing_even_if_one_side_is_larger():
    histogram = np.zeros((2, 4096), np.int32)
    histogram[0, 100], histogram[1, 3000] = 255 * 50, 255 * 5000
    table = log_ratio_table([histogram])
    assert table[2000] == 0
    assert table[100] > 1 and table[3000] < -0.5
