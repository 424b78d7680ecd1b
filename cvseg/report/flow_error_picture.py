"""Errors of optical flow as a picture: blue where the flow is right, yellow to red where it is an outlier."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_shapes

# The error over the limit of an outlier, in steps that double, and the colour up to each: KITTI's idea in our own
# colours. An outlier begins at 1: blues are right, warm colours wrong.
ERROR_STEPS = np.array([1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8], np.float64)
ERROR_COLORS = np.array(
    [
        (38, 52, 148),
        (52, 98, 178),
        (88, 144, 204),
        (140, 186, 222),
        (196, 222, 236),
        (252, 214, 140),
        (246, 156, 84),
        (222, 84, 54),
        (164, 18, 38),
    ],
    np.uint8,
)
OUTLIER_PX, OUTLIER_SHARE = 3.0, 0.05


def flow_error_picture(
    flow_xy: NDArray[np.float32], truth_xy: NDArray[np.float32], valid: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """Draw the error of flow: blue below the limit of an outlier (3 px, or 5 % of the length), yellow to red above.

    Parameters
    ----------
    flow_xy, truth_xy : (H, W, 2) float32, pixels
    valid : (H, W) bool, pixels to draw; default all with known truth

    Returns
    -------
    (H, W, 3) uint8 RGB; black where the truth is unknown, white where the flow is missing though the truth is known

    Raises
    ------
    ShapeError, DtypeError

    References
    ----------
    [Menze2015]_ (the idea of colouring by the smaller of absolute and relative error)

    Examples
    --------
    >>> truth = np.zeros((1, 2, 2), np.float32)
    >>> flow_error_picture(truth + np.float32([[[0, 0], [9, 0]]]), truth)[0].tolist()
    [[38, 52, 148], [246, 156, 84]]
    """
    masks = {} if valid is None else {"valid": (valid, "H W")}
    check_shapes("flow_error_picture", flow_xy=(flow_xy, "H W 2"), truth_xy=(truth_xy, "H W 2"), **masks)
    check_dtype("flow_error_picture", np.float32, flow_xy=flow_xy, truth_xy=truth_xy)
    known: NDArray[np.bool_] = np.isfinite(truth_xy[..., 0]) & np.isfinite(truth_xy[..., 1])
    if valid is not None:
        check_dtype("flow_error_picture", np.bool_, valid=valid)
        known = known & valid
    found: NDArray[np.bool_] = np.isfinite(flow_xy[..., 0]) & np.isfinite(flow_xy[..., 1])
    counted = known & found
    difference = np.zeros(flow_xy.shape, np.float64)
    difference[counted] = flow_xy[counted].astype(np.float64) - truth_xy[counted]
    error = np.hypot(difference[..., 0], difference[..., 1])
    length = np.zeros(known.shape)
    length[counted] = np.hypot(*truth_xy[counted].astype(np.float64).T)
    # An outlier is off by more than 3 px and by more than 5 %: the smaller of the two ratios is above 1.
    ratio = error / np.maximum(OUTLIER_PX, OUTLIER_SHARE * length)
    picture = ERROR_COLORS[np.searchsorted(ERROR_STEPS, ratio, side="left")]
    picture[known & ~found] = 255
    picture[~known] = 0
    return np.ascontiguousarray(picture)
