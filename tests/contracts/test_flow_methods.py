"""What every method of `FLOW_METHODS` promises, with each of its presets."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import device_of, to_host
from cvseg.errors import RangeError, ShapeError
from cvseg.flow import FLOW_METHODS, estimate_flow

PRESETS = [(method, preset) for method, row in FLOW_METHODS.items() for preset in row.presets]
SIZE_HW = 57, 75  # odd, and more than one level


@pytest.fixture(params=PRESETS, ids=["-".join(pair) for pair in PRESETS])
def estimate(request):
    """One method with one preset."""
    method, preset = request.param
    return lambda image0, image1, **more: estimate_flow(image0, image1, method=method, preset=preset, **more)


def textured(size_hw, dx=0.0, dy=0.0):
    """A grey picture of waves of many lengths, moved by (dx, dy)."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[: size_hw[0], : size_hw[1]].astype(np.float64)
    waves = [(rng.normal(0, 0.35, 2), rng.uniform(0, 6)) for _ in range(12)]
    total = sum(np.sin(a * (x - dx) + b * (y - dy) + phase) for (a, b), phase in waves)
    return (0.5 + 0.06 * total).clip(0, 1).astype(np.float32)


MOVED = 1.5, -0.75


def pair():
    return textured(SIZE_HW), textured(SIZE_HW, *MOVED)


def rgb(image):
    return np.repeat(np.round(255 * image).astype(np.uint8)[..., None], 3, axis=2)


def error_px(flow_xy, border=8):
    inside = flow_xy[border:-border, border:-border]
    return float(np.hypot(inside[..., 0] - MOVED[0], inside[..., 1] - MOVED[1]).mean())


def test_a_still_pair_has_exactly_zero_flow(estimate):
    image = rgb(textured(SIZE_HW))
    assert_array_equal(estimate(image, image), np.zeros((*SIZE_HW, 2), np.float32))


def test_constant_pictures_have_zero_flow(estimate):
    dark, bright = np.full(SIZE_HW, 0.25, np.float32), np.full(SIZE_HW, 0.5, np.float32)
    assert_array_equal(estimate(dark, dark), np.zeros((*SIZE_HW, 2), np.float32))
    assert_array_equal(estimate(dark, bright), np.zeros((*SIZE_HW, 2), np.float32))


def test_grey_and_colour_are_taken_and_a_motion_is_found(estimate):
    image0, image1 = pair()
    for images in ((image0, image1), (rgb(image0), rgb(image1))):
        flow_xy = estimate(*images)
        assert flow_xy.shape == (*SIZE_HW, 2)
        assert flow_xy.dtype == np.float32
        assert error_px(flow_xy) < 0.15  # zero flow has 1.68; the worst, dis with preset fast, 0.09


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_pictures_with_holes_are_refused(estimate, bad):
    image0, image1 = pair()
    image1[5, 6] = bad
    with pytest.raises(RangeError, match="image1 holds NaN or infinite values"):
        estimate(image0, image1)


def test_pictures_of_two_sizes_are_refused(estimate):
    image0, image1 = pair()
    with pytest.raises(ShapeError, match=r"image1 is \(57, 74\); expected \(57, 75\) to match image0"):
        estimate(image0, image1[:, 1:])


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 40), (40, 1), (2, 9), (9, 11), (17, 33), (31, 64)])
def test_any_size_has_a_finite_flow(estimate, size_hw):
    image0, image1 = np.random.default_rng(0).random((2, *size_hw), dtype=np.float32)
    flow_xy = estimate(image0, image1)
    assert flow_xy.shape == (*size_hw, 2)
    assert np.isfinite(flow_xy).all()
    assert np.abs(flow_xy).max() <= 2 * max(size_hw)


def test_views_give_the_bits_of_copies_and_nothing_is_written_into_the_input(estimate):
    wide0, wide1 = (np.repeat(np.repeat(image, 2, axis=0), 2, axis=1) for image in pair())
    views = wide0[::2, ::2], wide1[::2, ::2]
    copies = tuple(view.copy() for view in views)
    kept = wide0.copy(), wide1.copy()
    assert_array_equal(estimate(*views), estimate(*copies))
    for array, before in zip((wide0, wide1, *copies), (*kept, *pair()), strict=True):
        assert_array_equal(array, before)


@pytest.mark.parametrize("kind", ["grey", "colour"])
def test_any_number_of_threads_gives_the_same_bits(estimate, kind, use_threads):
    images = [rgb(image) if kind == "colour" else image for image in pair()]
    flows = []
    for count in (1, 2, 5):
        use_threads(count)
        flows.append(estimate(*images))
    assert_array_equal(flows[1], flows[0])
    assert_array_equal(flows[2], flows[0])


def test_cuda_gives_a_flow_on_cuda_that_agrees(estimate, cuda_device):
    images = [image[:33, :43] for image in pair()]
    flow_xy = estimate(*cuda_device.arrays(*images))
    assert device_of(flow_xy) == "cuda"
    difference = to_host(flow_xy) - estimate(*images)
    assert np.hypot(difference[..., 0], difference[..., 1]).mean() < 0.01


def test_a_good_initial_flow_does_no_harm(estimate):
    image0, image1 = pair()
    guess = np.tile(np.float32(MOVED), (*SIZE_HW, 1))
    led = estimate(image0, image1, initial=guess)
    assert error_px(led) < error_px(estimate(image0, image1)) + 0.02
    assert_array_equal(guess, np.tile(np.float32(MOVED), (*SIZE_HW, 1)))


def test_a_good_initial_flow_leads_where_the_motion_cannot_be_found(estimate):
    # Independent noise has nothing to hold on to on coarse levels, and moves by more than a quarter of the width.
    wide = np.random.default_rng(3).random((48, 152), dtype=np.float32)
    image0, image1 = wide[:, 40:].copy(), wide[:, :112].copy()
    guess = np.tile(np.float32([40, 0]), (48, 112, 1))
    inside = np.s_[8:-8, 8:-48]

    def error(flow_xy):
        return float(np.median(np.hypot(flow_xy[inside][..., 0] - 40, flow_xy[inside][..., 1])))

    assert error(estimate(image0, image1, initial=guess)) < 1
