"""Remove specks and fill holes, by area."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module, device_of, to_device
from cvseg.checks import check_range, check_shapes
from cvseg.errors import DtypeError
from cvseg.regions.labeling import label_components, mask_bytes
from cvseg.regions.properties import region_properties


def remove_small_regions(regions: Any, min_area: int, connectivity: int = 8) -> Any:
    """Drop regions of fewer than `min_area` pixels. Synchronises a GPU.

    Parameters
    ----------
    regions : (H, W) int32 label map, whose labels are kept, not renumbered; or a bool or uint8 mask, whose connected
        components are the regions
    min_area : smallest area that stays, in pixels; larger removes more
    connectivity : 4 or 8, for a mask

    Returns
    -------
    regions : as the input, zero where a region was dropped

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Examples
    --------
    >>> remove_small_regions(np.array([[1, 0, 1, 1]], bool), 2).tolist()
    [[False, False, True, True]]
    """
    from cvseg.kernels.labeling.relabel import relabel

    check_shapes("remove_small_regions", regions=(regions, "H W"))
    check_range("remove_small_regions", "min_area", min_area, low=0)
    is_mask = regions.dtype in (np.dtype(bool), np.dtype(np.uint8))
    if not is_mask and regions.dtype != np.dtype(np.int32):
        raise DtypeError(
            f"remove_small_regions: regions is {regions.dtype}; expected an int32 label map or a bool or uint8 mask."
        )
    if is_mask:
        labels, count = label_components(regions, connectivity)
        table = region_properties(labels, count=count)
    else:
        labels = array_module(regions).ascontiguousarray(regions)
        table = region_properties(labels)
    keep = np.zeros(len(table) + 1, np.int32)
    keep[1:] = np.where(table.area_px >= min_area, 1 if is_mask else np.arange(1, len(table) + 1), 0)
    kept = relabel(labels, to_device(keep, device_of(labels)))
    # A mask keeps its own values: 255 stays 255.
    return regions * (kept != 0) if is_mask else kept


def fill_holes(mask: Any, max_area: int | None = None, connectivity: int = 8) -> Any:
    """Fill background that the foreground encloses. Synchronises a GPU.

    Parameters
    ----------
    mask : (H, W) bool or uint8, non-zero inside
    max_area : largest hole to fill, in pixels; None fills all
    connectivity : of the foreground, 4 or 8; holes are connected the other way

    Returns
    -------
    mask : (H, W) of the same dtype; a hole gets True, or in uint8 the largest value of the mask

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Examples
    --------
    >>> fill_holes(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)).all()
    np.True_
    """
    from cvseg.kernels.labeling.relabel import relabel

    check_shapes("fill_holes", mask=(mask, "H W"))
    if max_area is not None:
        check_range("fill_holes", "max_area", max_area, low=0)
    mask_bytes("fill_holes", mask)
    if mask.size == 0:
        return mask.copy()
    labels, count = label_components(mask == 0, 4 if connectivity == 8 else 8)
    table = region_properties(labels, count=count)
    is_hole = ~table.touches_border
    if max_area is not None:
        is_hole &= table.area_px <= max_area
    fill = np.zeros(count + 1, np.int32)
    fill[1:] = is_hole
    holes = relabel(labels, to_device(fill, device_of(mask))) != 0
    if mask.dtype == np.dtype(bool):
        return mask | holes
    return array_module(mask).where(holes, mask.max(), mask)
