"""estimate_flow: what every method and preset promises."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.errors import DeviceMismatchError, DtypeError, InputError, OptionError, RangeError, ShapeError
from cvseg.flow import FLOW_METHODS, estimate_flow

PRESETS = [(method, preset) for method, row in FLOW_METHODS.items() for preset in row.presets]
every_preset = pytest.mark.parametrize(("method", "preset"), PRESETS, ids=["-".join(pair) for pair in PRESETS])


@every_preset
def test_a_still_pair_has_exactly_zero_flow(method, preset, device, shifted_pair):
    image = device.array(shifted_pair((45, 61), 0, 0)[0])
    flow_xy = estimate_flow(image, image, method=method, preset=preset)
    assert flow_xy.shape == (45, 61, 2)
    assert flow_xy.dtype == np.float32
    assert not to_host(flow_xy).any()


@every_preset
@pytest.mark.parametrize(("dx", "dy"), [(2, 0), (0, -3), (5, 4)])
def test_a_whole_pixel_shift_is_found_inside(method, preset, dx, dy, shifted_pair):
    image0, image1 = shifted_pair((96, 128), dx, dy)
    flow_xy = estimate_flow(image0, image1, method=method, preset=preset)
    inside = flow_xy[12:-12, 12:-12]
    error_px = np.hypot(inside[..., 0] - dx, inside[..., 1] - dy)
    # fast searches down to quarter size and stops at half size: an odd shift is half a pixel there, and six sweeps of
    # one re-weighting leave a part of what the coarser level was wrong by (measured 0.18 and 0.35; two warps of two
    # re-weightings on coarse levels reach 0.26 for a sixth more time).
    mean_px, max_px = (0.2, 0.4) if preset == "fast" else (0.05, 0.1)
    assert error_px.mean() < mean_px
    assert error_px.max() < max_px


def test_a_quarter_of_the_width_is_found_by_quality(shifted_pair):
    image0, image1 = shifted_pair((96, 160), 40, 0)
    flow_xy = estimate_flow(image0, image1, preset="quality")
    inside = flow_xy[12:-12, 12:-52]
    assert np.hypot(inside[..., 0] - 40, inside[..., 1]).max() < 0.1


@every_preset
def test_shifting_both_images_shifts_the_flow(method, preset, shifted_pair):
    image0, image1 = shifted_pair((120, 144), 1.5, -0.7)
    whole = estimate_flow(image0, image1, method=method, preset=preset)
    # 16 pixels: whole pixels on every level that moves.
    part = estimate_flow(image0[16:, 16:], image1[16:, 16:], method=method, preset=preset)
    # Patches of dis lie every 3 pixels on coarse levels: shifted by 16 pixels they are not the same patches. What is
    # left of that, the six sweeps of fast do not polish away (measured 0.076).
    bound_px = 0.1 if (method, preset) == ("dis", "fast") else 0.05
    assert np.abs(part[16:-16, 16:-16] - whole[32:-16, 32:-16]).max() < bound_px


@every_preset
def test_cuda_and_cpu_agree(method, preset, cuda_device, shifted_pair):
    image0, image1 = shifted_pair((57, 70), 2.3, -1.2)
    expected = estimate_flow(image0, image1, method=method, preset=preset)
    result = to_host(estimate_flow(*cuda_device.arrays(image0, image1), method=method, preset=preset))
    assert np.hypot(*(result - expected).transpose(2, 0, 1)).mean() < 0.01


@every_preset
def test_any_number_of_threads_gives_the_same_bits(method, preset, use_threads, shifted_pair):
    image0, image1 = shifted_pair((217, 131), 3.2, 1.4)
    results = []
    for count in (1, 2, 5):
        use_threads(count)
        results.append(estimate_flow(image0, image1, method=method, preset=preset))
    assert_array_equal(results[0], results[1])
    assert_array_equal(results[0], results[2])


@every_preset
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 40), (40, 1), (7, 64), (7, 7)])
def test_an_image_smaller_than_a_patch_has_zero_flow(method, preset, size_hw):
    image0, image1 = np.random.default_rng(0).random((2, *size_hw), dtype=np.float32)
    flow_xy = estimate_flow(image0, image1, method=method, preset=preset)
    assert_array_equal(flow_xy, np.zeros((*size_hw, 2), np.float32))


@every_preset
@pytest.mark.parametrize("size_hw", [(8, 8), (9, 31), (8, 100), (33, 12)])
def test_a_small_image_has_a_finite_flow(method, preset, size_hw):
    image0, image1 = np.random.default_rng(0).random((2, *size_hw), dtype=np.float32)
    flow_xy = estimate_flow(image0, image1, method=method, preset=preset)
    assert flow_xy.shape == (*size_hw, 2)
    assert np.isfinite(flow_xy).all()
    assert np.abs(flow_xy).max() < 2 * max(size_hw)


@every_preset
def test_constant_images_have_zero_flow_even_when_the_light_changes(method, preset):
    dark, bright = np.full((40, 50), 0.2, np.float32), np.full((40, 50), 0.7, np.float32)
    assert not estimate_flow(dark, bright, method=method, preset=preset).any()


def test_colour_is_taken_as_grey(device, shifted_pair):
    image0, image1 = (np.round(255 * image).astype(np.uint8) for image in shifted_pair((40, 48), 1, 0))
    colour = [device.array(np.dstack([image] * 3)) for image in (image0, image1)]
    gray = [device.array(image.astype(np.float32) / np.float32(255)) for image in (image0, image1)]
    assert_array_equal(to_host(estimate_flow(*colour, preset="fast")), to_host(estimate_flow(*gray, preset="fast")))


def test_views_give_the_same_flow_as_copies(shifted_pair):
    image0, image1 = shifted_pair((80, 96), 2, 1)
    views = image0[::2, ::2], image1[::2, ::2]
    copies = (np.ascontiguousarray(view) for view in views)
    assert_array_equal(estimate_flow(*views), estimate_flow(*copies))


def test_images_are_not_changed(shifted_pair):
    image0, image1 = shifted_pair((40, 48), 2, 1)
    before = image0.copy(), image1.copy()
    estimate_flow(image0, image1)
    assert_array_equal(image0, before[0])
    assert_array_equal(image1, before[1])


def test_an_initial_flow_helps_where_the_motion_is_too_large_to_find():
    # Fine noise has nothing to hold on to on coarse levels.
    rng = np.random.default_rng(3)
    wide = rng.random((96, 200), dtype=np.float32)
    image0, image1 = wide[:, 40:168].copy(), wide[:, :128].copy()
    guess = np.tile(np.float32([40, 0]), (96, 128, 1))
    alone = estimate_flow(image0, image1)
    led = estimate_flow(image0, image1, initial=guess)
    inside = np.s_[12:-12, 12:-52]
    assert np.median(np.abs(led[inside] - [40, 0])) < 0.1
    assert np.median(np.abs(alone[inside] - [40, 0])) > 1


def test_wrong_arguments_get_one_sentence(shifted_pair):
    image, _ = shifted_pair((32, 40), 0, 0)
    colour = np.zeros((32, 40, 3), np.uint8)
    with pytest.raises(ShapeError, match=r"image1 is \(32, 39\); expected \(32, 40\) to match image0"):
        estimate_flow(image, image[:, 1:])
    with pytest.raises(ShapeError, match=r"image1 is \(32, 40, 3\); expected \(32, 40\)"):
        estimate_flow(image, colour)
    with pytest.raises(DtypeError, match=r"image0 is float64; expected float32"):
        estimate_flow(image.astype(np.float64), image.astype(np.float64))
    with pytest.raises(DtypeError, match=r"image0 is \(32, 40, 3\) float32; expected \(H, W, 3\) uint8 RGB or"):
        estimate_flow(colour.astype(np.float32), colour.astype(np.float32))
    with pytest.raises(DtypeError, match=r"image0 is uint8"):
        estimate_flow(colour[..., 0], colour[..., 0])
    with pytest.raises(ShapeError, match=r"image0 is \(32, 40, 4\); expected"):
        estimate_flow(np.zeros((32, 40, 4), np.uint8), np.zeros((32, 40, 4), np.uint8))
    with pytest.raises(ShapeError, match="at least one pixel"):
        estimate_flow(image[:0], image[:0])
    with pytest.raises(InputError, match="NumPy or CuPy"):
        estimate_flow([[1.0]], [[1.0]])
    with pytest.raises(ShapeError, match=r"initial is \(32, 40\); expected"):
        estimate_flow(image, image, initial=image)
    with pytest.raises(OptionError, match="did you mean 'balanced'"):
        estimate_flow(image, image, preset="balancd")
    with pytest.raises(OptionError, match="unknown method 'horn'"):
        estimate_flow(image, image, method="horn")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_images_with_holes_are_refused(bad, shifted_pair):
    image, _ = shifted_pair((32, 40), 0, 0)
    broken = image.copy()
    broken[3, 4] = bad
    with pytest.raises(RangeError, match="image1 holds NaN or infinite values"):
        estimate_flow(image, broken)


def test_images_on_two_devices_are_refused(emulated_cuda, shifted_pair):
    image, _ = shifted_pair((32, 40), 0, 0)
    with pytest.raises(DeviceMismatchError, match="two devices"):
        estimate_flow(image, emulated_cuda.asarray(image))
