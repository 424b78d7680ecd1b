"""Label maps as runs: what each run of equal pixels is; overlaps of two maps without looking at pixels.

Pixels are counted column by column, top to bottom, as in `cvseg.masks.run_length`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_shapes
from cvseg.errors import InputError, RangeError, ShapeError


@dataclass(frozen=True, eq=False)
class LabelRuns:
    """A label map without gaps or overlaps.

    Attributes
    ----------
    starts : (k,) int64, first pixel of each run, rising from 0
    ids : (k,) int64, 0 background
    size_hw : height and width
    """

    starts: NDArray[np.int64]
    ids: NDArray[np.int64]
    size_hw: tuple[int, int]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(k,) int64 pixels of each run."""
        return np.diff(self.starts, append=self.size_hw[0] * self.size_hw[1])

    def labels(self) -> NDArray[np.int32]:
        """The (H, W) int32 label map."""
        height, width = self.size_hw
        return np.ascontiguousarray(np.repeat(self.ids.astype(np.int32), self.lengths).reshape(width, height).T)


class OverlapError(InputError):
    """Two masks of one frame share pixels."""


def label_runs(labels: NDArray[np.integer]) -> LabelRuns:
    """Runs of a label map.

    Parameters
    ----------
    labels : (H, W) integer, 0 background

    Raises
    ------
    ShapeError
    RangeError
        when a label is negative.

    Examples
    --------
    >>> runs = label_runs(np.array([[0, 7], [7, 7]]))
    >>> runs.starts.tolist(), runs.ids.tolist()
    ([0, 1], [0, 7])
    """
    check_shapes("label_runs", labels=(labels, "H W"))
    height, width = labels.shape
    if labels.size and int(labels.min()) < 0:
        raise RangeError(f"label_runs: a label is {int(labels.min())}; expected 0 for the background and ids from 1.")
    if not labels.size:
        return LabelRuns(np.zeros(0, np.int64), np.zeros(0, np.int64), (height, width))
    # Changes are found in row order and sorted into column order: a map has few, and no pixel has to be moved.
    changes = np.empty(labels.shape, np.bool_)
    np.not_equal(labels[1:], labels[:-1], out=changes[1:])
    np.not_equal(labels[0, 1:], labels[-1, :-1], out=changes[0, 1:])
    changes[0, 0] = True
    y, x = np.divmod(np.flatnonzero(changes), width)
    starts = np.sort(x * height + y)
    x, y = np.divmod(starts, height)
    return LabelRuns(starts, labels[y, x].astype(np.int64), (height, width))


def paint_masks(ids: Sequence[int], masks: Sequence[NDArray[np.int64]], size_hw: tuple[int, int]) -> LabelRuns:
    """Label map of masks that do not overlap.

    Parameters
    ----------
    ids : from 1, one for each mask
    masks : runs of each mask, see `cvseg.masks.run_length`
    size_hw : height and width of all masks

    Raises
    ------
    OverlapError
        naming two ids that share pixels.
    ShapeError
        when the runs of a mask do not add up to the number of pixels.

    Examples
    --------
    >>> paint_masks([5, 7], [np.array([0, 1, 3]), np.array([2, 2])], (2, 2)).labels().tolist()
    [[5, 7], [0, 7]]
    """
    pixels = size_hw[0] * size_hw[1]
    starts_of, ends_of = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for object_id, runs in zip(ids, masks, strict=True):
        if int(runs.sum()) != pixels:
            raise ShapeError(
                f"paint_masks: the runs of id {object_id} add up to {int(runs.sum())} pixels; expected {pixels} "
                f"({size_hw[1]}x{size_hw[0]})."
            )
        edges = np.cumsum(runs)
        begin, end = edges[0:-1:2], edges[1::2]
        filled = end > begin
        starts_of.append(begin[filled])
        ends_of.append(end[filled])
    owner = np.repeat(np.asarray([0, *ids], np.int64), [len(begin) for begin in starts_of])
    starts, ends = np.concatenate(starts_of), np.concatenate(ends_of)
    order = np.argsort(starts, kind="stable")
    starts, ends, owner = starts[order], ends[order], owner[order]
    shared = np.flatnonzero(starts[1:] < ends[:-1])
    if shared.size:
        k = int(shared[0])
        raise OverlapError(f"the masks of ids {owner[k]} and {owner[k + 1]} share pixels; expected each pixel once.")
    # Background before the first mask and after each that no other follows at once.
    gap = np.concatenate([starts[:1] > 0, ends[:-1] < starts[1:], ends[-1:] < pixels]) if len(starts) else [pixels > 0]
    empty = np.concatenate([np.zeros(1, np.int64), ends])[np.asarray(gap)]
    every_start = np.concatenate([starts, empty])
    order = np.argsort(every_start, kind="stable")
    return LabelRuns(every_start[order], np.concatenate([owner, np.zeros(len(empty), np.int64)])[order], size_hw)


def label_run_overlaps(
    result: LabelRuns, truth: LabelRuns
) -> tuple[list[int], list[int], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """As `cvseg.evaluation.label_overlaps`: ids of the truth, of the result, shared pixels, and the areas of both.

    Raises
    ------
    ShapeError
        when the two maps are not of one size.
    """
    if result.size_hw != truth.size_hw:
        raise ShapeError(f"label_run_overlaps: result is {result.size_hw}; expected {truth.size_hw} to match truth.")
    truth_ids, truth_of = _numbered(truth)
    result_ids, result_of = _numbered(result)
    # Cut wherever either map changes: each piece then has one label in both.
    cuts = np.union1d(truth.starts, result.starts)
    length = np.diff(cuts, append=truth.size_hw[0] * truth.size_hw[1])
    pair = truth_of[np.searchsorted(truth.starts, cuts, side="right") - 1] * len(result_ids)
    pair += result_of[np.searchsorted(result.starts, cuts, side="right") - 1]
    shape = len(truth_ids), len(result_ids)
    # Sums of whole numbers below 2**53 are exact also as floats.
    shared = np.bincount(pair, weights=length, minlength=shape[0] * shape[1]).astype(np.int64).reshape(shape)
    return truth_ids[1:], result_ids[1:], shared[1:, 1:], shared.sum(1)[1:], shared.sum(0)[1:]


def _numbered(runs: LabelRuns) -> tuple[list[int], NDArray[np.int64]]:
    """All ids, 0 first, and the place of each run's id among them."""
    present, place = np.unique(np.concatenate([np.zeros(1, np.int64), runs.ids]), return_inverse=True)
    return present.tolist(), place[1:]
