"""Where can a flow be trusted? Forward-backward consistency, occlusion and confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cvseg.arrays import array_module, common_device
from cvseg.checks import check_dtype, check_shapes
from cvseg.kernels.flow.forward_backward import forward_backward


@dataclass(frozen=True)
class FlowConsistency:
    """What the two directions say of each other.

    Attributes
    ----------
    occluded : (H, W) bool, the pixel is not seen in the other image, or its flow is wrong
    confidence : (H, W) float32 in [0, 1]: 1 for a perfect round trip, 1/16 at the bound, 0 where occluded
    """

    occluded: Any
    confidence: Any


@dataclass(frozen=True)
class FlowWithConfidence:
    """A flow, and where it can be trusted.

    Attributes
    ----------
    flow_xy : (H, W, 2) float32, pixels, from image0 to image1
    backward_xy : (H, W, 2) float32, pixels, from image1 to image0
    occluded : (H, W) bool, the pixel of image0 is not seen in image1, or its flow is wrong
    confidence : (H, W) float32 in [0, 1]: 1 for a perfect round trip, 1/16 at the bound, 0 where occluded
    """

    flow_xy: Any
    backward_xy: Any
    occluded: Any
    confidence: Any


def forward_backward_consistency(forward_xy: Any, backward_xy: Any) -> FlowConsistency:
    """Compare a flow with the flow back.

    Parameters
    ----------
    forward_xy : (H, W, 2) float32, pixels, from this image to the other
    backward_xy : (H, W, 2) float32, pixels, from the other image to this one

    Returns
    -------
    FlowConsistency
        in the coordinates of `forward_xy`, on its device. NaN flow counts as occluded.

    Raises
    ------
    ShapeError, DtypeError, DeviceMismatchError

    References
    ----------
    [Sundaram2010]_ eq. 5: |wf + wb|^2 < 0.01 (|wf|^2 + |wb|^2) + 0.5. Departure: a pixel that leaves the image counts
    as occluded, and the distance from the bound is given as a confidence.

    Examples
    --------
    >>> import numpy as np
    >>> right = np.tile(np.float32([2, 0]), (4, 6, 1))
    >>> forward_backward_consistency(right, -right).occluded[0].tolist()
    [False, False, False, False, True, True]
    """
    caller = "forward_backward_consistency"
    common_device(caller, forward_xy, backward_xy)
    check_shapes(caller, forward_xy=(forward_xy, "H W 2"), backward_xy=(backward_xy, "H W 2"))
    check_dtype(caller, "float32", forward_xy=forward_xy, backward_xy=backward_xy)
    contiguous = array_module(forward_xy).ascontiguousarray
    return FlowConsistency(*forward_backward(contiguous(forward_xy), contiguous(backward_xy)))
