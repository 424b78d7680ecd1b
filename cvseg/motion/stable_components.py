"""Components of cells that stand out, each at the level where it is most stable; none contains another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.kernels.consensus.level_tree import LevelTree, level_tree
from cvseg.options import Options, option

LEVELS = np.arange(0.1, 0.951, 0.025)
STEPS = 2  # levels up and down over which stability is measured
LEAST_AREA = 0.4  # of a usual cell, per frame; smaller says nothing
MOST_SHARE = 0.6  # of all pixels; what covers more is background


@dataclass(frozen=True, kw_only=True)
class ScoreOptions(Options):
    """How components of different levels are compared."""

    steepness: float = option(
        2.75,
        "exponent of the steepness of the border; larger prefers sharp outlines to large areas",
        low=0.0,
        high=20.0,
    )
    fall: float = option(
        0.4, "loss of log area over four levels at which a score falls to 37 %; larger forgives more", low=1e-3
    )


@dataclass(frozen=True)
class CellGraph:
    """The cells of a window of frames, and which of them touch or follow each other.

    Attributes
    ----------
    area : (frames, rows, columns) float64, pixels
    residual : (frames, rows, columns) float32, motion against the camera, in units of its noise
    first, second : (edges) int32, numbers of cells, counted through
    """

    area: NDArray[np.float64]
    residual: NDArray[np.float32]
    first: NDArray[np.int32]
    second: NDArray[np.int32]

    @classmethod
    def of_window(cls, areas: NDArray, residuals: NDArray[np.float32], links: NDArray[np.int32]) -> CellGraph:
        """Edges to the four neighbours of the same frame, and those of `links`, (n, 2) int32."""
        number = np.arange(areas.size, dtype=np.int32).reshape(areas.shape)
        first = (number[:, :, :-1].reshape(-1), number[:, :-1].reshape(-1), links[:, 0])
        second = (number[:, :, 1:].reshape(-1), number[:, 1:].reshape(-1), links[:, 1])
        return cls(areas.astype(np.float64), residuals, np.concatenate(first), np.concatenate(second))


@dataclass(frozen=True)
class Components:
    """Components of cells, none within another.

    Attributes
    ----------
    of_cell : (frames, rows, columns) int64, which component each cell belongs to; -1: none
    level, score, fall, steepness : (components) float64, see `stable_components`
    area, mass : (components) float64, pixels, and pixels times votes
    motion : (components) float64, mean residual
    """

    of_cell: NDArray[np.int64]
    level: NDArray[np.float64]
    score: NDArray[np.float64]
    fall: NDArray[np.float64]
    steepness: NDArray[np.float64]
    area: NDArray[np.float64]
    mass: NDArray[np.float64]
    motion: NDArray[np.float64]


def stable_components(votes: NDArray[np.float32], graph: CellGraph, options: ScoreOptions | None = None) -> Components:
    """The set of components with the best sum of scores, of all sets in which none contains another.

    Parameters
    ----------
    votes : (frames, rows, columns) float32 in [0, 1]
    graph : CellGraph of the same window
    options : ScoreOptions; None takes the defaults

    Returns
    -------
    Components : possibly none

    Notes
    -----
    Cells above a level form components; over all `LEVELS` these form a tree. A component scores

        mass * steepness ** options.steepness * exp(-fall / options.fall)

    with the mass its area times its votes, the steepness the mean difference of votes across its border, and the fall
    the logarithm of its area `STEPS` levels below, less that of what is left of it as many levels above.

    References
    ----------
    [Matas2002]_ for the stability of extremal regions. Departures: components of a graph in space and time instead of
    pixels; the logarithm of the area; steepness and mass; the best set of components instead of all local minima.
    """
    options = options or ScoreOptions()
    area, residual = graph.area.reshape(-1), graph.residual.reshape(-1)
    tree = level_tree(votes.reshape(-1), area, residual, graph.first, graph.second, LEVELS)
    # Nodes of each level, from the highest to the lowest.
    spans = [slice(tree.first[level + 1], tree.first[level]) for level in reversed(range(len(LEVELS)))]
    number = np.repeat(np.arange(len(LEVELS))[::-1], [span.stop - span.start for span in spans])
    fall = _falls(tree, spans)
    steepness = tree.jump / np.maximum(tree.crossings, 1)
    score = tree.mass * np.maximum(steepness, 1e-6) ** options.steepness * np.exp(-fall / options.fall)
    usable = (tree.area >= LEAST_AREA * len(votes) * area.sum() / votes.size) & (tree.area <= MOST_SHARE * area.sum())
    score[~usable | (number < STEPS) | (number >= len(LEVELS) - STEPS)] = 0
    nodes = _best_set(tree, spans, score)
    of_cell = _members(tree, spans, nodes).reshape(votes.shape)
    return Components(
        of_cell=of_cell,
        level=LEVELS[number[nodes]],
        score=score[nodes],
        fall=fall[nodes],
        steepness=steepness[nodes],
        area=tree.area[nodes],
        mass=tree.mass[nodes],
        motion=tree.moved[nodes] / tree.area[nodes],
    )


def _falls(tree: LevelTree, spans: list[slice]) -> NDArray[np.float64]:
    """Logarithm of a component's area `STEPS` levels below it, less that of what is left of it as many above."""
    below = np.arange(tree.area.size)
    left = tree.area.copy()
    for _ in range(STEPS):
        below = np.where(tree.parent[below] >= 0, tree.parent[below], below)
        higher = np.zeros(tree.area.size)
        for nodes in spans[:-1]:
            np.add.at(higher, tree.parent[nodes], left[nodes])
        # Nodes of the highest level have none above them: what is left of them is what they are.
        higher[spans[0]] = left[spans[0]]
        left = higher
    fall: NDArray[np.float64] = np.log(np.maximum(tree.area[below], 1) / np.maximum(left, 1))
    return fall


def _best_set(tree: LevelTree, spans: list[slice], score: NDArray[np.float64]) -> NDArray[np.int64]:
    """From the highest level down: the better of a component itself, and of the best sets within it."""
    within = np.zeros(score.size)
    for nodes in spans[:-1]:
        np.add.at(within, tree.parent[nodes], np.maximum(score[nodes], within[nodes]))
    better = score > within
    contained = np.zeros(score.size, np.bool_)
    for nodes in reversed(spans[:-1]):
        parents = tree.parent[nodes]
        contained[nodes] = contained[parents] | better[parents]
    return np.flatnonzero(better & ~contained)


def _members(tree: LevelTree, spans: list[slice], nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each cell, which of the nodes it belongs to; -1: none."""
    place = np.full(tree.area.size + 1, -1)  # the last one for cells above no level
    place[nodes] = np.arange(nodes.size)
    for own in reversed(spans[:-1]):
        place[own] = np.where(place[own] >= 0, place[own], place[tree.parent[own]])
    return place[tree.of_cell]
