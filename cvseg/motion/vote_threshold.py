"""Where to cut a vote map: the level whose border is steep and whose inside agrees with itself over time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVELS = np.arange(0.25, 0.88, 0.025)
CHUNK = 4  # frames whose edges are counted together


def choose_threshold(votes: NDArray, edges: NDArray, weights: NDArray, usual: float, trust: float) -> float:
    """Level that separates the objects of a window of frames from its background.

    Every level of `LEVELS` is scored by log(mean difference of the votes across its border) minus log(normalised cut
    of the graph of similar cells): the border is steep, and cells that look alike fall on the same side.

    Parameters
    ----------
    votes : (frames, cells_y, cells_x) float32 in [0, 1], on the host
    edges, weights : (frames, slots, cells, 2), int32 into the flattened votes and float32, row sums 1 or 0
    usual : the level that suits most clips; the result is pulled towards it, since the score has false peaks
    trust : share of the scored level in the result, 0 to 1

    Returns
    -------
    float

    References
    ----------
    [ShiMalik2000]_ for the normalised cut. The steepness term is ours.
    """
    frames, cells = votes.shape[0], votes.shape[1] * votes.shape[2]
    flat = votes.reshape(-1)

    rank = np.searchsorted(LEVELS, flat)  # levels that a cell exceeds: it is inside for levels 0 .. rank - 1
    cut_change, degree = np.zeros(len(LEVELS) + 1), np.zeros(frames * cells)
    # A few frames at a time: all together would take 50 MB for a moment, and leave the cache.
    for first in range(0, frames, CHUNK):
        there, weight = edges[first : first + CHUNK], weights[first : first + CHUNK].astype(np.float64)
        here = slice(first * cells, first * cells + there.shape[0] * cells)
        own, other = np.broadcast_to(rank[here].reshape(-1, 1, cells, 1), there.shape), rank[there]
        # An edge is cut at the levels between its two ends: add its weight at the lower end, remove it at the upper.
        cut_change += _change(np.minimum(own, other).ravel(), np.maximum(own, other).ravel(), weight.ravel())
        degree[here] += weight.sum(axis=(1, 3)).reshape(-1)
        degree += np.bincount(there.ravel(), weight.ravel(), frames * cells)
    cut = np.maximum(np.cumsum(cut_change)[: len(LEVELS)], 0.0)  # rounding may leave a little below zero
    inside = _sum_above(rank, degree)
    total = float(degree.sum())

    difference, lower, upper = [], [], []
    ranks = rank.reshape(votes.shape)
    for axis in (1, 2):
        difference.append(np.abs(np.diff(votes, axis=axis)).ravel())
        before, behind = ranks.swapaxes(0, axis)[:-1], ranks.swapaxes(0, axis)[1:]
        lower.append(np.minimum(before, behind).swapaxes(0, axis).ravel())
        upper.append(np.maximum(before, behind).swapaxes(0, axis).ravel())
    jump, low, high = np.concatenate(difference), np.concatenate(lower), np.concatenate(upper)
    border_sum = np.cumsum(_change(low, high, jump))[: len(LEVELS)]
    border_count = np.cumsum(_change(low, high, np.ones_like(jump)))[: len(LEVELS)]

    usable = (border_count >= 4 * frames / 10) & (inside > 0) & (inside < total)
    if not usable.any() or total <= 0:
        return usual
    safe_inside = np.clip(inside, 1e-9, None)
    normalised_cut = cut / safe_inside + cut / np.clip(total - safe_inside, 1e-9, None)
    score = np.log(border_sum / np.maximum(border_count, 1) + 1e-9) - np.log(normalised_cut + 1e-9)
    best = float(LEVELS[int(np.argmax(np.where(usable, score, -np.inf)))])
    return usual * (1 - trust) + best * trust


def _change(low: NDArray, high: NDArray, value: NDArray) -> NDArray:
    return np.bincount(low, value, len(LEVELS) + 1) - np.bincount(high, value, len(LEVELS) + 1)


def _sum_above(rank: NDArray, value: NDArray) -> NDArray:
    by_rank = np.bincount(rank, value, len(LEVELS) + 1)
    return by_rank[::-1].cumsum()[::-1][1:]
