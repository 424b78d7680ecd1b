"""Dynamic time warping of two closed outlines that begin at given points: the cheapest pairing of their points."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _along_diagonals(costs, first_row, first_column, skewed):
    """skewed(i + j, i) = cost of the pair (i, j), read from (first_row, first_column) on and around the edge.

    costs: (n, m) float32; skewed: (n + m - 1, n) float32: one diagonal a row.
    """
    rows, columns = costs.shape
    for i in range(rows):
        row = costs[(i + first_row) % rows]
        k = first_column
        for j in range(columns):
            skewed[i + j, i] = row[k]
            k += 1
            if k == columns:
                k = 0


@cpu_kernel
def _fill(skewed, columns, steps):
    """steps(i + j, i): how the cheapest way comes to (i, j): 0 from both before, 1 from i - 1, 2 from j - 1.

    On a diagonal nothing depends on anything else: the inner loop is vector code. skewed: (n + m - 1, n) float32;
    steps: the same shape, uint8.
    """
    diagonals, rows = skewed.shape
    # Sums of the diagonal itself and the two before it; (i, j) stands at i + 1, infinite beyond the edges.
    before = np.full(rows + 1, np.inf)
    last = np.full(rows + 1, np.inf)
    here = np.full(rows + 1, np.inf)
    before[0] = 0.0  # the way to the first pair, which is given and costs nothing
    for diagonal in range(diagonals):
        low = max(0, diagonal - columns + 1)
        high = min(diagonal, rows - 1) + 1
        both, upper, left = before[low:high], last[low:high], last[low + 1 : high + 1]
        sums, cost, step = here[low + 1 : high + 1], skewed[diagonal, low:high], steps[diagonal, low:high]
        price = 0.0 if diagonal == 0 else 1.0
        for k in range(high - low):
            best = both[k]
            choice = np.uint8(0)
            choice = np.uint8(1) if upper[k] < best else choice
            best = min(best, upper[k])
            choice = np.uint8(2) if left[k] < best else choice
            best = min(best, left[k])
            sums[k] = best + price * cost[k]
            step[k] = choice
        here[low] = np.inf
        if high < rows:
            here[high + 1] = np.inf
        before[0] = np.inf
        before, last, here = last, here, before


@cpu_kernel
def _walk_back(steps, first_row, first_column, pairs):
    """steps: (n + m - 1, n) uint8; pairs: (n + m - 1, 2) int32 from the end to the begin, -1 behind it."""
    diagonals, rows = steps.shape
    columns = diagonals - rows + 1
    pairs[:] = -1
    i, j = rows - 1, columns - 1
    count = 0
    while True:
        pairs[count, 0] = (i + first_row) % rows
        pairs[count, 1] = (j + first_column) % columns
        count += 1
        if i == 0 and j == 0:
            break
        choice = steps[i + j, i]
        if choice != 2:
            i -= 1
        if choice != 1:
            j -= 1


def _match_outlines_cpu(costs, first_row, first_column):
    rows, columns = costs.shape
    skewed = recycled_empty((rows + columns - 1, rows), np.float32)
    steps = recycled_empty((rows + columns - 1, rows), np.uint8)
    pairs = np.empty((rows + columns - 1, 2), np.int32)
    _along_diagonals(costs, int(first_row), int(first_column), skewed)
    _fill(skewed, columns, steps)
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
