"""Average precision and recall of scored instances, in images and as tubes in video, by COCO's protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvseg.checks import check_shapes
from cvseg.errors import InputError, RangeError

IOU_THRESHOLDS = tuple(float(t) for t in np.linspace(0.5, 0.95, 10))
RECALL_POINTS = np.linspace(0.0, 1.0, 101)
MOST_RESULTS = (1, 10, 100)  # per image and class

# Areas in pixels, both ends inside: an object of 1024 pixels is small and medium.
IMAGE_AREAS: Mapping[str, tuple[float, float]] = {
    "all": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
TUBE_AREAS: Mapping[str, tuple[float, float]] = {
    "all": (0.0, 1e10),
    "small": (0.0, 128.0**2),
    "medium": (128.0**2, 256.0**2),
    "large": (256.0**2, 1e10),
}


def box_overlaps_xywh(
    boxes_a_xywh: ArrayLike, boxes_b_xywh: ArrayLike, crowd: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Intersection over union of every pair of boxes (left, top, width, height): (n, 4) and (m, 4) give (n, m).

    Parameters
    ----------
    boxes_a_xywh, boxes_b_xywh : pixels; kept as COCO stores them, because the sum and difference of a corner and a
        size would round differently from the reference program
    crowd : (m,) bool, divide by the area of the first box alone, see `cvseg.formats.coco_rle.rle_overlaps`

    Examples
    --------
    >>> box_overlaps_xywh([[0, 0, 4, 2]], [[2, 0, 4, 2], [9, 9, 1, 1]]).round(3).tolist()
    [[0.333, 0.0]]
    """
    a = np.asarray(boxes_a_xywh, np.float64).reshape(-1, 1, 4)
    b = np.asarray(boxes_b_xywh, np.float64).reshape(1, -1, 4)
    sides = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.clip(sides, 0, None).prod(-1)
    area_a, area_b = a[..., 2:].prod(-1), b[..., 2:].prod(-1)
    divisor = area_a + area_b - shared
    if crowd is not None:
        divisor = np.where(np.asarray(crowd, np.bool_).reshape(1, -1), area_a, divisor)
    return np.divide(shared, divisor, out=np.zeros(shared.shape), where=shared > 0)


