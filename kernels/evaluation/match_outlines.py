"""Dynamic time warping of two closed outlines that begin at given points: the cheapest pairing of their points."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _fill(costs, first_row, first_column, steps):
    """steps(i, j): how the cheapest way comes to (i, j): 0 from both before, 1 from i - 1, 2 from j - 1.

    costs: (n, m) float32, read from (first_row, first_column) on and around the edge; steps: (n, m) uint8.
    """
    rows, columns = costs.shape
    above = np.empty(columns, np.float64)
    here = np.empty(columns, np.float64)
    for i in range(rows):
        row = costs[(i + first_row) % rows]
        step = steps[i]
        k = first_column
        for j in range(columns):
            # The first pair is given: it costs nothing.
            if i == 0 and j == 0:
                best, choice, cost = 0.0, np.uint8(0), 0.0
            else:
                cost = float(row[k])
                best, choice = np.inf, np.uint8(0)
                if i > 0 and j > 0:
                    best = above[j - 1]
                if i > 0 and above[j] < best:
                    best, choice = above[j], np.uint8(1)
                if j > 0 and here[j - 1] < best:
                    best, choice = here[j - 1], np.uint8(2)
            here[j] = best + cost
            step[j] = choice
            k += 1
            if k == columns:
                k = 0
        above, here = here, above


@cpu_kernel
def _walk_back(steps, first_row, first_column, pairs):
    """pairs: (n + m - 1, 2) int32 from the end to the begin, -1 behind it. Returns nothing."""
    rows, columns = steps.shape
    pairs[:] = -1
    i, j = rows - 1, columns - 1
    count = 0
    while True:
        pairs[count, 0] = (i + first_row) % rows
        pairs[count, 1] = (j + first_column) % columns
        count += 1
        if i == 0 and j == 0:
            break
        choice = steps[i, j]
        if choice != 2:
            i -= 1
        if choice != 1:
            j -= 1


def _match_outlines_cpu(costs, first_row, first_column):
    rows, columns = costs.shape
    steps = np.empty((rows, columns), np.uint8)
    pairs = np.empty((rows + columns - 1, 2), np.int32)
    _fill(costs, int(first_row), int(first_column), steps)
    _walk_back(steps, int(first_row), int(first_column), pairs)
    return pairs


def _match_outlines_cuda(costs, first_row, first_column):
    rows, columns = costs.shape
    module = array_module(costs)
    steps = module.empty((rows, columns), np.uint8)
    sums = module.empty((rows, columns), np.float64)
    pairs = module.empty((rows + columns - 1, 2), np.int32)
    sizes = np.int32(first_row), np.int32(first_column), np.int32(rows), np.int32(columns)
    _cuda.launch_blocks("match_outlines", (1,), (256,), costs, sums, steps, pairs, *sizes)
    return pairs


def _sample(rng, size_hw):
    costs = rng.random(size_hw, dtype=np.float32)
    return costs, np.int32(rng.integers(size_hw[0])), np.int32(rng.integers(size_hw[1]))


match_outlines = Kernel("match_outlines", cpu=_match_outlines_cpu, cuda=_match_outlines_cuda, sample=_sample)
