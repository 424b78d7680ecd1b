"""Accuracy of tracks: the CLEAR measures with identity switches, and which result object is which true one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_range, check_shapes

MATCH_IOU = 0.5  # CLEAR: an overlap from here on may be a match
KEEP = 1000.0  # worth of a correspondence of the previous frame: more than any sum of overlaps
ROUNDING = 1e-10  # an overlap of one half counts, also after rounding


@dataclass(frozen=True)
class TrackingScore:
    """CLEAR measures of one sequence.

    Attributes
    ----------
    mota : 1 - (misses + false_positives + identity_switches) / max(1, true_objects); 1 is perfect, also where there
        is nothing to find and nothing was found; negative values are possible
    motp : mean overlap of the matches; NaN without a match
    identity_switches : how often a true object is matched to another track than when it was last matched
    fragmentations : how often a true object is matched again after a gap
    matches, misses, false_positives : object by frame counts
    true_objects : object by frame count
    """

    mota: float
    motp: float
    identity_switches: int
    fragmentations: int
    matches: int
    misses: int
    false_positives: int
    true_objects: int


class TrackingMeasure:
    """Collects frames one by one, in order; `score` may be read at any time.

    Parameters
    ----------
    least_iou : overlap from which on a track may be matched to a true object
    """

    def __init__(self, least_iou: float = MATCH_IOU) -> None:
        check_range("TrackingMeasure", "least_iou", least_iou, low=0.0, high=1.0)
        self.least_iou = least_iou
        self._last_match: dict[int, int] = {}  # of any earlier frame
        self._previous: dict[int, int] = {}  # of the frame before
        self._overlap_sum = 0.0
        self._counts = dict.fromkeys(("matches", "true", "result", "switches", "fragmentations"), 0)

    def add(
        self, truth_ids: Sequence[int], result_ids: Sequence[int], iou: NDArray[np.floating[Any]]
    ) -> dict[int, int]:
        """Match one frame.

        Parameters
        ----------
        truth_ids, result_ids : ids present in this frame, without repetition
        iou : (len(truth_ids), len(result_ids)) overlaps in [0, 1]

        Returns
        -------
        dict : truth id to result id of the matches: first the correspondences of the previous frame that still
            overlap enough, then those of the largest sum of overlaps
        """
        check_shapes("TrackingMeasure.add", iou=(iou, f"{len(truth_ids)} {len(result_ids)}"))
        matches = self._match(truth_ids, result_ids, np.asarray(iou, np.float64))
        for truth_id, result_id in matches.items():
            self._counts["switches"] += self._last_match.get(truth_id, result_id) != result_id
            self._counts["fragmentations"] += truth_id in self._last_match and truth_id not in self._previous
        self._last_match |= matches
        self._previous = matches
        self._counts["matches"] += len(matches)
        self._counts["true"] += len(truth_ids)
        self._counts["result"] += len(result_ids)
        return matches

    def add_labels(self, result: NDArray[np.int32], truth: NDArray[np.int32]) -> dict[int, int]:
        """Match one frame of label maps, (H, W) int32 with 0 for the background, by the overlap of the masks."""
        truth_ids, result_ids, shared, truth_areas, result_areas = label_overlaps(result, truth)
        union = truth_areas[:, None] + result_areas[None, :] - shared
        return self.add(truth_ids, result_ids, shared / np.maximum(union, 1))

    @property
    def score(self) -> TrackingScore:
        count = self._counts
        misses, false_positives = count["true"] - count["matches"], count["result"] - count["matches"]
        mistakes = misses + false_positives + count["switches"]
        return TrackingScore(
            mota=1 - mistakes / max(1, count["true"]),
            motp=self._overlap_sum / count["matches"] if count["matches"] else float("nan"),
            identity_switches=count["switches"],
            fragmentations=count["fragmentations"],
            matches=count["matches"],
            misses=misses,
            false_positives=false_positives,
            true_objects=count["true"],
        )

    def _match(self, truth_ids: Sequence[int], result_ids: Sequence[int], iou: NDArray[np.float64]) -> dict[int, int]:
        if not len(truth_ids) or not len(result_ids):
            return {}
        from scipy.optimize import linear_sum_assignment

        kept = np.array([[self._previous.get(t) == r for r in result_ids] for t in truth_ids])
        worth = np.where(iou >= self.least_iou - ROUNDING, iou + KEEP * kept, 0.0)
        rows, columns = linear_sum_assignment(worth, maximize=True)
        matches = {}
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if worth[row, column] > 0:
                matches[int(truth_ids[row])] = int(result_ids[column])
                self._overlap_sum += float(iou[row, column])
        return matches


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


def identity_switches(
    result: Sequence[NDArray[np.int32]], truth: Sequence[NDArray[np.int32]], *, least_iou: float = MATCH_IOU
) -> int:
    """How often a true object changes the track it is matched to, over a video of label maps.

    Parameters
    ----------
    result, truth : label maps in frame order, each (H, W) int32, 0 background
    least_iou : overlap from which on a track may be matched

    References
    ----------
    [Bernardin2008]_ section 2.1
    """
    measure = TrackingMeasure(least_iou)
    for result_labels, truth_labels in zip(result, truth, strict=True):
        measure.add_labels(result_labels, truth_labels)
    return measure.score.identity_switches


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
    """
    check_shapes("label_overlaps", result=(result, "H W"), truth=(truth, "H W"))
    truth_table, truth_ids = _compact(truth)
    result_table, result_ids = _compact(result)
    pair = truth_table * np.int32(len(result_ids)) + result_table
    shape = len(truth_ids), len(result_ids)
    shared = np.bincount(pair.ravel(), minlength=shape[0] * shape[1]).reshape(shape)
    areas = shared.sum(1)[1:], shared.sum(0)[1:]
    return truth_ids[1:], result_ids[1:], shared[1:, 1:], *areas


def _compact(labels: NDArray[np.int32]) -> tuple[NDArray[np.int32], list[int]]:
    """Labels renumbered without gaps, 0 staying 0, and the label of each number."""
    counts = np.bincount(labels.ravel())
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
    a, b = np.asarray(boxes_a_xyxy, np.float64)[:, None], np.asarray(boxes_b_xyxy, np.float64)[None]
    overlap = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(-1)
    areas = np.clip(a[..., 2:] - a[..., :2], 0, None).prod(-1) + np.clip(b[..., 2:] - b[..., :2], 0, None).prod(-1)
    union = areas - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
