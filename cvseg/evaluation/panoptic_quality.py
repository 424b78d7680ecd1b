"""Panoptic quality of images, of tubes in video, and with depth: how well segments of things and stuff are found."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_range, check_shapes
from cvseg.errors import InputError
from cvseg.evaluation.panoptic_segments import SegmentPairs, Segments, summed_pairs

MATCH_IOU = 0.5  # above it there is at most one partner, so that no assignment has to be solved
VOID_SHARE = 0.5  # an unmatched result with more than this in void is not counted
WINDOWS = (1, 5, 10, 15)  # frames
DEPTH_ERRORS = (0.1, 0.25, 0.5)  # relative


@dataclass(frozen=True)
class SegmentMatches:
    """Segments of one frame or of one window of frames.

    Attributes
    ----------
    matched : (truth id, result id) to overlap, each above 0.5
    missed : truth ids without a partner
    false : result ids without a partner
    left_out : result ids without a partner that lie, for more than half, in void or in a crowd of their class
    """

    matched: Mapping[tuple[int, int], float]
    missed: Sequence[int]
    false: Sequence[int]
    left_out: Sequence[int]


@dataclass(frozen=True)
class ClassQuality:
    """Counts of one class and what follows from them; the three qualities are NaN when nothing was counted.

    Attributes
    ----------
    overlap_sum : sum of the overlaps of the matched segments
    matched, false, missed : segments: true positives, false positives, false negatives
    """

    overlap_sum: float = 0.0
    matched: int = 0
    false: int = 0
    missed: int = 0

    @property
    def pq(self) -> float:
        """Panoptic quality, in [0, 1]: segmentation quality times recognition quality."""
        return self.overlap_sum / self._segments if self._segments else float("nan")

    @property
    def sq(self) -> float:
        """Segmentation quality: mean overlap of the matched segments; 0 when there is none."""
        if not self._segments:
            return float("nan")
        return self.overlap_sum / self.matched if self.matched else 0.0

    @property
    def rq(self) -> float:
        """Recognition quality: F1 of finding the segments."""
        return self.matched / self._segments if self._segments else float("nan")

    @property
    def _segments(self) -> float:
        return self.matched + 0.5 * self.false + 0.5 * self.missed

    def __add__(self, other: ClassQuality) -> ClassQuality:
        return ClassQuality(
            self.overlap_sum + other.overlap_sum,
            self.matched + other.matched,
            self.false + other.false,
            self.missed + other.missed,
        )


@dataclass(frozen=True)
class MeanQuality:
    """Means over classes; NaN when no class was counted.

    Attributes
    ----------
    pq, sq, rq : see `ClassQuality`
    classes : number of classes that were counted
    """

    pq: float
    sq: float
    rq: float
    classes: int


@dataclass
class PanopticMeasure:
    """Adds up frames (or windows) one by one.

    Parameters
    ----------
    classes : class ids
    things : those of them whose objects are counted one by one; the others are stuff

    References
    ----------
    [Kirillov2019]_ section 4. Departures: areas of the truth are counted from its pixels, not read from a file; where a
    class has several crowds, all of them excuse a result.

    Examples
    --------
    >>> from cvseg.evaluation import Segments, segment_pairs
    >>> truth, result = np.array([[1, 1, 1, 2]]), np.array([[1, 1, 2, 2]])
    >>> measure = PanopticMeasure([7, 8], things=[8])
    >>> matches = measure.add(segment_pairs(result, truth), Segments({1: 7, 2: 8}), Segments({1: 7, 2: 8}))
    >>> matches.matched
    {(1, 1): 0.6666666666666666}
    >>> round(measure.mean().pq, 4), measure.mean(measure.things).pq
    (0.3333, 0.0)
    """

    classes: Sequence[int]
    things: Collection[int] = ()
    per_class: dict[int, ClassQuality] = field(init=False)

    def __post_init__(self) -> None:
        strange = set(self.things) - set(self.classes)
        if strange or len(set(self.classes)) != len(self.classes):
            raise InputError(
                f"PanopticMeasure: things is {sorted(self.things)} among classes {list(self.classes)}; "
                "expected each class once, and things among them."
            )
        self.per_class = {class_id: ClassQuality() for class_id in self.classes}

    @property
    def stuff(self) -> list[int]:
        """Classes that are not things."""
        return [class_id for class_id in self.classes if class_id not in self.things]

    def add(self, pairs: SegmentPairs, result: Segments, truth: Segments) -> SegmentMatches:
        """Count one frame, or the summed pairs of a window of frames.

        Raises
        ------
        InputError
            when a segment has a class that is not among `classes`.
        """
        strange = {c for i, c in truth.classes.items() if i in pairs.truth_areas} | {
            c for i, c in result.classes.items() if i in pairs.result_areas
        }
        if strange := strange - set(self.classes):
            raise InputError(
                f"PanopticMeasure.add: segments have the classes {sorted(strange)}; expected {list(self.classes)}."
            )
        matches = match_segments(pairs, result, truth)
        for (true_id, _), overlap in matches.matched.items():
            self.per_class[truth.classes[true_id]] += ClassQuality(overlap, matched=1)
        for true_id in matches.missed:
            self.per_class[truth.classes[true_id]] += ClassQuality(missed=1)
        for result_id in matches.false:
            self.per_class[result.classes[result_id]] += ClassQuality(false=1)
        return matches

    def mean(self, classes: Collection[int] | None = None) -> MeanQuality:
        """Means over `classes` (default all), over those of them of which a segment was counted."""
        counted = [q for c, q in self.per_class.items() if (classes is None or c in classes) and not np.isnan(q.pq)]
        if not counted:
            return MeanQuality(float("nan"), float("nan"), float("nan"), 0)
        n = len(counted)
        return MeanQuality(
            sum(q.pq for q in counted) / n, sum(q.sq for q in counted) / n, sum(q.rq for q in counted) / n, n
        )


def match_segments(pairs: SegmentPairs, result: Segments, truth: Segments) -> SegmentMatches:
    """Partners of one class that overlap by more than half; pixels whose truth is void count for neither.

    Parameters
    ----------
    pairs : shared areas
    result, truth : what the ids mean

    Returns
    -------
    SegmentMatches

    References
    ----------
    [Kirillov2019]_ section 4.1 and "void labels"
    """
    in_void: dict[int, int] = {}
    in_crowd: dict[int, int] = {}
    for (true_id, result_id), area in pairs.shared.items():
        if true_id not in truth.classes:
            in_void[result_id] = in_void.get(result_id, 0) + area
        elif true_id in truth.crowd and truth.classes[true_id] == result.classes.get(result_id):
            in_crowd[result_id] = in_crowd.get(result_id, 0) + area
    matched = {}
    for (true_id, result_id), area in pairs.shared.items():
        if true_id not in truth.classes or result_id not in result.classes or true_id in truth.crowd:
            continue
        if truth.classes[true_id] != result.classes[result_id]:
            continue
        union = pairs.truth_areas[true_id] + pairs.result_areas[result_id] - area - in_void.get(result_id, 0)
        if area / union > MATCH_IOU:
            matched[true_id, result_id] = area / union
    found = {true_id for true_id, _ in matched}
    used = {result_id for _, result_id in matched}
    missed = [i for i in pairs.truth_areas if i in truth.classes and i not in truth.crowd and i not in found]
    alone = [i for i in pairs.result_areas if i in result.classes and i not in used]
    left_out = [i for i in alone if (in_void.get(i, 0) + in_crowd.get(i, 0)) / pairs.result_areas[i] > VOID_SHARE]
    return SegmentMatches(matched, missed, [i for i in alone if i not in left_out], left_out)


def add_video(
    measure: PanopticMeasure,
    frames: Sequence[SegmentPairs],
    result: Sequence[Segments],
    truth: Sequence[Segments],
    *,
    window: int,
) -> int:
    """Count every window of `window` frames of one video; an id is a tube, matched as a whole.

    Parameters
    ----------
    measure : one for each length of window
    frames, result, truth : shared areas and meaning of the ids, frame by frame; an id keeps its class
    window : number of frames; larger asks for ids that stay longer

    Returns
    -------
    int : number of windows; 0 when the video is shorter than one

    Raises
    ------
    InputError
        when an id changes its class within a window.

    References
    ----------
    [Kim2020]_ section 3.3. The video panoptic quality is the mean of the panoptic quality over several windows.
    """
    check_range("add_video", "window", window, low=1)
    count = max(len(frames) - window + 1, 0)
    for start in range(count):
        part = slice(start, start + window)
        measure.add(summed_pairs(frames[part]), _joined("result", result[part]), _joined("truth", truth[part]))
    return count


def mean_of_windows(measures: Sequence[PanopticMeasure], classes: Collection[int] | None = None) -> float:
    """Video panoptic quality: mean of the panoptic quality of several lengths of window; NaN where one has no value."""
    return float(np.mean([measure.mean(classes).pq for measure in measures]))


def without_wrong_depth(
    result: NDArray[Any], depth: NDArray[Any], truth_depth: NDArray[Any], *, largest_error: float, void: int
) -> NDArray[Any]:
    """The ids of a result, void where its depth is too far off: the first step of the depth-aware panoptic quality.

    Parameters
    ----------
    result : (H, W) integer ids
    depth, truth_depth : (H, W), above 0; true depth of 0 or less, or NaN, is unknown and leaves the id as it is
    largest_error : largest |depth - truth| / truth; larger forgives more
    void : id to write; one that means void

    Returns
    -------
    (H, W) ids, a copy

    Raises
    ------
    ShapeError, RangeError

    References
    ----------
    [Qiao2021]_ section 3.3: the quality is the mean over windows and over errors of 0.1, 0.25 and 0.5.

    Examples
    --------
    >>> ids, truth_depth = np.array([[5, 5, 5]]), np.array([[10.0, 10.0, 0.0]])
    >>> without_wrong_depth(ids, np.array([[10.5, 12.0, 9.0]]), truth_depth, largest_error=0.1, void=0).tolist()
    [[5, 0, 5]]
    """
    check_shapes("without_wrong_depth", result=(result, "H W"), depth=(depth, "H W"), truth_depth=(truth_depth, "H W"))
    check_range("without_wrong_depth", "largest_error", largest_error, low=0.0)
    given, true = depth.astype(np.float64), truth_depth.astype(np.float64)
    # Written so that NaN in the result's depth is wrong, and NaN in the truth unknown.
    known = true > 0
    error = np.divide(np.abs(given - true), true, out=np.zeros(true.shape), where=known)
    return np.where(known & ~(error <= largest_error), result.dtype.type(void), result)


def _joined(which: str, frames: Sequence[Segments]) -> Segments:
    classes: dict[int, int] = {}
    for frame in frames:
        for segment_id, class_id in frame.classes.items():
            if classes.setdefault(segment_id, class_id) != class_id:
                raise InputError(
                    f"add_video: id {segment_id} of the {which} is of class {classes[segment_id]} and of class "
                    f"{class_id}; expected one class for one id through a video. Give it two ids."
                )
    return Segments(classes, frozenset(itertools.chain.from_iterable(frame.crowd for frame in frames)))
