"""Segmentation and tracking quality STQ: every pixel's class, and every object's pixels over the whole video."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import InputError
from cvseg.evaluation.panoptic_segments import SegmentPairs, Segments


@dataclass(frozen=True)
class SegmentationTrackingScore:
    """STQ and its two parts, each in [0, 1].

    Attributes
    ----------
    stq : geometric mean of the two others; NaN where one of them is
    association : AQ, how well the pixels of each true object carry one id; NaN without a true object
    segmentation : SQ, mean IoU of the classes; NaN without a class
    class_iou : (n,) float64 by class, NaN for one that neither truth nor result holds
    """

    stq: float
    association: float
    segmentation: float
    class_iou: NDArray[np.float64]


class SegmentationTrackingMeasure:
    """Adds up frames; ids are compared through each whole sequence.

    Parameters
    ----------
    classes : class ids
    things : those of them whose objects are tracked
    void_counts : True: the class void counts with an IoU of 0 where the result leaves labelled pixels void, as in the
        reference program; False: such pixels are only missing from their class

    References
    ----------
    [Weber2021]_ section 4: AQ is the mean over true objects g of sum over ids p of TPA(p, g) IoU(p, g) / |g|, where
    the areas are those of whole tubes, and pixels in a crowd of the truth are not counted.

    Examples
    --------
    >>> from cvseg.evaluation import Segments, segment_pairs
    >>> meaning = Segments({1: 0, 2: 1, 3: 1})
    >>> measure = SegmentationTrackingMeasure([0, 1], things=[1])
    >>> truth = np.array([[1, 2, 2, 2]])
    >>> measure.add(segment_pairs(truth, truth), meaning, meaning)
    >>> measure.add(segment_pairs(np.array([[1, 3, 3, 3]]), truth), meaning, meaning)
    >>> measure.score().segmentation, measure.score().association
    (1.0, 0.5)
    """

    def __init__(self, classes: Sequence[int], things: Collection[int], *, void_counts: bool = False) -> None:
        if set(things) - set(classes):
            raise InputError(f"SegmentationTrackingMeasure: things is {sorted(things)}; expected some of {classes}.")
        self.classes = tuple(classes)
        self.things = frozenset(things)
        self.void_counts = void_counts
        self._row = {class_id: k for k, class_id in enumerate(self.classes)}
        self._sequences: dict[str, _Tubes] = {}

    def add(self, pairs: SegmentPairs, result: Segments, truth: Segments, sequence: str = "") -> None:
        """Count one frame; frames of a sequence may come in any order.

        Parameters
        ----------
        pairs : shared areas of the frame
        result, truth : what the ids mean
        sequence : name of the video

        Raises
        ------
        InputError
            when a segment has an unknown class.
        """
        tubes = self._sequences.setdefault(sequence, _Tubes(len(self.classes)))
        for (true_id, result_id), area in pairs.shared.items():
            true_class, result_class = truth.classes.get(true_id), result.classes.get(result_id)
            for class_id in (true_class, result_class):
                if class_id is not None and class_id not in self._row:
                    raise InputError(
                        f"SegmentationTrackingMeasure.add: a segment is of class {class_id}; expected {self.classes}."
                    )
            if true_class is not None:
                column = len(self.classes) if result_class is None else self._row[result_class]
                tubes.confusion[self._row[true_class], column] += area
            if true_id in truth.crowd and true_class in self.things:
                continue
            # Ids of two classes are two objects, whatever their number.
            true_object = (true_id, true_class) if true_class in self.things else None
            result_object = (result_id, result_class) if result_class in self.things else None
            if true_object:
                tubes.truth[true_object] = tubes.truth.get(true_object, 0) + area
            if result_object:
                tubes.result[result_object] = tubes.result.get(result_object, 0) + area
            if true_object and result_object:
                both = true_object, result_object
                tubes.shared[both] = tubes.shared.get(both, 0) + area

    def score(self, sequence: str | None = None) -> SegmentationTrackingScore:
        """The measure over one sequence, or over all: objects and pixels of all sequences count alike.

        Raises
        ------
        InputError
            for an unknown sequence.
        """
        if sequence is not None and sequence not in self._sequences:
            raise InputError(
                f"SegmentationTrackingMeasure.score: no frame of {sequence!r} came; known: {sorted(self._sequences)}."
            )
        chosen = list(self._sequences.values()) if sequence is None else [self._sequences[sequence]]
        confusion = sum((tubes.confusion for tubes in chosen), np.zeros((len(self.classes), len(self.classes) + 1)))
        hits = np.diagonal(confusion)
        union = confusion.sum(1) + confusion[:, :-1].sum(0) - hits
        iou = np.divide(hits, union, out=np.full(len(hits), np.nan), where=union > 0)
        counted = int((union > 0).sum()) + int(self.void_counts and confusion[:, -1].sum() > 0)
        segmentation = float(np.nansum(iou) / counted) if counted else float("nan")
        objects = sum(len(tubes.truth) for tubes in chosen)
        association = sum(tubes.association_sum() for tubes in chosen) / objects if objects else float("nan")
        return SegmentationTrackingScore(float(np.sqrt(association * segmentation)), association, segmentation, iou)


class _Tubes:
    """Areas of one sequence."""

    def __init__(self, classes: int) -> None:
        self.confusion = np.zeros((classes, classes + 1), np.int64)
        self.truth: dict[tuple[int, int | None], int] = {}
        self.result: dict[tuple[int, int | None], int] = {}
        self.shared: dict[tuple[tuple[int, int | None], tuple[int, int | None]], int] = {}

    def association_sum(self) -> float:
        total = 0.0
        for (true, result), area in self.shared.items():
            iou = area / (self.truth[true] + self.result[result] - area)
            total += area * iou / self.truth[true]
        return total
