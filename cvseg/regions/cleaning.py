"""Remove specks by area, and what the image's border cuts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device
from cvseg.checks import check_range, check_shapes
from cvseg.errors import DtypeError, RangeError
from cvseg.records.region import RegionTable
from cvseg.regions.labeling import label_components
from cvseg.regions.properties import region_properties


def remove_small_regions(regions: Any, min_area: int, connectivity: int = 8, *, by_part: bool = False) -> Any:
    """Drop regions of fewer than `min_area` pixels. Synchronises a GPU.

    Parameters
    ----------
    regions : (H, W) int32 label map, whose labels are kept, not renumbered; or a bool or uint8 mask, whose connected
        components are the regions
    min_area : smallest area that stays, in pixels; larger removes more
    connectivity : 4 or 8, of a mask's components and of the parts of a label
    by_part : each connected part of a label counts for itself, instead of all its pixels together

    Returns
    -------
    regions : as the input, zero where a region was dropped

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Notes
    -----
    Equal to scikit-image's ``remove_small_objects(regions, max_size=min_area - 1)``.

    Examples
    --------
    >>> remove_small_regions(np.array([[1, 0, 1, 1]], bool), 2).tolist()
    [[False, False, True, True]]
    >>> labels = np.array([[4, 0, 4, 4]], np.int32)
    >>> remove_small_regions(labels, 3).tolist(), remove_small_regions(labels, 2, by_part=True).tolist()
    ([[4, 0, 4, 4]], [[0, 0, 4, 4]])
    """
    check_range("remove_small_regions", "min_area", min_area, low=0)
    labels, table = _measured("remove_small_regions", regions, connectivity, by_part)
    return _kept(regions, labels, table.area_px >= min_area)


def clear_border(regions: Any, margin: int = 0, connectivity: int = 8, *, by_part: bool = False) -> Any:
    """Drop regions that touch the image's border: what is cut off cannot be measured. Synchronises a GPU.

    Parameters
    ----------
    regions, connectivity, by_part : as in `remove_small_regions`
    margin : a region also goes if a pixel of it lies within so many pixels of the border; larger removes more

    Returns
    -------
    regions : as the input, zero where a region was dropped

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Notes
    -----
    With `by_part` equal to scikit-image's ``clear_border(labels, buffer_size=margin)``.

    Examples
    --------
    >>> clear_border(np.array([[0, 0, 0, 0, 0], [2, 2, 0, 3, 0], [0, 0, 0, 0, 0]], np.int32))[1].tolist()
    [0, 0, 0, 3, 0]
    """
    check_range("clear_border", "margin", margin, low=0)
    labels, table = _measured("clear_border", regions, connectivity, by_part)
    height, width = regions.shape
    left, top, right, bottom = table.box_xyxy.T
    inside = (left > margin) & (top > margin) & (right < width - margin) & (bottom < height - margin)
    return _kept(regions, labels, inside)


def _measured(caller: str, regions: Any, connectivity: int, by_part: bool) -> tuple[Any, RegionTable]:
    """Numbers of what counts as one region, and their table."""
    check_shapes(caller, regions=(regions, "H W"))
    is_map = regions.dtype == np.dtype(np.int32)
    if not is_map and regions.dtype not in (np.dtype(bool), np.dtype(np.uint8)):
        raise DtypeError(f"{caller}: regions is {regions.dtype}; expected an int32 label map or a bool or uint8 mask.")
    if connectivity not in (4, 8):
        raise RangeError(f"{caller}: connectivity is {connectivity!r}; it must be 4 or 8.")
    if is_map and not by_part:
        labels = array_module(regions).ascontiguousarray(regions)
        return labels, region_properties(labels)
    labels, count = label_components(regions, connectivity)
    return labels, region_properties(labels, count=count)


def _kept(regions: Any, labels: Any, stays: NDArray[np.bool_]) -> Any:
    from cvseg.kernels.labeling.relabel import relabel

    keep = np.zeros(len(stays) + 1, np.int32)
    keep[1:] = stays
    kept = relabel(labels, to_device(keep, device_of(labels)))
    # Multiplied: a mask keeps its own values, 255 stays 255, and a label map its labels.
    return regions * (kept != 0)
