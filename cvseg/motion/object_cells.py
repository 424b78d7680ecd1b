"""Which cells of a window of frames are objects: each object at the level where its own votes are most stable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.kernels.consensus.level_tree import LevelTree, level_tree

LEVELS = np.arange(0.1, 0.951, 0.025)
STEPS = 2  # levels up and down over which stability is measured
LEAST_AREA = 0.4  # of a usual cell, per frame; smaller says nothing
MOST_SHARE = 0.6  # of all pixels; what covers more is background
FALL = 0.3  # loss of log area over four levels at which a score falls to 37 %
STEEPNESS = 2.25  # exponent of the steepness of the border
LEAST_SHARE = 0.05  # of the area, or of the mass, of the clearest object
LEAST_MOTION = 0.35  # of the residual of the clearest object
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
    usual_level: float = 0.6,
) -> ObjectCells:
    """The objects of a window of frames, from votes that are stretched to [0, 1].

    Parameters
    ----------
    votes : (frames, rows, columns) float32 in [0, 1], on the host
    areas : (frames, rows, columns), pixels of each cell
    residuals : (frames, rows, columns) float32, motion against the camera, in units of its noise
    links : (n, 2) int32, pairs of numbers of cells (frame, row and column counted through) that follow each other
        in time
    usual_level : the level taken where no component qualifies

    Returns
    -------
    ObjectCells

    Notes
    -----
    Cells above a level form components, in space through the four neighbours and in time through `links`; over all
    `LEVELS` these form a tree. A component scores

        mass * steepness ** STEEPNESS * exp(-fall / FALL)

    with the mass its area times its votes, the steepness the mean difference of votes across its border, and the fall
    the logarithm of its area two levels below against its area two levels above. Those components are taken that have
    the largest sum of scores and do not contain each other. The one with the highest score is the clearest object; its
    level serves all small cells and fragments. Of the others, those that move much less than it does are clutter.

    Then the objects are taken away, the rest is stretched to [0, 1] again, and the same is done once more: slow
    objects beside fast ones show. Of these more is asked, since something is always left.

    References
    ----------
    [Matas2002]_ for the stability of extremal regions. Departures: components of a graph in space and time instead of
    pixels; the logarithm of the area; steepness and mass; the best set of components instead of all local minima.
    """
    frames, rows, columns = votes.shape
    first, second = _edges(votes.shape, links)
    area = areas.astype(np.float64).reshape(-1)
    residual = residuals.reshape(-1)
    level = np.full(votes.size, usual_level, np.float32)
    found = _best(votes.reshape(-1), area, residual, first, second, frames, rows * columns)
    if found is None:
        return ObjectCells(votes > usual_level, level.reshape(votes.shape))
    tree, nodes, scores = found
    clearest = nodes[np.argmax(scores)]
    base = LEVELS[_level_of(tree, clearest)]
    motion = tree.moved[nodes] / tree.area[nodes]
    clear_motion = tree.moved[clearest] / tree.area[clearest]
    level[:] = base
    inside = votes.reshape(-1) > base
    member, falls = _members(tree, nodes), _falls(tree)
    for k, node in enumerate(nodes):
        if node == clearest or tree.mass[node] < LEAST_SHARE * tree.mass[clearest]:
            continue
        cells = member == k
        if motion[k] < LEAST_MOTION * clear_motion:
            inside[cells] = False
            level[cells] = 1.0
        elif falls[node] <= SLOW_FALL:
            own = LEVELS[_level_of(tree, node)]
            if own < base:
                inside[cells] = True
                level[cells] = own
    if inside.any():
        clear_motion = float((residual * area)[inside].sum() / area[inside].sum())
        least_area = LEAST_SHARE * float(area[inside].sum())
        for _ in range(LATER_ROUNDS):
            if not _later(votes, area, residual, first, second, inside, level, clear_motion, least_area):
                break
    return ObjectCells(inside.reshape(votes.shape), level.reshape(votes.shape))


def _later(votes, area, residual, first, second, inside, level, clear_motion, least_area) -> bool:  # type: ignore[no-untyped-def]
    """Add what becomes visible without the objects so far; whether there was anything."""
    frames, rows, columns = votes.shape
    left = votes.reshape(-1)[~inside]
    if left.size == 0:
        return False
    full = max(float(np.percentile(left, 99)), LEAST_FULL)
    rest = np.clip(votes.reshape(-1) / np.float32(full), 0, 1)
    taken = inside.reshape(votes.shape)
    rest[_grown(taken, 1).reshape(-1)] = 0
    far = ~_grown(taken, LATER_CELLS).reshape(-1)
    found = _best(rest, area, residual, first, second, frames, rows * columns)
    if found is None:
        return False
    tree, nodes, _ = found
    falls, member, any_new = _falls(tree), _members(tree, nodes), False
    for k, node in enumerate(nodes):
        motion = tree.moved[node] / tree.area[node]
        if tree.area[node] < least_area or falls[node] > LATER_FALL:
            continue
        if motion < max(LEAST_MOTION * clear_motion, LATER_NOISE):
            continue
        cells = member == k
        if (area * (cells & far)).sum() >= 0.5 * tree.area[node]:
            inside[cells] = True
            level[cells] = full * LEVELS[_level_of(tree, node)]
            any_new = True
    return any_new


def _edges(shape: tuple[int, ...], links: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    number = np.arange(int(np.prod(shape)), dtype=np.int32).reshape(shape)
    pairs = (
        (number[:, :, :-1].reshape(-1), number[:, :, 1:].reshape(-1)),
        (number[:, :-1].reshape(-1), number[:, 1:].reshape(-1)),
        (links[:, 0], links[:, 1]),
    )
    first, second = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    return first, second


def _best(votes, area, residual, first, second, frames, cells):  # type: ignore[no-untyped-def]
    """Tree, chosen nodes and their scores; None where nothing qualifies."""
    tree = level_tree(votes, area, residual, first, second, LEVELS)
    count = tree.area.size
    if count == 0:
        return None
    steepness = tree.jump / np.maximum(tree.crossings, 1)
    scores = tree.mass * np.maximum(steepness, 1e-6) ** STEEPNESS * np.exp(-_falls(tree) / FALL)
    usable = (tree.area >= LEAST_AREA * frames * area.sum() / (frames * cells)) & (tree.area <= MOST_SHARE * area.sum())
    usable[tree.first[STEPS] :] = False  # the lowest levels
    usable[: tree.first[len(LEVELS) - STEPS]] = False
    scores[~usable] = 0
    # From the highest level down: the better of a component itself, and of the best sets within it.
    best = np.zeros(count)
    within = np.zeros(count)
    for level in range(len(LEVELS) - 1, -1, -1):
        nodes = slice(tree.first[level + 1], tree.first[level])
        best[nodes] = np.maximum(scores[nodes], within[nodes])
        if level:
            np.add.at(within, tree.parent[nodes], best[nodes])
    own = scores > within
    blocked = np.zeros(count, bool)
    for level in range(1, len(LEVELS)):
        nodes = slice(tree.first[level + 1], tree.first[level])
        parents = tree.parent[nodes]
        blocked[nodes] = blocked[parents] | own[parents]
    chosen = np.flatnonzero(own & ~blocked)
    return (tree, chosen, scores[chosen]) if chosen.size else None


def _falls(tree: LevelTree) -> NDArray[np.float64]:
    """Logarithm of a component's area `STEPS` levels below it, less that of what is left of it as many above."""
    levels, count = len(LEVELS), tree.area.size
    below = np.arange(count)
    inside = tree.area.copy()
    for _ in range(STEPS):
        below = np.where(tree.parent[below] >= 0, tree.parent[below], below)
        higher = np.zeros(count)
        for level in range(levels - 1, 0, -1):
            nodes = slice(tree.first[level + 1], tree.first[level])
            np.add.at(higher, tree.parent[nodes], inside[nodes])
        # Nodes of the highest level have none above them: what is left of them is what they are.
        top = slice(tree.first[levels], tree.first[levels - 1])
        higher[top] = inside[top]
        inside = higher
    fall: NDArray[np.float64] = np.log(np.maximum(tree.area[below], 1) / np.maximum(inside, 1))
    return fall


def _level_of(tree: LevelTree, node: int) -> int:
    return int(np.searchsorted(-tree.first, -node, side="left")) - 1


def _members(tree: LevelTree, nodes: NDArray) -> NDArray[np.int64]:
    """For each cell, which of the nodes it belongs to; -1: none."""
    place = np.full(tree.area.size, -1)
    place[nodes] = np.arange(nodes.size)
    for level in range(1, len(LEVELS)):
        own = slice(tree.first[level + 1], tree.first[level])
        parents = tree.parent[own]
        place[own] = np.where(place[own] >= 0, place[own], place[parents])
    return np.where(tree.of_cell >= 0, place[np.maximum(tree.of_cell, 0)], -1)


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
