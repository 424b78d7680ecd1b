"""inside_votes: rays that enter boundaries an odd number of times."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.motion.inside_votes import inside_votes

DIRECTIONS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]


def votes_of_walked_rays(boundary):
    """Every ray of every pixel, walked on its own."""
    planes, height, width = boundary.shape
    votes = np.zeros((height, width), np.float32)
    for plane, y, x in np.ndindex(boundary.shape):
        for dy, dx in DIRECTIONS:
            entered, before = 0, boundary[plane, y, x]
            i, j = y + dy, x + dx
            while 0 <= i < height and 0 <= j < width:
                entered += boundary[plane, i, j] and not before
                before = boundary[plane, i, j]
                i, j = i + dy, j + dx
            votes[y, x] += entered % 2
    return votes / np.float32(8 * planes)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 30), (2, 19, 1), (2, 14, 23), (3, 17, 9)])
def test_votes_are_those_of_rays_walked_one_by_one(shape, device):
    boundary = (np.random.default_rng(8).random(shape) < 0.25).astype(np.uint8)
    assert_array_equal(to_host(inside_votes(device.array(boundary))), votes_of_walked_rays(boundary))


def test_all_rays_say_inside_within_a_closed_boundary_and_one_less_behind_a_gap(device):
    boundary = np.zeros((1, 21, 21), np.uint8)
    boundary[0, 4:17, 4:17] = 1
    boundary[0, 6:15, 6:15] = 0
    votes = to_host(inside_votes(device.array(boundary)))
    assert votes[10, 10] == 1
    assert votes[1, 2] == 0
    boundary[0, 4:7, 10] = 0
    assert to_host(inside_votes(device.array(boundary)))[10, 10] == 7 / 8


def test_boundaries_of_several_flows_share_the_vote(device):
    boundary = np.zeros((2, 15, 15), np.uint8)
    boundary[0, 3:12, 3:12] = 1
    boundary[0, 4:11, 4:11] = 0
    assert to_host(inside_votes(device.array(boundary)))[7, 7] == 0.5
