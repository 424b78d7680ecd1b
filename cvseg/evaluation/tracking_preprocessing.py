"""What benchmarks take out before tracks are measured: results on distractors, and in regions that do not count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_shapes
from cvseg.evaluation.tracking_data import ROUNDING, TrackingSequence

MATCH_IOU = 0.5
MOST_IGNORED = 0.5  # share of a mask that may lie in regions that do not count
# MOTChallenge classes: person on a vehicle, static person, distractor, reflection; MOT20 adds vehicles.
DISTRACTORS = {"mot16": (2, 7, 8, 12), "mot20": (2, 6, 7, 8, 12)}
COUNT_FIRST = 10000.0  # worth of a match beside its overlap: their number decides


def without_distractors(
    sequence: TrackingSequence, truth_counted: NDArray[np.bool_], truth_distractor: NDArray[np.bool_]
) -> TrackingSequence:
    """Take out true objects that do not count, and results that are matched to a distractor.

    In each frame all results are matched to all true objects, those that do not count too, by the largest sum of
    overlaps of at least one half; a result on a distractor is neither right nor wrong.

    Parameters
    ----------
    sequence : with every true object of the file
    truth_counted, truth_distractor : (n,) bool for `sequence.truth_ids`

    References
    ----------
    [Luiten2021]_, the authors' program for MOTChallenge
    """
    count = str(len(sequence.truth_ids))
    check_shapes(
        "without_distractors",
        truth_counted=(truth_counted, count),
        truth_distractor=(truth_distractor, count),
    )
    result_kept = np.ones(len(sequence.result_ids), bool)
    if truth_distractor.any():
        from scipy.optimize import linear_sum_assignment

        allowed = np.where(sequence.pair_iou >= MATCH_IOU - ROUNDING, sequence.pair_iou, 0.0)
        for t0, r0, _, worth in sequence.dense(allowed):
            rows, columns = linear_sum_assignment(worth, maximize=True)
            hit = (worth[rows, columns] > ROUNDING) & truth_distractor[t0 + rows]
            result_kept[r0 + columns[hit]] = False
    return sequence.selected(truth_counted, result_kept)


def outside_ignored(iou: NDArray[np.float64], ignored_share: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which results of one frame count: those that match a true object, and those mostly outside ignored regions.

    Parameters
    ----------
    iou : (n, m) overlaps of true objects and results
    ignored_share : (m,) share of each result's pixels that lies in regions that do not count

    Returns
    -------
    (m,) bool

    References
    ----------
    [Voigtlaender2019]_ section 4

    Examples
    --------
    >>> outside_ignored(np.array([[0.6, 0.1]]), np.array([0.9, 0.9])).tolist()
    [True, False]
    """
    kept = ignored_share <= MOST_IGNORED + ROUNDING
    if kept.all() or not iou.size:
        return kept
    from scipy.optimize import linear_sum_assignment

    worth = np.where(iou >= MATCH_IOU - ROUNDING, COUNT_FIRST + iou, 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    kept[columns[worth[rows, columns] > 0]] = True
    return kept
