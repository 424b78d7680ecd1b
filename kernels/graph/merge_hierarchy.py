"""All merges of a region adjacency graph, the cheapest first: sequential, on the host, as the lists are short.

    cost(a, b) = (edge * strength + color * |mean a - mean b| + histogram * chi2(a, b)) * (|a| |b| / (|a| + |b|))^size

`strength` is the mean along the whole border, the means and histograms are those of what has been merged so far. Equal
costs are taken by number of the pair; every pair has the number of its first one.
"""

import heapq

import numpy as np

from cvseg.kernels.cpu import cpu_kernel


@cpu_kernel
def _cost(a, b, border, areas, colors, histograms, weights):
    """border: (length, sum of strengths); weights: (4,) edge, color, histogram, size."""
    strength = border[1] / (2 * border[0])
    square = 0.0
    for c in range(3):
        difference = colors[a, c] / areas[a] - colors[b, c] / areas[b]
        square += difference * difference
    apart = 0.0
    if weights[2] > 0:
        for k in range(histograms.shape[1]):
            one, two = histograms[a, k] / areas[a], histograms[b, k] / areas[b]
            if one + two > 0:
                apart += (one - two) * (one - two) / (one + two)
        apart /= 6  # 0 to 1, of three channels
    size = areas[a] * areas[b] / (areas[a] + areas[b])
    return (weights[0] * strength + weights[1] * np.sqrt(square) + weights[2] * apart) * size ** weights[3]


@cpu_kernel
def merge_hierarchy(first, second, borders, areas, colors, histograms, weights):
    """Merge until nothing touches.

    first, second: (m,) int32, pairs of regions.   borders: (m, 2) float64, changed.   areas: (n,) float64, changed.
    colors: (n, 3), histograms: (n, bins) float64, sums, changed.   weights: (4,) float64.
    Returns merges (k, 2) int32, kept and given up region, and costs (k,) float64, in order.
    """
    regions, pairs = areas.size, first.size
    ends = np.empty((pairs, 2), np.int32)
    # Edges of a region as a list: what follows each edge at either end, and where the list of a region begins and ends.
    following = np.full((pairs, 2), -1, np.int64)
    heads, tails = np.full(regions, -1, np.int64), np.full(regions, -1, np.int64)
    versions = np.zeros(pairs, np.int64)  # -1 when the edge is gone
    heap = [(0.0, np.int64(0), np.int64(0))]
    heap.pop()
    for e in range(pairs):
        ends[e, 0], ends[e, 1] = first[e], second[e]
        for side in range(2):
            region = ends[e, side]
            if tails[region] < 0:
                heads[region] = 2 * e + side
            else:
                following[tails[region] >> 1, tails[region] & 1] = 2 * e + side
            tails[region] = 2 * e + side
        cost = _cost(first[e], second[e], borders[e], areas, colors, histograms, weights)
        heap.append((cost, np.int64(e), np.int64(0)))
    heapq.heapify(heap)
    merges, costs = np.empty((max(regions - 1, 0), 2), np.int32), np.empty(max(regions - 1, 0))
    count = 0
    marks = np.full(regions, -1, np.int64)
    while len(heap) > 0:
        cost, e, version = heapq.heappop(heap)
        if versions[e] != version:
            continue
        a, b = min(ends[e, 0], ends[e, 1]), max(ends[e, 0], ends[e, 1])
        versions[e] = -1
        merges[count, 0], merges[count, 1] = a, b
        costs[count] = cost
        count += 1
        areas[a] += areas[b]
        colors[a] += colors[b]
        histograms[a] += histograms[b]
        # The edges of both in one list; of two to the same region the first stays and takes the border of the other.
        following[tails[a] >> 1, tails[a] & 1] = heads[b]
        link, before = heads[a], np.int64(-1)
        heads[a] = -1
        while link >= 0:
            f, side = link >> 1, link & 1
            ahead = following[f, side]
            keep = versions[f] >= 0
            if keep:
                other = ends[f, 1 - side]
                known = marks[other]
                if known >= 0:
                    borders[known, 0] += borders[f, 0]
                    borders[known, 1] += borders[f, 1]
                    versions[f] = -1
                    keep = False
                else:
                    marks[other] = f
                    ends[f, side] = a
            if keep:
                if before < 0:
                    heads[a] = link
                else:
                    following[before >> 1, before & 1] = link
                before = link
            link = ahead
        tails[a] = before
        if before < 0:
            continue
        following[before >> 1, before & 1] = -1
        link = heads[a]
        while link >= 0:
            f, side = link >> 1, link & 1
            other = ends[f, 1 - side]
            marks[other] = -1
            versions[f] += 1
            cost = _cost(min(a, other), max(a, other), borders[f], areas, colors, histograms, weights)
            heapq.heappush(heap, (cost, f, versions[f]))
            link = following[f, side]
    return merges[:count], costs[:count]


@cpu_kernel
def merged_numbers(merges, regions):
    """(regions,) int32: what each belongs to after `merges`, numbered in order of the smallest member."""
    parent = np.arange(regions).astype(np.int32)
    for k in range(merges.shape[0]):
        parent[merges[k, 1]] = merges[k, 0]  # the smaller one is kept
    numbers = np.empty(regions, np.int32)
    count = 0
    for i in range(regions):
        if parent[i] == i:
            numbers[i] = count
            count += 1
        else:
            # A parent precedes its child: it has its number.
            numbers[i] = numbers[parent[i]]
    return numbers
