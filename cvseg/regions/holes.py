"""Fill background that a region encloses."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module, device_of, to_device, to_host
from cvseg.checks import check_range, check_shapes
from cvseg.errors import RangeError
from cvseg.regions.cleaning import at_border
from cvseg.regions.labeling import label_components, mask_bytes


def fill_holes(regions: Any, max_area: int | None = None, connectivity: int = 8) -> Any:
    """Fill background that the foreground encloses. Synchronises a GPU.

    Parameters
    ----------
    regions : (H, W) bool or uint8 mask, non-zero inside; or int32 labels, 0 background
    max_area : largest hole to fill, in pixels; None fills all
    connectivity : of the foreground, 4 or 8; holes are connected the other way

    Returns
    -------
    regions : (H, W) of the same dtype. A hole gets True, in uint8 the largest value of the mask; in a label map the
        label that surrounds it. Background between several labels stays, as it is nobody's hole.

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Notes
    -----
    What touches the border is no hole. Equal to ``scipy.ndimage.binary_fill_holes`` with connectivity 8; with
    `max_area` equal to scikit-image's ``remove_small_holes`` but for holes at the border, which that fills.

    Examples
    --------
    >>> fill_holes(np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)).all()
    np.True_
    >>> fill_holes(np.array([[5, 5, 5, 5, 7], [5, 0, 5, 0, 7], [5, 5, 5, 5, 7]], np.int32))[1].tolist()
    [5, 5, 5, 0, 7]
    """
    from cvseg.kernels.labeling.label_areas import label_areas
    from cvseg.kernels.labeling.relabel import relabel

    check_shapes("fill_holes", regions=(regions, "H W"))
    if max_area is not None:
        check_range("fill_holes", "max_area", max_area, low=0)
    if connectivity not in (4, 8):
        raise RangeError(f"fill_holes: connectivity is {connectivity!r}; it must be 4 or 8.")
    is_map = regions.dtype == np.dtype(np.int32)
    if not is_map:
        mask_bytes("fill_holes", regions)
    if regions.size == 0:
        return regions.copy()
    through = 4 if connectivity == 8 else 8
    labels, count = label_components(regions == 0, through)
    is_hole = ~at_border(labels, count)
    is_hole[0] = False
    if max_area is not None:
        is_hole &= to_host(label_areas(labels, np.int32(count))) <= max_area
    if not is_hole.any():
        return regions.copy()
    fill = is_hole.astype(np.int32)
    if is_map:
        from cvseg.kernels.labeling.hole_owners import hole_owners

        given = array_module(regions).ascontiguousarray(regions)
        owners = to_host(hole_owners(given, labels, np.int32(count), np.int32(through)))
        fill[1:] *= np.where(owners[:, 0] == owners[:, 1], owners[:, 0], 0)
        return regions + relabel(labels, to_device(fill, device_of(regions)))
    holes = relabel(labels, to_device(fill, device_of(regions))) != 0
    if regions.dtype == np.dtype(bool):
        return regions | holes
    return array_module(regions).where(holes, regions.max(), regions)
