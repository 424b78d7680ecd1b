"""WindowColors: which frames and which background count, what is kept, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.appearance import ColorModelOptions, WindowColorOptions, WindowColors, log_ratio_table, spread_colors
from cvseg.arrays import to_host
from cvseg.errors import DtypeError, InputError, ShapeError
from cvseg.kernels.appearance.color_histogram import color_histogram

RED, GREEN, BLUE = (55.0, 60.0, 40.0), (60.0, -50.0, 40.0), (40.0, 10.0, -50.0)


def frame(inside, outside, size_hw=(20, 30)):
    """A frame with a square object; its mask."""
    mask = np.zeros(size_hw, bool)
    mask[5:15, 8:18] = True
    return np.where(mask[..., None], np.float32(inside), np.float32(outside)).astype(np.float32), mask


def speaks(colors, index, color):
    """Log ratio of one colour as seen from a frame."""
    return float(colors.log_ratio(index, np.full((1, 1, 3), color, np.float32))[0, 0])


def test_colors_of_the_mask_speak_for_it_and_those_around_against(device):
    lab, mask = frame(RED, BLUE)
    colors = WindowColors()
    colors.add(0, device.array(lab), device.array(mask))
    ratio = to_host(colors.log_ratio(0, device.array(lab)))
    assert ratio.dtype == np.float32
    assert ratio[mask].min() > 1 and ratio[~mask].max() < -1
    assert np.abs(ratio).max() <= 4


def test_what_was_never_seen_says_nothing():
    colors = WindowColors()
    assert speaks(colors, 0, RED) == 0
    colors.add(0, *frame(RED, BLUE))
    assert speaks(colors, 0, GREEN) == 0


def test_the_window_is_the_weighted_sum_of_its_frames_and_a_share_of_everything():
    rng = np.random.default_rng(0)
    options = WindowColorOptions(reach=3, rest=0.2)
    colors = WindowColors(options)
    histograms = []
    for i in range(9):
        lab, mask = frame(RED, BLUE)
        lab += rng.normal(0, 12, lab.shape).astype(np.float32)
        colors.add(i, lab, mask)
        histograms.append(color_histogram(spread_colors(lab), mask.astype(np.float32)))  # all background is near here
    around = histograms[4:9]
    weights = [math.exp(-abs(i - 7) / 3) for i in range(4, 9)]
    everything = np.sum(histograms, axis=0)
    expected = log_ratio_table([everything, *around], [0.2 / 9, *weights], ColorModelOptions(smoothing=0))
    assert_allclose(colors.table(7), expected, rtol=1e-6, atol=1e-6)


def test_frames_after_count_as_frames_before():
    forward, backward = WindowColors(), WindowColors()
    scenes = [frame(RED, BLUE), frame(GREEN, BLUE), frame(BLUE, GREEN)]
    for i, scene in enumerate(scenes):
        forward.add(i, *scene)
    for i, scene in enumerate(scenes[::-1]):
        backward.add(i, *scene)
    assert_allclose(forward.table(0), backward.table(2), rtol=0, atol=1e-6)


def test_a_color_changes_sides_when_the_window_has_moved_on():
    colors = WindowColors(WindowColorOptions(reach=2))
    for i in range(6):
        colors.add(i, *frame(RED, BLUE))
    assert speaks(colors, 5, RED) > 1
    for i in range(6, 12):
        colors.add(i, *frame(BLUE, RED))
    assert speaks(colors, 11, RED) < -1


def test_what_was_seen_long_ago_still_counts_where_the_window_has_nothing():
    colors = WindowColors(WindowColorOptions(reach=1))
    colors.add(0, *frame(RED, BLUE))
    for i in range(1, 6):
        colors.add(i, *frame(GREEN, BLUE))
    assert speaks(colors, 5, RED) > 0.3
    forgetful = WindowColors(WindowColorOptions(reach=1, rest=0.0))
    forgetful.add(0, *frame(RED, BLUE))
    for i in range(1, 6):
        forgetful.add(i, *frame(GREEN, BLUE))
    assert speaks(forgetful, 5, RED) == 0


def test_background_far_from_the_object_counts_less():
    lab, mask = frame(RED, BLUE, (20, 90))
    lab[:, 60:] = RED
    speech = []
    for near_px in (100.0, 20.0):
        colors = WindowColors(WindowColorOptions(near_px=near_px))
        colors.add(0, lab, mask)
        speech.append(speaks(colors, 0, RED))
    assert speech[1] > speech[0] + 1


def test_an_empty_or_a_full_mask_says_nothing():
    lab, mask = frame(RED, BLUE)
    for whole in (np.zeros_like(mask), np.ones_like(mask)):
        colors = WindowColors()
        colors.add(0, lab, whole)
        assert np.abs(colors.table(0)).max() < 1e-6


def test_memory_does_not_grow():
    colors = WindowColors(WindowColorOptions(reach=2))
    for i in range(0, 60, 2):
        colors.add(i, *frame(RED, BLUE))
        assert len(colors._frames) <= 5
    assert sorted(colors._frames) == [54, 56, 58]


def test_reset_forgets_everything():
    colors = WindowColors()
    colors.add(7, *frame(RED, BLUE))
    colors.reset()
    assert not colors.table(0).any()
    colors.add(0, *frame(BLUE, RED))
    fresh = WindowColors()
    fresh.add(0, *frame(BLUE, RED))
    assert_array_equal(colors.table(0), fresh.table(0))


def test_less_limit_and_more_blur_speak_softer():
    loud, soft, blurred = (
        WindowColors(WindowColorOptions(**change)) for change in ({}, {"limit": 1.0}, {"smoothing": 4})
    )
    for colors in (loud, soft, blurred):
        colors.add(0, *frame(RED, BLUE))
    assert speaks(soft, 0, RED) == 1 < speaks(loud, 0, RED)
    nearby = (55.0, 44.0, 24.0)  # two bins off in a and b
    assert speaks(loud, 0, nearby) < speaks(blurred, 0, nearby)
    hesitant = WindowColors(WindowColorOptions(prior_px=5000.0))
    hesitant.add(0, *frame(RED, BLUE))
    assert 0 < speaks(hesitant, 0, RED) < speaks(loud, 0, RED)


def test_frames_out_of_order_and_windows_that_are_gone_are_refused():
    colors = WindowColors(WindowColorOptions(reach=2))
    colors.add(3, *frame(RED, BLUE))
    with pytest.raises(InputError, match="frame 3 after frame 3"):
        colors.add(3, *frame(RED, BLUE))
    for i in range(4, 9):
        colors.add(i, *frame(RED, BLUE))
    assert speaks(colors, 6, RED) > 1
    with pytest.raises(InputError, match="frame 5 asked after frame 8"):
        colors.table(5)


def test_wrong_arrays_are_refused():
    lab, mask = frame(RED, BLUE)
    colors = WindowColors()
    with pytest.raises(DtypeError, match="mask is uint8"):
        colors.add(0, lab, mask.astype(np.uint8))
    with pytest.raises(ShapeError, match="mask is"):
        colors.add(0, lab, mask[:-1])
    with pytest.raises(DtypeError, match="lab is float64"):
        colors.log_ratio(0, lab.astype(np.float64))
    with pytest.raises(ShapeError, match="lab is"):
        colors.log_ratio(0, lab[0])


def test_spread_colors_keep_their_order_and_leave_lightness():
    a = np.linspace(-128, 127, 52, dtype=np.float32)
    lab = np.stack([a + 130, a, -a], axis=-1)[None]
    given = lab.copy()
    spread = spread_colors(lab)
    assert_array_equal(lab, given)
    assert_array_equal(spread[..., 0], lab[..., 0])
    assert (np.diff(spread[0, :, 1]) > 0).all() and (np.diff(spread[0, :, 2]) < 0).all()
    assert np.abs(spread[..., 1:]).max() < 64
