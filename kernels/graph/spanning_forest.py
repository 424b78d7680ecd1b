"""Seeds grow along the minimum spanning forest: a pixel belongs to the seed from which the lightest path leads to it.

    order of edges: weight, then distance of the nearer end from its nearest seed, then number of the edge
    from the first to the last: an edge joins two components unless both hold a seed

No two edges are equal in this order, so there is one forest, and any algorithm finds it. The CPU half sorts the edges
and goes through them (Kruskal); in the CUDA half every component without a seed takes its first edge, in rounds that
at least halve their number (Boruvka). On ground of one weight the distances decide: seeds share it by nearness.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.find_root import find_root
from cvseg.kernels.graph.edge_weights import NO_EDGE, WEIGHTS
from cvseg.kernels.graph.seed_distance import seed_distance
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _edge_nearness(first_row, end_row, weights, distance, seeds, nearness):
    """nearness: (height, width, directions) uint16: distance of the nearer end; 65535 where nothing can be joined."""
    width, directions = weights.shape[1:]
    steps_x, steps_y = (1, 0, 1, -1), (0, 1, 1, 1)
    for y in range(first_row, end_row):
        for x in range(width):
            for d in range(directions):
                nearness[y, x, d] = NO_EDGE
                if weights[y, x, d] >= WEIGHTS:
                    continue
                v, u = y + steps_y[d], x + steps_x[d]
                one, two = seeds[y, x], seeds[v, u]
                if one < 0 or two < 0 or (one > 0 and two > 0):
                    continue
                nearness[y, x, d] = min(distance[y, x], distance[v, u], np.uint16(NO_EDGE - 1))


@cpu_kernel
def _sort_edges(weights, nearness, scratch, order):
    """order: numbers of edges by weight, nearness, number. Returns how many there are."""
    edges = weights.size
    most = 0
    for e in range(np.uint64(edges)):
        if nearness[e] != NO_EDGE and nearness[e] > most:
            most = nearness[e]
    near_places = np.zeros(most + 2, np.int64)
    places = np.zeros(WEIGHTS + 1, np.int64)
    for e in range(np.uint64(edges)):
        if nearness[e] != NO_EDGE:
            near_places[nearness[e] + 1] += 1
            places[weights[e] + 1] += 1
    for near in range(most + 1):
        near_places[near + 1] += near_places[near]
    for weight in range(WEIGHTS):
        places[weight + 1] += places[weight]
    count = places[WEIGHTS]
    for e in range(np.uint64(edges)):
        near = nearness[e]
        if near != NO_EDGE:
            scratch[near_places[near]] = e
            near_places[near] += 1
    for k in range(np.uint64(count)):
        e = scratch[k]
        weight = weights[e]
        order[places[weight]] = e
        places[weight] += 1
    return count


@cpu_kernel
def _grow(order, count, directions, width, seeds, parent, labels):
    steps = np.array([1, width, width + 1, width - 1], np.int32)
    shift = 1 if directions == 2 else 2
    waiting = 0  # components without a seed
    for i in range(parent.size):
        parent[i] = i
        labels[i] = max(seeds[i], 0)
        waiting += seeds[i] == 0
    for j in range(count):
        e = order[j]
        pixel = e >> shift
        a = find_root(parent, pixel)
        b = find_root(parent, pixel + steps[e & (directions - 1)])
        if a == b or (labels[a] > 0 and labels[b] > 0):
            continue
        # A component with a seed stays the root; of two without, the smaller index does.
        if labels[b] > 0 or (labels[a] == 0 and b < a):
            a, b = b, a
        parent[b] = a
        waiting -= 1
        if waiting == 0:
            break


@cpu_kernel
def _write_labels(parent, labels):
    for i in range(parent.size):
        # A root keeps its label; who is none yet takes it from there.
        labels[i] = labels[find_root(parent, i)]


def _spanning_forest_cpu(weights, seeds):
    height, width, directions = weights.shape
    labels, parent = (recycled_empty((height * width,), np.int32) for _ in range(2))
    order, scratch = (recycled_empty((weights.size,), np.int32) for _ in range(2))
    nearness = recycled_empty(weights.shape, np.uint16)
    run_bands(_edge_nearness, height, weights, seed_distance.cpu(seeds), seeds, nearness)
    count = _sort_edges(weights.reshape(-1), nearness.reshape(-1), scratch, order)
    _grow(order, count, directions, width, seeds.reshape(-1), parent, labels)
    _write_labels(parent, labels)
    return labels.reshape(height, width)


def _spanning_forest_cuda(weights, seeds):
    xp = array_module(weights)
    height, width, directions = weights.shape
    pixels, edges = height * width, weights.size
    distance = seed_distance.cuda(seeds)
    labels, parent, target = (xp.empty((height, width), np.int32) for _ in range(3))
    best = xp.empty((height, width), np.uint64)
    rounds = max(1, pixels.bit_length())  # components without a seed at least halve
    joined = xp.zeros(rounds + 1, np.int32)
    sizes = np.int32(pixels), np.int32(width), np.int32(directions)
    _cuda.launch_linear("spanning_forest_start", pixels, seeds, labels, parent, best, joined, sizes[0])
    for number in range(rounds):
        now = joined, np.int32(number)
        forest = labels, parent, best
        _cuda.launch_linear(
            "spanning_forest", edges, weights, distance, seeds, *forest, *now, np.int32(edges), *sizes[1:]
        )
        _cuda.launch_linear("spanning_forest_join", pixels, *forest, target, *now, *sizes)
        _cuda.launch_linear("spanning_forest_flatten", pixels, parent, best, target, *now, sizes[0])
    _cuda.launch_linear("spanning_forest_end", pixels, parent, labels, sizes[0])
    return labels


def _sample(rng, size_hw):
    weights = rng.integers(0, 60, (*size_hw, 4)).astype(np.uint16)
    weights[: size_hw[0] // 2] //= 20  # many equal ones
    weights[:, -1, 0] = weights[-1, :, 1:] = weights[:, -1, 2] = weights[:, 0, 3] = NO_EDGE
    seeds = np.where(rng.random(size_hw) < 0.01, rng.integers(1, 5, size_hw), 0).astype(np.int32)
    seeds[size_hw[0] // 2, size_hw[1] // 3 :] = -1  # a wall
    return weights, seeds


spanning_forest = Kernel(
    "spanning_forest", cpu=_spanning_forest_cpu, cuda=_spanning_forest_cuda, sample=_sample, atol=0
)
