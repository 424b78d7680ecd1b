"""Where to cut a vote map: the level around which the area of what lies above it changes least."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVELS = np.arange(0.25, 0.88, 0.025)
LEAST_CELLS = 0.4  # above a level, per frame; fewer say nothing
MOST_SHARE = 0.6  # of all cells; what covers more is background


def stable_threshold(votes: NDArray, usual: float) -> float:
    """Level that separates the objects of a window of frames from its background.

    Between an object and the background votes fall steeply, so a level that is a little higher or lower leaves almost
    the same cells above it. Of all `LEVELS` the one is taken where the logarithm of the area falls most slowly.

    Parameters
    ----------
    votes : (frames, rows, columns) float32 in [0, 1], on the host
    usual : the level taken where none leaves enough cells above it, or all leave too many

    Returns
    -------
    float

    References
    ----------
    [Matas2002]_: the stability of extremal regions, of the whole window at once instead of single regions, and of the
    area's logarithm over a fixed step of the level.

    Notes
    -----
    On the DAVIS development clips and six disturbed versions of each this chose the right one of several objects of
    motion more often than the steepness of the border, the normalised cut, or both together.

    Examples
    --------
    >>> votes = np.zeros((1, 10, 10), np.float32)
    >>> votes[0] = np.linspace(0, 0.45, 100).reshape(10, 10)
    >>> votes[0, 3:7, 3:7] = 0.8
    >>> 0.45 < stable_threshold(votes, usual=0.6) < 0.8
    True
    """
    # Levels that a cell exceeds: it is inside for levels 0 .. rank - 1.
    rank = np.searchsorted(LEVELS, votes.reshape(-1))
    area = np.bincount(rank, minlength=len(LEVELS) + 1)[::-1].cumsum()[::-1][1:].astype(np.float64)
    usable = (area >= LEAST_CELLS * votes.shape[0]) & (area <= MOST_SHARE * votes.size)
    if not usable.any():
        return usual
    log_area = np.log(np.maximum(area, 0.5))
    below, above = np.r_[log_area[0], log_area[:-1]], np.r_[log_area[1:], log_area[-1]]
    steps = np.full(len(LEVELS), 2.0)
    steps[[0, -1]] = 1.0
    fall = (below - above) / steps
    # Of equal falls the middle of the first run of them: an object with a clean border is cut half-way up.
    least = fall[usable].min()
    flat = np.flatnonzero(usable & (fall <= least + 1e-9))
    run = flat[: np.argmax(np.diff(flat, append=flat[-1] + 2) > 1) + 1]
    return float(LEVELS[run[len(run) // 2]])
