"""Overlaps of objects: of boxes, of the labels of one frame, and of whole tubes through a label video."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_shapes
from cvseg.errors import RangeError

LARGEST_TABLE = 1 << 20  # entries; larger labels are renumbered by sorting


class ObjectOverlaps:
    """Collects, over a label video, how much each true object shares with each result object."""

    def __init__(self) -> None:
        self._shared: dict[tuple[int, int], int] = {}
        self._truth_areas: dict[int, int] = {}
        self._result_areas: dict[int, int] = {}

    def add(self, result: NDArray[np.int32], truth: NDArray[np.int32]) -> None:
        """Count one frame of label maps, (H, W) int32 with 0 for the background."""
        truth_ids, result_ids, shared, truth_areas, result_areas = label_overlaps(result, truth)
        for i, t in enumerate(truth_ids):
            self._truth_areas[t] = self._truth_areas.get(t, 0) + int(truth_areas[i])
            for j, r in enumerate(result_ids):
                if shared[i, j]:
                    self._shared[t, r] = self._shared.get((t, r), 0) + int(shared[i, j])
        for j, r in enumerate(result_ids):
            self._result_areas[r] = self._result_areas.get(r, 0) + int(result_areas[j])

    def assignment(self) -> dict[int, int]:
        """Truth id to result id, each at most once, with the largest sum of overlaps of whole object tubes."""
        return {truth_id: result_id for truth_id, (result_id, _) in self._assigned().items()}

    def object_overlaps(self) -> dict[int, float]:
        """Truth id to the overlap of its tube with the one assigned to it; 0 for an object that nothing is assigned."""
        assigned = self._assigned()
        return {truth_id: assigned[truth_id][1] if truth_id in assigned else 0.0 for truth_id in self._truth_areas}

    def mean_overlap(self) -> float:
        """Mean of `object_overlaps`; NaN without a true object."""
        overlaps = self.object_overlaps()
        return sum(overlaps.values()) / len(overlaps) if overlaps else float("nan")

    def _assigned(self) -> dict[int, tuple[int, float]]:
        from scipy.optimize import linear_sum_assignment

        truth_ids, result_ids = sorted(self._truth_areas), sorted(self._result_areas)
        row_of, column_of = ({label: i for i, label in enumerate(ids)} for ids in (truth_ids, result_ids))
        iou = np.zeros((len(truth_ids), len(result_ids)))
        for (t, r), shared in self._shared.items():
            iou[row_of[t], column_of[r]] = shared / (self._truth_areas[t] + self._result_areas[r] - shared)
        rows, columns = linear_sum_assignment(iou, maximize=True)
        return {
            truth_ids[i]: (result_ids[j], float(iou[i, j]))
            for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
            if iou[i, j] > 0
        }


def label_overlaps(
    result: NDArray[np.int32], truth: NDArray[np.int32]
) -> tuple[list[int], list[int], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Which labels share how many pixels.

    Parameters
    ----------
    result, truth : (H, W) int32, 0 background

    Returns
    -------
    truth_ids, result_ids : the labels present, rising, without 0
    shared : (len(truth_ids), len(result_ids)) int64 pixel counts
    truth_areas, result_areas : int64 pixel counts

    Raises
    ------
    ShapeError
    RangeError
        when a label is negative.

    Examples
    --------
    >>> truth, result = np.array([[0, 7, 7]], np.int32), np.array([[3, 3, 900]], np.int32)
    >>> truth_ids, result_ids, shared, truth_areas, result_areas = label_overlaps(result, truth)
    >>> truth_ids, result_ids, shared.tolist()
    ([7], [3, 900], [[1, 1]])
    """
    check_shapes("label_overlaps", result=(result, "H W"), truth=(truth, "H W"))
    truth_table, truth_ids = _compact(truth)
    result_table, result_ids = _compact(result)
    pair = truth_table.astype(np.int64) * len(result_ids) + result_table
    shape = len(truth_ids), len(result_ids)
    shared = np.bincount(pair.ravel(), minlength=shape[0] * shape[1]).reshape(shape)
    areas = shared.sum(1)[1:], shared.sum(0)[1:]
    return truth_ids[1:], result_ids[1:], shared[1:, 1:], *areas


def _compact(labels: NDArray[np.int32]) -> tuple[NDArray[np.int32], list[int]]:
    """Labels renumbered without gaps, 0 staying 0, and the label of each number."""
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if low < 0:
        raise RangeError(f"label_overlaps: a label is {low}; expected 0 for the background and ids from 1.")
    if high > LARGEST_TABLE:  # also 2**31 - 1, "ignore"
        named, inverse = np.unique(labels, return_inverse=True)
        first = int(named[0] != 0)  # 0 is named in any case
        return (inverse.reshape(labels.shape) + first).astype(np.int32), [0] * first + named.tolist()
    counts = np.bincount(labels.ravel(), minlength=1)
    counts[0] = 1
    present = np.flatnonzero(counts)
    table = np.zeros(len(counts), np.int32)
    table[present] = np.arange(len(present), dtype=np.int32)
    return table[labels], present.tolist()


def box_overlaps(
    boxes_a_xyxy: NDArray[np.floating[Any]], boxes_b_xyxy: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Intersection over union of every pair of half-open boxes: (n, 4) and (m, 4) give (n, m); 0 for empty boxes."""
    check_shapes("box_overlaps", boxes_a_xyxy=(boxes_a_xyxy, "N 4"), boxes_b_xyxy=(boxes_b_xyxy, "M 4"))
    return paired_box_overlaps(
        np.asarray(boxes_a_xyxy, np.float64)[:, None], np.asarray(boxes_b_xyxy, np.float64)[None]
    )


def paired_box_overlaps(boxes_a_xyxy: NDArray[np.float64], boxes_b_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of boxes of one place in two arrays (..., 4) that broadcast; 0 for empty boxes."""
    a, b = boxes_a_xyxy, boxes_b_xyxy
    overlap = np.maximum(np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0]), 0)
    overlap = overlap * np.maximum(np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1]), 0)
    union = _box_areas(a) + _box_areas(b) - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def _box_areas(boxes_xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    width, height = boxes_xyxy[..., 2] - boxes_xyxy[..., 0], boxes_xyxy[..., 3] - boxes_xyxy[..., 1]
    return np.maximum(width, 0) * np.maximum(height, 0)
