"""Motion saliency: nothing where the flow follows the camera, the smaller of both sides elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cvseg.arrays import to_host
from cvseg.errors import DeviceMismatchError, DtypeError, ShapeError
from cvseg.motion import CameraMotion, estimate_camera_motion, motion_saliency_map
from cvseg.motion.motion_saliency import FLOW_NOISE_PX

TURN = np.array([[0.999, -0.03, 1.0], [0.03, 0.999, -0.5], [1e-4, 0, 1]])


def flow_of(matrix, size_hw):
    y, x = np.mgrid[: size_hw[0], : size_hw[1]].astype(float)
    moved = np.einsum("ij,jhw->ihw", matrix, np.stack([x, y, np.ones_like(x)]))
    return np.stack([moved[0] / moved[2] - x, moved[1] / moved[2] - y], axis=-1).astype(np.float32)


def camera_of(matrix, residual_px, noise_px=0.3):
    return CameraMotion(np.asarray(matrix, float), noise_px, 1.0, np.asarray(residual_px, np.float32), 0.0)


def test_a_flow_that_follows_the_camera_has_no_saliency(device):
    size_hw = (23, 31)
    back = np.linalg.inv(TURN)
    cameras = camera_of(TURN, np.zeros((2, 3))), camera_of(back, np.zeros((2, 3)))
    found = motion_saliency_map(*device.arrays(flow_of(TURN, size_hw), flow_of(back, size_hw)), *cameras)
    assert to_host(found.saliency).max() < 1e-4
    assert found.full == 1


def test_saliency_is_the_smaller_of_the_two_residuals_in_units_of_noise(device):
    rng = np.random.default_rng(4)
    forward_xy, backward_xy = rng.normal(0, 5, (2, 11, 17, 2)).astype(np.float32)
    shift = np.array([[1, 0, 2.0], [0, 1, -1.0], [0, 0, 1]])
    ahead = np.hypot(forward_xy[..., 0] - 2, forward_xy[..., 1] + 1)
    behind = np.hypot(backward_xy[..., 0], backward_xy[..., 1])
    cameras = camera_of(shift, ahead, noise_px=0.3), camera_of(np.eye(3), behind, noise_px=0.8)
    found = motion_saliency_map(*device.arrays(forward_xy, backward_xy), *cameras)
    expected = np.minimum(ahead / (FLOW_NOISE_PX + 0.3), behind / (FLOW_NOISE_PX + 0.8))
    assert_allclose(to_host(found.saliency), expected, rtol=1e-5)
    assert found.full == pytest.approx(np.percentile(expected, 99), rel=1e-5)


def test_what_one_side_only_says_is_not_motion():
    still, wild = np.zeros((12, 14, 2), np.float32), np.zeros((12, 14, 2), np.float32)
    wild[3:6, 3:6] = 9  # uncovered: the flow to one neighbour is a guess
    cameras = estimate_camera_motion(still), estimate_camera_motion(wild)
    assert not motion_saliency_map(still, wild, *cameras).saliency.any()
    assert motion_saliency_map(wild, wild, cameras[1], cameras[1]).saliency[4, 4] > 20


def test_flows_that_do_not_belong_together_are_refused(emulated_cuda):
    flow_xy, camera = np.zeros((6, 7, 2), np.float32), camera_of(np.eye(3), np.zeros((2, 2)))
    with pytest.raises(ShapeError, match="backward_xy"):
        motion_saliency_map(flow_xy, flow_xy[:, 1:], camera, camera)
    with pytest.raises(DtypeError, match="forward_xy is float64"):
        motion_saliency_map(flow_xy.astype(float), flow_xy, camera, camera)
    with pytest.raises(DeviceMismatchError, match="two devices"):
        motion_saliency_map(flow_xy, emulated_cuda.asarray(flow_xy), camera, camera)
