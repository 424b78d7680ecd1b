"""Optical flow as a picture: the colours of the wheel."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.kernels.compositing.flow_colors import flow_colors

FULL_PERCENTILE = 99.0  # single wild vectors do not decide the scale
LEAST_FULL_PX = 1.0  # a still pair is white, not noise in full colour


def flow_picture(flow_xy: Any, largest_px: float | None = None) -> Any:
    """Draw flow in colours: the direction is the hue (right red, down-left green, up-left blue), the length the depth.

    Parameters
    ----------
    flow_xy : (H, W, 2) float32, pixels; NaN where unknown
    largest_px : length shown in full colour; None takes the 99th percentile of this flow, at least 1

    Returns
    -------
    (H, W, 3) uint8 RGB on the same device: white where nothing moves, black where the flow is unknown

    Raises
    ------
    ShapeError, DtypeError, RangeError

    References
    ----------
    [Baker2011]_ introduced the wheel. Departure: red, green and blue stand 120 degrees apart and mix evenly, so that
    the hue can be had without an arc tangent.

    Examples
    --------
    >>> right = np.tile(np.float32([5, 0]), (2, 3, 1))
    >>> flow_picture(right, largest_px=5)[0, 0].tolist(), flow_picture(0 * right)[0, 0].tolist()
    ([255, 0, 0], [255, 255, 255])
    """
    check_shapes("flow_picture", flow_xy=(flow_xy, "H W 2"))
    check_dtype("flow_picture", "float32", flow_xy=flow_xy)
    if largest_px is None:
        largest_px = full_color_px([flow_xy])
    check_range("flow_picture", "largest_px", largest_px, low=1e-6)
    return flow_colors(array_module(flow_xy).ascontiguousarray(flow_xy), np.float32(largest_px))


def full_color_px(flows_xy: Any) -> float:
    """The 99th percentile of the known lengths of some flows, at least 1: a scale for `flow_picture`."""
    lengths = []
    for flow_xy in flows_xy:
        xp = array_module(flow_xy)
        length = xp.sqrt((flow_xy.astype("float32") ** 2).sum(2))
        lengths.append(length[xp.isfinite(length)])
    known = xp.concatenate(lengths)
    return max(LEAST_FULL_PX, float(xp.percentile(known, FULL_PERCENTILE))) if known.size else LEAST_FULL_PX
