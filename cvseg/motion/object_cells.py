"""Which cells of a window of frames are objects: each object at the level where its own votes are most stable."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cvseg.motion.cell_motion import CellWindow
from cvseg.motion.stable_components import CellGraph, Components, ScoreOptions, stable_components
from cvseg.options import Options, option

# Of an object that is only seen once the clearer ones are taken away, more is asked.
LATER_APART = 0.2  # least share of it that lies apart from the objects
LATER_CELLS = 3  # nearer to an object it may be its shadow, or its fringe
LATER_ROUNDS = 3
LEAST_FULL = 0.15  # votes that are left are stretched from here at most
CERTAIN_RESIDUAL = 3.0  # in units of noise: more does not make it more certain that something moves


@dataclass(frozen=True, kw_only=True)
class ObjectOptions(Options):
    """What counts as an object, at all and beside the clearest one."""

    least_strength: float = option(
        0.058, "strength of an object; larger leaves out more objects, and more noise and depth", low=0.0, high=1.0
    )
    least_clearness: float = option(
        0.05, "clearness of a further object; larger leaves out more objects and more clutter", low=0.0, high=1.0
    )
    most_unexplained: float = option(
        0.16,
        "share of contrast the flow may leave unexplained in a further object; larger takes in water and smoke",
        low=0.0,
        high=1.0,
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
    cells: CellWindow,
    *,
    height: float = 1.0,
    options: ObjectOptions | None = None,
) -> ObjectCells:
    """The objects of a window of frames, from votes that are stretched to [0, 1].

    Parameters
    ----------
    votes : (frames, rows, columns) float32 in [0, 1], on the host
    cells : areas, motion and links of the same cells
    height : what a vote of 1 was before votes were stretched
    options : ObjectOptions; None takes the defaults

    Returns
    -------
    ObjectCells

    Notes
    -----
    Cells are connected in space through the four neighbours and in time through their links. Of the `stable_components`
    that are strong enough the one with the highest score is the clearest object; its level serves all small cells and
    fragments. Of the others, those that move much less than it does are clutter, and those that are clear enough are
    objects at their own levels. Strong enough is

        vote * sqrt(min(residual, 3)) * (steepness * exp(-fall / options.score.fall)) ** (1 / 4)

    with the mean vote and the steepness of the border before stretching: noise and depth have low votes and soft
    borders, and move little.

    Then the objects are taken away, the rest is stretched to [0, 1] again, and the same is done once more: slow
    objects beside fast ones show. How clear an object is that shows beside others is one number,

        steepness * exp(-fall / options.score.fall) * min(residual / least residual, 1)
            * min(most unexplained / unexplained, 1) ** 2 * share that lies apart

    with the steepness of its border in votes before stretching, and unexplained the `DisplacedDifference` of its pixels
    as a share of their contrast: water, smoke and spray move, but not as any flow says. What the clearest object leaves
    unexplained, as it is fast, is granted to the others too.
    """
    window = _Window(votes, cells, height, options or ObjectOptions())
    found = window.components(votes)
    # Somewhere noise is always the most stable.
    strong = window.strength(found) >= window.options.least_strength
    if not strong.any():
        return ObjectCells(np.zeros(votes.shape, bool), np.ones(votes.shape, np.float32))
    clearest = int(np.argmax(found.score * strong))
    window.granted = max(window.granted, float(window.unexplained(found)[clearest]))
    decided = _clear_objects(window, found, strong, clearest)
    area = window.graph.area[decided.inside]
    if area.size:
        motion = float((window.graph.residual * window.graph.area)[decided.inside].sum() / area.sum())
        least_area = window.options.area_share * float(area.sum())
        for _ in range(LATER_ROUNDS):
            if not _add_slower_objects(window, decided, motion, least_area):
                break
    return decided


class _Window:
    """The cells that are judged, and how.

    Attributes
    ----------
    votes, cells, height, options : of `object_cells`
    graph : CellGraph of the cells
    granted : share of the contrast that may remain unexplained
    """

    def __init__(self, votes: NDArray[np.float32], cells: CellWindow, height: float, options: ObjectOptions) -> None:
        self.votes, self.cells, self.height, self.options = votes, cells, height, options
        self.graph = CellGraph.of_window(cells.areas, cells.residuals, cells.links)
        self.granted = options.most_unexplained

    def components(self, votes: NDArray[np.float32]) -> Components:
        return stable_components(votes, self.graph, self.options.score)

    def outline(self, found: Components) -> NDArray[np.float64]:
        """How sharply and how stably each component ends, in the units of `height`."""
        return found.steepness * self.height * np.exp(-found.fall / self.options.score.fall)

    def strength(self, found: Components) -> NDArray[np.float64]:
        """How certain it is of each component that something is there at all."""
        vote = found.mass * self.height / np.maximum(found.area, 1)
        return vote * np.sqrt(np.minimum(found.motion, CERTAIN_RESIDUAL)) * self.outline(found) ** 0.25

    def unexplained(self, found: Components) -> NDArray[np.float64]:
        """Displaced difference of each component as a share of its contrast; 0 where neither is known."""
        inside = found.of_cell >= 0
        difference, contrast = (
            np.bincount(found.of_cell[inside], weights=values[inside], minlength=found.area.size)
            for values in (self.cells.differences, self.cells.contrasts)
        )
        return difference / np.maximum(contrast, 1e-9)

    def clearness(self, found: Components, least_motion: float) -> NDArray[np.float64]:
        """How clearly each component stands out of what is around it as a thing that moves."""
        slower = np.minimum(found.motion / max(least_motion, 1e-6), 1)
        solid = np.minimum(self.granted / np.maximum(self.unexplained(found), 1e-9), 1) ** 2
        return self.outline(found) * slower * solid


def _clear_objects(window: _Window, found: Components, strong: NDArray[np.bool_], clearest: int) -> ObjectCells:
    """What lies above the level of the clearest object, without clutter, and other objects at lower levels."""
    votes, options, base = window.votes, window.options, found.level[clearest]
    inside, level = votes > base, np.full(votes.shape, base, np.float32)
    large = found.mass >= options.area_share * found.mass[clearest]
    least_motion = options.motion_share * found.motion[clearest]
    clutter = ~strong | (found.motion < min(least_motion, options.certain_motion))
    clear = window.clearness(found, least_motion) >= options.least_clearness
    slow = ~clutter & clear & (found.level < base)
    for k in np.flatnonzero(large & (clutter | slow)):
        own = found.of_cell == k
        inside[own] = slow[k]
        level[own] = found.level[k] if slow[k] else 1.0
    return ObjectCells(inside, level)


def _add_slower_objects(window: _Window, decided: ObjectCells, motion: float, least_area: float) -> bool:
    """Add, in place, what becomes visible without the objects so far; whether there was anything.

    motion : mean residual of the objects that were clear at once
    """
    votes, options = window.votes, window.options
    left = votes[~decided.inside]
    if left.size == 0:
        return False
    full = max(float(np.percentile(left, 99)), LEAST_FULL)
    rest = np.clip(votes / np.float32(full), 0, 1)
    rest[_grown(decided.inside, 1)] = 0
    far = ~_grown(decided.inside, LATER_CELLS)
    found = window.components(rest)
    least_motion = options.motion_share * motion
    clear = full * window.clearness(found, least_motion)
    enough = (found.area >= least_area) & (clear >= options.least_clearness)
    enough &= found.motion >= min(least_motion, options.certain_motion)
    any_new = False
    for k in np.flatnonzero(enough):
        own = found.of_cell == k
        apart = float(window.graph.area[own & far].sum() / found.area[k])
        if apart >= LATER_APART and apart * clear[k] >= options.least_clearness:
            decided.inside[own] = True
            decided.level[own] = full * found.level[k]
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
