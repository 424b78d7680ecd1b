"""What moved and rests now: evidence of cells is remembered along their links, from the past and from the future."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GAIN = 1 / 6  # share of what a frame shows that is taken over: what is seen in a frame or two is not remembered
RESTING = 1.0  # residual, in units of noise, below which a cell rests
ALIKE = 8.0  # most that the colour of a cell changes from frame to frame, in L*a*b*


def trusted_links(
    links: NDArray[np.int32], colors: NDArray[np.float32], columns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Links of a `CellMotion` that lead to a cell of like colour, and from there back to where they began.

    Parameters
    ----------
    links : (n, 2) int32, as `CellMotion.window` gives them: of each frame with the next two to every cell, or none
    colors : (frames, 3, cells) float32, L*a*b*
    columns : of the grid of cells

    Returns
    -------
    before : (frames - 1, cells) int64, which cell of a frame each cell of the next one was; -1: not known
    after : (frames - 1, cells) int64, which cell of the next frame each cell of a frame becomes; -1: not known
    """
    frames, _, cells = colors.shape
    known = np.unique(links[:, 0] // cells)
    pairs = np.full((frames - 1, 2, cells, 2), -1, np.int64)
    pairs[known] = links.reshape(len(known), 2, cells, 2) % cells
    ahead, back = pairs[:, 0, :, 1], pairs[:, 1, :, 0]

    def trusted(there: NDArray, here_again: NDArray, here: NDArray, other: NDArray) -> NDArray[np.int64]:
        own, some = np.arange(cells), np.maximum(there, 0)
        returned = np.take_along_axis(here_again, some, 1)
        near = (abs(returned // columns - own // columns) <= 1) & (abs(returned % columns - own % columns) <= 1)
        change = here - np.take_along_axis(other, some[:, None], 2)
        return np.where((there >= 0) & near & ((change * change).sum(1) < ALIKE**2), there, -1)

    return trusted(back, ahead, colors[1:], colors[:-1]), trusted(ahead, back, colors[:-1], colors[1:])


def remembered(
    evidence: NDArray[np.float32],
    residuals: NDArray[np.float32],
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    frames: float,
    start: NDArray[np.float32] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Evidence that lasts while a cell rests.

    Parameters
    ----------
    evidence : (frames, kinds, cells) float32, what each frame shows by itself
    residuals : (frames, cells) float32, motion against the camera, in units of its noise
    before, after : see `trusted_links`
    frames : in which what rests is forgotten down to 37 %
    start : (kinds, cells) float32, what was remembered at the first frame; None: what it shows

    Returns
    -------
    lasting : as `evidence`; the larger of it and of the mean of what is remembered from both sides
    past : as `evidence`; what is remembered from the past alone, for the `start` of a later window

    Notes
    -----
    A running mean along the links: `GAIN` of what the frame shows is taken over, but only 1 / `frames` where it shows
    less and the cell rests. So what moved for some frames is remembered, while the ground beside an object, which
    seems to move for a moment, is not. An object that goes on takes its memory with it. Where a link is not trusted
    memory begins anew.
    """
    past, future = np.empty_like(evidence), np.empty_like(evidence)
    last = len(evidence) - 1
    past[0] = evidence[0] if start is None else start
    future[last] = evidence[last]
    for k in range(1, last + 1):
        past[k] = _step(past[k - 1], before[k - 1], evidence[k], residuals[k], frames)
        j = last - k
        future[j] = _step(future[j + 1], after[j], evidence[j], residuals[j], frames)
    return np.maximum(evidence, np.float32(0.5) * (past + future)), past


def _step(
    known: NDArray[np.float32],
    source: NDArray[np.int64],
    shown: NDArray[np.float32],
    residual: NDArray[np.float32],
    frames: float,
) -> NDArray[np.float32]:
    prior = np.where(source >= 0, known[:, source], shown)
    gain = np.where((shown < prior) & (residual < RESTING), np.float32(min(1 / frames, GAIN)), np.float32(GAIN))
    return prior + gain * (shown - prior)
