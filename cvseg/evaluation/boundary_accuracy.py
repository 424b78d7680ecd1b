"""Boundary accuracy F: how well the outline of a mask fits the true outline."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_range
from cvseg.evaluation.region_similarity import check_masks

DAVIS_TOLERANCE = 0.008  # share of the image diagonal


@dataclass(frozen=True)
class BoundaryScore:
    """Fit of two outlines.

    Attributes
    ----------
    f : harmonic mean of the two others
    precision : share of the result's outline that lies near the true one
    recall : share of the true outline that lies near the result's
    """

    f: float
    precision: float
    recall: float


def boundary_accuracy(
    result: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    void: NDArray[np.bool_] | None = None,
    *,
    tolerance: float = DAVIS_TOLERANCE,
) -> float:
    """F of two masks, see `boundary_score`."""
    return boundary_score(result, truth, void, tolerance=tolerance).f


def boundary_score(
    result: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    void: NDArray[np.bool_] | None = None,
    *,
    tolerance: float = DAVIS_TOLERANCE,
) -> BoundaryScore:
    """Precision, recall and F of the outline of `result` against that of `truth`.

    Parameters
    ----------
    result, truth : (H, W) bool
    void : (H, W) bool, pixels that belong to neither mask
    tolerance : how far off an outline may lie, as a share of the image diagonal, rounded up to whole pixels;
        a larger value forgives more

    Returns
    -------
    BoundaryScore : all values in [0, 1]. Neither mask has an outline: all 1. Only the result has one: precision 0,
        recall 1. Only the truth has one: precision 1, recall 0. F is 0 in both cases. A mask that covers the whole
        image has no outline.

    Raises
    ------
    ShapeError, DtypeError, RangeError

    References
    ----------
    [Perazzi2016]_ section 3.1. The same figures as the benchmark's program, which matches by dilation with a disk.
    """
    check_masks("boundary_score", result, truth, void)
    check_range("boundary_score", "tolerance", tolerance, low=0.0, high=1.0)
    from cvseg.kernels.evaluation.boundary_matches import boundary_matches
    from cvseg.kernels.evaluation.mask_boundary import mask_boundary

    if void is not None:
        result, truth = result & ~void, truth & ~void
    radius = np.int32(math.ceil(tolerance * math.hypot(*result.shape)))
    result_outline = mask_boundary(np.ascontiguousarray(result).view(np.uint8))
    truth_outline = mask_boundary(np.ascontiguousarray(truth).view(np.uint8))
    result_length, result_near = boundary_matches(result_outline, truth_outline, radius).sum(0).tolist()
    truth_length, truth_near = boundary_matches(truth_outline, result_outline, radius).sum(0).tolist()
    if result_length == 0 or truth_length == 0:
        precision, recall = float(result_length == 0), float(truth_length == 0)
    else:
        precision, recall = result_near / result_length, truth_near / truth_length
    both = precision + recall
    return BoundaryScore(f=2 * precision * recall / both if both else 0.0, precision=precision, recall=recall)
