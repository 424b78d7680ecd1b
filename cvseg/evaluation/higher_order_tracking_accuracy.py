"""HOTA: detection and association of tracks in one measure, with all its parts, over 19 thresholds of overlap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.evaluation.tracking_data import ROUNDING, TrackingSequence

# 0.05, 0.10, ..., 0.95, rounded as the reference program rounds them.
ALPHAS = np.arange(0.05, 0.99, 0.05)
ALPHAS.setflags(write=False)
SMALLEST = 1e-10  # localisation is 1 where nothing is matched


@dataclass(frozen=True, kw_only=True, eq=False)
class HigherOrderScore:
    """HOTA of one sequence, or of several together; every value is a (19,) array over `ALPHAS`.

    Attributes
    ----------
    true_positives, misses, false_positives : counts of matches and of unmatched objects, float64
    association_sum, association_recall_sum, association_precision_sum : sums over the matches
    overlap_sum : sum of the overlaps of the matches
    """

    true_positives: NDArray[np.float64]
    misses: NDArray[np.float64]
    false_positives: NDArray[np.float64]
    association_sum: NDArray[np.float64]
    association_recall_sum: NDArray[np.float64]
    association_precision_sum: NDArray[np.float64]
    overlap_sum: NDArray[np.float64]

    @property
    def det_re(self) -> NDArray[np.float64]:
        """Share of the true objects that are matched."""
        return self.true_positives / np.maximum(1, self.true_positives + self.misses)

    @property
    def det_pr(self) -> NDArray[np.float64]:
        """Share of the result's objects that are matched."""
        return self.true_positives / np.maximum(1, self.true_positives + self.false_positives)

    @property
    def det_a(self) -> NDArray[np.float64]:
        """Matches over matches, misses and false positives."""
        return self.true_positives / np.maximum(1, self.true_positives + self.misses + self.false_positives)

    @property
    def ass_a(self) -> NDArray[np.float64]:
        """Mean over the matches: how well the two whole tracks of the match agree."""
        return self.association_sum / np.maximum(1, self.true_positives)

    @property
    def ass_re(self) -> NDArray[np.float64]:
        """Mean over the matches: share of the true track that has the same match."""
        return self.association_recall_sum / np.maximum(1, self.true_positives)

    @property
    def ass_pr(self) -> NDArray[np.float64]:
        """Mean over the matches: share of the result's track that has the same match."""
        return self.association_precision_sum / np.maximum(1, self.true_positives)

    @property
    def loc_a(self) -> NDArray[np.float64]:
        """Mean overlap of the matches; 1 where there is none."""
        return np.maximum(SMALLEST, self.overlap_sum) / np.maximum(SMALLEST, self.true_positives)

    @property
    def hota(self) -> NDArray[np.float64]:
        """Geometric mean of `det_a` and `ass_a`."""
        return np.sqrt(self.det_a * self.ass_a)

    @property
    def owta(self) -> NDArray[np.float64]:
        """Geometric mean of `det_re` and `ass_a`: for truth that does not name every object."""
        return np.sqrt(self.det_re * self.ass_a)

    def means(self) -> dict[str, float]:
        """Means over the thresholds, as they are usually quoted, and the three values at the lowest threshold."""
        names = ("hota", "det_a", "ass_a", "det_re", "det_pr", "ass_re", "ass_pr", "loc_a", "owta")
        values = {name: float(getattr(self, name).mean()) for name in names}
        first, place = float(self.hota[0]), float(self.loc_a[0])
        return values | {"hota_0": first, "loc_a_0": place, "hota_loc_a_0": first * place}

    @classmethod
    def combined(cls, scores: Iterable[HigherOrderScore]) -> HigherOrderScore:
        """The score of several sequences: counts and sums are added, nothing is averaged."""
        scores = list(scores)
        return cls(
            **{
                name: np.sum([getattr(score, name) for score in scores], axis=0) + np.zeros(len(ALPHAS))
                for name in cls.__dataclass_fields__
            }
        )


def higher_order_tracking_accuracy(sequence: TrackingSequence) -> HigherOrderScore:
    """HOTA of a sequence of boxes or masks.

    Parameters
    ----------
    sequence : ids and overlaps of every frame

    References
    ----------
    [Luiten2021]_ eqs. 7-17 and 25. One assignment a frame serves all thresholds, as in the authors' program.

    Examples
    --------
    >>> from cvseg.evaluation import tracking_sequence
    >>> frames = [([1], [7], [[1.0]]), ([1], [8], [[1.0]])]
    >>> score = higher_order_tracking_accuracy(tracking_sequence(frames))
    >>> score.means()["det_a"], score.means()["ass_a"], round(score.means()["hota"], 4)
    (1.0, 0.5, 0.7071)
    """
    from scipy.optimize import linear_sum_assignment

    truth_names, truth_of = np.unique(sequence.truth_ids, return_inverse=True)
    result_names, result_of = np.unique(sequence.result_ids, return_inverse=True)
    truth_size = np.bincount(truth_of, minlength=len(truth_names)).astype(np.float64)
    result_size = np.bincount(result_of, minlength=len(result_names)).astype(np.float64)
    # Which two tracks each overlapping pair belongs to.
    names, track_pair = np.unique(
        truth_of[sequence.pair_truth] * np.int64(max(1, len(result_names))) + result_of[sequence.pair_result],
        return_inverse=True,
    )
    sizes = truth_size[names // max(1, len(result_names))], result_size[names % max(1, len(result_names))]

    # How well whole tracks agree before anything is matched: a pair counts less where others compete for it.
    share = np.zeros(len(sequence.pair_iou))
    for t0, r0, pairs, iou in sequence.dense(sequence.pair_iou):
        rivals = iou.sum(0)[None, :] + iou.sum(1)[:, None] - iou
        share[pairs] = (
            sequence.pair_iou[pairs] / rivals[sequence.pair_truth[pairs] - t0, sequence.pair_result[pairs] - r0]
        )
    agreement = np.bincount(track_pair, weights=share, minlength=len(names))
    alignment = agreement / (sizes[0] + sizes[1] - agreement)

    # One assignment a frame; its pairs count at each threshold that they reach.
    matched = np.zeros(len(sequence.pair_iou), bool)
    for t0, r0, pairs, worth in sequence.dense(alignment[track_pair] * sequence.pair_iou):
        rows, columns = linear_sum_assignment(worth, maximize=True)
        column_of = np.full(worth.shape[0], -1)
        column_of[rows] = columns
        matched[pairs] = column_of[sequence.pair_truth[pairs] - t0] == sequence.pair_result[pairs] - r0
    iou, of_tracks = sequence.pair_iou[matched], track_pair[matched]

    sums = {name: np.zeros(len(ALPHAS)) for name in HigherOrderScore.__dataclass_fields__}
    for i, alpha in enumerate(ALPHAS):
        reached = iou >= alpha - ROUNDING
        # Frames in which these two tracks are matched; each such frame is one match.
        together = np.bincount(of_tracks[reached], minlength=len(names))
        sums["true_positives"][i] = reached.sum()
        sums["overlap_sum"][i] = iou[reached].sum()
        sums["association_sum"][i] = (together * (together / np.maximum(1, sizes[0] + sizes[1] - together))).sum()
        sums["association_recall_sum"][i] = (together * (together / np.maximum(1, sizes[0]))).sum()
        sums["association_precision_sum"][i] = (together * (together / np.maximum(1, sizes[1]))).sum()
    sums["misses"] = len(sequence.truth_ids) - sums["true_positives"]
    sums["false_positives"] = len(sequence.result_ids) - sums["true_positives"]
    return HigherOrderScore(**sums)
