"""How far each pixel is from the nearest one that is not set, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.checks import check_shapes
from cvseg.errors import OptionError, RangeError, nearest_name
from cvseg.regions.labeling import mask_bytes

# Name: the kernel's number.
DISTANCE_METRICS = {"euclidean": 0, "taxicab": 1, "chessboard": 2}


def distance_transform(mask: Any, metric: str = "euclidean", *, squared: bool = False) -> Any:
    """Distance of each pixel that is set to the nearest that is not; 0 for those that are not. Does not synchronise.

    Parameters
    ----------
    mask : (H, W) bool or uint8, non-zero is set; sides below 32768
    metric : ``"euclidean"``; ``"taxicab"``: steps along rows and columns; ``"chessboard"``: diagonal steps too
    squared : of Euclidean distances the squares, which are whole numbers

    Returns
    -------
    distance : (H, W) on the mask's device. Euclidean: float32, pixels, the exact distance rounded once; with `squared`
        and for the other metrics int32, exact. Where no pixel at all is not set: infinity, or 2^31 - 1.

    Raises
    ------
    ShapeError, DtypeError, RangeError, OptionError

    Notes
    -----
    Pixels are points; beyond the image's border there is nothing. Equal to ``scipy.ndimage.distance_transform_edt`` and
    ``distance_transform_cdt``, except that these give a full mask distances to a place of their own choice, or -1.

    References
    ----------
    Along columns, then rows [Meijster2000]_; the chessboard's in two sweeps [RosenfeldPfaltz1966]_. The Euclidean sweep
    keeps the lower envelope of parabolas [FelzenszwalbHuttenlocher2012]_. Departure: it compares products instead of
    dividing, begins anew at every pixel that is not set, and leaves out columns that are farther than both ends. On a
    GPU each pixel searches its row.

    Examples
    --------
    >>> mask = np.array([[1, 1, 1, 1], [1, 1, 1, 0]], bool)
    >>> distance_transform(mask, squared=True).tolist(), distance_transform(mask, "taxicab").tolist()
    ([[10, 5, 2, 1], [9, 4, 1, 0]], [[4, 3, 2, 1], [3, 2, 1, 0]])
    """
    from cvseg.kernels.morphology.row_distance import ROOTS, SQUARES, row_distance

    if metric not in DISTANCE_METRICS:
        raise OptionError(f"distance_transform: metric is {metric!r}; {nearest_name(str(metric), DISTANCE_METRICS)}")
    rooted = metric == "euclidean" and not squared
    gaps = _gaps("distance_transform", mask)
    results = row_distance(gaps, np.int32(DISTANCE_METRICS[metric]), np.int32(ROOTS if rooted else SQUARES))
    return results[1 if rooted else 0]


def nearest_background(mask: Any) -> tuple[Any, Any]:
    """The nearest pixel that is not set, for each pixel. Does not synchronise.

    Parameters
    ----------
    mask : as in `distance_transform`

    Returns
    -------
    nearest_xy : (H, W, 2) int32, column and row of that pixel: the pixel itself where it is not set; of several equally
        near the leftmost, of those the uppermost; -1, -1 where no pixel is not set
    squares : (H, W) int32, squared Euclidean distance, 2^31 - 1 where there is none

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Examples
    --------
    >>> nearest_xy, squares = nearest_background(np.array([[1, 1, 0], [1, 1, 1]], bool))
    >>> nearest_xy[1].tolist(), squares[1].tolist()
    ([[2, 0], [2, 0], [2, 0]], [5, 2, 1])
    """
    from cvseg.kernels.morphology.row_distance import EUCLIDEAN, NEAREST, SQUARES, row_distance

    gaps = _gaps("nearest_background", mask)
    squares, _, nearest_xy = row_distance(gaps, np.int32(EUCLIDEAN), np.int32(SQUARES | NEAREST))
    return nearest_xy, squares


def signed_distance(mask: Any) -> Any:
    """Euclidean distance to the other side: positive outside the mask, negative inside. Does not synchronise.

    Parameters
    ----------
    mask : as in `distance_transform`

    Returns
    -------
    distance : (H, W) float32, pixels, on the mask's device: to the nearest set pixel, or minus the distance to the
        nearest that is not set. Never between -1 and 1: the outline lies half way. All of an empty mask is infinitely
        far outside, all of a full one infinitely far inside.

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Examples
    --------
    >>> signed_distance(np.array([[0, 0, 1, 1, 1]], bool)).tolist()
    [[2.0, 1.0, -1.0, -2.0, -3.0]]
    """
    check_shapes("signed_distance", mask=(mask, "H W"))
    mask_bytes("signed_distance", mask)
    xp = array_module(mask)
    return xp.where(mask != 0, -distance_transform(mask), distance_transform(mask == 0))


def _gaps(caller: str, mask: Any) -> Any:
    from cvseg.kernels.morphology.column_distance import FAR, column_distance

    check_shapes(caller, mask=(mask, "H W"))
    if max(mask.shape) > FAR:
        raise RangeError(f"{caller}: mask is {tuple(mask.shape)}; expected sides of at most {FAR}. Cut it into pieces.")
    return column_distance(mask_bytes(caller, mask))
