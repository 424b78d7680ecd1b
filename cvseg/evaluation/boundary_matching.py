"""Matches boundary pixels one to one, at the least total distance, as the Berkeley boundary benchmark does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_range, check_shapes

BSDS_TOLERANCE = 0.0075  # share of the image diagonal
UNMATCHED = 100  # cost of leaving a pixel alone, in largest distances: never worth it where a match is possible
STEPS = (
    100  # of cost per pixel of distance: whole numbers add up without rounding, which may keep the solver busy forever
)
LEAST_COST = 1  # the solver takes an entry of 0 for no entry


def segment_boundary(labels: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Pixels beyond whose right, lower or lower right corner another segment begins.

    Parameters
    ----------
    labels : (H, W) integers

    Returns
    -------
    (H, W) bool; beyond the last row and column the segments go on unchanged

    Raises
    ------
    ShapeError

    Examples
    --------
    >>> segment_boundary(np.array([[1, 1, 2], [1, 1, 2]])).astype(int).tolist()
    [[0, 1, 0], [0, 1, 0]]
    """
    check_shapes("segment_boundary", labels=(labels, "H W"))
    boundary = np.zeros(labels.shape, bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    boundary[:, :-1] |= across
    boundary[:-1] |= down
    boundary[:-1, :-1] |= across[1:] | down[:, 1:]
    return boundary


def thin_boundary(boundary: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A boundary thinned to lines of one pixel that keep its topology.

    Parameters
    ----------
    boundary : (H, W) bool

    Raises
    ------
    ShapeError, DtypeError

    References
    ----------
    [Guo1989]_, the thinning that the benchmark applies until nothing changes
    """
    check_shapes("thin_boundary", boundary=(boundary, "H W"))
    check_dtype("thin_boundary", np.bool_, boundary=boundary)
    from skimage.morphology import thin

    return np.asarray(thin(boundary), np.bool_)


def match_boundaries(
    result: NDArray[np.bool_], truth: NDArray[np.bool_], *, tolerance: float = BSDS_TOLERANCE
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Match as many pixels of two boundaries as possible one to one, and of all such ways take the shortest.

    Parameters
    ----------
    result, truth : (H, W) bool
    tolerance : largest distance of a match as a share of the image diagonal; a larger value matches more

    Returns
    -------
    matched_result, matched_truth : (H, W) bool, the pixels of each that have a partner; equally many

    Raises
    ------
    ShapeError, DtypeError, RangeError

    References
    ----------
    [Martin2004]_ appendix B. The benchmark's program joins the pixels it leaves alone at random, so that its counts
    differ from run to run and lie up to about 0.1 % below the largest; this is the optimum it approaches.
    """
    check_shapes("match_boundaries", result=(result, "H W"), truth=(truth, "H W"))
    check_dtype("match_boundaries", np.bool_, result=result, truth=truth)
    check_range("match_boundaries", "tolerance", tolerance, low=0.0, high=1.0)
    largest = tolerance * math.hypot(*result.shape)
    result_at, truth_at = np.flatnonzero(result), np.flatnonzero(truth)
    row, column, distance = _near_pairs(result, truth, largest)
    matched_result, matched_truth = np.zeros(result.size, bool), np.zeros(result.size, bool)
    if row.size:
        # Pixels that nothing is near to are settled; without them the assignment is smaller.
        row_names, row = np.unique(row, return_inverse=True)
        column_names, column = np.unique(column, return_inverse=True)
        sizes = len(row_names), len(column_names)
        rows, columns = _cheapest(row, column, distance, sizes, math.ceil(largest))
        rows, columns = row_names[rows], column_names[columns]
        matched_result[result_at[rows]] = True
        matched_truth[truth_at[columns]] = True
    return matched_result.reshape(result.shape), matched_truth.reshape(result.shape)


def _near_pairs(
    result: NDArray[np.bool_], truth: NDArray[np.bool_], largest: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Numbers of the pixels, in row order, of every pair within `largest`, and their distances."""
    height, width = truth.shape
    reach = math.floor(largest)
    number = np.full((height + 2 * reach, width + 2 * reach), -1, np.int64)
    number[reach : reach + height, reach : reach + width][truth] = np.arange(np.count_nonzero(truth))
    flat = number.ravel()
    y, x = np.nonzero(result)
    middle = (y + reach) * number.shape[1] + x + reach
    rows, columns, distances = [], [], []
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            distance = math.hypot(dy, dx)
            if distance <= largest:
                partner = flat[middle + dy * number.shape[1] + dx]
                found = np.flatnonzero(partner >= 0)
                rows.append(found)
                columns.append(partner[found])
                distances.append(np.full(len(found), distance))
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(distances)


def _cheapest(
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    distance: NDArray[np.float64],
    sizes: tuple[int, int],
    largest: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The matching of least cost. Every pixel has a stand-in that it may be matched to instead, at a high cost; the
    stand-ins of a pair may be matched for nothing, so that every match leaves its stand-ins a partner."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    results, truths = sizes
    unmatched = UNMATCHED * STEPS * max(largest, 1)
    own_result, own_truth = np.arange(results), np.arange(truths)
    rows = np.concatenate([row, own_result, results + own_truth, results + column])
    columns = np.concatenate([column, truths + own_result, own_truth, truths + row])
    costs = np.concatenate(
        [
            np.rint(STEPS * distance) + LEAST_COST,
            np.full(results, float(unmatched)),
            np.full(truths, float(unmatched)),
            np.full(len(row), float(LEAST_COST)),
        ]
    )
    graph = coo_array((costs, (rows, columns)), shape=(results + truths, results + truths)).tocsr()
    chosen_rows, chosen_columns = min_weight_full_bipartite_matching(graph)
    real = (chosen_rows < results) & (chosen_columns < truths)
    return chosen_rows[real], chosen_columns[real]
