"""Smoothing of whole tracks: every box with the help of all boxes before and after it, gaps included."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def smooth_values(values: Array, seen: NDArray[np.bool_], noise: Array, drift: Array, push: Array) -> Array:
    """Rauch-Tung-Striebel smoother of many single numbers that move at nearly constant velocity, all at once.

    Parameters
    ----------
    values : (frames, n) measured numbers; anything where not seen
    seen : (frames, n); the first of each column must be seen
    noise : (frames, n) variance of each measurement
    drift : (n,) variance of the free movement per frame
    push : (n,) variance of the change of velocity per frame; with 0 the velocity is 0: a random walk

    Returns
    -------
    (frames, n) float64

    References
    ----------
    [Rauch1965]_. The state is (value, velocity); the products of its 2 x 2 matrices are written out, so that one step
    serves all columns. The test compares with filterpy's.
    """
    frames, count = values.shape
    x, v = np.zeros((frames, count)), np.zeros((frames, count))
    # Covariances ((a, b), (b, c)): after the measurement, and predicted.
    a, b, c = (np.zeros((frames, count)) for _ in range(3))
    pa, pb, pc = (np.zeros((frames, count)) for _ in range(3))
    moving = push > 0
    x[0], a[0] = values[0], noise[0]
    c[0] = np.where(moving, 25.0 * noise[0], 0.0)
    for t in range(1, frames):
        px = x[t - 1] + v[t - 1]
        pa[t] = a[t - 1] + 2 * b[t - 1] + c[t - 1] + drift
        pb[t] = b[t - 1] + c[t - 1]
        pc[t] = c[t - 1] + push
        total = pa[t] + noise[t]
        gain = np.where(seen[t], pa[t] / total, 0.0)
        turn = np.where(seen[t], pb[t] / total, 0.0)
        away = np.where(seen[t], values[t] - px, 0.0)
        x[t], v[t] = px + gain * away, v[t - 1] + turn * away
        a[t], b[t], c[t] = (1 - gain) * pa[t], (1 - gain) * pb[t], pc[t] - turn * pb[t]
    for t in range(frames - 2, -1, -1):
        # Gain P F' inv(predicted P), then x += gain (smoothed next - predicted next).
        one, two = a[t] + b[t], b[t] + c[t]
        safe = pa[t + 1] * pc[t + 1] - pb[t + 1] ** 2
        det = np.where(safe > 0, safe, 1.0)
        still = ~(safe > 0)
        g00 = np.where(still, a[t] / pa[t + 1], (one * pc[t + 1] - b[t] * pb[t + 1]) / det)
        g01 = np.where(still, 0.0, (b[t] * pa[t + 1] - one * pb[t + 1]) / det)
        g10 = np.where(still, 0.0, (two * pc[t + 1] - c[t] * pb[t + 1]) / det)
        g11 = np.where(still, 0.0, (c[t] * pa[t + 1] - two * pb[t + 1]) / det)
        dx, dv = x[t + 1] - (x[t] + v[t]), v[t + 1] - v[t]
        x[t], v[t] = x[t] + g00 * dx + g01 * dv, v[t] + g10 * dx + g11 * dv
    return x


def aligned(tracks: list[tuple[NDArray[Any], Array]]) -> tuple[Array, NDArray[np.bool_]]:
    """Tracks (frames, values (k, d)) side by side from their first frames: (longest, tracks, d), and what is seen."""
    longest = max(int(frames[-1] - frames[0]) + 1 for frames, _ in tracks)
    values = np.zeros((longest, len(tracks), tracks[0][1].shape[1]))
    seen = np.zeros((longest, len(tracks)), bool)
    for column, (frames, rows) in enumerate(tracks):
        values[frames - frames[0], column] = rows
        seen[frames - frames[0], column] = True
    return values, seen
