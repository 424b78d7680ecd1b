"""CLEAR measures of tracks: MOTA, MOTP, switches and fragmentations, for boxes and masks alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_range, check_shapes
from cvseg.errors import OptionError, nearest_name
from cvseg.evaluation.overlaps import label_overlaps
from cvseg.evaluation.tracking_data import ROUNDING, TrackingSequence

MATCH_IOU = 0.5  # CLEAR: an overlap from here on may be a match
KEEP = 1000.0  # worth of what counts before the sum of overlaps: more than any such sum
TRACKED, LOST = 0.8, 0.2  # shares of a true object's frames: mostly tracked above, mostly lost below
RULES = ("trackeval", "motmetrics")


@dataclass(frozen=True, kw_only=True)
class TrackingScore:
    """CLEAR measures of one sequence, or of several together.

    With N = `true_objects`, an object counted once for every frame it is in:

    Attributes
    ----------
    mota : 1 - (misses + false_positives + identity_switches) / max(1, N); 1 is perfect, also where there is nothing to
        find and nothing was found; negative values are possible. With masks: MOTSA
    motp : mean overlap of the matches; NaN without a match. With masks: MOTSP
    moda : 1 - (misses + false_positives) / max(1, N)
    smota : (overlap_sum - false_positives - identity_switches) / max(1, N). With masks: sMOTSA
    recall, precision, f1 : matches / max(1, N), matches / max(1, all result objects), and 2 matches / max(1, both)
    identity_switches : how often a true object is matched to another track than when it was last matched
    fragmentations : how often a true object is matched again after a gap
    matches, misses, false_positives : object by frame counts
    mostly_tracked, partly_tracked, mostly_lost : true objects that are matched in more than 80 percent of their frames,
        in 20 to 80 percent, in less
    true_objects : object by frame count
    frames : number of frames
    overlap_sum : sum of the overlaps of the matches
    """

    mota: float = field(init=False)
    motp: float = field(init=False)
    moda: float = field(init=False)
    smota: float = field(init=False)
    recall: float = field(init=False)
    precision: float = field(init=False)
    f1: float = field(init=False)
    identity_switches: int = 0
    fragmentations: int = 0
    matches: int = 0
    misses: int = 0
    false_positives: int = 0
    mostly_tracked: int = 0
    partly_tracked: int = 0
    mostly_lost: int = 0
    frames: int = 0
    overlap_sum: float = 0.0
    true_objects: int = field(init=False)

    def __post_init__(self) -> None:
        true, found = self.matches + self.misses, self.matches + self.false_positives
        wrong = self.misses + self.false_positives
        values = {
            "true_objects": true,
            "mota": 1 - (wrong + self.identity_switches) / max(1, true),
            "motp": self.overlap_sum / self.matches if self.matches else float("nan"),
            "moda": 1 - wrong / max(1, true),
            "smota": (self.overlap_sum - self.false_positives - self.identity_switches) / max(1, true),
            "recall": self.matches / max(1, true),
            "precision": self.matches / max(1, found),
            "f1": 2 * self.matches / max(1, true + found),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def combined(cls, scores: Iterable[TrackingScore]) -> TrackingScore:
        """The score of several sequences: their counts are added, rates are never averaged.

        Examples
        --------
        >>> TrackingScore.combined([TrackingScore(matches=3), TrackingScore(misses=1)]).recall
        0.75
        """
        scores = list(scores)
        return cls(**{name: sum(getattr(score, name) for score in scores) for name in COUNTS})


COUNTS = (
    "identity_switches",
    "fragmentations",
    "matches",
    "misses",
    "false_positives",
    "mostly_tracked",
    "partly_tracked",
    "mostly_lost",
    "frames",
    "overlap_sum",
)


@dataclass(frozen=True)
class FrameMatches:
    """What was matched in one frame.

    Attributes
    ----------
    matches : truth id to result id
    switched : truth ids whose match is an identity switch
    misses, false_positives : ids of the truth, and of the result, without a match
    """

    matches: dict[int, int]
    switched: frozenset[int]
    misses: tuple[int, ...]
    false_positives: tuple[int, ...]


@dataclass
class _TrueObject:
    """What is remembered of a true object."""

    present: int = 0
    matched: int = 0
    last_match: int | None = None
    lost: bool = False  # missed since its last match


class TrackingMeasure:
    """Collects frames one by one, in order; `score` may be read at any time.

    Parameters
    ----------
    least_iou : overlap from which on a track may be matched to a true object
    rules : where two programs of the field read the paper differently:

        - "trackeval": a match of the frame before is kept while it overlaps enough, then the sum of overlaps decides.
          A frame without any true object or without any result changes no correspondence and ends none. A
          fragmentation is any match after a frame without one, also when the true object was away. Mostly tracked is
          above 80 percent.
        - "motmetrics": the last match of a true object is kept however long ago it was, then the number of matches
          decides before the sum of overlaps. A fragmentation is a match after frames in which the object was there
          and was missed. Mostly tracked is from 80 percent on.

    Raises
    ------
    RangeError, OptionError

    References
    ----------
    [Bernardin2008]_ section 2.1; sMOTA: [Voigtlaender2019]_ section 4
    """

    def __init__(self, least_iou: float = MATCH_IOU, rules: str = "trackeval") -> None:
        check_range("TrackingMeasure", "least_iou", least_iou, low=0.0, high=1.0)
        if rules not in RULES:
            raise OptionError(f"TrackingMeasure: rules is {rules!r}; {nearest_name(str(rules), RULES)}")
        self.least_iou = least_iou
        self.rules = rules
        self._objects: dict[int, _TrueObject] = {}
        self._previous: dict[int, int] = {}  # matches of the frame before
        self._counts: dict[str, Any] = dict.fromkeys(COUNTS, 0)

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
        dict : truth id to result id of the matches: first the correspondences that are kept, see `rules`, then those
            of the largest sum of overlaps
        """
        return self.match_frame(truth_ids, result_ids, iou).matches

    def match_frame(
        self, truth_ids: Sequence[int], result_ids: Sequence[int], iou: NDArray[np.floating[Any]]
    ) -> FrameMatches:
        """As `add`; says also what was switched, missed and wrong."""
        check_shapes("TrackingMeasure.add", iou=(iou, f"{len(truth_ids)} {len(result_ids)}"))
        truth_ids, result_ids = [int(t) for t in truth_ids], [int(r) for r in result_ids]
        matches, overlap_sum = self._match(truth_ids, result_ids, np.asarray(iou, np.float64))
        switched = set()
        for truth_id in truth_ids:
            known = self._objects.setdefault(truth_id, _TrueObject())
            known.present += 1
            if truth_id not in matches:
                known.lost = True
                continue
            if known.last_match is not None:
                if known.last_match != matches[truth_id]:
                    switched.add(truth_id)
                gap = known.lost if self.rules == "motmetrics" else truth_id not in self._previous
                self._counts["fragmentations"] += gap
            known.matched += 1
            known.last_match = matches[truth_id]
            known.lost = False
        if self.rules == "motmetrics" or (truth_ids and result_ids):
            self._previous = matches
        frame = FrameMatches(
            matches=matches,
            switched=frozenset(switched),
            misses=tuple(t for t in truth_ids if t not in matches),
            false_positives=tuple(sorted(set(result_ids) - set(matches.values()))),
        )
        count = self._counts
        count["matches"] += len(matches)
        count["misses"] += len(frame.misses)
        count["false_positives"] += len(frame.false_positives)
        count["identity_switches"] += len(switched)
        count["overlap_sum"] += overlap_sum
        count["frames"] += 1
        return frame

    def add_labels(self, result: NDArray[np.int32], truth: NDArray[np.int32]) -> dict[int, int]:
        """Match one frame of label maps, (H, W) int32 with 0 for the background, by the overlap of the masks."""
        truth_ids, result_ids, shared, truth_areas, result_areas = label_overlaps(result, truth)
        union = truth_areas[:, None] + result_areas[None, :] - shared
        return self.add(truth_ids, result_ids, shared / np.maximum(union, 1))

    @property
    def score(self) -> TrackingScore:
        shares = [known.matched / known.present for known in self._objects.values()]
        most = sum(share > TRACKED or (share == TRACKED and self.rules == "motmetrics") for share in shares)
        least = sum(share < LOST for share in shares)
        return TrackingScore(
            **self._counts
            | {"mostly_tracked": most, "mostly_lost": least, "partly_tracked": len(shares) - most - least}
        )

    def _match(
        self, truth_ids: list[int], result_ids: list[int], iou: NDArray[np.float64]
    ) -> tuple[dict[int, int], float]:
        """Matches of a frame, and the sum of their overlaps."""
        if not truth_ids or not result_ids:
            return {}, 0.0
        from scipy.optimize import linear_sum_assignment

        allowed = iou >= self.least_iou - ROUNDING
        worth = np.where(allowed, iou, 0.0)
        column_of: dict[int | None, int] = {result_id: column for column, result_id in enumerate(result_ids)}
        if self.rules == "trackeval":
            for row, truth_id in enumerate(truth_ids):
                column = column_of.get(self._previous.get(truth_id), -1)
                if column >= 0 and allowed[row, column]:
                    worth[row, column] += KEEP
        else:
            worth[allowed] += KEEP
            for row, truth_id in enumerate(truth_ids):
                known = self._objects.get(truth_id)
                column = -1 if known is None else column_of.get(known.last_match, -1)
                if column >= 0 and worth[row, column] > 0:  # the first object that claims a track keeps it
                    worth[row], worth[:, column] = 0.0, 0.0
                    worth[row, column] = KEEP
        rows, columns = linear_sum_assignment(worth, maximize=True)
        matches, overlap_sum = {}, 0.0
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if worth[row, column] > ROUNDING:
                matches[truth_ids[row]] = result_ids[column]
                overlap_sum += float(iou[row, column])
        return matches, overlap_sum


def tracking_accuracy(
    sequence: TrackingSequence, *, least_iou: float = MATCH_IOU, rules: str = "trackeval"
) -> TrackingScore:
    """CLEAR measures of a whole sequence.

    Parameters
    ----------
    sequence : ids and overlaps of every frame, of boxes or of masks
    least_iou, rules : see `TrackingMeasure`

    Examples
    --------
    >>> from cvseg.evaluation import tracking_sequence
    >>> frames = [([1], [7], np.array([[0.9]])), ([1], [8], np.array([[0.7]]))]
    >>> score = tracking_accuracy(tracking_sequence(frames))
    >>> score.identity_switches, score.mota, round(score.motp, 3)
    (1, 0.5, 0.8)
    """
    return matched_frames(sequence, least_iou=least_iou, rules=rules)[0]


def matched_frames(
    sequence: TrackingSequence, *, least_iou: float = MATCH_IOU, rules: str = "trackeval"
) -> tuple[TrackingScore, list[FrameMatches]]:
    """As `tracking_accuracy`, and the matches of every frame."""
    measure = TrackingMeasure(least_iou, rules)
    frames = [measure.match_frame(truth, result, iou) for truth, result, iou in sequence.frames()]
    return measure.score, frames


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
