"""How well two segmentations agree: covering, Rand index, variation of information, as in the Berkeley benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import InputError
from cvseg.evaluation.segment_overlaps import SegmentOverlaps, segment_overlaps


def segmentation_covering(
    result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], void: NDArray[np.bool_] | None = None
) -> float:
    """Covering of the truth by the result: the best overlap of each true segment, weighted by its area.

    Parameters
    ----------
    result, truth : (H, W) or (T, H, W) labels; every label is a segment, 0 too
    void : bool of the same shape, pixels that are not counted

    Returns
    -------
    float in (0, 1]; 1 when both are the same partition. Not symmetric.

    Raises
    ------
    ShapeError, DtypeError, InputError

    References
    ----------
    [Arbelaez2011]_ section 3.1.3, eq. 5

    Examples
    --------
    >>> segmentation_covering(np.array([[0, 0, 1, 1]]), np.array([[0, 0, 0, 0]]))
    0.5
    """
    overlaps = segment_overlaps(result, truth, void)
    return float((best_overlaps(overlaps) * overlaps.truth_areas).sum() / overlaps.pixels)


def best_overlaps(overlaps: SegmentOverlaps) -> NDArray[np.float64]:
    """Of each true segment, the largest intersection over union with any segment of the result."""
    union = overlaps.result_areas[overlaps.result_of] + overlaps.truth_areas[overlaps.truth_of] - overlaps.shared
    best = np.zeros(len(overlaps.truth_areas))
    np.maximum.at(best, overlaps.truth_of, overlaps.shared / union)
    return best


def rand_index(
    result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], void: NDArray[np.bool_] | None = None
) -> float:
    """Rand index: share of the pairs of pixels that both put together, or both apart.

    Parameters
    ----------
    result, truth : (H, W) or (T, H, W) labels; every label is a segment, 0 too
    void : bool of the same shape, pixels that are not counted

    Returns
    -------
    float in [0, 1]; 1 when both are the same partition, also for a single pixel

    Raises
    ------
    ShapeError, DtypeError, InputError

    References
    ----------
    [Unnikrishnan2007]_ section 3; [Arbelaez2011]_ section 3.1.2

    Examples
    --------
    >>> rand_index(np.array([[0, 0, 1]]), np.array([[4, 4, 4]]))
    0.3333333333333333
    """
    return _rand_index(segment_overlaps(result, truth, void))


def probabilistic_rand_index(
    result: NDArray[np.integer[Any]],
    truths: Sequence[NDArray[np.integer[Any]]],
    void: NDArray[np.bool_] | None = None,
) -> float:
    """Mean of `rand_index` over several true segmentations, each by another person.

    Raises
    ------
    ShapeError, DtypeError, InputError
    """
    if not truths:
        raise InputError("probabilistic_rand_index: truths is empty; expected at least one true segmentation.")
    return sum(rand_index(result, truth, void) for truth in truths) / len(truths)


def _rand_index(overlaps: SegmentOverlaps) -> float:
    pixels = overlaps.pixels
    pairs = pixels * (pixels - 1) / 2
    apart = (_squares(overlaps.result_areas) + _squares(overlaps.truth_areas)) / 2 - _squares(overlaps.shared)
    return (pairs - apart) / pairs if pairs else 1.0


def _squares(counts: NDArray[np.int64]) -> float:
    return float((counts.astype(np.float64) ** 2).sum())


def variation_of_information(
    result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], void: NDArray[np.bool_] | None = None
) -> float:
    """Information, in bits, that each segmentation leaves open about the other.

    Parameters
    ----------
    result, truth : (H, W) or (T, H, W) labels; every label is a segment, 0 too
    void : bool of the same shape, pixels that are not counted

    Returns
    -------
    float of at least 0; 0 when both are the same partition

    Raises
    ------
    ShapeError, DtypeError, InputError

    References
    ----------
    [Meila2005]_ section 3; [Arbelaez2011]_ section 3.1.1

    Examples
    --------
    >>> variation_of_information(np.array([[0, 0, 1, 1]]), np.array([[0, 1, 0, 1]]))
    2.0
    """
    return _variation_of_information(segment_overlaps(result, truth, void))


def _variation_of_information(overlaps: SegmentOverlaps) -> float:
    share = overlaps.shared / overlaps.pixels
    given_result = overlaps.shared / overlaps.result_areas[overlaps.result_of]
    given_truth = overlaps.shared / overlaps.truth_areas[overlaps.truth_of]
    # H(truth | result) + H(result | truth); every share is above 0. The sum of logarithms, all at most 0, cannot
    # leave a rounding error below 0 where the partitions are equal.
    return float(-(share * (np.log2(given_result) + np.log2(given_truth))).sum()) + 0.0


def agreement(overlaps: SegmentOverlaps) -> tuple[float, float]:
    """Rand index and variation of information from one count."""
    return _rand_index(overlaps), _variation_of_information(overlaps)
