"""Flicker: how much a mask changes from one frame to the next where the flow does not explain it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_shapes
from cvseg.evaluation.region_similarity import region_similarity


def mask_flicker(
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    flow_xy: NDArray[np.float32],
    hidden: NDArray[np.bool_] | None = None,
) -> float:
    """Share of a mask that comes or goes although the flow carries it on; 0 for a mask that moves with the picture.

    One less the intersection over union of the mask with that of the next frame, brought back along the flow.

    Parameters
    ----------
    before, after : (H, W) bool, masks of successive frames
    flow_xy : (H, W, 2) float32, pixels, from the first frame to the second
    hidden : (H, W) bool, pixels that are not counted: those of the first frame that the second does not show

    Returns
    -------
    float in [0, 1]; NaN when both masks are empty

    Raises
    ------
    ShapeError, DtypeError

    Examples
    --------
    >>> before = np.zeros((20, 30), bool)
    >>> before[5:15, 5:15] = True
    >>> two_right = np.tile(np.float32([2, 0]), (20, 30, 1))
    >>> mask_flicker(before, np.roll(before, 2, axis=1), two_right)
    0.0
    >>> round(mask_flicker(before, before, two_right), 2)
    0.33
    """
    check_shapes("mask_flicker", before=(before, "H W"), after=(after, "H W"), flow_xy=(flow_xy, "H W 2"))
    check_dtype("mask_flicker", np.bool_, before=before, after=after)
    check_dtype("mask_flicker", np.float32, flow_xy=flow_xy)
    if hidden is not None:
        check_shapes("mask_flicker", before=(before, "H W"), hidden=(hidden, "H W"))
        check_dtype("mask_flicker", np.bool_, hidden=hidden)
    from cvseg.kernels.warping.warp_backward import warp_backward

    moved = warp_backward(after.astype(np.float32), np.ascontiguousarray(flow_xy)) > np.float32(0.5)
    if not (before.any() or moved.any()):
        return float("nan")
    if hidden is not None and not ((before | moved) & ~hidden).any():
        return float("nan")
    return 1.0 - region_similarity(before, moved, hidden)
