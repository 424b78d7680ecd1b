"""Of the edges between pixels, those that a minimum spanning tree may need: the others are taken out.

    weights(p, d) = 65535 where the edge is the heaviest one of a ring within some block of 2x2 pixels

A block has six edges, of which three span it; the other three each close a ring of lighter ones. Of equal weights the
later one is the heavier: right before down before the two diagonals, then in raster order. It is one order for all
blocks, so that the edges left still join all pixels. About 1.6 of 4 edges of a pixel stay.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.graph.edge_weights import NO_EDGE
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel(forceinline=True)
def _detour(ac, bc, ad, bd, cd):
    """The heaviest edge of the lightest way from a to b through c, d or both."""
    short = min(max(ac, bc), max(ad, bd))
    return min(short, max(cd, min(max(ac, bd), max(ad, bc))))


@cpu_kernel
def _load_row(weights, y, plane):
    """Keys of one row of edges: plane is (directions, width) int32."""
    row = weights[y]
    width, directions = row.shape
    for d in range(directions):
        keys = plane[d]
        for x in range(width):
            keys[x] = np.int32(row[x, d]) << np.int32(3)


@cpu_kernel
def _mark_blocks(upper, lower, directions, drop):
    """drop: (6, width) uint8, one where an edge of the block that starts at that column closes a ring."""
    n = upper.shape[1] - 1
    top, left, bottom = upper[0, :n], upper[1, :n], lower[0, :n]
    right = upper[1, 1:]
    # Where there are no diagonals, the sides stand in their place, as edges that are heavier than all.
    slanted = directions == 4
    falling, rising = (upper[2, :n], upper[3, 1:]) if slanted else (top, top)
    heavy = np.int32(0 if slanted else 1 << 24)
    drop_top, drop_bottom, drop_left = drop[0, :n], drop[1, :n], drop[2, :n]
    drop_right, drop_falling, drop_rising = drop[3, :n], drop[4, :n], drop[5, :n]
    for x in range(n):
        t, b = top[x], bottom[x] + np.int32(1)
        left_key, r = left[x] + np.int32(2), right[x] + np.int32(3)
        f, s = falling[x] + heavy + np.int32(4), rising[x] + heavy + np.int32(5)
        # Corners: 0 and 1 above, 2 and 3 below.
        drop_top[x] = t > _detour(left_key, s, f, r, b)
        drop_bottom[x] = b > _detour(left_key, f, s, r, t)
        drop_left[x] = left_key > _detour(t, s, f, b, r)
        drop_right[x] = r > _detour(t, f, s, b, left_key)
        drop_falling[x] = f > _detour(t, r, left_key, b, s)
        drop_rising[x] = s > _detour(t, left_key, r, b, f)


@cpu_kernel
def _needed_rows(first_row, end_row, weights, needed):
    height, width, directions = weights.shape
    planes = np.empty((2, directions, width), np.int32)
    drops = np.zeros((2, 6, width), np.uint8)  # of the blocks above this row and of those below it
    if first_row > 0 and width > 1:
        _load_row(weights, first_row - 1, planes[(first_row - 1) & 1])
        _load_row(weights, first_row, planes[first_row & 1])
        _mark_blocks(planes[(first_row - 1) & 1], planes[first_row & 1], directions, drops[(first_row - 1) & 1])
    else:
        _load_row(weights, first_row, planes[first_row & 1])
    for y in range(first_row, end_row):
        above, here = drops[(y - 1) & 1], drops[y & 1]
        if y + 1 < height and width > 1:
            _load_row(weights, y + 1, planes[(y + 1) & 1])
            _mark_blocks(planes[y & 1], planes[(y + 1) & 1], directions, here)
        else:
            here[:] = 0
        row, result = weights[y], needed[y]
        for x in range(width):
            result[x, 0] = NO_EDGE if here[0, x] | above[1, x] else row[x, 0]
        result[0, 1] = NO_EDGE if here[2, 0] else row[0, 1]
        for x in range(1, width):
            result[x, 1] = NO_EDGE if here[2, x] | here[3, x - 1] else row[x, 1]
        if directions == 4:
            for x in range(width):
                result[x, 2] = NO_EDGE if here[4, x] else row[x, 2]
            result[0, 3] = row[0, 3]
            for x in range(1, width):
                result[x, 3] = NO_EDGE if here[5, x - 1] else row[x, 3]


def _needed_edges_cpu(weights):
    needed = recycled_empty(weights.shape, np.uint16)
    if weights.size:
        run_bands(_needed_rows, weights.shape[0], weights, needed)
    return needed


def _needed_edges_cuda(weights):
    needed = array_module(weights).empty_like(weights)
    height, width, directions = weights.shape
    sizes = np.int32(height), np.int32(width), np.int32(directions)
    _cuda.launch_image("needed_edges", (height, width), weights, needed, *sizes)
    return needed


def _sample(rng, size_hw):
    weights = rng.integers(0, 2048, (*size_hw, 4)).astype(np.uint16)
    weights[:, : size_hw[1] // 2] //= 300  # many equal ones
    weights[:, -1, 0] = weights[-1, :, 1:] = weights[:, -1, 2] = weights[:, 0, 3] = NO_EDGE
    return (weights,)


needed_edges = Kernel("needed_edges", cpu=_needed_edges_cpu, cuda=_needed_edges_cuda, sample=_sample, atol=0)
