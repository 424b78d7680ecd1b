"""level_tree: its components, what lies in them and what leads out of them, against a search at every level."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cvseg.kernels.consensus.level_tree import level_tree

SIXTEENTHS = np.arange(1, 16) / 16
NO_EDGES = np.zeros((0, 2), np.int32)


def components_of(inside, edges):
    """The sets of cells that are connected within `inside`."""
    kept = edges[inside[edges].all(axis=1)]
    graph = coo_array((np.ones(len(kept)), (kept[:, 0], kept[:, 1])), shape=(inside.size, inside.size))
    _, label = connected_components(graph, directed=False)
    return [frozenset(np.flatnonzero(inside & (label == number)).tolist()) for number in np.unique(label[inside])]


def slow_nodes(votes, areas, residuals, edges, levels):
    """(level, cells) to (cells of the parent, area, mass, moved, jump, crossings)."""
    votes, residuals = votes.astype(np.float64), residuals.astype(np.float64)
    nodes, below = {}, []
    for number, level in enumerate(levels):
        found = components_of(votes > level, edges)
        for cells in found:
            own = np.array(sorted(cells))
            out = edges[np.isin(edges, own).sum(axis=1) == 1]
            nodes[number, cells] = (
                next((parent for parent in below if cells <= parent), None),
                areas[own].sum(),
                (areas * votes)[own].sum(),
                (areas * residuals)[own].sum(),
                np.abs(votes[out[:, 0]] - votes[out[:, 1]]).sum(),
                len(out),
            )
        below = found
    return nodes


def nodes_of(tree, levels):
    """The same of a `LevelTree`; the cells of a node are those of all nodes within it."""
    cells = [set(np.flatnonzero(tree.of_cell == node).tolist()) for node in range(tree.area.size)]
    for node, parent in enumerate(
        tree.parent
    ):  # the highest level first, so a node is whole before its parent needs it
        if parent >= 0:
            cells[parent] |= cells[node]
    nodes = {}
    for level in range(len(levels)):
        for node in range(tree.first[level + 1], tree.first[level]):
            parent = frozenset(cells[tree.parent[node]]) if tree.parent[node] >= 0 else None
            sums = (column[node] for column in (tree.area, tree.mass, tree.moved, tree.jump, tree.crossings))
            nodes[level, frozenset(cells[node])] = (parent, *sums)
    return nodes


def assert_equal_to_slow_search(votes, areas, residuals, edges, levels=SIXTEENTHS):
    tree = level_tree(votes, areas, residuals, edges[:, 0].copy(), edges[:, 1].copy(), levels)
    assert tree.first[len(levels)] == 0
    assert tree.first[0] == tree.area.size == len(slow_nodes(votes, areas, residuals, edges, levels))
    assert nodes_of(tree, levels) == slow_nodes(votes, areas, residuals, edges, levels)
    return tree


@pytest.mark.parametrize("density", [0.0, 0.5, 1.0, 2.0, 6.0])
@pytest.mark.parametrize("cells", [1, 2, 3, 5, 8, 13, 24])
@pytest.mark.parametrize("seed", range(5))
def test_all_nodes_equal_those_of_a_slow_search(seed, cells, density):
    rng = np.random.default_rng(seed)
    # All numbers are multiples of powers of two, so that sums are exact; many votes lie exactly on a level. Edges are
    # drawn with replacement: some occur twice, some in both directions, some lead from a cell to itself.
    votes = (rng.integers(0, 33, cells) / 32).astype(np.float32)
    residuals = (rng.integers(0, 40, cells) / 8).astype(np.float32)
    areas = rng.integers(0, 90, cells).astype(np.float64)
    edges = rng.integers(0, cells, (int(density * cells), 2)).astype(np.int32)
    assert_equal_to_slow_search(votes, areas, residuals, edges)


@pytest.mark.parametrize("seed", range(20))
def test_levels_that_no_cell_tells_apart_repeat_the_components(seed):
    rng = np.random.default_rng(seed)
    votes = rng.choice(np.float32([0.0, 0.5, 1.0]), 12)
    edges = rng.integers(0, 12, (10, 2)).astype(np.int32)
    assert_equal_to_slow_search(votes, np.ones(12), votes, edges, np.array([0.1, 0.2, 0.3, 0.6, 0.7, 1.0, 1.5]))


def chain(*votes):
    votes = np.float32(votes)
    edges = np.array([[i, i + 1] for i in range(votes.size - 1)], np.int32).reshape(-1, 2)
    return votes, np.full(votes.size, 10.0), np.full(votes.size, 2, np.float32), edges


def test_two_peaks_part_where_the_saddle_between_them_is_left():
    tree = assert_equal_to_slow_search(*chain(0, 1, 0.5, 0.75, 0), np.array([0.25, 0.6]))
    # Nodes 0 and 1 above 0.6: the peaks; node 2 above 0.25: both and the saddle.
    assert_array_equal(tree.first, [3, 2, 0])
    assert_array_equal(tree.parent, [2, 2, -1])
    assert_array_equal(tree.of_cell, [-1, 0, 2, 1, -1])
    assert_array_equal(tree.area, [10, 10, 30])
    assert_array_equal(tree.mass, [10, 7.5, 22.5])
    assert_array_equal(tree.moved, [20, 20, 60])
    assert_array_equal(tree.jump, [1.5, 1.0, 1.75])
    assert_array_equal(tree.crossings, [2, 2, 2])


def test_a_vote_exactly_on_a_level_is_not_above_it():
    votes, areas, residuals, edges = chain(0.5, 0.5, 0.75)
    tree = assert_equal_to_slow_search(votes, areas, residuals, edges, np.array([0.25, 0.5, 0.75]))
    assert_array_equal(tree.of_cell, [1, 1, 0])
    assert_array_equal(tree.first, [2, 1, 0, 0])


def test_levels_are_compared_in_float64():
    # float32(0.3) is a little more than 0.3, float32(0.7) a little less than 0.7.
    votes = np.float32([0.3, 0.7])
    tree = assert_equal_to_slow_search(votes, np.ones(2), votes, NO_EDGES, np.array([0.3, 0.7]))
    assert_array_equal(tree.of_cell, [0, 1])
    assert_array_equal(tree.parent, [-1, -1])


@pytest.mark.parametrize("turned", [False, True], ids=["same direction", "both directions"])
def test_an_edge_that_occurs_twice_counts_twice_and_joins_once(turned):
    edge = np.int32([[0, 1], [1, 0] if turned else [0, 1]])
    votes = np.float32([0.25, 1])
    tree = assert_equal_to_slow_search(votes, np.ones(2), votes, edge, np.array([0.125, 0.5]))
    assert_array_equal(tree.crossings, [2, 0])
    assert_array_equal(tree.jump, [1.5, 0])
    assert_array_equal(tree.area, [1, 2])


def test_an_edge_from_a_cell_to_itself_leads_nowhere():
    votes = np.float32([1])
    tree = assert_equal_to_slow_search(votes, np.ones(1), votes, np.int32([[0, 0]]), np.array([0.5]))
    assert_array_equal(tree.crossings, [0])


def test_a_single_cell_is_a_chain_of_nodes_below_its_vote():
    votes = np.float32([0.5])
    tree = assert_equal_to_slow_search(votes, np.full(1, 7.0), votes, NO_EDGES)
    assert_array_equal(tree.parent, [1, 2, 3, 4, 5, 6, -1])
    assert_array_equal(tree.area, np.full(7, 7.0))


@pytest.mark.parametrize(
    ("cells", "levels"), [(0, SIXTEENTHS), (5, SIXTEENTHS), (5, np.zeros(0))], ids=["no cells", "all low", "no levels"]
)
def test_where_nothing_is_above_a_level_there_are_no_nodes(cells, levels):
    votes = np.zeros(cells, np.float32)
    tree = level_tree(votes, np.ones(cells), votes, *np.zeros((2, 0), np.int32), levels)
    assert tree.area.size == tree.parent.size == tree.jump.size == 0
    assert_array_equal(tree.first, np.zeros(len(levels) + 1))
    assert_array_equal(tree.of_cell, np.full(cells, -1))
