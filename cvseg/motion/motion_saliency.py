"""Motion saliency of a frame: what moves against the camera, from the flow to both neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import common_device, to_device
from cvseg.checks import check_dtype, check_shapes
from cvseg.kernels.motion.motion_saliency import motion_saliency
from cvseg.motion.camera_motion import CameraMotion

# Below this the flow itself is not exact: residuals are measured against it plus the fitted noise.
FLOW_NOISE_PX = 0.2


@dataclass(frozen=True)
class MotionSaliency:
    """Residual motion in units of noise.

    Attributes
    ----------
    saliency : (H, W) float32, 0 and up; about 1 where only noise moves
    full : its 99th percentile over the frame, at least 1: what counts as fully moving here
    """

    saliency: Any
    full: float


def motion_saliency_map(
    forward_xy: Any, backward_xy: Any, camera_forward: CameraMotion, camera_backward: CameraMotion
) -> MotionSaliency:
    """The smaller of the residuals towards the next and the previous frame, each divided by its noise.

    A background that is uncovered or hidden has a wrong flow on one side only; the minimum removes it.

    Parameters
    ----------
    forward_xy, backward_xy : (H, W, 2) float32, pixels, finite, from this frame to the next and to the previous one
    camera_forward, camera_backward : the camera motion fitted to each, with the same options

    Returns
    -------
    MotionSaliency, on the device of the flow

    Raises
    ------
    ShapeError, DtypeError, DeviceMismatchError
    """
    device = common_device("motion_saliency_map", forward_xy, backward_xy)
    check_shapes("motion_saliency_map", forward_xy=(forward_xy, "H W 2"), backward_xy=(backward_xy, "H W 2"))
    check_dtype("motion_saliency_map", np.float32, forward_xy=forward_xy, backward_xy=backward_xy)
    cameras = np.stack([camera_forward.matrix, camera_backward.matrix]).astype(np.float32)
    noise_px = np.array([FLOW_NOISE_PX + camera_forward.noise_px, FLOW_NOISE_PX + camera_backward.noise_px], np.float32)
    saliency = motion_saliency(forward_xy, backward_xy, to_device(cameras, device), to_device(noise_px, device))
    # The percentile comes from the samples of the camera fit, which are on the host already.
    sampled = np.minimum(camera_forward.residual_px / noise_px[0], camera_backward.residual_px / noise_px[1])
    return MotionSaliency(saliency, max(1.0, float(np.percentile(sampled, 99))))
