"""Errors of optical flow: endpoint error, share of outliers, angular error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.errors import RangeError

UNKNOWN_FLOW = 1e9  # Middlebury marks unknown truth with larger values
OUTLIER_PX = 3.0  # KITTI: an outlier is off by more than this ...
OUTLIER_SHARE = 0.05  # ... and by more than this share of the true length


@dataclass(frozen=True)
class FlowAccuracy:
    """Errors of a flow over the pixels whose truth is known.

    Attributes
    ----------
    endpoint_error_px : mean distance between the end points
    outlier_share : pixels off by more than 3 px and 5 % of the true length (KITTI's Fl-all, as a share of 1)
    angular_error_deg : mean angle between (u, v, 1) and its truth
    pixels : number of pixels counted; all means are NaN when there is none
    """

    endpoint_error_px: float
    outlier_share: float
    angular_error_deg: float
    pixels: int


def endpoint_error(
    flow_xy: NDArray[np.float32],
    truth_xy: NDArray[np.float32],
    valid: NDArray[np.bool_] | None = None,
    *,
    border_px: int = 0,
) -> float:
    """Mean endpoint error in pixels, see `flow_accuracy`."""
    return flow_accuracy(flow_xy, truth_xy, valid, border_px=border_px).endpoint_error_px


def flow_accuracy(
    flow_xy: NDArray[np.float32],
    truth_xy: NDArray[np.float32],
    valid: NDArray[np.bool_] | None = None,
    *,
    border_px: int = 0,
) -> FlowAccuracy:
    """All errors of one flow field.

    Parameters
    ----------
    flow_xy, truth_xy : (H, W, 2) float32, pixels; truth that is NaN, infinite or beyond 1e9 is unknown
    valid : (H, W) bool, pixels to count; default all with known truth
    border_px : pixels along each edge that are not counted

    Returns
    -------
    FlowAccuracy

    Raises
    ------
    ShapeError, DtypeError
    RangeError
        when the flow is NaN or infinite at a counted pixel: fill it or leave it out with `valid`.

    References
    ----------
    [Baker2011]_ section 4.1 (endpoint and angular error); [Menze2015]_ section 5 (outliers)
    """
    arrays = {"flow_xy": (flow_xy, "H W 2"), "truth_xy": (truth_xy, "H W 2")}
    sizes = check_shapes("flow_accuracy", **arrays, **({} if valid is None else {"valid": (valid, "H W")}))
    check_dtype("flow_accuracy", np.float32, flow_xy=flow_xy, truth_xy=truth_xy)
    check_range("flow_accuracy", "border_px", border_px, low=0)
    # Written so that NaN compares false.
    counted = (np.abs(truth_xy) < UNKNOWN_FLOW).all(axis=2)
    if valid is not None:
        check_dtype("flow_accuracy", np.bool_, valid=valid)
        counted &= valid
    if border_px:
        inside = np.zeros((sizes["H"], sizes["W"]), bool)
        inside[border_px:-border_px, border_px:-border_px] = True
        counted &= inside
    flow, truth = flow_xy[counted].astype(np.float64), truth_xy[counted].astype(np.float64)
    if flow.shape[0] == 0:
        return FlowAccuracy(float("nan"), float("nan"), float("nan"), 0)
    if not np.isfinite(flow).all():
        raise RangeError(
            "flow_accuracy: flow_xy holds NaN or infinite values at counted pixels. Fill them, or pass valid."
        )
    error = np.hypot(*(flow - truth).T)
    length = np.hypot(*truth.T)
    outliers = (error > OUTLIER_PX) & (error > OUTLIER_SHARE * length)
    # The angle from the cross product: the arc cosine loses the small angles to rounding.
    cross = np.hypot(np.hypot(*(flow - truth).T), flow[:, 0] * truth[:, 1] - flow[:, 1] * truth[:, 0])
    angle = np.arctan2(cross, (flow * truth).sum(1) + 1)
    return FlowAccuracy(
        float(error.mean()), float(outliers.mean()), float(np.degrees(angle).mean()), int(flow.shape[0])
    )
