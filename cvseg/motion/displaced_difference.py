"""How well the flow explains a picture: what remains of its difference to the one before, once that one is moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module, common_device, to_device
from cvseg.checks import check_dtype, check_shapes
from cvseg.kernels.filtering.smooth_planes import gaussian_taps, smooth_planes
from cvseg.kernels.warping.warp_backward import warp_backward

CONTRAST_SIGMA_PX = 3.0


@dataclass(frozen=True)
class DisplacedDifference:
    """What the flow of one frame leaves unexplained.

    Attributes
    ----------
    difference : (H, W) float32, absolute difference of brightness to the previous frame where the flow points
    contrast : (H, W) float32, local standard deviation of brightness: what a wrong flow would cost about here
    """

    difference: Any
    contrast: Any


def displaced_difference(gray: Any, before: Any, backward_xy: Any) -> DisplacedDifference:
    """The displaced frame difference, beside the contrast that it must be compared with.

    Solid things look as their flow says, up to noise. Water, smoke, spray and shadows of leaves change where they move:
    their difference is a quarter of the contrast and more, that of solid things a tenth.

    Parameters
    ----------
    gray, before : (H, W) float32, brightness of the frame and of the one before, on one device
    backward_xy : (H, W, 2) float32, pixels, flow from the frame to the one before

    Returns
    -------
    DisplacedDifference, on the same device, in the units of `gray`

    Raises
    ------
    ShapeError, DtypeError, DeviceMismatchError

    References
    ----------
    [NetravaliRobbins1979]_ for the difference. Departure: set against the standard deviation in a Gaussian window.

    Examples
    --------
    >>> gray = np.random.default_rng(0).random((40, 60), np.float32)
    >>> flow_xy = np.zeros((40, 60, 2), np.float32)
    >>> still = displaced_difference(gray, gray, flow_xy)
    >>> float(still.difference.max()), bool(0.2 < still.contrast.mean() < 0.4)
    (0.0, True)
    """
    device = common_device("displaced_difference", gray, before, backward_xy)
    check_shapes("displaced_difference", gray=(gray, "H W"), before=(before, "H W"), backward_xy=(backward_xy, "H W 2"))
    check_dtype("displaced_difference", np.float32, gray=gray, before=before, backward_xy=backward_xy)
    xp = array_module(gray)
    moved = warp_backward(xp.ascontiguousarray(before), xp.ascontiguousarray(backward_xy))
    taps = to_device(gaussian_taps(CONTRAST_SIGMA_PX), device)
    mean, square = smooth_planes(xp.stack([gray, gray * gray], axis=-1), taps)
    return DisplacedDifference(xp.abs(moved - gray), xp.sqrt(xp.maximum(square - mean * mean, np.float32(0))))
