"""Shot boundaries: recall, precision and F1 of cuts and gradual transitions, matched one to one within a tolerance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_range, check_shapes
from cvseg.errors import DtypeError, RangeError

TOLERANCE_FRAMES = 2
KEEP = 1e6  # worth of a match: more than any sum of distances between matched transitions


@dataclass(frozen=True)
class TransitionScore:
    """Transitions of one kind.

    Attributes
    ----------
    recall : share of the true transitions that were found; 1 when there are none
    precision : share of the transitions found that are true; 1 when none was found
    f1 : harmonic mean of the two; 1 when there is none and none was found
    true, found : how many there are, and how many the result has
    """

    recall: float
    precision: float
    f1: float
    true: int
    found: int


@dataclass(frozen=True)
class ShotScore:
    """Scores of one video, or of several by `total_shot_score`.

    Attributes
    ----------
    all, cuts, gradual : by kind of transition: that of the true one for recall, of the found one for precision
    frame_recall, frame_precision : share of the frames of matched true gradual transitions that the matched ones cover,
        and the reverse; NaN without such frames
    misses, false_alarms, hits : counts over all kinds
    distance_frames : mean distance of the matches; NaN without a match
    """

    all: TransitionScore
    cuts: TransitionScore
    gradual: TransitionScore
    frame_recall: float
    frame_precision: float
    misses: int
    false_alarms: int
    hits: int
    distance_frames: float


@dataclass(frozen=True)
class ShotCounts:
    """What `ShotScore` is made of; counts of videos add up with +. Pairs are (cuts, gradual)."""

    true: tuple[int, int] = (0, 0)
    true_hit: tuple[int, int] = (0, 0)
    found: tuple[int, int] = (0, 0)
    found_hit: tuple[int, int] = (0, 0)
    shared_frames: int = 0
    true_frames: int = 0
    found_frames: int = 0
    distance_sum: int = 0

    def __add__(self, other: ShotCounts) -> ShotCounts:
        def pair(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
            return one[0] + two[0], one[1] + two[1]

        return ShotCounts(
            pair(self.true, other.true),
            pair(self.true_hit, other.true_hit),
            pair(self.found, other.found),
            pair(self.found_hit, other.found_hit),
            self.shared_frames + other.shared_frames,
            self.true_frames + other.true_frames,
            self.found_frames + other.found_frames,
            self.distance_sum + other.distance_sum,
        )


def transitions_of_cuts(cuts: NDArray[np.integer[Any]] | list[int]) -> NDArray[np.int64]:
    """Cuts as transitions: (n,) frame numbers, from 0, of the first frames of new shots, give (n, 2).

    Examples
    --------
    >>> transitions_of_cuts([30, 180]).tolist()
    [[30, 30], [180, 180]]
    """
    frames = np.asarray(cuts, np.int64).reshape(-1)
    return np.stack([frames, frames], axis=1)


def match_transitions(
    result: NDArray[np.integer[Any]],
    truth: NDArray[np.integer[Any]],
    *,
    tolerance_frames: int = TOLERANCE_FRAMES,
) -> list[tuple[int, int]]:
    """As many pairs as possible, each transition in one at most, and of all such ways the nearest.

    Parameters
    ----------
    result, truth : (n, 2) and (m, 2) integers [begin, end): begin is the first frame that is no longer of the old shot
        alone, end the first that is of the new one alone, from 0. A cut has begin = end.
    tolerance_frames : largest distance of a match: 0 when the transitions overlap or touch, else the frames between
        them, for cuts the difference; a larger value forgives more

    Returns
    -------
    list of (number in result, number in truth), by rising number in truth

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Examples
    --------
    >>> match_transitions(np.array([[31, 31], [32, 32]]), np.array([[32, 32], [30, 30]]), tolerance_frames=1)
    [(1, 0), (0, 1)]
    """
    _check(result, truth, tolerance_frames)
    if not len(result) or not len(truth):
        return []
    pairs = []
    for own, true in _neighbourhoods(result, truth, tolerance_frames):
        pairs += [(int(own[i]), int(true[j])) for i, j in _assigned(result[own], truth[true], tolerance_frames)]
    return sorted(pairs, key=lambda pair: pair[1])


def _assigned(
    result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], tolerance_frames: int
) -> list[tuple[int, int]]:
    from scipy.optimize import linear_sum_assignment

    distance = _distances(result, truth)
    middle = np.abs(result.sum(1)[:, None] - truth.sum(1)[None]) / 2
    worth = np.where(distance <= tolerance_frames, KEEP - np.minimum(middle, KEEP / 10_000), 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return [
        (row, column) for row, column in zip(rows.tolist(), columns.tolist(), strict=True) if worth[row, column] > 0
    ]


def _neighbourhoods(
    result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], tolerance_frames: int
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Numbers in result and truth of transitions that may match each other; none matches outside its neighbourhood.

    One table of all pairs would hold a hundred million entries for the ten thousand cuts of a long recording.
    """
    spans = np.concatenate([result, truth]).astype(np.int64)
    order = np.argsort(spans[:, 0], kind="stable")
    ends = np.maximum.accumulate(spans[order, 1])
    gaps = np.flatnonzero(spans[order[1:], 0] - ends[:-1] > tolerance_frames) + 1
    groups = [
        (group[group < len(result)], group[group >= len(result)] - len(result)) for group in np.split(order, gaps)
    ]
    # In the order of the file, which decides between equal matches.
    return [(np.sort(own), np.sort(true)) for own, true in groups if len(own) and len(true)]


