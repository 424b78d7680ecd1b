"""Remove specks by area, and what the image's border cuts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device, to_host
from cvseg.checks import check_range, check_shapes
from cvseg.errors import DtypeError, RangeError
from cvseg.regions.labeling import label_components


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
    from cvseg.kernels.labeling.label_areas import label_areas

    check_range("remove_small_regions", "min_area", min_area, low=0)
    labels, count = _numbered("remove_small_regions", regions, connectivity, by_part)
    return _kept(regions, labels, to_host(label_areas(labels, np.int32(count))) >= min_area)


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
    labels, count = _numbered("clear_border", regions, connectivity, by_part)
    return _kept(regions, labels, ~at_border(labels, count, int(margin)))


def at_border(labels: Any, count: int, margin: int = 0) -> NDArray[np.bool_]:
    """Which labels have a pixel within `margin` of the border: (count + 1,) bool, index 0 the background's."""
    touches = np.zeros(count + 1, np.bool_)
    for strip in (
        labels[: margin + 1],
        labels[max(labels.shape[0] - margin - 1, 0) :],
        labels[:, : margin + 1],
        labels[:, max(labels.shape[1] - margin - 1, 0) :],
    ):
        # A few rows and columns: on a GPU only these are downloaded.
        found = to_host(array_module(labels).ascontiguousarray(strip))
        touches[found[found >= 0]] = True
    return touches


def _numbered(caller: str, regions: Any, connectivity: int, by_part: bool) -> tuple[Any, int]:
    """Numbers of what counts as one region, and the highest."""
    check_shapes(caller, regions=(regions, "H W"))
    is_map = regions.dtype == np.dtype(np.int32)
    if not is_map and regions.dtype not in (np.dtype(bool), np.dtype(np.uint8)):
        raise DtypeError(f"{caller}: regions is {regions.dtype}; expected an int32 label map or a bool or uint8 mask.")
    if connectivity not in (4, 8):
        raise RangeError(f"{caller}: connectivity is {connectivity!r}; it must be 4 or 8.")
    if is_map and not by_part:
        labels = array_module(regions).ascontiguousarray(regions)
        return labels, max(int(labels.max()), 0) if labels.size else 0
    return label_components(regions, connectivity)


def _kept(regions: Any, labels: Any, stays: NDArray[np.bool_]) -> Any:
    from cvseg.kernels.labeling.relabel import relabel

    keep = stays.astype(np.int32)
    keep[0] = 0
    kept = relabel(labels, to_device(keep, device_of(labels))) != 0
    # Multiplied: 255 stays 255, and a label map keeps its labels.
    return kept if regions.dtype == np.dtype(bool) else regions * kept
