"""J and F of every pair of a true object and a result object of one frame, in one pass over the label maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.errors import RangeError
from cvseg.evaluation.boundary_accuracy import DAVIS_TOLERANCE

LARGEST_TABLE = 1 << 20  # ids from here on are searched for instead of looked up
GROUP = 32  # objects whose outlines are looked at together: the bits of a pixel in the kernels


@dataclass(frozen=True)
class PairScores:
    """Scores of one frame; T true objects, R result objects.

    Attributes
    ----------
    j : (T, R) float64 region similarity in [0, 1], see `region_similarity`; NaN for pairs that were not asked for
    f : (T, R) float64 boundary accuracy in [0, 1], see `boundary_accuracy`; NaN as above
    """

    j: NDArray[np.float64]
    f: NDArray[np.float64]


def pair_scores(
    result: NDArray[np.int32],
    truth: NDArray[np.int32],
    result_ids: Sequence[int],
    truth_ids: Sequence[int],
    void: NDArray[np.bool_] | None = None,
    *,
    tolerance: float = DAVIS_TOLERANCE,
    same_place_only: bool = False,
) -> PairScores:
    """J and F of all pairs of objects of two label maps.

    Parameters
    ----------
    result, truth : (H, W) int32, 0 background; pixels of ids that are not listed count as background
    result_ids, truth_ids : ids from 1, each once; an id that no pixel has is an empty mask
    void : (H, W) bool, pixels that belong to no object of either map
    tolerance : how far off an outline may lie, as a share of the image diagonal, see `boundary_score`
    same_place_only : only the pairs ``truth_ids[i]`` with ``result_ids[i]`` are wanted, which is faster

    Returns
    -------
    PairScores : equal to `region_similarity` and `boundary_accuracy` of the pair's masks

    Raises
    ------
    ShapeError, DtypeError
    RangeError
        for an id below 1 or one that is listed twice.

    Examples
    --------
    >>> truth = np.zeros((6, 8), np.int32)
    >>> truth[:, :2], truth[:, 6:] = 1, 2
    >>> scores = pair_scores(np.where(truth == 2, 7, 0).astype(np.int32), truth, [7], [1, 2])
    >>> scores.j.tolist()
    [[0.0], [1.0]]
    """
    check_shapes("pair_scores", result=(result, "H W"), truth=(truth, "H W"))
    check_dtype("pair_scores", np.int32, result=result, truth=truth)
    check_range("pair_scores", "tolerance", tolerance, low=0.0, high=1.0)
    if void is not None:
        check_shapes("pair_scores", result=(result, "H W"), void=(void, "H W"))
        check_dtype("pair_scores", np.bool_, void=void)
        result, truth = np.where(void, np.int32(0), result), np.where(void, np.int32(0), truth)
    result, truth = _numbered(result, result_ids, "result_ids"), _numbered(truth, truth_ids, "truth_ids")
    # 0.008 of the diagonal, rounded up: as `boundary_score`.
    radius = np.int32(math.ceil(tolerance * math.hypot(*truth.shape)))
    j = _region_pairs(result, truth, len(result_ids), len(truth_ids))
    f = _outline_pairs(result, truth, len(result_ids), len(truth_ids), radius, same_place_only)
    if same_place_only:
        j[_others(*j.shape)] = np.nan
    return PairScores(j=j, f=f)


def _numbered(labels: NDArray[np.int32], ids: Sequence[int], name: str) -> NDArray[np.int32]:
    """`labels` with ``ids[k]`` as k + 1 and everything else 0."""
    from cvseg.kernels.labeling.relabel import relabel

    if len(set(ids)) != len(ids) or min(ids, default=1) < 1:
        raise RangeError(f"pair_scores: {name} is {list(ids)}; expected each id once, from 1.")
    labels = np.ascontiguousarray(labels)
    if list(ids) == list(range(1, len(ids) + 1)) and labels.size and labels.min() >= 0 and labels.max() <= len(ids):
        return labels  # the usual case
    if max(ids, default=0) >= LARGEST_TABLE:
        order = np.argsort(np.asarray(ids))
        found = np.minimum(np.searchsorted(np.asarray(ids)[order], labels), len(ids) - 1)
        return np.where(np.asarray(ids)[order][found] == labels, order[found] + 1, 0).astype(np.int32)
    table = np.zeros(max(ids, default=0) + 1, np.int32)
    table[np.asarray(ids, int)] = np.arange(1, len(ids) + 1)
    numbered: NDArray[np.int32] = relabel(labels, table)
    return numbered


def _region_pairs(
    result: NDArray[np.int32], truth: NDArray[np.int32], results: int, truths: int
) -> NDArray[np.float64]:
    from cvseg.kernels.labeling.label_overlap import label_overlap

    # Rows of label 0 stay empty, so the areas of each map come from its own pass as first argument.
    shared = label_overlap(truth, result, np.zeros((truths + 1, 2), np.int32), np.int32(results + 1))[1:].astype(int)
    result_areas = label_overlap(result, truth, np.zeros((results + 1, 2), np.int32), np.int32(truths + 1))[1:].sum(1)
    union = shared.sum(1)[:, None] + result_areas[None, :] - shared[:, 1:]
    return np.where(union > 0, shared[:, 1:] / np.maximum(union, 1), 1.0)


def _outline_pairs(
    result: NDArray[np.int32], truth: NDArray[np.int32], results: int, truths: int, radius: np.int32, same: bool
) -> NDArray[np.float64]:
    from cvseg.kernels.evaluation.object_outlines import object_outlines
    from cvseg.kernels.evaluation.outline_matches import outline_matches

    f = np.full((truths, results), np.nan)
    everyone = np.full(GROUP, 2**32 - 1, np.uint32)
    themselves = np.uint32(1) << np.arange(GROUP, dtype=np.uint32)
    result_outlines = [object_outlines(result, _bits(results, first)) for first in range(0, results, GROUP)]
    for t in range(0, truths, GROUP):
        true_outlines = object_outlines(truth, _bits(truths, t))
        for r in range(0, results, GROUP):
            if same and t != r:
                continue
            partners = themselves if same else everyone
            outlines = result_outlines[r // GROUP]
            result_length, result_near = outline_matches(outlines, true_outlines, partners, radius)
            true_length, true_near = outline_matches(true_outlines, outlines, partners, radius)
            block = _f(result_length[None, :], result_near.T, true_length[:, None], true_near)
            if same:
                block[_others(GROUP, GROUP)] = np.nan
            view = f[t : t + GROUP, r : r + GROUP]
            view[:] = block[: view.shape[0], : view.shape[1]]
    return f


def _others(rows: int, columns: int) -> NDArray[np.bool_]:
    """Places beside the diagonal."""
    others: NDArray[np.bool_] = np.arange(rows)[:, None] != np.arange(columns)[None, :]
    return others


def _bits(count: int, first: int) -> NDArray[np.uint32]:
    """A bit for each of the labels first + 1 to first + GROUP, 0 for the others up to `count`."""
    bits = np.zeros(count + 1, np.uint32)
    end = min(first + GROUP, count)
    bits[first + 1 : end + 1] = np.uint32(1) << np.arange(end - first, dtype=np.uint32)
    return bits


def _f(
    result_length: NDArray[np.int32],
    result_near: NDArray[np.int32],
    true_length: NDArray[np.int32],
    true_near: NDArray[np.int32],
) -> NDArray[np.float64]:
    """F of all pairs, with the rules of `boundary_score` for masks without an outline."""
    bare = (result_length == 0) | (true_length == 0)
    precision = np.where(bare, result_length == 0, result_near / np.maximum(result_length, 1))
    recall = np.where(bare, true_length == 0, true_near / np.maximum(true_length, 1))
    both = precision + recall
    # The same order of operations as in `boundary_score`, so that the last bit agrees.
    f: NDArray[np.float64] = np.where(both > 0, 2 * precision * recall / np.where(both > 0, both, 1.0), 0.0)
    return f
