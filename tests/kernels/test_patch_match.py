"""The kernels of patch matching: costs, rounds, checks, filling."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.byte_patches import absolute_difference, load_patch
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.flow.match_check import UNKNOWN, match_check
from cvseg.kernels.flow.match_fill import match_fill
from cvseg.kernels.flow.match_hint import match_hint
from cvseg.kernels.flow.match_image import FRAME, match_image
from cvseg.kernels.flow.match_still import NEAR, match_still
from cvseg.kernels.flow.patch_inside import patch_inside
from cvseg.kernels.flow.patch_match import patch_match


@cpu_kernel
def _difference(a, b, i, j, pitch):
    return absolute_difference(load_patch(a, i, pitch), load_patch(b, j, pitch))


def test_the_difference_of_two_patches_is_the_sum_over_64_bytes():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 256, (2, 20, 23), np.uint8)
    a[4:12, 5:13], b[6:14, 2:10] = 255, 0
    for y0, x0, y1, x1 in ((0, 0, 0, 0), (4, 5, 6, 2), (12, 15, 3, 1)):
        expected = np.abs(a[y0 : y0 + 8, x0 : x0 + 8].astype(int) - b[y1 : y1 + 8, x1 : x1 + 8]).sum()
        assert _difference(a.reshape(-1), b.reshape(-1), y0 * 23 + x0, y1 * 23 + x1, 23) == expected


def test_a_constant_image_and_a_ramp_have_nothing_to_match(device):
    y, x = np.mgrid[0:30, 0:40]
    for image in (np.full((30, 40), 0.7), x / 255 * 2 + y / 255):
        matched = to_host(match_image(device.array(image.astype(np.float32))))
        assert matched.shape == (30 + 2 * FRAME, 40 + 2 * FRAME)
        # Away from the border, where the ramp ends: within the rounding of the mean.
        assert (np.abs(matched[FRAME + 4 : -FRAME - 4, FRAME + 4 : -FRAME - 4].astype(int) - 128) <= 1).all()


def test_the_frame_repeats_the_edge(device):
    image = np.random.default_rng(1).random((9, 11), np.float32)
    matched = to_host(match_image(device.array(image)))
    assert_array_equal(matched, np.pad(matched[FRAME:-FRAME, FRAME:-FRAME], FRAME, mode="edge"))


def test_a_round_spreads_a_match_to_its_neighbours_and_lowers_no_cost(device):
    rng = np.random.default_rng(2)
    matched0 = rng.integers(0, 256, (40 + 2 * FRAME, 48 + 2 * FRAME), np.uint8)
    matched1 = np.roll(matched0, (3, 6), (0, 1))
    arrays = device.arrays(matched0, matched1)
    matches, prior = device.array(np.zeros((10, 12, 3), np.int32)), device.array(np.zeros((2, 10, 12), np.float32))
    none, level, penalty = np.int32(0), np.int32(1), np.int32(32)
    before = patch_match(*arrays, matches, prior, level, none, np.int32(8), none, none, penalty)
    host = to_host(before).copy()
    assert (host[..., :2] == 0).all()
    host[4, 5] = 6, 3, 0
    after = to_host(
        patch_match(*arrays, device.array(host), prior, level, np.int32(2), np.int32(4), none, none, penalty)
    )
    rows, columns = np.nonzero((after[..., :2] == (6, 3)).all(2))
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(r, c) for r in (2, 4, 6) for c in (3, 5, 7)]
    assert (after[..., 2] <= host[..., 2]).all()


def test_many_tries_find_the_match_of_most_seeds(device):
    rng = np.random.default_rng(3)
    matched0 = rng.integers(0, 256, (40 + 2 * FRAME, 48 + 2 * FRAME), np.uint8)
    matched1 = np.roll(matched0, (3, -5), (0, 1))
    matches, prior = device.array(np.zeros((10, 12, 3), np.int32)), device.array(np.zeros((2, 10, 12), np.float32))
    numbers = map(np.int32, (1, 0, 8, 800, 0, 0))
    found = to_host(patch_match(*device.arrays(matched0, matched1), matches, prior, *numbers))
    # 800 tries among 17 x 17 places miss a given one with probability 0.06; seeds at the border match a frame.
    assert (found[2:-2, 2:-2, :2] == (-5, 3)).all(2).mean() > 0.85


def shifted_matches(rows, columns, dx, dy):
    forward = np.zeros((rows, columns, 3), np.int32)
    forward[..., :2] = dx, dy
    return forward, forward * np.int32([-1, -1, 0])


def check(device, forward, backward, prior, prior_back, keep_prior):
    rows, columns = forward.shape[:2]
    arrays = device.arrays(forward, backward, prior, prior_back)
    numbers = map(np.int32, (keep_prior, 4 * rows, 4 * columns, 1))
    return tuple(to_host(result) for result in match_check(*arrays, *numbers))


def test_matches_that_lead_back_among_alike_ones_are_known(device):
    forward, backward = shifted_matches(12, 16, 0, 0)
    forward[6, 7, 0] = 4  # leads to a seed that does not lead back
    none = np.zeros((2, 12, 16), np.float32)
    flow_uv, distance = check(device, forward, backward, none, none, 0)
    expected = np.zeros((12, 16), np.int32)
    expected[6, 7] = UNKNOWN
    assert_array_equal(distance, expected)
    assert not flow_uv.any()


@pytest.mark.parametrize(("side", "known"), [(3, False), (4, True)])
def test_a_group_of_matches_is_known_from_eleven_on(side, known, device):
    forward, backward = shifted_matches(20, 20, 0, 0)
    forward[8 : 8 + side, 8 : 8 + side, 0] = 32
    backward[8 : 8 + side, 8 + 8 : 8 + 8 + side, 0] = -32
    none = np.zeros((2, 20, 20), np.float32)
    flow_uv, distance = check(device, forward, backward, none, none, 0)
    assert (distance[8 : 8 + side, 8 : 8 + side] == (0 if known else UNKNOWN)).all()
    if known:
        assert (flow_uv[0, 8 : 8 + side, 8 : 8 + side] == 8).all()


def test_a_prior_that_leads_back_stands_in_for_a_lost_match(device):
    forward, backward = shifted_matches(12, 16, 8, 0)
    backward[:] = 0  # nothing leads back
    prior = np.zeros((2, 12, 16), np.float32)
    prior[0] = 1.5
    for keep, back, inside in ((1, -1.5, 0), (1, 1.5, UNKNOWN), (0, -1.5, UNKNOWN)):
        prior_back = np.zeros_like(prior)
        prior_back[0] = back
        flow_uv, distance = check(device, forward, backward, prior, prior_back, keep)
        assert_array_equal(flow_uv, prior)
        assert (distance[:, :14] == inside).all()
        assert (distance[:, 15:] == UNKNOWN).all()  # leads out of the image


def test_an_unknown_region_continues_the_plane_on_its_own_side_of_an_edge(device):
    y, x = np.mgrid[0:16, 0:24].astype(np.float32)
    image = np.where(x < 12, np.float32(0.2), np.float32(0.9)).astype(np.float32)
    left, right = 3 + 0.125 * x - 0.0625 * y, np.full_like(x, -4)
    plane = np.where(x < 12, left, right)
    distance = np.zeros((16, 24), np.int32)
    distance[:, 8:15] = UNKNOWN
    flow_uv = np.where(distance > 0, np.float32(99), np.stack([plane, 2 * plane])).astype(np.float32)
    filled = to_host(match_fill(*device.arrays(image, flow_uv, distance)))
    assert_array_equal(filled[:, distance == 0], flow_uv[:, distance == 0])
    # The ridge takes a little off the slope.
    assert_allclose(filled[0], plane, atol=0.15)
    assert_allclose(filled[1], 2 * plane, atol=0.3)


def test_where_nothing_is_known_the_flow_stays(device):
    rng = np.random.default_rng(4)
    image, flow_uv = rng.random((9, 7), np.float32), rng.normal(0, 3, (2, 9, 7)).astype(np.float32)
    filled = match_fill(*device.arrays(image, flow_uv, np.full((9, 7), UNKNOWN, np.int32)))
    assert_array_equal(to_host(filled), flow_uv)


def test_still_is_what_lies_near_a_known_seed_that_stands(device):
    flow_uv, distance = np.full((2, 30, 40), 5, np.float32), np.zeros((30, 40), np.int32)
    flow_uv[:, 10, 20], flow_uv[:, 25, 35], distance[25, 35] = 0.1, 0.1, UNKNOWN
    expected = np.zeros((30, 40), bool)
    expected[10 - NEAR : 11 + NEAR, 20 - NEAR : 21 + NEAR] = True
    assert_array_equal(to_host(match_still(*device.arrays(flow_uv, distance))), expected)


def test_a_patch_is_hinted_its_lost_match_or_to_stand_near_what_stands(device):
    start = np.full((5, 9, 2), 3, np.float32)  # patches every 4 pixels of a 24 x 40 image
    still, distance, known_uv = (
        np.zeros((3, 5), bool),
        np.full((3, 5), UNKNOWN, np.int32),
        np.zeros((2, 3, 5), np.float32),
    )
    still[:, 3:] = True  # from x = 24 on
    distance[:, 0], known_uv[:, :, 0] = 0, 2  # up to x = 7: 16 pixels, 13 from the start
    distance[:, 1], known_uv[:, :, 1] = 0, 1  # up to x = 15: 8 pixels, 5 from the start: no second one
    arrays = device.arrays(start, known_uv, distance, still)
    hint = to_host(match_hint(*arrays, *map(np.int32, (24, 40, 4, 0))))
    centre_x = np.arange(9) * 4 + 4
    expected = np.where(centre_x < 8, 16, np.where(centre_x >= 24, 0, 3))
    assert_array_equal(hint, np.tile(expected[None, :, None], (5, 1, 2)))


def test_patches_that_start_outside_keep_their_start(device):
    start, found = np.zeros((5, 9, 2), np.float32), np.ones((5, 9, 2), np.float32)
    start[0, 0], start[2, 8], start[4, 4] = (-4, 0), (4.5, 0), (0, 9)  # half in, more than half out, wholly out
    kept = to_host(patch_inside(*device.arrays(start, found), *map(np.int32, (24, 40, 4))))
    outside = np.zeros((5, 9), bool)
    outside[2, 8], outside[4, 4] = True, True
    assert_array_equal(kept, np.where(outside[..., None], start, found))
