"""Identity measures of tracks: IDF1 and its parts, from the best one-to-one naming of whole tracks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cvseg.checks import check_range
from cvseg.evaluation.tracking_data import TrackingSequence

MATCH_IOU = 0.5


@dataclass(frozen=True, kw_only=True)
class IdentityScore:
    """Identity measures of one sequence, or of several together.

    Attributes
    ----------
    idtp : frames, summed over true objects, in which an object overlaps enough with the track that is named after it
    idfn, idfp : all other frames of true objects, and of tracks
    idf1, idr, idp : 2 idtp / max(1, 2 idtp + idfn + idfp), idtp / max(1, idtp + idfn), idtp / max(1, idtp + idfp)
    """

    idtp: int
    idfn: int
    idfp: int

    @property
    def idf1(self) -> float:
        return self.idtp / max(1.0, self.idtp + 0.5 * (self.idfn + self.idfp))

    @property
    def idr(self) -> float:
        return self.idtp / max(1, self.idtp + self.idfn)

    @property
    def idp(self) -> float:
        return self.idtp / max(1, self.idtp + self.idfp)

    @classmethod
    def combined(cls, scores: Iterable[IdentityScore]) -> IdentityScore:
        """The score of several sequences: their counts are added."""
        scores = list(scores)
        return cls(**{name: sum(getattr(score, name) for score in scores) for name in ("idtp", "idfn", "idfp")})


def identity_accuracy(sequence: TrackingSequence, *, least_iou: float = MATCH_IOU) -> IdentityScore:
    """Name each true object after at most one track, for the whole sequence, so that most frames agree.

    Parameters
    ----------
    sequence : ids and overlaps of every frame
    least_iou : overlap from which on a frame agrees

    Raises
    ------
    RangeError

    References
    ----------
    [Ristani2016]_ eqs. 4-7

    Examples
    --------
    >>> from cvseg.evaluation import tracking_sequence
    >>> frames = [([1], [7], [[0.9]]), ([1], [7], [[0.9]]), ([1], [8], [[0.7]])]
    >>> score = identity_accuracy(tracking_sequence(frames))
    >>> score.idtp, score.idfn, score.idfp, round(score.idf1, 4)
    (2, 1, 1, 0.6667)
    """
    check_range("identity_accuracy", "least_iou", least_iou, low=0.0, high=1.0)
    from scipy.optimize import linear_sum_assignment

    truth_names, truth_of = np.unique(sequence.truth_ids, return_inverse=True)
    result_names, result_of = np.unique(sequence.result_ids, return_inverse=True)
    agree = sequence.pair_iou >= least_iou
    frames = np.zeros((len(truth_names), len(result_names)))
    np.add.at(frames, (truth_of[sequence.pair_truth[agree]], result_of[sequence.pair_result[agree]]), 1)
    # The least cost over all ways to name, where every frame of an unnamed object or track costs one, is the same.
    rows, columns = linear_sum_assignment(frames, maximize=True)
    idtp = int(frames[rows, columns].sum())
    return IdentityScore(idtp=idtp, idfn=len(sequence.truth_ids) - idtp, idfp=len(sequence.result_ids) - idtp)
