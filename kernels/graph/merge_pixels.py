"""Graph-based segmentation: edges from the lightest to the heaviest join two components if both find them light enough.

    a component accepts an edge if   weight <= internal + scale / size,   internal = the heaviest edge that made it

With whole weights all edges of one weight can be taken at once. A component that does not accept the weight never
changes again, as all its edges to others are at least as heavy. One that does goes on accepting it whatever it is
joined with, as the weight is its internal one then. So the components after a weight are connected components, and the
result is that of the sequential method in any order of equal edges: the CPU half sorts the edges and goes through them
one by one, the CUDA half takes weight after weight, all edges of one at once.

Results are (height, width): the first pixel of the component; its size and internal weight at that pixel, 0 elsewhere.
"""

import numpy as np

from cvseg.arrays import array_module, to_host
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.find_root import find_root
from cvseg.kernels.graph.edge_weights import NO_EDGE, WEIGHTS
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

BLOCK = 1024  # threads of the one block that takes several weights in a row
FEW = 2048  # edges of a weight that one block takes alone


@cpu_kernel
def _sort_edges(weights, found, order):
    """order: numbers of edges by weight, then number; found: scratch. Returns how many there are."""
    # Which edges there are is as good as random: a branch would be guessed wrongly half of the time.
    count = np.uint64(0)
    for e in range(np.uint64(weights.size)):
        found[count] = e
        count += np.uint64(weights[e] < WEIGHTS)
    places = np.zeros(WEIGHTS + 1, np.int64)
    for k in range(count):
        places[weights[np.uint64(found[k])] + 1] += 1
    for weight in range(WEIGHTS):
        places[weight + 1] += places[weight]
    for k in range(count):
        e = found[k]
        weight = weights[np.uint64(e)]
        place = places[weight]
        order[place] = e
        places[weight] = place + 1
    return np.int64(count)


@cpu_kernel
def _merge(weights, order, count, directions, width, scale, parent, sizes, limits):
    """limits: the heaviest weight that a component accepts, kept at its root: one number to look at, not two."""
    steps = np.array([1, width, width + 1, width - 1], np.int32)
    shift = 1 if directions == 2 else 2
    for i in range(parent.size):
        parent[i] = i
        sizes[i] = 1
        limits[i] = min(scale, WEIGHTS)
    for j in range(count):
        e = order[j]
        pixel = e >> shift
        a = find_root(parent, pixel)
        b = find_root(parent, pixel + steps[e & (directions - 1)])
        if a == b:
            continue
        weight = np.int32(weights[e])
        if weight <= limits[a] and weight <= limits[b]:
            # The smaller index stays the root: it is the first pixel in raster order.
            first, second = min(a, b), max(a, b)
            size = sizes[first] + sizes[second]
            parent[second] = first
            sizes[first] = size
            limits[first] = weight + min(scale // size, WEIGHTS)


@cpu_kernel
def _flatten(parent, sizes, limits, scale):
    """Point to roots, and turn limits into internal weights."""
    for i in range(parent.size):
        # A parent precedes its child, so it points to its root already.
        parent[i] = parent[parent[i]]
        if parent[i] == i:
            limits[i] -= min(scale // sizes[i], WEIGHTS)
        else:
            sizes[i] = 0
            limits[i] = 0


def _merge_pixels_cpu(weights, scale):
    height, width, directions = weights.shape
    parent, sizes, limits = (recycled_empty((height * width,), np.int32) for _ in range(3))
    flat = weights.reshape(-1)
    found, order = (recycled_empty((flat.size,), np.int32) for _ in range(2))
    count = _sort_edges(flat, found, order)
    _merge(flat, order, count, directions, width, scale, parent, sizes, limits)
    _flatten(parent, sizes, limits, scale)
    return tuple(array.reshape(height, width) for array in (parent, sizes, limits))


def _merge_pixels_cuda(weights, scale):
    xp = array_module(weights)
    height, width, directions = weights.shape
    pixels, edges = np.int32(height * width), np.int32(weights.size)
    counts, changes = xp.zeros(WEIGHTS, np.int32), xp.zeros(WEIGHTS, np.int32)
    parent, sizes, internal = (xp.empty((height, width), np.int32) for _ in range(3))
    _cuda.launch_linear("merge_pixels_start", int(pixels), parent, sizes, internal, pixels)
    _cuda.launch_linear("merge_pixels_count", int(edges), weights, counts, edges)
    ends = np.cumsum(to_host(counts)).astype(np.int32)
    starts = np.concatenate((np.zeros(1, np.int32), ends[:-1]))
    bounds = xp.asarray(np.concatenate((starts, ends[-1:])))
    cursors = xp.asarray(starts)
    order, changed = xp.empty(max(int(ends[-1]), 1), np.int32), xp.empty(max(int(ends[-1]), 1), np.int32)
    _cuda.launch_linear("merge_pixels_sort", int(edges), weights, cursors, order, edges)
    arrays = order, bounds, parent, sizes, internal, changed, changes
    shape = np.int32(width), np.int32(directions), scale
    lengths = ends - starts
    many = np.flatnonzero(lengths > FEW)
    before = 0
    for weight in (*many.tolist(), WEIGHTS):
        if lengths[before:weight].any():
            limits = np.int32(before), np.int32(weight)
            _cuda.launch_blocks("merge_pixels_few", (1,), (BLOCK,), *arrays, *limits, *shape)
        if weight < WEIGHTS:
            length = int(lengths[weight])
            _cuda.launch_linear("merge_pixels", length, *arrays, np.int32(weight), *shape)
            _cuda.launch_linear(
                "merge_pixels_update", length, parent, sizes, internal, *arrays[5:], bounds, np.int32(weight)
            )
        before = weight + 1
    _cuda.launch_linear("merge_pixels_end", int(pixels), parent, sizes, internal, pixels)
    return parent, sizes, internal


def _sample(rng, size_hw):
    weights = rng.integers(0, 120, (*size_hw, 4)).astype(np.uint16)
    weights[: size_hw[0] // 2] //= 30  # many equal ones
    weights[:, -1, 0] = weights[-1, :, 1:] = weights[:, -1, 2] = weights[:, 0, 3] = NO_EDGE
    return weights, np.int64(300)


merge_pixels = Kernel("merge_pixels", cpu=_merge_pixels_cpu, cuda=_merge_pixels_cuda, sample=_sample, atol=0)
