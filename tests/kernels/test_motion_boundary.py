"""motion_boundary: abrupt changes of the flow."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.motion.motion_boundary import motion_boundary

STILL = np.zeros((9, 12, 2), np.float32)


def found_in(device, flow_xy):
    return to_host(motion_boundary(*device.arrays(flow_xy, STILL)))


def sides(left_xy, right_xy):
    flow_xy = np.empty((9, 12, 2), np.float32)
    flow_xy[:, :6], flow_xy[:, 6:] = left_xy, right_xy
    return flow_xy


# The gradient is half of the step: 1.31 px a pixel are enough alone, 0.99 px never.
@pytest.mark.parametrize(
    ("left_xy", "right_xy", "expected"),
    [
        ((1, 0), (3.7, 0), True),
        ((1, 0), (3.5, 0), False),  # the same direction
        ((1.2, 0), (-1.3, 0), True),  # the opposite
        ((0, 0), (2.5, 0), False),  # standing still has no direction
        ((0.9, 0), (-0.9, 0), False),
        ((0, 40), (0, 37), True),
    ],
)
def test_a_step_must_be_high_or_turn(left_xy, right_xy, expected, device):
    forward, backward = found_in(device, sides(left_xy, right_xy))
    wanted = np.zeros((9, 12), np.uint8)
    wanted[1:-1, 5:7] = expected
    assert_array_equal(forward, wanted)
    assert not backward.any()


def test_both_flows_are_looked_at_apart_and_along_both_axes(device):
    flow_xy = np.ascontiguousarray(np.swapaxes(sides((0, 5), (0, 0)), 0, 1)[:, :9])
    still = np.zeros_like(flow_xy)
    forward, backward = to_host(motion_boundary(*device.arrays(still, flow_xy)))
    assert not forward.any()
    assert_array_equal(np.unique(np.nonzero(backward)[0]), [5, 6])


@pytest.mark.parametrize("size_hw", [(1, 1), (2, 30), (30, 2), (1, 9)])
def test_edges_are_no_boundaries(size_hw, device):
    flow_xy = np.random.default_rng(1).normal(0, 20, (*size_hw, 2)).astype(np.float32)
    assert not to_host(motion_boundary(*device.arrays(flow_xy, flow_xy))).any()