@dataclass(frozen=True)
class AveragePrecision:
    """Precision and recall; T thresholds, R = 101 recall points, K classes, A area ranges, M limits of results.

    Attributes
    ----------
    precision : (T, R, K, A, M) float64, the largest precision at this recall or a higher one; NaN for a class without
        a true object in the area range
    recall : (T, K, A, M) float64, the largest recall; NaN as above
    classes : K class ids
    thresholds : T overlaps from which on a result matches
    areas : A names of area ranges; the first is "all"
    most_results : M largest numbers of results per image and class, rising
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    classes: tuple[int, ...]
    thresholds: tuple[float, ...]
    areas: tuple[str, ...]
    most_results: tuple[int, ...]

    def summary(self, class_id: int | None = None) -> dict[str, float]:
        """The twelve figures of COCO's table, of one class or as mean over the classes that have a value.

        Returns
        -------
        dict : "ap", "ap50", "ap75", "ap_small", ..., "ar_1", "ar_10", "ar_100", "ar_small", ...; areas and limits as
            the measure was made with. All but "ar_..." of smaller limits use the largest limit. NaN where no class
            has a value.
        """
        chosen = slice(None) if class_id is None else [self.classes.index(class_id)]
        precision, recall = self.precision[:, :, chosen], self.recall[:, chosen]
        found = {"ap": _mean(precision[..., 0, -1])}
        for name, threshold in (("ap50", 0.5), ("ap75", 0.75)):
            at = [k for k, t in enumerate(self.thresholds) if abs(t - threshold) < 1e-9]
            found[name] = _mean(precision[at, ..., 0, -1])
        found |= {f"ap_{area}": _mean(precision[..., a, -1]) for a, area in enumerate(self.areas) if a}
        found |= {f"ar_{most}": _mean(recall[..., 0, m]) for m, most in enumerate(self.most_results)}
        found |= {f"ar_{area}": _mean(recall[..., a, -1]) for a, area in enumerate(self.areas) if a}
        return found

    def curve(self, threshold: float | None = None) -> NDArray[np.float64]:
        """(R,) precision at `RECALL_POINTS`, mean over classes; of one threshold, or mean over all (None)."""
        at = [k for k, t in enumerate(self.thresholds) if threshold is None or abs(t - threshold) < 1e-9]
        values = self.precision[at][..., 0, -1]
        known = ~np.isnan(values)
        total, count = np.where(known, values, 0.0).sum((0, 2)), known.sum((0, 2))
        return np.divide(total, count, out=np.full(len(RECALL_POINTS), np.nan), where=count > 0)


@dataclass(frozen=True)
class _Group:
    """The results of one image and class, best first."""

    scores: NDArray[np.float64]  # (d,)
    hit: NDArray[np.bool_]  # (A, T, d)
    counts: NDArray[np.bool_]  # (A, T, d): neither matched to what does not count, nor outside the area range


class AveragePrecisionMeasure:
    """Collects images (or videos) and classes; `score` may be read at any time.

    Parameters
    ----------
    classes : ids of all classes
    thresholds : overlaps from which on a result may match, in (0, 1]
    areas : name to (least, largest) area in pixels, both inside; the first must hold everything
    most_results : how many results per image and class count, rising

    Notes
    -----
    Results with equal scores keep the order in which they came, within an image and from image to image: add images
    by rising id to get the figures of the reference program. A true object that is a crowd, or whose area lies
    outside the range, does not count: what matches it does not count either, and an unmatched result counts only
    where its own area lies in the range.

    References
    ----------
    [Lin2014]_ (images); [Yang2019]_ section 3.2 (tubes)

    Examples
    --------
    >>> measure = AveragePrecisionMeasure([1])
    >>> measure.add(1, iou=[[0.9], [0.2]], scores=[0.8, 0.9], result_areas=[50, 60], truth_areas=[55]).tolist()
    [0, -1]
    >>> round(measure.score.summary()["ap50"], 6)
    0.5
    """

    def __init__(
        self,
        classes: Sequence[int],
        *,
        thresholds: Sequence[float] = IOU_THRESHOLDS,
        areas: Mapping[str, tuple[float, float]] = IMAGE_AREAS,
        most_results: Sequence[int] = MOST_RESULTS,
    ) -> None:
        if not all(0 < t <= 1 for t in thresholds) or not thresholds:
            raise RangeError(
                f"AveragePrecisionMeasure: thresholds is {thresholds}; expected overlaps above 0, up to 1."
            )
        if not areas or any(low > high for low, high in areas.values()):
            raise RangeError(f"AveragePrecisionMeasure: areas is {dict(areas)}; expected name to (least, largest).")
        if not most_results or list(most_results) != sorted(set(most_results)) or most_results[0] < 1:
            raise RangeError(
                f"AveragePrecisionMeasure: most_results is {most_results}; expected rising numbers from 1."
            )
        self.classes = tuple(classes)
        self.thresholds = tuple(thresholds)
        self.areas = dict(areas)
        self.most_results = tuple(most_results)
        self._groups: dict[int, list[_Group]] = {class_id: [] for class_id in self.classes}
        # (A,) true objects that count, by class
        self._true = {class_id: np.zeros(len(self.areas), np.int64) for class_id in self.classes}

    def add(
        self,
        class_id: int,
        *,
        iou: ArrayLike,
        scores: ArrayLike,
        result_areas: ArrayLike,
        truth_areas: ArrayLike,
        crowd: ArrayLike | None = None,
    ) -> NDArray[np.int32]:
        """Count one class of one image.

        Parameters
        ----------
        class_id : one of `classes`
        iou : (D, G) overlap of each result with each true object
        scores : (D,) confidence of each result; only the order matters
        result_areas, truth_areas : (D,), (G,) pixels
        crowd : (G,) bool, true objects that stand for many and do not count

        Returns
        -------
        (D,) int32 : true object of each result at the lowest threshold, in the order they came; -1 for none, -2 for a
            result beyond the largest of `most_results`

        Raises
        ------
        InputError
            for an unknown class.
        ShapeError
        RangeError
            for a score that is NaN.
        """
        if class_id not in self._groups:
            raise InputError(f"AveragePrecisionMeasure.add: class {class_id} is not among {self.classes}.")
        score = np.asarray(scores, np.float64).reshape(-1)
        areas_d, areas_g = (np.asarray(a, np.float64).reshape(-1) for a in (result_areas, truth_areas))
        overlaps = np.asarray(iou, np.float64).reshape(len(score), len(areas_g))
        crowds = np.zeros(len(areas_g), np.bool_) if crowd is None else np.asarray(crowd, np.bool_)
        check_shapes(
            "AveragePrecisionMeasure.add",
            scores=(score, "D"),
            result_areas=(areas_d, "D"),
            truth_areas=(areas_g, "G"),
            crowd=(crowds, "G"),
        )
        if np.isnan(score).any():
            raise RangeError("AveragePrecisionMeasure.add: a score is NaN; expected numbers. NaN has no rank.")
        order = np.argsort(-score, kind="stable")[: self.most_results[-1]]
        lows, highs = np.array(list(self.areas.values()), np.float64).T[:, :, None]
        ignored = crowds | (areas_g < lows) | (areas_g > highs)  # (A, G)
        self._true[class_id] += (~ignored).sum(1)
        matches = self._matches(overlaps[order], ignored, crowds)
        hit = matches >= 0
        outside = (areas_d[order] < lows) | (areas_d[order] > highs)  # (A, d)
        at_ignored = np.zeros(hit.shape, np.bool_)
        if len(areas_g):
            at_ignored = np.take_along_axis(ignored, matches.reshape(len(lows), -1).clip(0), 1).reshape(hit.shape) & hit
        left_out = at_ignored | (~hit & outside[:, None])
        self._groups[class_id].append(_Group(score[order], hit, ~left_out))
        first = np.full(len(score), -2, np.int32)
        first[order] = matches[0, int(np.argmin(self.thresholds))]
        return first

    @property
    def score(self) -> AveragePrecision:
        shape = len(self.classes), len(self.areas), len(self.most_results)
        precision = np.full((len(self.thresholds), len(RECALL_POINTS), *shape), np.nan)
        recall = np.full((len(self.thresholds), *shape), np.nan)
        for k, class_id in enumerate(self.classes):
            groups = self._groups[class_id]
            if not self._true[class_id].any():
                continue
            scores = np.concatenate([g.scores for g in groups])
            order = np.argsort(-scores, kind="stable")
            rank = np.concatenate([np.arange(len(g.scores)) for g in groups])[order]
            hit = np.concatenate([g.hit for g in groups], axis=2)[..., order]
            counts = np.concatenate([g.counts for g in groups], axis=2)[..., order]
            for a, true in enumerate(self._true[class_id].tolist()):
                if not true:
                    continue
                for m, most in enumerate(self.most_results):
                    among = rank < most
                    right, wrong = hit[a][:, among] & counts[a][:, among], ~hit[a][:, among] & counts[a][:, among]
                    precision[:, :, k, a, m], recall[:, k, a, m] = _precision_at_recall(right, wrong, true)
        return AveragePrecision(precision, recall, self.classes, self.thresholds, tuple(self.areas), self.most_results)

    def _matches(
        self, overlaps: NDArray[np.float64], ignored: NDArray[np.bool_], crowd: NDArray[np.bool_]
    ) -> NDArray[np.int32]:
        """(A, T, d) true object of each result, best score first; -1 for none."""
        if not overlaps.size:
            return np.full((len(ignored), len(self.thresholds), len(overlaps)), -1, np.int32)
        from cvseg.kernels.evaluation.greedy_matches import greedy_matches

        flags = np.ascontiguousarray(ignored).view(np.uint8), np.ascontiguousarray(crowd).view(np.uint8)
        matches: NDArray[np.int32] = greedy_matches(np.ascontiguousarray(overlaps), *flags, np.array(self.thresholds))
        return matches


def _precision_at_recall(
    right: NDArray[np.bool_], wrong: NDArray[np.bool_], true: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(T, R) precision at the recall points and (T,) largest recall, of (T, n) flags, best score first."""
    at_points = np.zeros((len(right), len(RECALL_POINTS)))
    if not right.shape[1]:
        return at_points, np.zeros(len(right))
    hits, mistakes = np.cumsum(right, 1, dtype=np.float64), np.cumsum(wrong, 1, dtype=np.float64)
    recall = hits / true
    precision = hits / (hits + mistakes + np.spacing(1))
    # The best that is reached at this recall or later.
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    for t in range(len(right)):
        place = np.searchsorted(recall[t], RECALL_POINTS, side="left")
        reached = place < recall.shape[1]
        at_points[t, reached] = best[t, place[reached]]
    return at_points, recall[:, -1]


def _mean(values: NDArray[np.float64]) -> float:
    """Mean of the values that are not NaN; NaN without any."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
