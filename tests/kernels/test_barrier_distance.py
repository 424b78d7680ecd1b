"""barrier_distance: rise and fall of values on the best way to the frame's border."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.motion.barrier_distance import barrier_distance


def distance(device, planes, weights=(1.0,), border=1, rounds=3):
    arguments = np.asarray(planes, np.float32), np.asarray(weights, np.float32), np.int32(border), np.int32(rounds)
    return to_host(barrier_distance(*device.arrays(*arguments)))


def swept_one_pixel_after_the_other(plane, border, rounds):
    """The same sweeps on single numbers."""
    height, width = plane.shape
    high, low = np.full(plane.shape, np.inf, np.float32), np.full(plane.shape, -np.inf, np.float32)
    for y, x in np.ndindex(plane.shape):
        if min(x, y, width - 1 - x, height - 1 - y) < border:
            high[y, x] = low[y, x] = plane[y, x]
    rows = [[(y, x) for x in range(width)] for y in range(height)]
    columns = [[(y, x) for y in range(height)] for x in range(width)]
    for _ in range(rounds):
        for lines in (rows, [line[::-1] for line in rows], columns, [line[::-1] for line in columns]):
            for line in lines:
                for before, here in itertools.pairwise(line):
                    top, bottom = max(high[before], plane[here]), min(low[before], plane[here])
                    if top - bottom < high[here] - low[here]:
                        high[here], low[here] = top, bottom
    return high - low


@pytest.mark.parametrize("size_hw", [(15, 16), (17, 33), (40, 9), (16, 48)])
@pytest.mark.parametrize(("border", "rounds"), [(1, 1), (3, 3)])
def test_it_is_the_sweeps_one_after_the_other(size_hw, border, rounds, device):
    rng = np.random.default_rng(5)
    planes = np.stack([rng.integers(0, 7, size_hw), rng.normal(0, 2, size_hw)]).astype(np.float32)
    expected = np.float32(0)
    for plane, weight in zip(planes, np.float32([1, 0.5]), strict=True):
        expected = expected + swept_one_pixel_after_the_other(plane, border, rounds) * weight
    assert_array_equal(distance(device, planes, (1, 0.5), border, rounds), expected)


def test_what_a_step_encloses_is_as_far_as_the_step_is_high(device):
    plane = np.full((20, 30), 2, np.float32)
    plane[5:12, 8:20] = 7
    found = distance(device, [plane])
    assert_array_equal(found, np.where(plane == 7, np.float32(5), np.float32(0)))


def test_a_way_around_a_wall_is_no_barrier(device):
    plane = np.zeros((21, 31), np.float32)
    plane[5, 5:26] = plane[15, 5:26] = plane[5:16, 5] = plane[5:16, 25] = 9
    assert distance(device, [plane])[10, 15] == 9
    plane[15, 12] = 0  # a gate
    found = distance(device, [plane])
    assert found[10, 15] == 0
    assert found[5, 10] == 9


def test_rise_and_fall_on_one_path_add_up(device):
    plane = np.zeros((25, 25), np.float32)
    plane[4:-4, 4:-4] = 3
    plane[8:-8, 8:-8] = -2
    found = distance(device, [plane])
    assert found[6, 12] == 3
    assert found[12, 12] == 5


def test_what_touches_the_border_is_near_whatever_its_value(device):
    plane = np.zeros((20, 24), np.float32)
    plane[6:14, :10] = 50
    assert not distance(device, [plane]).any()


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 40), (6, 50), (50, 5)])
def test_a_frame_that_is_all_border_has_no_barriers(size_hw, device):
    plane = np.random.default_rng(1).random(size_hw, dtype=np.float32)
    assert not distance(device, [plane], border=3).any()
