"""The region adjacency graph: which regions touch, how long their border is, and how strong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device, to_host
from cvseg.checks import check_finite, check_shapes
from cvseg.errors import DtypeError, InputError, RangeError
from cvseg.graph.spanning_forest_2009 import STRONGEST, WEIGHT_UNITS, boundary_strength, whole_strength


@dataclass(frozen=True)
class RegionAdjacency:
    """Pairs of regions that touch, sorted; a border is counted in pairs of neighbouring pixels. All in host memory.

    Attributes
    ----------
    pairs : (m, 2) int32 labels, the smaller one first
    length : (m,) int64
    mean_strength : (m,) float64 along the border; of each pair of pixels the mean of both. L*a*b* between the two
        neighbours of a pixel, or what the given map holds; 0 without either.
    lowest, highest : (m,) float64 of each pair of pixels the stronger; the least and the greatest along the border
    """

    pairs: NDArray[np.int32]
    length: NDArray[np.int64]
    mean_strength: NDArray[np.float64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.length)


def adjacency(labels: Any, image: Any = None, *, boundary: Any = None) -> RegionAdjacency:
    """Which regions of a label map touch. One pass; synchronises a GPU.

    Parameters
    ----------
    labels : (H, W) whole numbers from 0 to 2^31 - 1; every value is a region, 0 too; they need not be connected.
        Negative values of int32 are no region.
    image : (H, W, 3) RGB or (H, W) grey, uint8 or float32 in [0, 1], on the same device: strength of borders is how
        fast its L*a*b* changes across them
    boundary : (H, W) float32 in [0, 1], own map of strengths instead

    Returns
    -------
    RegionAdjacency : the same on any device; the sums are of whole numbers

    Raises
    ------
    ShapeError, DtypeError, RangeError, DeviceMismatchError
    InputError
        when both `image` and `boundary` are given.

    Examples
    --------
    >>> graph = adjacency(np.array([[0, 0, 1], [2, 2, 1]]))
    >>> graph.pairs.tolist(), graph.length.tolist()
    ([[0, 1], [0, 2], [1, 2]], [1, 2, 1])
    """
    from cvseg.superpixels.picture import superpixel_picture

    check_shapes("adjacency", labels=(labels, "H W"))
    marks = whole_labels("adjacency", labels)
    xp = array_module(marks)
    unit = 1.0
    if image is not None and boundary is not None:
        raise InputError("adjacency: both image and boundary are given; expected one of them, or none.")
    if image is not None:
        picture = superpixel_picture("adjacency", image)
        check_shapes("adjacency", labels=(labels, "H W"), image=(picture, "H W 3"))
        strength, unit = boundary_strength(picture), 1 / WEIGHT_UNITS
    elif boundary is not None:
        check_shapes("adjacency", labels=(labels, "H W"), boundary=(boundary, "H W"))
        check_boundary("adjacency", boundary)
        strength, unit = whole_strength(boundary), 1 / STRONGEST
    else:
        strength = xp.zeros(marks.shape, np.uint16)
    return adjacency_of_strength(marks, strength, unit)


def adjacency_of_strength(labels: Any, strength: Any, unit: float) -> RegionAdjacency:
    """As `adjacency`, of (H, W) int32 labels and (H, W) uint16 strengths of which one is worth `unit`."""
    from cvseg.kernels.graph.region_adjacency import region_adjacency

    if labels.size == 0:
        empty = np.zeros(0)
        return RegionAdjacency(np.zeros((0, 2), np.int32), np.zeros(0, np.int64), empty, empty, empty)
    pairs, table = (to_host(array) for array in region_adjacency(labels, strength))
    length = table[:, 0].copy()
    return RegionAdjacency(pairs, length, table[:, 1] * unit / (2 * length), table[:, 2] * unit, table[:, 3] * unit)


def check_boundary(caller: str, boundary: Any) -> None:
    """Demand float32 in [0, 1].

    Raises
    ------
    DtypeError, RangeError
    """
    if boundary.dtype != np.dtype(np.float32):
        raise DtypeError(f"{caller}: boundary is {boundary.dtype}; expected float32 in [0, 1].")
    if boundary.size == 0:
        return
    check_finite(caller, boundary=boundary)
    low, high = float(boundary.min()), float(boundary.max())
    if low < 0 or high > 1:
        raise RangeError(f"{caller}: boundary has values from {low:g} to {high:g}; expected 0 to 1.")


def whole_labels(caller: str, labels: Any) -> Any:
    """`labels` as contiguous int32.

    Raises
    ------
    DtypeError, RangeError
    """
    if labels.dtype.kind not in "iu":
        raise DtypeError(f"{caller}: labels is {labels.dtype}; expected whole numbers.")
    if labels.dtype != np.dtype(np.int32):
        if labels.size and (int(labels.max()) >= 2**31 or int(labels.min()) < -(2**31)):
            raise RangeError(
                f"{caller}: labels are {int(labels.min())} to {int(labels.max())}; expected numbers below 2^31. "
                "Number them anew first."
            )
        labels = labels.astype(np.int32)
    return to_device(labels, device_of(labels))
