"""carried_flow and patch_carried: what a pair of frames says of the next one, and which patch believes it."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.flow.carried_flow import CELL, carried_flow
from cvseg.kernels.flow.patch_carried import patch_carried
from cvseg.kernels.flow.patch_grid import MARGIN, patch_grid

H, W = 5 * CELL, 7 * CELL + 3
STRIDE, LEVEL = np.int32(4), np.int32(1)


def tile(u, v):
    return np.tile(np.float32([u, v]), (H, W, 1))


def test_steady_motion_is_expected_to_go_on(device):
    onward, back = map(to_host, carried_flow(*device.arrays(tile(3, -2), tile(-3, 2))))
    assert onward.shape == back.shape == (5, 8, 2)
    inside = np.s_[1:-1, 1:-1]
    assert_array_equal(onward[inside], np.tile(np.float32([3, -2]), (3, 6, 1)))
    assert_array_equal(back[inside], np.tile(np.float32([-3, 2]), (3, 6, 1)))


def test_what_does_not_lead_home_is_not_carried(device):
    onward, back = map(to_host, carried_flow(*device.arrays(tile(3, 0), tile(-9, 0))))
    assert np.isnan(onward).all()
    assert np.isnan(back).all()


def test_what_came_from_outside_is_not_carried(device):
    onward, _ = map(to_host, carried_flow(*device.arrays(tile(CELL, 0), tile(-CELL, 0))))
    assert np.isnan(onward[:, 0]).all()
    assert not np.isnan(onward[:, 1:]).any()


def test_the_flow_back_is_that_of_the_place_it_will_come_from(device):
    # What is right of cell 1 moves right by two cells, and uncovers cells 2 and 3, which stand still now.
    forward_xy, backward_xy = tile(0, 0), tile(0, 0)
    backward_xy[:, 4 * CELL :, 0], forward_xy[:, 2 * CELL :, 0] = -2 * CELL, 2 * CELL
    _, back = map(to_host, carried_flow(*device.arrays(forward_xy, backward_xy)))
    assert_array_equal(back[2, 6], np.float32([-2 * CELL, 0]))  # comes from cell 4, which moves
    assert_array_equal(back[2, 1], np.float32([0, 0]))
    assert np.isnan(back[2, 3]).all()  # was not seen before


def texture(shift):
    rng = np.random.default_rng(4)
    wide = rng.random((H + 2 * MARGIN, W + 2 * MARGIN + 8), dtype=np.float32)
    return np.ascontiguousarray(wide[:, 8 - shift : 8 - shift + W + 2 * MARGIN])


def test_a_patch_takes_what_fits_better_and_keeps_what_it_has_else(device):
    padded0, padded1 = texture(0), texture(3)  # moved right by 3 pixels of level 1, 6 of level 0
    rows, columns = patch_grid((H, W), int(STRIDE))
    grid = -(-2 * H // CELL), -(-2 * W // CELL)
    carried = np.tile(np.float32([6, 0]), (*grid, 1))

    def chosen(start, carried):
        placed = device.arrays(padded0, padded1, np.tile(np.float32(start), (rows, columns, 1)), carried)
        return to_host(patch_carried(*placed, STRIDE, LEVEL))

    inside = np.s_[:, 1 : columns - 2]  # the other patches leave the picture
    assert_array_equal(chosen([0, 1], carried)[inside], np.broadcast_to(np.float32([3, 0]), (rows, columns - 3, 2)))
    assert_array_equal(chosen([3, 0], 2 * carried)[inside], np.broadcast_to(np.float32([3, 0]), (rows, columns - 3, 2)))
    nothing = np.full_like(carried, np.nan)
    assert_array_equal(chosen([0, 1], nothing), np.broadcast_to(np.float32([0, 1]), (rows, columns, 2)))
