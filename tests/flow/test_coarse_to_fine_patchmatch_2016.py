"""Matching of patches: motion over a quarter of the image, things that move farther than they are large."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.errors import OptionError
from cvseg.flow import estimate_flow
from cvseg.flow.coarse_to_fine_patchmatch_2016 import CoarseToFinePatchMatchOptions, coarse_to_fine_patchmatch_2016
from cvseg.flow.patch_matches import matched_flow
from cvseg.kernels.pyramid.pyramid_down import pyramid_down

MATCHING = [("cpm", "quality"), ("cpm", "balanced"), ("dis", "quality")]
SIDE = 48  # of the thing that moves
AT_YX, MOVED_XY = (30, 30), (68, 22)


@pytest.fixture(scope="module")
def flying_patch(shifted_pair):
    """A small square of another texture flies over a background that drifts by (1.5, -1): two images and true flow."""
    image0, image1 = (image.copy() for image in shifted_pair((144, 208), 1.5, -1))
    texture = 1 - shifted_pair((256, 256), 0, 0)[0][150 : 150 + SIDE, 180 : 180 + SIDE]
    (y, x), (dx, dy) = AT_YX, MOVED_XY
    image0[y : y + SIDE, x : x + SIDE] = texture
    image1[y + dy : y + dy + SIDE, x + dx : x + dx + SIDE] = texture
    flow_xy = np.tile(np.float32([1.5, -1]), (144, 208, 1))
    flow_xy[y : y + SIDE, x : x + SIDE] = MOVED_XY
    return image0, image1, flow_xy


def inside_the_patch(flow_xy):
    (y, x), margin = AT_YX, 6
    return flow_xy[y + margin : y + SIDE - margin, x + margin : x + SIDE - margin]


@pytest.mark.parametrize(("method", "preset"), MATCHING)
@pytest.mark.parametrize(("dx", "dy"), [(48, 0), (-48, 0), (0, 48), (0, -48), (40, 30), (-40, 30)])
def test_a_quarter_of_the_width_is_found_in_every_direction(method, preset, dx, dy, shifted_pair):
    image0, image1 = shifted_pair((160, 192), dx, dy)
    flow_xy = estimate_flow(image0, image1, method=method, preset=preset)
    margin_y, margin_x = max(abs(dy), 8) + 1, max(abs(dx), 8) + 1
    inside = flow_xy[margin_y:-margin_y, margin_x:-margin_x]
    assert np.hypot(inside[..., 0] - dx, inside[..., 1] - dy).max() < 0.1


@pytest.mark.parametrize(("method", "preset"), MATCHING)
def test_a_thing_that_moves_farther_than_it_is_large_is_found(method, preset, flying_patch):
    image0, image1, true_xy = flying_patch
    flow_xy = estimate_flow(image0, image1, method=method, preset=preset)
    error_px = np.hypot(*inside_the_patch(flow_xy - true_xy).transpose(2, 0, 1))
    assert error_px.mean() < 1  # its corners are rounded off
    # Away from the square, from where it lands, and from the border, the background is as exact as alone.
    away = np.ones(true_xy.shape[:2], bool)
    (y, x), (moved_x, moved_y) = AT_YX, MOVED_XY
    for row, column in ((y, x), (y + moved_y, x + moved_x)):
        away[row - 16 : row + SIDE + 16, column - 16 : column + SIDE + 16] = False
    away[:8], away[-8:], away[:, :8], away[:, -8:] = False, False, False, False
    assert np.hypot(*(flow_xy - true_xy)[away].T).max() < 0.2


def test_the_search_alone_loses_it(flying_patch):
    image0, image1, true_xy = flying_patch
    flow_xy = estimate_flow(image0, image1, preset="balanced")
    assert np.hypot(*inside_the_patch(flow_xy - true_xy).transpose(2, 0, 1)).mean() > 10


@pytest.mark.parametrize(("method", "preset"), MATCHING)
def test_both_devices_have_the_same_bits(method, preset, cuda_device, flying_patch):
    image0, image1 = (image[:90, :131].copy() for image in flying_patch[:2])
    expected = estimate_flow(image0, image1, method=method, preset=preset)
    result = estimate_flow(*cuda_device.arrays(image0, image1), method=method, preset=preset)
    assert_array_equal(to_host(result), expected)


def test_matches_lie_on_whole_pixels_of_level_1_and_are_continued_to_the_border(shifted_pair):
    levels = []
    for image in shifted_pair((128, 192), 40, -16):
        images = {0: image}
        for level in (1, 2, 3):
            images[level] = pyramid_down(images[level - 1])
        levels.append(images)
    matched = matched_flow(*levels)
    assert matched.flow_uv.shape == (2, 16, 24)
    assert_array_equal(matched.flow_uv[0], np.float32(40 / 8))
    assert_array_equal(matched.flow_uv[1], np.float32(-16 / 8))
    assert not matched.still.any()


def test_the_expected_one_of_two_equal_places_wins(shifted_pair):
    # A texture of period 64: a shift of 24 is one of -40.
    tile = shifted_pair((64, 64), 0, 0)[0]
    image0 = np.tile(tile, (2, 4))
    image1 = np.roll(image0, 24, axis=1)
    options = CoarseToFinePatchMatchOptions()
    for expected in (24, -40):
        initial = np.tile(np.float32([expected, 0]), (128, 256, 1))
        inside = coarse_to_fine_patchmatch_2016(image0, image1, options, initial)[24:-24, 48:-48]
        assert np.abs(inside[..., 0] - expected).max() < 0.1


def test_reach_bounds_what_is_found(shifted_pair):
    image0, image1 = shifted_pair((96, 192), 48, 0)
    near = coarse_to_fine_patchmatch_2016(image0, image1, CoarseToFinePatchMatchOptions(reach=0.05))
    far = coarse_to_fine_patchmatch_2016(image0, image1, CoarseToFinePatchMatchOptions(reach=0.35))
    assert np.abs(far[16:-16, 16:-64, 0] - 48).max() < 0.1
    assert np.abs(near[16:-16, 16:-64, 0] - 48).mean() > 10


@pytest.mark.parametrize("size_hw", [(1, 40), (7, 9), (28, 300), (29, 31), (57, 57)])
def test_images_of_any_size_have_a_finite_flow(size_hw, shifted_pair):
    image = np.resize(shifted_pair((64, 64), 0, 0)[0], size_hw)
    flow_xy = estimate_flow(image, image[::-1].copy(), method="cpm")
    assert flow_xy.shape == (*size_hw, 2)
    assert np.isfinite(flow_xy).all()


@pytest.mark.parametrize(("name", "value"), [("reach", 0.0), ("rounds", 0), ("tries", -1), ("finest_level", 3)])
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(OptionError, match=name):
        CoarseToFinePatchMatchOptions(**{name: value})
