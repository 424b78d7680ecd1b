"""Measure every region of a label map at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cvseg.arrays import array_module, to_host
from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.records.region import RegionTable
from cvseg.superpixels.picture import superpixel_picture


def region_properties(
    labels: Any, weights: Any = None, *, count: int | None = None, image: Any = None, perimeter: bool = False
) -> RegionTable:
    """Area, centroid, box, second moments, and mean weight of each region; at wish colours and perimeter.

    One pass over the labels for all regions, and one each for colours and perimeter. Synchronises a GPU.

    Parameters
    ----------
    labels : (H, W) int32, 0 background
    weights : (H, W) float32 on the same device, for example the foreground probability. Summed as multiples of
        2^-20, so that the mean is the same on any device and for any number of threads.
    count : the highest label to measure, larger ones are ignored; searched for when it is not given
    image : (H, W, 3) RGB or (H, W) grey on the same device; uint8, or float32 in [0, 1], which is rounded to 256
        values. For `mean_color` and `std_color`.
    perimeter : also measure `perimeter_px`

    Returns
    -------
    RegionTable : row k is label k + 1. `axes_px`, `orientation_rad`, `eccentricity` and `extent` follow from it.

    Raises
    ------
    ShapeError, DtypeError, RangeError, DeviceMismatchError

    Notes
    -----
    All sums are of whole numbers, so they are the same on any device and for any number of threads. The perimeter is
    that of `skimage.measure.perimeter` with four neighbours: outline pixels, weighted by how the outline runs.

    Examples
    --------
    >>> table = region_properties(np.array([[0, 1, 1], [0, 1, 0]], np.int32))
    >>> table.area_px.tolist(), table.box_xyxy.tolist(), table.centroid_xy.round(2).tolist()
    ([3], [[1, 0, 3, 2]], [[1.33, 0.33]])
    >>> table = region_properties(np.ones((3, 9), np.int32), image=np.full((3, 9), 7, np.uint8), perimeter=True)
    >>> table.axes_px.round(2).tolist(), table.perimeter_px.tolist(), table.mean_color.tolist()
    ([[10.33, 3.27]], [20.0], [[7.0, 7.0, 7.0]])
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
    if image is not None:
        image = superpixel_picture("region_properties", image)
        check_shapes("region_properties", labels=(labels, "H W"), image=(image, "H W 3"))
    labels = xp.ascontiguousarray(labels)
    moments, box_xyxy, weight_sums = (to_host(table) for table in kernel(labels, given, np.int32(count)))
    area_px = moments[:, 0].copy()
    present = area_px > 0
    n = np.maximum(area_px, 1)
    box_xyxy = np.where(present[:, None], box_xyxy, 0).astype(np.int32)
    centroid_xy = np.where(present[:, None], moments[:, 1:3] / n[:, None], np.nan)
    mean_weight = np.ones(count) if weights is None else weight_sums * WEIGHT_UNIT / n
    touches_border = present & (
        (box_xyxy[:, 0] == 0) | (box_xyxy[:, 1] == 0) | (box_xyxy[:, 2] == sizes["W"]) | (box_xyxy[:, 3] == sizes["H"])
    )
    mean_color, std_color = (None, None) if image is None else _colors(labels, image, count, n, present)
    return RegionTable(
        area_px,
        centroid_xy,
        box_xyxy,
        _covariance(moments, box_xyxy, n),
        mean_weight,
        touches_border,
        _perimeter(labels, count) if perimeter else None,
        mean_color,
        std_color,
    )


def _covariance(moments: Any, box_xyxy: Any, n: Any) -> Any:
    """(n, 3) float64 of x x, x y and y y, from whole sums that are counted from the corner of each box.

    From the corner of the picture, E[ab] - E[a] E[b] would lose the digits in which a thin region far away differs from
    a line.
    """
    left, top = box_xyxy[:, 0].astype(np.int64), box_xyxy[:, 1].astype(np.int64)
    area, sum_x, sum_y, sum_xx, sum_yy, sum_xy = moments.T
    near_x, near_y = sum_x - area * left, sum_y - area * top
    return np.stack(
        (
            _spread(sum_xx - 2 * left * sum_x + area * left * left, near_x, near_x, n),
            _spread(sum_xy - left * sum_y - top * sum_x + area * left * top, near_x, near_y, n),
            _spread(sum_yy - 2 * top * sum_y + area * top * top, near_y, near_y, n),
        ),
        axis=1,
    )


def _spread(sum_ab: Any, sum_a: Any, sum_b: Any, n: Any) -> Any:
    return (sum_ab - (sum_a / n) * sum_b) / n


def _colors(labels: Any, picture: Any, count: int, n: Any, present: Any) -> tuple[Any, Any]:
    """Mean and standard deviation of (H, W, 3) uint8, each (n, 3) float64."""
    from cvseg.kernels.graph.region_colors import region_colors

    # Not made on the device of the labels: the kernel names the mismatch.
    xp = array_module(picture)
    levels = xp.zeros((*picture.shape[:2], 4), np.int16)
    levels[:, :, :3] = picture
    # The kernel counts labels from 0: the first row is the background.
    offsets, nothing = array_module(labels).zeros(3, np.int32), np.int32(0)
    sums = to_host(region_colors(labels, levels, offsets, nothing, np.int32(count + 1), nothing)[0])[1:]
    total, squares, n = sums[:, 1:4], sums[:, 4:7], n[:, None]
    mean = total / n
    # Around the whole number below the mean: nothing is rounded before the last steps.
    whole = total // n
    std = np.sqrt((squares - 2 * whole * total + n * whole * whole) / n - (mean - whole) ** 2)
    return np.where(present[:, None], mean, np.nan), np.where(present[:, None], std, np.nan)


def _perimeter(labels: Any, count: int) -> Any:
    from cvseg.kernels.regions.region_perimeter import region_perimeter

    lengths = np.array([1.0, math.sqrt(2), (1 + math.sqrt(2)) / 2])
    return to_host(region_perimeter(labels, np.int32(count))) @ lengths
