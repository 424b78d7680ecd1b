"""forward_backward: the round trip, the bound, the edge of the image."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.errors import DeviceMismatchError, DtypeError, ShapeError
from cvseg.flow import forward_backward_consistency


def constant(size_hw, x, y):
    return np.tile(np.float32([x, y]), (*size_hw, 1))


def test_a_perfect_round_trip_is_certain_inside_and_occluded_where_it_leaves(device):
    forward, backward = constant((6, 9), 3, -1), constant((6, 9), -3, 1)
    result = forward_backward_consistency(*device.arrays(forward, backward))
    leaves = np.zeros((6, 9), bool)
    leaves[0], leaves[:, 6:] = True, True
    assert_array_equal(to_host(result.occluded), leaves)
    assert_array_equal(to_host(result.confidence), np.where(leaves, 0, 1).astype(np.float32))


def test_still_images_are_certain_everywhere(device):
    still = device.array(np.zeros((5, 7, 2), np.float32))
    result = forward_backward_consistency(still, still)
    assert not to_host(result.occluded).any()
    assert (to_host(result.confidence) == 1).all()


@pytest.mark.parametrize(("miss", "occluded"), [(0.70, False), (0.72, True)])
def test_the_bound_at_rest_is_half_a_squared_pixel(miss, occluded, device):
    forward, backward = constant((4, 5), 0, 0), constant((4, 5), miss, 0)  # 0.72^2 > 0.5 + 0.01 * 0.72^2 > 0.70^2
    result = forward_backward_consistency(*device.arrays(forward, backward))
    assert (to_host(result.occluded) == occluded).all()
    if not occluded:
        ratio = miss**2 / (0.5 + 0.01 * miss**2)
        assert_allclose(to_host(result.confidence), (1 + 3 * ratio) ** -2, rtol=1e-5)


def test_a_long_flow_may_miss_by_more(device):
    forward, backward = constant((8, 40), 20, 0), constant((8, 40), -18, 0)
    result = forward_backward_consistency(*device.arrays(forward, backward))
    assert not to_host(result.occluded)[:, :19].any()  # 4 < 0.01 (400 + 324) + 0.5


def test_a_flow_that_is_not_a_number_is_occluded(device):
    forward, backward = constant((4, 5), 0, 0), constant((4, 5), 0, 0)
    forward[1, 2] = np.nan
    forward[2, 3, 1] = np.inf
    result = forward_backward_consistency(*device.arrays(forward, backward))
    assert np.argwhere(to_host(result.occluded)).tolist() == [[1, 2], [2, 3]]
    assert np.isfinite(to_host(result.confidence)).all()


def test_wrong_arguments_are_named():
    flow_xy = np.zeros((4, 5, 2), np.float32)
    with pytest.raises(ShapeError, match=r"backward_xy is \(4, 6, 2\); expected \(4, 5, 2\) to match forward_xy"):
        forward_backward_consistency(flow_xy, np.zeros((4, 6, 2), np.float32))
    with pytest.raises(DtypeError, match="forward_xy is float64"):
        forward_backward_consistency(flow_xy.astype(np.float64), flow_xy)


def test_flows_on_two_devices_are_refused(emulated_cuda):
    flow_xy = np.zeros((4, 5, 2), np.float32)
    with pytest.raises(DeviceMismatchError, match="two devices"):
        forward_backward_consistency(emulated_cuda.asarray(flow_xy), flow_xy)


def test_a_flow_that_begins_anywhere_in_memory_is_taken(device):
    rng = np.random.default_rng(2)
    forward, backward = rng.normal(0, 1, (2, 7, 9, 2)).astype(np.float32)
    shifted = device.array(np.concatenate([[0], forward.ravel()]), np.float32)[1:].reshape(7, 9, 2)
    placed = device.array(backward)
    result = forward_backward_consistency(shifted, placed)
    expected = forward_backward_consistency(forward, backward)
    assert_array_equal(to_host(result.confidence), expected.confidence)
