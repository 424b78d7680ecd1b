"""Resampling of weighted particles, and how many of them count."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvseg.errors import RangeError, ShapeError


def effective_count(weights: ArrayLike) -> float:
    """How many particles of equal weight would be worth as much: 1 over the sum of squared shares.

    Parameters
    ----------
    weights : (n,) of at least 0, not all 0

    Returns
    -------
    float in [1, n]

    Raises
    ------
    RangeError, ShapeError

    References
    ----------
    [Arulampalam2002]_ eq. 51.

    Examples
    --------
    >>> effective_count([1, 1, 1, 1]), effective_count([1, 0, 0, 0])
    (4.0, 1.0)
    """
    shares = _shares("effective_count", weights)
    return float(1.0 / np.square(shares).sum())


def systematic_resample(weights: ArrayLike, count: int, offset: float) -> NDArray[np.int64]:
    """Draw `count` particles: a comb with even teeth over the summed weights.

    Parameters
    ----------
    weights : (n,) of at least 0, not all 0
    count : particles to draw
    offset : where the comb begins, in [0, 1); the only random number of the draw

    Returns
    -------
    (count,) int64 rows, rising; a particle of share w is drawn floor(count w) or ceil(count w) times

    Raises
    ------
    RangeError, ShapeError

    References
    ----------
    [Arulampalam2002]_ algorithm 2.

    Examples
    --------
    >>> systematic_resample([0.5, 0.0, 0.25, 0.25], 4, 0.5).tolist()
    [0, 0, 2, 3]
    """
    if not 0 <= offset < 1:
        raise RangeError(f"systematic_resample: offset is {offset}; expected at least 0 and below 1.")
    heights = np.cumsum(_shares("systematic_resample", weights))
    teeth = (np.arange(count) + offset) / count
    # The last sum may end a rounding below 1: the last tooth then takes the last particle with any weight.
    last = int(np.searchsorted(heights, heights[-1]))
    return np.minimum(np.searchsorted(heights, teeth, side="right"), last)


def _shares(caller: str, weights: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(weights, np.float64)
    if values.ndim != 1 or not len(values):
        raise ShapeError(f"{caller}: weights is {values.shape}; expected (n,) with at least one.")
    total = float(values.sum())
    if not (np.isfinite(total) and total > 0 and values.min() >= 0):
        raise RangeError(f"{caller}: weights add up to {total}; expected finite numbers of at least 0, not all 0.")
    return values / total
