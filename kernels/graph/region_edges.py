"""The edges of a graph of pixels that lead from one region to another, in order of weight, then of number.

first(k), second(k) = regions at the two ends of edge k        weights(k) <= weights(k + 1)
"""

import numpy as np

from cvseg.arrays import array_module, to_host
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.graph.edge_weights import NO_EDGE, WEIGHTS
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _collect(weights, regions, found):
    """found: numbers of the edges in raster order. Returns how many they are."""
    height, width, directions = weights.shape
    flat, labels = weights.reshape(-1), regions.reshape(-1)
    steps = np.array([1, width, width + 1, width - 1], np.uint64)
    last = np.uint64(height * width - 1)
    count, e = np.uint64(0), np.uint64(0)
    # No branches: which pixels lie at a boundary cannot be guessed. Places outside are moved in, and not counted.
    for pixel in range(np.uint64(height * width)):
        region = labels[pixel]
        for d in range(np.uint64(directions)):
            found[count] = e
            count += np.uint64((flat[e] < WEIGHTS) & (labels[min(pixel + steps[d], last)] != region))
            e += np.uint64(1)
    return np.int64(count)


@cpu_kernel
def _list_edges(weights, regions, width, directions, found, first, second, listed):
    steps = np.array([1, width, width + 1, width - 1], np.int64)
    shift = 1 if directions == 2 else 2
    places = np.zeros(WEIGHTS + 1, np.int64)
    for k in range(found.size):
        places[weights[found[k]] + 1] += 1
    for weight in range(WEIGHTS):
        places[weight + 1] += places[weight]
    for k in range(found.size):
        e = found[k]
        weight = weights[e]
        place = places[weight]
        places[weight] = place + 1
        pixel = e >> shift
        first[place] = regions[pixel]
        second[place] = regions[pixel + steps[e & (directions - 1)]]
        listed[place] = weight


def _region_edges_cpu(weights, regions):
    found = recycled_empty((weights.size,), np.int32)
    count = _collect(weights, regions, found)
    first, second, listed = np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count, np.uint16)
    _, width, directions = weights.shape
    lists = found[:count], first, second, listed
    _list_edges(weights.reshape(-1), regions.reshape(-1), width, directions, *lists)
    return first, second, listed


def _region_edges_cuda(weights, regions):
    xp = array_module(weights)
    _, width, directions = weights.shape
    keys, counted = xp.empty(max(weights.size, 1), np.int64), xp.zeros(1, np.int32)
    sizes = np.int32(weights.size), np.int32(width), np.int32(directions)
    _cuda.launch_linear("region_edges", weights.size, weights, regions, keys, counted, *sizes)
    count = int(to_host(counted)[0])
    # Threads wrote in any order; a key is a weight and the number of an edge, so the sorted list is one and the same.
    keys = xp.ascontiguousarray(keys[:count])
    keys.sort()
    first, second, listed = xp.empty(count, np.int32), xp.empty(count, np.int32), xp.empty(count, np.uint16)
    sizes = np.int32(count), np.int32(width), np.int32(directions)
    _cuda.launch_linear("region_edges_list", count, keys, regions, first, second, listed, *sizes)
    return first, second, listed


def _sample(rng, size_hw):
    weights = rng.integers(0, 120, (*size_hw, 4)).astype(np.uint16)
    weights[rng.random(weights.shape) < 0.4] = NO_EDGE
    weights[:, -1, 0] = weights[-1, :, 1:] = weights[:, -1, 2] = weights[:, 0, 3] = NO_EDGE
    return weights, rng.integers(0, 3, size_hw, dtype=np.int32)


region_edges = Kernel("region_edges", cpu=_region_edges_cpu, cuda=_region_edges_cuda, sample=_sample, atol=0)
