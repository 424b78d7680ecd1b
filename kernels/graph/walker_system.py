"""The equations of a random walker: conductors between pixels, and what flows in from seeds.

w(p, q) = table[weight(p, q)] between pixels that are no seeds; a seed next to p is ground(p) = sum of its conductors
source(k, p) = sum of the conductors to seeds of label first + k
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.graph.edge_weights import NO_EDGE, WEIGHTS
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _system_rows(first_row, end_row, weights, table, seeds, first, right, down, ground, sources):
    """weights: (height, width, 2) uint16; table: (2048) float32; seeds: (height, width) int32, negative outside."""
    height, width = seeds.shape
    count = sources.shape[0]
    zero = np.float32(0)
    steps = ((1, 0), (0, 1), (-1, 0), (0, -1))
    for y in range(first_row, end_row):
        for x in range(width):
            right[y, x] = down[y, x] = ground[y, x] = zero
            for k in range(count):
                sources[k, y, x] = zero
            if seeds[y, x] != 0:
                continue
            for d in range(4):
                u, v = x + steps[d][0], y + steps[d][1]
                if u < 0 or v < 0 or u >= width or v >= height or seeds[v, u] < 0:
                    continue
                weight = weights[min(y, v), min(x, u), d & 1]
                if weight >= WEIGHTS:
                    continue
                conductor = table[weight]
                label = seeds[v, u]
                if label == 0:
                    if d == 0:
                        right[y, x] = conductor
                    elif d == 1:
                        down[y, x] = conductor
                    continue
                ground[y, x] += conductor
                if first <= label < first + count:
                    sources[label - first, y, x] += conductor


def _walker_system_cpu(weights, table, seeds, first, count):
    right, down, ground = (recycled_empty(seeds.shape, np.float32) for _ in range(3))
    sources = recycled_empty((int(count), *seeds.shape), np.float32)
    run_bands(_system_rows, seeds.shape[0], weights, table, seeds, first, right, down, ground, sources)
    return right, down, ground, sources


def _walker_system_cuda(weights, table, seeds, first, count):
    xp = array_module(seeds)
    height, width = seeds.shape
    right, down, ground = (xp.empty((height, width), np.float32) for _ in range(3))
    sources = xp.empty((int(count), height, width), np.float32)
    arrays = weights, table, seeds, right, down, ground, sources
    _cuda.launch_image("walker_system", (height, width), *arrays, first, count, np.int32(height), np.int32(width))
    return right, down, ground, sources


def _sample(rng, size_hw):
    weights = rng.integers(0, 200, (*size_hw, 2)).astype(np.uint16)
    weights[:, -1, 0] = weights[-1, :, 1] = NO_EDGE
    table = (np.exp(-np.arange(WEIGHTS) / 40) + 1e-4).astype(np.float32)
    seeds = np.where(rng.random(size_hw) < 0.2, rng.integers(-1, 5, size_hw), 0).astype(np.int32)
    return weights, table, seeds, np.int32(2), np.int32(2)


walker_system = Kernel("walker_system", cpu=_walker_system_cpu, cuda=_walker_system_cuda, sample=_sample, atol=0)
