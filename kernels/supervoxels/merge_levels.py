"""Merging of superpixels into a tree of regions, level by level, the most alike first.

    cost(A, B) = difference * size^(power / 2),   size = 1 / (1 / area A + 1 / area B)
    difference = (1 - link share) (1 - (1 - d) (1 - motion chi^2)),   d = color, partly contrast along the border

A level takes all merges below its limit, then the next one goes on from there. Regions that stood before the window, on
a level, are put together first and are never joined with each other on it; they keep what joins them. A cost is
computed again only when its turn comes, so that it never falls below one that was taken before.

Sequential, and on the host wherever the pixels are: thousands of nodes, not pixels.
"""

import numpy as np

from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.find_root import find_root

# Entries of `weights`: what share of the whole each term has, and where colour and contrast are as large as can be.
POWER, MOTION, CONTRAST, LINK, FULL_COLOR = range(5)


@cpu_kernel
def _chi_square(one, other, total, other_total):
    """Distance of two histograms in [0, 1]; 0 when one of them is empty."""
    if total <= 0 or other_total <= 0:
        return 0.0
    distance, scale, other_scale = 0.0, 1.0 / total, 1.0 / other_total
    for k in range(one.size):
        a, b = one[k] * scale, other[k] * other_scale
        if a + b > 0:
            distance += (a - b) * (a - b) / (a + b)
    return 0.5 * distance


@cpu_kernel
def _cost(a, b, areas, means, colors, motions, totals, border, weights):
    """areas: (n,); means: (n, 3) sums of L*a*b* by area; totals: (n, 2) of the histograms; border: (3,) of the edge."""
    square = 0.0
    for k in range(3):
        step = means[a, k] / areas[a] - means[b, k] / areas[b]
        square += step * step
    difference = 0.5 * min(1.0, np.sqrt(square) / weights[FULL_COLOR])
    difference += 0.5 * _chi_square(colors[a], colors[b], totals[a, 0], totals[b, 0])
    if border[0] > 0:
        contrast = min(1.0, border[1] / border[0] / weights[FULL_COLOR])
        difference += weights[CONTRAST] * (contrast - difference)
    if weights[MOTION] > 0:
        moves = weights[MOTION] * _chi_square(motions[a], motions[b], totals[a, 1], totals[b, 1])
        difference = 1.0 - (1.0 - difference) * (1.0 - moves)
    difference *= 1.0 - weights[LINK] * border[2]
    return difference * (1.0 / (1.0 / areas[a] + 1.0 / areas[b])) ** (0.5 * weights[POWER])


@cpu_kernel(forceinline=True)
def _before(costs, edges, i, j):
    return costs[i] < costs[j] or (costs[i] == costs[j] and edges[i] < edges[j])


@cpu_kernel
def _push(costs, edges, held, cost, edge):
    """A heap: the least cost first, of equal ones the first edge. Returns how many it holds."""
    i = held
    costs[i], edges[i] = cost, edge
    while i > 0:
        above = (i - 1) >> 1
        if not _before(costs, edges, i, above):
            break
        costs[i], costs[above] = costs[above], costs[i]
        edges[i], edges[above] = edges[above], edges[i]
        i = above
    return held + 1


@cpu_kernel
def _drop_first(costs, edges, held):
    held -= 1
    costs[0], edges[0] = costs[held], edges[held]
    i = 0
    while True:
        least, child = i, 2 * i + 1
        if child < held and _before(costs, edges, child, least):
            least = child
        if child + 1 < held and _before(costs, edges, child + 1, least):
            least = child + 1
        if least == i:
            return held
        costs[i], costs[least] = costs[least], costs[i]
        edges[i], edges[least] = edges[least], edges[i]
        i = least


@cpu_kernel
def _join(a, b, parent, areas, means, colors, motions, totals, own_edges, next_edge):
    """Node b becomes part of a; its list of edges follows that of a. own_edges: (n, 2), first and last of a list."""
    parent[b] = a
    areas[a] += areas[b]
    for k in range(3):
        means[a, k] += means[b, k]
    for k in range(2):
        totals[a, k] += totals[b, k]
    for k in range(colors.shape[1]):
        colors[a, k] += colors[b, k]
    for k in range(motions.shape[1]):
        motions[a, k] += motions[b, k]
    if own_edges[b, 0] >= 0:
        if own_edges[a, 0] < 0:
            own_edges[a, 0] = own_edges[b, 0]
        else:
            next_edge[own_edges[a, 1]] = own_edges[b, 0]
        own_edges[a, 1] = own_edges[b, 1]


