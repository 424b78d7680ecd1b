"""How different neighbouring pixels are: weights of the edges of a graph whose nodes are pixels.

    weight(p, d) = min(|levels(p) - levels(p + step(d))| * unit, 2047), rounded to a whole number

The steps (x, y) are (1, 0), (0, 1) and, with four directions, (1, 1), (-1, 1). Edges that leave the image are 65535.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

WEIGHTS = 2048  # numbers of different weights; the same word stands in the .cu files
NO_EDGE = 65535


@cpu_kernel
def _weight_rows(first_row, end_row, levels, unit, weights):
    """levels: (height, width, 4) int16; weights: (height, width, directions) uint16."""
    height, width = levels.shape[:2]
    directions = weights.shape[2]
    planes = np.empty((2, 3, width), np.int32)  # this row and the next, by channel: long rows are vectorised
    for y in range(first_row, end_row):
        for r in range(2):
            if y + r < height:
                row = levels[y + r]
                for c in range(3):
                    plane = planes[r, c]
                    for x in range(width):
                        plane[x] = row[x, c]
        for d in range(directions):
            shift = 1 if d % 2 == 0 else 0
            if d == 3:
                shift = -1
            below = 1 if d > 0 else 0
            first, end = max(0, -shift), width - max(0, shift)
            result = weights[y, :, d]
            if first > 0:
                result[0] = NO_EDGE
            if end < width:
                result[width - 1] = NO_EDGE
            if y + below >= height:
                result[:] = NO_EDGE
                continue
            one, two, three = planes[0, 0, first:end], planes[0, 1, first:end], planes[0, 2, first:end]
            far = planes[below]
            other_one = far[0, first + shift : end + shift]
            other_two = far[1, first + shift : end + shift]
            other_three = far[2, first + shift : end + shift]
            inner = result[first:end]
            for x in range(end - first):
                i, j, k = one[x] - other_one[x], two[x] - other_two[x], three[x] - other_three[x]
                square = np.float32(np.int32(i * i + j * j + k * k))
                inner[x] = np.int32(min(np.sqrt(square) * unit + np.float32(0.5), np.float32(WEIGHTS - 1)))


def _edge_weights_cpu(levels, directions, unit):
    weights = recycled_empty((*levels.shape[:2], int(directions)), np.uint16)
    run_bands(_weight_rows, levels.shape[0], levels, unit, weights)
    return weights


def _edge_weights_cuda(levels, directions, unit):
    height, width = levels.shape[:2]
    weights = array_module(levels).empty((height, width, int(directions)), np.uint16)
    sizes = np.int32(height), np.int32(width)
    _cuda.launch_image("edge_weights", (height, width), levels, weights, *sizes, np.int32(directions), unit)
    return weights


def _sample(rng, size_hw):
    levels = rng.integers(-8000, 8001, (*size_hw, 4)).astype(np.int16)
    levels[:, : size_hw[1] // 2] //= 50  # small differences too
    return levels, np.int32(4), np.float32(0.125)


edge_weights = Kernel("edge_weights", cpu=_edge_weights_cpu, cuda=_edge_weights_cuda, sample=_sample, atol=0)
