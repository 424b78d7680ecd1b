"""Which cells of a window of frames are objects: each object at the level where its own votes are most stable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.motion.stable_components import CellGraph, Components, stable_components

LEAST_SHARE = 0.05  # of the area, or of the mass, of the clearest object
LEAST_MOTION = 0.35  # of the residual of the clearest object
LEAST_VOTE = 0.12  # mean vote of an object before stretching; noise and depth reach 0.08, small slow objects 0.18
SLOW_FALL = 0.15  # most that an object may fall that is taken below the level of the clearest one
# Of an object that is only seen once the clearer ones are taken away, more is asked.
LATER_FALL = 0.1
LATER_NOISE = 3.0  # least residual, in units of noise
LATER_CELLS = 3  # nearer to an object it may be its shadow, or its fringe
LATER_ROUNDS = 3
LEAST_FULL = 0.15  # votes that are left are stretched from here at most


@dataclass(frozen=True)
class ObjectCells:
    """Decision about the cells of a window.

    Attributes
    ----------
    inside : (frames, rows, columns) bool
    level : (frames, rows, columns) float32, the level at which each cell was judged, or would have been
    """

    inside: NDArray[np.bool_]
    level: NDArray[np.float32]


def object_cells(
    votes: NDArray[np.float32],
    areas: NDArray,
    residuals: NDArray[np.float32],
    links: NDArray[np.int32],
    *,
    height: float = 1.0,
) -> ObjectCells:
    """The objects of a window of frames, from votes that are stretched to [0, 1].

    Parameters
    ----------
    votes : (frames, rows, columns) float32 in [0, 1], on the host
    areas : (frames, rows, columns), pixels of each cell
    residuals : (frames, rows, columns) float32, motion against the camera, in units of its noise
    links : (n, 2) int32, pairs of numbers of cells (frame, row and column counted through) that follow each other
        in time
    height : what a vote of 1 was before votes were stretched

    Returns
    -------
    ObjectCells

    Notes
    -----
    Cells are connected in space through the four neighbours and in time through `links`. Of the `stable_components` the
    one with the highest score is the clearest object; its level serves all small cells and fragments. Of the others,
    those that move much less than it does are clutter.

    Then the objects are taken away, the rest is stretched to [0, 1] again, and the same is done once more: slow
    objects beside fast ones show. Of these more is asked, since something is always left.
    """
    graph = CellGraph.of_window(areas, residuals, links)
    found = stable_components(votes, graph)
    # Somewhere noise is always the most stable: without a vote that noise does not reach there is no object.
    strong = found.mass * height >= LEAST_VOTE * found.area
    if not strong.any():
        return ObjectCells(np.zeros(votes.shape, bool), np.ones(votes.shape, np.float32))
    decided = _clear_objects(votes, found, strong)
    area = graph.area[decided.inside]
    if area.size:
        motion = float((graph.residual * graph.area)[decided.inside].sum() / area.sum())
        least_motion, least_area = max(LEAST_MOTION * motion, LATER_NOISE), LEAST_SHARE * float(area.sum())
        for _ in range(LATER_ROUNDS):
            if not _add_slower_objects(decided, votes, graph, least_motion, least_area):
                break
    return decided


def _clear_objects(votes: NDArray[np.float32], found: Components, strong: NDArray[np.bool_]) -> ObjectCells:
    """What lies above the level of the clearest object, without clutter, and other objects at lower levels."""
    clearest = int(np.argmax(found.score * strong))
    base = found.level[clearest]
    inside, level = votes > base, np.full(votes.shape, base, np.float32)
    large = found.mass >= LEAST_SHARE * found.mass[clearest]
    clutter = ~strong | (found.motion < LEAST_MOTION * found.motion[clearest])
    slow = ~clutter & (found.fall <= SLOW_FALL) & (found.level < base)
    for k in np.flatnonzero(large & (clutter | slow)):
        cells = found.of_cell == k
        inside[cells] = slow[k]
        level[cells] = found.level[k] if slow[k] else 1.0
    return ObjectCells(inside, level)


def _add_slower_objects(
    decided: ObjectCells, votes: NDArray[np.float32], graph: CellGraph, least_motion: float, least_area: float
) -> bool:
    """Add, in place, what becomes visible without the objects so far; whether there was anything."""
    left = votes[~decided.inside]
    if left.size == 0:
        return False
    full = max(float(np.percentile(left, 99)), LEAST_FULL)
    rest = np.clip(votes / np.float32(full), 0, 1)
    rest[_grown(decided.inside, 1)] = 0
    far = ~_grown(decided.inside, LATER_CELLS)
    found = stable_components(rest, graph)
    enough = (found.area >= least_area) & (found.fall <= LATER_FALL) & (found.motion >= least_motion)
    any_new = False
    for k in np.flatnonzero(enough):
        cells = found.of_cell == k
        if graph.area[cells & far].sum() >= 0.5 * found.area[k]:
            decided.inside[cells] = True
            decided.level[cells] = full * found.level[k]
            any_new = True
    return any_new


def _grown(cells: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """Cells and their four neighbours in the same frame, `steps` times."""
    for _ in range(steps):
        grown = cells.copy()
        grown[:, 1:] |= cells[:, :-1]
        grown[:, :-1] |= cells[:, 1:]
        grown[:, :, 1:] |= cells[:, :, :-1]
        grown[:, :, :-1] |= cells[:, :, 1:]
        cells = grown
    return cells