def shot_counts(
    result: NDArray[np.integer[Any]],
    truth: NDArray[np.integer[Any]],
    *,
    tolerance_frames: int = TOLERANCE_FRAMES,
) -> ShotCounts:
    """Count one video; arguments as for `match_transitions`."""
    pairs = match_transitions(result, truth, tolerance_frames=tolerance_frames)
    result_cut, truth_cut = result[:, 0] == result[:, 1], truth[:, 0] == truth[:, 1]
    shared = true_frames = found_frames = distance = 0
    for i, j in pairs:
        (begin, end), (true_begin, true_end) = result[i].tolist(), truth[j].tolist()
        distance += max(0, begin - true_end, true_begin - end)
        if not truth_cut[j] and not result_cut[i]:
            shared += max(0, min(end, true_end) - max(begin, true_begin))
            true_frames += true_end - true_begin
            found_frames += end - begin
    hit_result, hit_truth = [i for i, _ in pairs], [j for _, j in pairs]
    return ShotCounts(
        true=_kinds(truth_cut),
        true_hit=_kinds(truth_cut[hit_truth]),
        found=_kinds(result_cut),
        found_hit=_kinds(result_cut[hit_result]),
        shared_frames=shared,
        true_frames=true_frames,
        found_frames=found_frames,
        distance_sum=distance,
    )


def shot_score(counts: ShotCounts) -> ShotScore:
    """The measures of one video or of the sum of several.

    References
    ----------
    [Smeaton2010]_ section 3 (recall and precision by kind, frame recall and precision of gradual transitions).
    Departure: the tolerance also widens gradual transitions, and one matching serves both kinds.

    Examples
    --------
    >>> counts = shot_counts(transitions_of_cuts([30, 99]), transitions_of_cuts([31, 180, 394]))
    >>> score = shot_score(counts)
    >>> round(score.all.recall, 3), score.all.precision, score.all.f1, score.distance_frames
    (0.333, 0.5, 0.4, 1.0)
    """
    hits = sum(counts.true_hit)
    return ShotScore(
        all=_kind_score(sum(counts.true_hit), sum(counts.true), sum(counts.found_hit), sum(counts.found)),
        cuts=_kind_score(counts.true_hit[0], counts.true[0], counts.found_hit[0], counts.found[0]),
        gradual=_kind_score(counts.true_hit[1], counts.true[1], counts.found_hit[1], counts.found[1]),
        frame_recall=counts.shared_frames / counts.true_frames if counts.true_frames else float("nan"),
        frame_precision=counts.shared_frames / counts.found_frames if counts.found_frames else float("nan"),
        misses=sum(counts.true) - hits,
        false_alarms=sum(counts.found) - hits,
        hits=hits,
        distance_frames=counts.distance_sum / hits if hits else float("nan"),
    )


def _kind_score(true_hit: int, true: int, found_hit: int, found: int) -> TransitionScore:
    recall = true_hit / true if true else 1.0
    precision = found_hit / found if found else 1.0
    f1 = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
    # Everything missed, or nothing but false alarms: the other share says 1 and means nothing.
    return TransitionScore(
        recall, precision, 0.0 if (true or found) and not (true_hit or found_hit) else f1, true, found
    )


def _kinds(is_cut: NDArray[np.bool_]) -> tuple[int, int]:
    cuts = int(np.count_nonzero(is_cut))
    return cuts, int(is_cut.size) - cuts


def _distances(result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    before = result[:, None, 0] - truth[None, :, 1]
    after = truth[None, :, 0] - result[:, None, 1]
    return np.maximum(0, np.maximum(before, after)).astype(np.int64)


def _check(result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], tolerance_frames: int) -> None:
    check_range("match_transitions", "tolerance_frames", tolerance_frames, low=0)
    for name, transitions in (("result", result), ("truth", truth)):
        check_shapes("match_transitions", **{name: (transitions, "N 2")})
        if transitions.dtype.kind not in "iu":
            raise DtypeError(f"match_transitions: {name} is {transitions.dtype}; expected whole frame numbers.")
        wrong = np.flatnonzero((transitions[:, 0] > transitions[:, 1]) | (transitions[:, 0] < 0))
        if wrong.size:
            raise RangeError(
                f"match_transitions: {name} {int(wrong[0])} is {transitions[wrong[0]].tolist()}; expected "
                "0 <= begin <= end."
            )
        doubled = len(transitions) - len(np.unique(transitions, axis=0)) if len(transitions) else 0
        if doubled:
            raise RangeError(f"match_transitions: {name} holds {doubled} transitions twice; expected each once.")
