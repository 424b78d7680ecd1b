"""Measure every region of a label map at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module, to_host
from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.records.region import RegionTable


def region_properties(labels: Any, weights: Any = None, *, count: int | None = None) -> RegionTable:
    """Area, centroid, box, second moments and mean weight of each region. One pass; synchronises a GPU.

    Parameters
    ----------
    labels : (H, W) int32, 0 background
    weights : (H, W) float32 on the same device, for example the foreground probability. Summed as multiples of
        2^-20, so that the mean is the same on any device and for any number of threads.
    count : the highest label to measure, larger ones are ignored; searched for when it is not given

    Returns
    -------
    RegionTable : row k is label k + 1

    Raises
    ------
    ShapeError, DtypeError, RangeError, DeviceMismatchError

    Examples
    --------
    >>> table = region_properties(np.array([[0, 1, 1], [0, 1, 0]], np.int32))
    >>> table.area_px.tolist(), table.box_xyxy.tolist(), table.centroid_xy.round(2).tolist()
    ([3], [[1, 0, 3, 2]], [[1.33, 0.33]])
    """
    from cvseg.kernels.regions.region_properties import WEIGHT_UNIT
    from cvseg.kernels.regions.region_properties import region_properties as kernel

    sizes = check_shapes("region_properties", labels=(labels, "H W"))
    check_dtype("region_properties", np.int32, labels=labels)
    xp = array_module(labels)
    if weights is None:
        given = xp.empty((0, 0), np.float32)
    else:
        check_shapes("region_properties", labels=(labels, "H W"), weights=(weights, "H W"))
        check_dtype("region_properties", np.float32, weights=weights)
        # Not moved to the other device: the kernel names the mismatch.
        given = array_module(weights).ascontiguousarray(weights)
    if count is None:
        count = int(labels.max()) if labels.size else 0
        count = max(count, 0)
    check_range("region_properties", "count", count, low=0)
    moments, box_xyxy, weight_sums = (
        to_host(table) for table in kernel(xp.ascontiguousarray(labels), given, np.int32(count))
    )
    area_px = moments[:, 0].copy()
    present = area_px > 0
    n = np.maximum(area_px, 1)
    mean_x, mean_y = moments[:, 1] / n, moments[:, 2] / n
    covariance = np.stack(
        (
            _spread(moments[:, 3], moments[:, 1], moments[:, 1], n),
            _spread(moments[:, 5], moments[:, 1], moments[:, 2], n),
            _spread(moments[:, 4], moments[:, 2], moments[:, 2], n),
        ),
        axis=1,
    )
    centroid_xy = np.where(present[:, None], np.stack((mean_x, mean_y), axis=1), np.nan)
    box_xyxy = np.where(present[:, None], box_xyxy, 0).astype(np.int32)
    mean_weight = np.ones(count) if weights is None else weight_sums * WEIGHT_UNIT / n
    touches_border = present & (
        (box_xyxy[:, 0] == 0) | (box_xyxy[:, 1] == 0) | (box_xyxy[:, 2] == sizes["W"]) | (box_xyxy[:, 3] == sizes["H"])
    )
    return RegionTable(area_px, centroid_xy, box_xyxy, covariance, mean_weight, touches_border)


def _spread(sum_ab: Any, sum_a: Any, sum_b: Any, n: Any) -> Any:
    # E[ab] - E[a] E[b]; in float64 the products stay exact enough: sums of a 4k frame lie below 2^53 / n.
    return sum_ab / n - (sum_a / n) * (sum_b / n)
