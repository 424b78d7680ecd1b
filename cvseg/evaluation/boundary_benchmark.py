"""The Berkeley boundary benchmark: precision and recall over thresholds, ODS, OIS and average precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import InputError
from cvseg.evaluation.boundary_matching import BSDS_TOLERANCE, match_boundaries

STEPS_BETWEEN = 100  # points tried between two thresholds
RECALL_STEPS = 101  # points of the curve that are averaged


@dataclass(frozen=True)
class BoundaryCounts:
    """Boundary pixels of one image at one threshold; counts of images add up with +.

    Attributes
    ----------
    matched_truth, truth : pixels of all true boundaries, matched and all; a person's pixel counts for each person
    matched_result, result : pixels of the result, matched to at least one person's boundary and all
    """

    matched_truth: int = 0
    truth: int = 0
    matched_result: int = 0
    result: int = 0

    def __add__(self, other: BoundaryCounts) -> BoundaryCounts:
        return BoundaryCounts(
            self.matched_truth + other.matched_truth,
            self.truth + other.truth,
            self.matched_result + other.matched_result,
            self.result + other.result,
        )

    @property
    def recall(self) -> float:
        """0 where there is no true boundary, as in the benchmark."""
        return self.matched_truth / max(1, self.truth)

    @property
    def precision(self) -> float:
        """0 where the result has no boundary, as in the benchmark."""
        return self.matched_result / max(1, self.result)

    @property
    def f(self) -> float:
        """Harmonic mean of precision and recall; 0 when both are."""
        return _f(self.recall, self.precision)


@dataclass(frozen=True)
class OperatingPoint:
    """Recall, precision and F at one threshold; it lies between two of the given ones where that is best."""

    threshold: float
    recall: float
    precision: float
    f: float


@dataclass(frozen=True)
class BoundaryBenchmark:
    """Summary over images.

    Attributes
    ----------
    ods : best point when one threshold serves all images
    ois : when each image has its own threshold; `threshold` is NaN
    average_precision : area below precision over recall
    per_threshold : of all images together, one entry a threshold
    per_image : best point of each image
    """

    ods: OperatingPoint
    ois: OperatingPoint
    average_precision: float
    per_threshold: Sequence[OperatingPoint]
    per_image: Sequence[OperatingPoint]


def boundary_counts(
    boundary: NDArray[np.bool_], truths: Sequence[NDArray[np.bool_]], *, tolerance: float = BSDS_TOLERANCE
) -> BoundaryCounts:
    """Match the boundary of one image to those that several people drew.

    Parameters
    ----------
    boundary : (H, W) bool, thinned
    truths : (H, W) bool each
    tolerance : largest distance as a share of the image diagonal

    Raises
    ------
    ShapeError, DtypeError, RangeError
    InputError
        when there is no truth.
    """
    if not truths:
        raise InputError("boundary_counts: truths is empty; expected at least one true boundary.")
    matched_by_any = np.zeros(boundary.shape, bool)
    matched = total = 0
    for truth in truths:
        of_result, of_truth = match_boundaries(boundary, truth, tolerance=tolerance)
        matched_by_any |= of_result
        matched += int(np.count_nonzero(of_truth))
        total += int(np.count_nonzero(truth))
    return BoundaryCounts(matched, total, int(np.count_nonzero(matched_by_any)), int(np.count_nonzero(boundary)))


def boundary_benchmark(counts: Sequence[Sequence[BoundaryCounts]], thresholds: Sequence[float]) -> BoundaryBenchmark:
    """Summarise counts of images at thresholds.

    Parameters
    ----------
    counts : one sequence an image, of one entry a threshold
    thresholds : rising

    Raises
    ------
    InputError
        when there is no image, or an image has another number of entries.

    References
    ----------
    [Arbelaez2011]_ section 3.2; [Martin2004]_
    """
    if not counts or not thresholds or any(len(row) != len(thresholds) for row in counts):
        raise InputError(
            f"boundary_benchmark: {len(counts)} images with {sorted({len(row) for row in counts})} entries for "
            f"{len(thresholds)} thresholds; expected at least one image and one entry a threshold."
        )
    totals = [sum((row[i] for row in counts), BoundaryCounts()) for i in range(len(thresholds))]
    own_best = sum((max(row, key=lambda entry: entry.f) for row in counts), BoundaryCounts())
    return BoundaryBenchmark(
        ods=_best_point(totals, thresholds),
        ois=OperatingPoint(float("nan"), own_best.recall, own_best.precision, own_best.f),
        average_precision=_area(totals),
        per_threshold=[
            OperatingPoint(threshold, total.recall, total.precision, total.f)
            for threshold, total in zip(thresholds, totals, strict=True)
        ],
        per_image=[_best_point(row, thresholds) for row in counts],
    )


def _best_point(counts: Sequence[BoundaryCounts], thresholds: Sequence[float]) -> OperatingPoint:
    """The best F on the line through the points; the first one among equals."""
    best = OperatingPoint(float(thresholds[0]), counts[0].recall, counts[0].precision, counts[0].f)
    for i in range(1, len(counts)):
        for part in np.linspace(0, 1, STEPS_BETWEEN).tolist():
            recall = counts[i].recall * part + counts[i - 1].recall * (1 - part)
            precision = counts[i].precision * part + counts[i - 1].precision * (1 - part)
            f = _f(recall, precision)
            if f > best.f:
                best = OperatingPoint(thresholds[i] * part + thresholds[i - 1] * (1 - part), recall, precision, f)
    return best


def _area(counts: Sequence[BoundaryCounts]) -> float:
    """Mean precision over the recalls 0, 0.01 ... 1; 0 outside the recalls that occur, or when only one does."""
    recalls, first = np.unique([total.recall for total in counts], return_index=True)
    if len(recalls) < 2:
        return 0.0
    precisions = np.array([total.precision for total in counts])[first]
    wanted = np.linspace(0, 1, RECALL_STEPS)
    return float(np.interp(wanted, recalls, precisions, left=0, right=0).sum() / (RECALL_STEPS - 1))


def _f(recall: float, precision: float) -> float:
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0
