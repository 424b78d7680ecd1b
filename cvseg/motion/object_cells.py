"""Which cells of a window of frames are objects: each object at the level where its own votes are most stable."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cvseg.motion.stable_components import CellGraph, Components, ScoreOptions, stable_components
from cvseg.options import Options, option

# Of an object that is only seen once the clearer ones are taken away, more is asked.
LATER_APART = 0.2  # least share of it that lies apart from the objects
LATER_CELLS = 3  # nearer to an object it may be its shadow, or its fringe
LATER_ROUNDS = 3
LEAST_FULL = 0.15  # votes that are left are stretched from here at most


@dataclass(frozen=True, kw_only=True)
class ObjectOptions(Options):
    """What counts as an object, at all and beside the clearest one."""

    least_vote: float = option(
        0.1,
        "mean vote, before stretching, below which nothing is an object; depth alone reaches 0.09",
        low=0.0,
        high=1.0,
    )
    least_motion: float = option(
        1.0, "mean residual of an object, in units of noise; larger leaves more slow objects out", low=0.0
    )
    least_clearness: float = option(
        0.045, "clearness of a further object; larger leaves out more objects and more clutter", low=0.0, high=1.0
    )
    area_share: float = option(
        0.05, "least area of a further object, as a share of the clearest one's; larger drops more", low=0.0
    )
    motion_share: float = option(
        0.35, "residual that is not clutter, as a share of the clearest object's; larger drops more", low=0.0
    )
    certain_motion: float = option(
        5.0, "residual, in units of noise, that is never clutter; larger drops more slow objects", low=0.0
    )
    score: ScoreOptions = field(default_factory=ScoreOptions)


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
    options: ObjectOptions | None = None,
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
    options : ObjectOptions; None takes the defaults

    Returns
    -------
    ObjectCells

    Notes
    -----
    Cells are connected in space through the four neighbours and in time through `links`. Of the `stable_components` the
    one with the highest score is the clearest object; its level serves all small cells and fragments. Of the others,
    those that move much less than it does are clutter, and those that are clear enough are objects at their own levels.

    Then the objects are taken away, the rest is stretched to [0, 1] again, and the same is done once more: slow
    objects beside fast ones show. How clear an object is that shows beside others is one number,

        steepness * exp(-fall / options.score.fall) * min(motion / least motion, 1) * share that lies apart

    with the steepness of its border in votes before stretching.
    """
    options = options or ObjectOptions()
    graph = CellGraph.of_window(areas, residuals, links)
    found = stable_components(votes, graph, options.score)
    # Somewhere noise is always the most stable: without a vote and a motion beyond those of noise nothing is an object.
    strong = (found.mass * height >= options.least_vote * found.area) & (found.motion >= options.least_motion)
    if not strong.any():
        return ObjectCells(np.zeros(votes.shape, bool), np.ones(votes.shape, np.float32))
    decided = _clear_objects(votes, found, strong, height, options)
    area = graph.area[decided.inside]
    if area.size:
        motion = float((graph.residual * graph.area)[decided.inside].sum() / area.sum())
        least_area = options.area_share * float(area.sum())
        for _ in range(LATER_ROUNDS):
            if not _add_slower_objects(decided, votes, graph, motion, least_area, height, options):
                break
    return decided


def _clearness(found: Components, height: float, least_motion: float, options: ObjectOptions) -> NDArray[np.float64]:
    """How clearly each component stands out of what is around it; `height` as in `object_cells`."""
    slower = np.minimum(found.motion / max(least_motion, 1e-6), 1)
    return found.steepness * height * np.exp(-found.fall / options.score.fall) * slower


def _clear_objects(
    votes: NDArray[np.float32], found: Components, strong: NDArray[np.bool_], height: float, options: ObjectOptions
) -> ObjectCells:
    """What lies above the level of the clearest object, without clutter, and other objects at lower levels."""
    clearest = int(np.argmax(found.score * strong))
    base = found.level[clearest]
    inside, level = votes > base, np.full(votes.shape, base, np.float32)
    large = found.mass >= options.area_share * found.mass[clearest]
    least_motion = options.motion_share * found.motion[clearest]
    clutter = ~strong | (found.motion < min(least_motion, options.certain_motion))
    slow = (
        ~clutter & (_clearness(found, height, least_motion, options) >= options.least_clearness) & (found.level < base)
    )
    for k in np.flatnonzero(large & (clutter | slow)):
        cells = found.of_cell == k
        inside[cells] = slow[k]
        level[cells] = found.level[k] if slow[k] else 1.0
    return ObjectCells(inside, level)


def _add_slower_objects(
    decided: ObjectCells,
    votes: NDArray[np.float32],
    graph: CellGraph,
    motion: float,
    least_area: float,
    height: float,
    options: ObjectOptions,
) -> bool:
    """Add, in place, what becomes visible without the objects so far; whether there was anything.

    motion : mean residual of the objects that were clear at once
    """
    left = votes[~decided.inside]
    if left.size == 0:
        return False
    full = max(float(np.percentile(left, 99)), LEAST_FULL)
    rest = np.clip(votes / np.float32(full), 0, 1)
    rest[_grown(decided.inside, 1)] = 0
    far = ~_grown(decided.inside, LATER_CELLS)
    found = stable_components(rest, graph, options.score)
    least_motion = options.motion_share * motion
    clear = _clearness(found, height * full, least_motion, options)
    enough = (found.area >= least_area) & (clear >= options.least_clearness)
    enough &= found.motion >= max(min(least_motion, options.certain_motion), options.least_motion)
    any_new = False
    for k in np.flatnonzero(enough):
        cells = found.of_cell == k
        apart = float(graph.area[cells & far].sum() / found.area[k])
        if apart >= LATER_APART and apart * clear[k] >= options.least_clearness:
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