@cpu_kernel
def _tidy(a, ends, parent, borders, gone, own_edges, next_edge, mark):
    """One edge of a to each neighbour is left, with the sums of all. mark: (n, 2) int32, scratch of -1, left so."""
    before, half = -1, own_edges[a, 0]
    while half >= 0:
        edge, following = half >> 1, next_edge[half]
        one, two = find_root(parent, ends[edge, 0]), find_root(parent, ends[edge, 1])
        other = two if one == a else one
        drop = gone[edge] or one == two
        if not drop and mark[other, 0] == a:
            kept = mark[other, 1]
            borders[kept, 0] += borders[edge, 0]
            borders[kept, 1] += borders[edge, 1]
            borders[kept, 2] = max(borders[kept, 2], borders[edge, 2])
            gone[edge] = drop = True
        if drop:
            if before < 0:
                own_edges[a, 0] = following
            else:
                next_edge[before] = following
            if following < 0:
                own_edges[a, 1] = before
        else:
            mark[other, 0], mark[other, 1] = a, edge
            before = half
        half = following
    half = own_edges[a, 0]
    while half >= 0:
        one, two = find_root(parent, ends[half >> 1, 0]), find_root(parent, ends[half >> 1, 1])
        mark[two if one == a else one, 0] = -1
        half = next_edge[half]


@cpu_kernel
def _lists(ends, own_edges, next_edge):
    """Each edge e stands in two lists: as 2 e in that of its first end, as 2 e + 1 in that of its second."""
    for half in range(2 * ends.shape[0]):
        node = ends[half >> 1, half & 1]
        if own_edges[node, 0] < 0:
            own_edges[node, 0] = half
        else:
            next_edge[own_edges[node, 1]] = half
        own_edges[node, 1] = half


@cpu_kernel
def merge_levels(ends, borders, areas, means, colors, motions, standing, limits, weights):
    """The root of every node on every level.

    ends: (m, 2) int32, different nodes; borders: (m, 3) float64: sides, contrast, share of pixels that are linked.
    areas: (n,) float64; means: (n, 3) float64, L*a*b* times area; colors, motions: (n, bins) float32, histograms.
    standing: (levels, n) int32, number of the region that a node belonged to before, from 0 to n - 1, or -1; nested.
    limits: (levels,) float64, rising; weights: (5,) float64.   borders, areas, means, colors and motions are changed.
    Returns (levels, n) int32: the first node of what each belongs to.
    """
    nodes, edges, levels = areas.size, ends.shape[0], limits.size
    parent = np.arange(nodes).astype(np.int32)
    totals = np.zeros((nodes, 2))
    for i in range(nodes):
        for k in range(colors.shape[1]):
            totals[i, 0] += colors[i, k]
        for k in range(motions.shape[1]):
            totals[i, 1] += motions[i, k]
    own_edges, next_edge = np.full((nodes, 2), -1, np.int32), np.full(2 * edges, -1, np.int32)
    _lists(ends, own_edges, next_edge)
    mark, gone = np.full((nodes, 2), -1, np.int32), np.zeros(edges, np.bool_)
    changed, computed = np.zeros(nodes, np.int32), np.zeros(edges, np.int32)  # in which merge
    costs, heap, held = np.empty(edges), np.empty(edges, np.int32), 0
    for edge in range(edges):
        cost = _cost(ends[edge, 0], ends[edge, 1], areas, means, colors, motions, totals, borders[edge], weights)
        held = _push(costs, heap, held, cost, edge)
    refused_costs, refused = np.empty(edges), np.empty(edges, np.int32)
    roots, owner, first = np.empty((levels, nodes), np.int32), np.empty(nodes, np.int32), np.empty(nodes, np.int32)
    merges = 0
    for level in range(levels):
        own = standing[level]
        owner[:], first[:] = -1, -1
        blocked, i = 0, 0
        while True:
            if i < nodes:
                # First what stood together before.
                region, node = own[i], i
                i += 1
                if region < 0:
                    continue
                if first[region] < 0:
                    first[region] = node
                    owner[find_root(parent, node)] = region
                    continue
                a, b = find_root(parent, first[region]), find_root(parent, node)
                if a == b:
                    continue
            else:
                if held == 0 or costs[0] > limits[level]:
                    break
                cost, edge = costs[0], heap[0]
                held = _drop_first(costs, heap, held)
                a, b = find_root(parent, ends[edge, 0]), find_root(parent, ends[edge, 1])
                if gone[edge] or a == b:
                    continue
                if max(changed[a], changed[b]) > computed[edge]:
                    computed[edge] = merges
                    cost = _cost(a, b, areas, means, colors, motions, totals, borders[edge], weights)
                    held = _push(costs, heap, held, cost, edge)
                    continue
                if owner[a] >= 0 and owner[b] >= 0:
                    refused_costs[blocked], refused[blocked] = cost, edge
                    blocked += 1
                    continue
            if b < a:
                a, b = b, a
            merges += 1
            owner[a] = max(owner[a], owner[b])
            _join(a, b, parent, areas, means, colors, motions, totals, own_edges, next_edge)
            _tidy(a, ends, parent, borders, gone, own_edges, next_edge, mark)
            changed[a] = merges
        # What stood apart here may stand together on the next level.
        for k in range(blocked):
            held = _push(costs, heap, held, refused_costs[k], refused[k])
        for node in range(nodes):
            roots[level, node] = find_root(parent, node)
    return roots
