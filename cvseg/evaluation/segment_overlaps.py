"""Which segments of two segmentations share how many pixels; every label, 0 too, is a segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype
from cvseg.errors import DtypeError, InputError, ShapeError

LARGEST_TABLE = 1 << 22  # entries; beyond, pairs are counted by sorting


@dataclass(frozen=True)
class SegmentOverlaps:
    """Pixels by the pair of segments they belong to; segments are numbered from 0 in rising order of their labels.

    Attributes
    ----------
    result_areas, truth_areas : int64 pixels of each segment
    result_of, truth_of : int64 segments of each pair that shares pixels
    shared : int64 pixels of each pair
    """

    result_areas: NDArray[np.int64]
    truth_areas: NDArray[np.int64]
    result_of: NDArray[np.int64]
    truth_of: NDArray[np.int64]
    shared: NDArray[np.int64]

    @property
    def pixels(self) -> int:
        """Pixels that count."""
        return int(self.shared.sum())

    def swapped(self) -> SegmentOverlaps:
        """The same counts with result and truth exchanged."""
        return SegmentOverlaps(self.truth_areas, self.result_areas, self.truth_of, self.result_of, self.shared)


def segment_overlaps(
    result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], void: NDArray[np.bool_] | None = None
) -> SegmentOverlaps:
    """Count the pixels of every pair of segments.

    Parameters
    ----------
    result, truth : (H, W), or (T, H, W) for segments through a video; any integers
    void : bool of the same shape, pixels that are not counted

    Raises
    ------
    ShapeError, DtypeError
    InputError
        when no pixel is left to count.

    Examples
    --------
    >>> overlaps = segment_overlaps(np.array([[0, 0, 5]]), np.array([[7, 8, 8]]))
    >>> overlaps.shared.tolist(), overlaps.result_areas.tolist(), overlaps.truth_areas.tolist()
    ([1, 1, 1], [2, 1], [1, 2])
    """
    check_segments("segment_overlaps", result, truth, void)
    if void is not None:
        result, truth = result[~void], truth[~void]
    if result.size == 0:
        raise InputError("segment_overlaps: no pixel is left to count; expected at least one that is not void.")
    result_of, results = numbered(result)
    truth_of, truths = numbered(truth)
    pair = result_of.ravel() * truths + truth_of.ravel()
    if results * truths <= LARGEST_TABLE:
        counts = np.bincount(pair, minlength=results * truths)
        pairs = np.flatnonzero(counts)
        shared = counts[pairs]
    else:
        pairs, shared = np.unique(pair, return_counts=True)
    result_index, truth_index = pairs // truths, pairs % truths
    return SegmentOverlaps(
        result_areas=_sums(result_index, shared, results),
        truth_areas=_sums(truth_index, shared, truths),
        result_of=result_index,
        truth_of=truth_index,
        shared=shared.astype(np.int64),
    )


def check_segments(
    caller: str,
    result: NDArray[np.integer[Any]],
    truth: NDArray[np.integer[Any]],
    void: NDArray[np.bool_] | None = None,
) -> None:
    """Demand whole-number labels of one shape, of an image or a video.

    Raises
    ------
    ShapeError, DtypeError
    """
    arrays = {"result": result, "truth": truth} | ({} if void is None else {"void": void})
    for name, array in arrays.items():
        if array.ndim not in (2, 3) or array.shape != truth.shape:
            raise ShapeError(
                f"{caller}: {name} is {array.shape}; expected (H, W) or (T, H, W), all alike"
                f"{'' if name == 'truth' else f': truth is {truth.shape}'}."
            )
    for name, array in (("result", result), ("truth", truth)):
        if array.dtype.kind not in "iub":
            raise DtypeError(f"{caller}: {name} is {array.dtype}; expected whole-number labels.")
    if void is not None:
        check_dtype(caller, np.bool_, void=void)


def numbered(labels: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], int]:
    """Labels renumbered from 0 without gaps, in rising order, and how many there are."""
    low, high = int(labels.min()), int(labels.max())
    if high - low >= LARGEST_TABLE:
        found, inverse = np.unique(labels, return_inverse=True)
        return inverse.reshape(labels.shape).astype(np.int64), len(found)
    offset = labels.astype(np.int64) - low
    present = np.bincount(offset.ravel()) > 0
    table = np.cumsum(present) - 1
    return table[offset], int(table[-1]) + 1


def _sums(index: NDArray[np.int64], values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    sums = np.zeros(count, np.int64)
    np.add.at(sums, index, values)
    return sums
