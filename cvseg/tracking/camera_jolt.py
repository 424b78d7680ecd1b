"""The jolt of a camera, told by the boxes alone: the one shift that brings most tracks back onto boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST_TRACKS = 4  # tracks that must agree
LEAST_SHARE = 0.7  # of all tracks
ALIKE = 0.6  # difference of both log sides together up to which a box may be a track's
NEAR = 0.3  # distance in sizes up to which a shifted track lies on a box
MOST_PAIRS = 2500


def voted_shift(predicted: Array, measured: Array) -> Array:
    """Shift (2,) in pixels that lays the most tracks onto boxes of their size; 0 where no shift clearly does.

    Parameters
    ----------
    predicted, measured : (n, 4) and (m, 4): cx, cy, log w, log h of the tracks and of the boxes

    Examples
    --------
    >>> place = np.array([[10.0, 10, 3, 4], [90, 20, 3, 4], [50, 70, 3, 4], [200, 5, 3, 4]])
    >>> voted_shift(place, place[::-1] + [30, -12, 0, 0]).tolist()
    [30.0, -12.0]
    >>> voted_shift(place, place).tolist()
    [0.0, 0.0]
    """
    none = np.zeros(2)
    count = len(predicted)
    if count < LEAST_TRACKS or not len(measured) or count * len(measured) > MOST_PAIRS:
        return none
    away = measured[None, :, :2] - predicted[:, None, :2]
    alike = np.abs(measured[None, :, 2:] - predicted[:, None, 2:]).sum(-1) < ALIKE
    reach = NEAR * np.exp(0.5 * predicted[:, 2:].sum(1))
    # Every way from a track to a box alike is a candidate; standing still is the first.
    candidates = np.concatenate([none[None], away[alike]])
    far = np.hypot(*np.moveaxis(away[None] - candidates[:, None, None], -1, 0))
    near = alike[None] & (far < reach[None, :, None])
    votes = near.any(2).sum(1)
    best = int(np.lexsort((np.hypot(*candidates.T), -votes))[0])
    if best == 0 or votes[best] < max(LEAST_TRACKS, LEAST_SHARE * count, votes[0] + 3):
        return none
    nearest = np.where(near[best], far[best], np.inf).argmin(1)
    held = near[best].any(1)
    return np.asarray(np.median(away[np.flatnonzero(held), nearest[held]], axis=0))
