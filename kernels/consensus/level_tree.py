"""Components of a graph above each of several levels, as a tree: each lies within one of the level below.

Runs on the host on both devices: one pass over some hundred thousand edges, in the order of their levels, is
sequential by nature and shorter than the votes that it follows.
"""

from typing import NamedTuple

import numpy as np

from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.find_root import find_root


class LevelTree(NamedTuple):
    """Node j is a component of the cells above a level. Nodes of a level follow each other, the highest level first.

    first : (levels + 1) int64; nodes of level l are first[l + 1] .. first[l] - 1
    parent : (nodes) int32, the node of the level below that contains this one; -1 at level 0
    area, mass, moved : (nodes) float64, sums over its cells of the areas, and of areas times votes and times residuals
    jump, crossings : (nodes) float64 and int64; sum of the differences of votes over the edges that lead out of it, and
        their number
    of_cell : (cells) int32, the node of the highest level that the cell exceeds; -1 where it exceeds none
    """

    first: np.ndarray
    parent: np.ndarray
    area: np.ndarray
    mass: np.ndarray
    moved: np.ndarray
    jump: np.ndarray
    crossings: np.ndarray
    of_cell: np.ndarray


@cpu_kernel
def _neighbours(first, second, count, begin, other):
    """Edges by cell: those of cell i are other[begin[i]] .. other[begin[i + 1] - 1]."""
    for i in range(count + 1):
        begin[i] = 0
    for j in range(first.size):
        begin[first[j] + 1] += 1
        begin[second[j] + 1] += 1
    for i in range(count):
        begin[i + 1] += begin[i]
    place = begin[:count].copy()
    for j in range(first.size):
        a, b = first[j], second[j]
        other[place[a]] = b
        place[a] += 1
        other[place[b]] = a
        place[b] += 1


@cpu_kernel
def _grow(rank, votes, areas, residuals, order, starts, begin, other, sums, crossings, root, of_cell, nodes):
    """Cells join in the order of their ranks; after each level every component becomes a node.

    rank: levels that a cell exceeds. order, starts: cells of rank r are order[starts[r]] .. order[starts[r + 1] - 1].
    sums: (cells, 4) of the component whose root the cell is. nodes: parent, area, mass, moved, jump, crossings, member.
    """
    parents, node_sums, node_crossings, member, first = nodes
    levels = starts.size - 2
    active = np.zeros(rank.size, np.bool_)
    roots = np.empty(rank.size, np.int32)
    number = np.full(rank.size, np.int32(-1), np.int32)
    count, live = 0, 0
    first[levels] = 0
    for level in range(levels - 1, -1, -1):
        above = 0 if level == levels - 1 else first[level + 2]
        for k in range(starts[level + 1], starts[level + 2]):
            i = order[k]
            active[i] = True
            root[i] = i
            sums[i, 0] = areas[i]
            sums[i, 1] = areas[i] * np.float64(votes[i])
            sums[i, 2] = areas[i] * np.float64(residuals[i])
            sums[i, 3] = 0
            crossings[i] = 0
            roots[live] = i
            live += 1
            for e in range(begin[i], begin[i + 1]):
                j = other[e]
                if j == i:
                    continue
                jump = abs(np.float64(votes[i]) - np.float64(votes[j]))
                if active[j]:
                    a, b = find_root(root, i), find_root(root, j)
                    sums[b, 3] -= jump
                    crossings[b] -= 1
                    if a != b:
                        low, high = min(a, b), max(a, b)
                        root[high] = low
                        for s in range(4):
                            sums[low, s] += sums[high, s]
                        crossings[low] += crossings[high]
                else:
                    a = find_root(root, i)
                    sums[a, 3] += jump
                    crossings[a] += 1
        kept = 0
        begin_nodes = count
        for k in range(live):
            i = roots[k]
            if root[i] == i:
                roots[kept] = i
                kept += 1
                number[i] = count
                parents[count] = -1
                member[count] = i
                for s in range(4):
                    node_sums[count, s] = sums[i, s]
                node_crossings[count] = crossings[i]
                count += 1
        live = kept
        first[level] = count
        if level < levels - 1:
            for node in range(above, begin_nodes):
                parents[node] = number[find_root(root, member[node])]
        for k in range(starts[level + 1], starts[level + 2]):
            of_cell[order[k]] = number[find_root(root, order[k])]
    return count


def level_tree(votes, areas, residuals, first, second, levels):
    """The components above each level, and what lies in them.

    Parameters
    ----------
    votes : (cells) float32
    areas : (cells) float64, pixels of each cell
    residuals : (cells) float32
    first, second : (edges) int32, the cells that each edge joins; an edge may occur twice
    levels : (levels) float64, rising

    Returns
    -------
    LevelTree; a cell is above a level where its vote is larger
    """
    cells = votes.size
    rank = np.searchsorted(levels, votes.astype(np.float64)).astype(np.int32)
    order = np.argsort(rank, kind="stable").astype(np.int32)
    starts = np.searchsorted(rank[order], np.arange(levels.size + 2)).astype(np.int64)
    begin = np.empty(cells + 1, np.int64)
    other = np.empty(2 * first.size, np.int32)
    _neighbours(first, second, cells, begin, other)
    # No level has more components than cells above it.
    most = int(sum(cells - starts[1:-1]))
    parents, member = np.empty(most, np.int32), np.empty(most, np.int32)
    node_sums, node_crossings = np.empty((most, 4), np.float64), np.empty(most, np.int64)
    ends = np.zeros(levels.size + 1, np.int64)
    sums, crossings = np.empty((cells, 4), np.float64), np.empty(cells, np.int64)
    root, of_cell = np.empty(cells, np.int32), np.full(cells, -1, np.int32)
    nodes = (parents, node_sums, node_crossings, member, ends)
    count = _grow(rank, votes, areas, residuals, order, starts, begin, other, sums, crossings, root, of_cell, nodes)
    area, mass, moved, jump = (column.copy() for column in node_sums[:count].T)
    return LevelTree(ends, parents[:count].copy(), area, mass, moved, jump, node_crossings[:count].copy(), of_cell)
