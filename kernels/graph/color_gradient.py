"""How fast the colour of a picture changes at each pixel.

    strength(p) = min(sqrt(sum over channels of (right - left)^2 + (below - above)^2) * unit, 2047), rounded

Outside, the border is repeated.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.graph.edge_weights import WEIGHTS
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _gradient_rows(first_row, end_row, levels, unit, strength):
    """levels: (height, width, 4) int16; strength: (height, width) uint16."""
    height, width = levels.shape[:2]
    squares = np.empty(width, np.float32)
    plane = np.empty(width + 2, np.int32)  # a row with its ends repeated: long rows are vectorised
    for y in range(first_row, end_row):
        above, here, below = levels[max(y - 1, 0)], levels[y], levels[min(y + 1, height - 1)]
        squares[:] = np.float32(0)
        for c in range(3):
            inner = plane[1 : width + 1]
            for x in range(width):
                inner[x] = here[x, c]
            plane[0], plane[width + 1] = plane[1], plane[width]
            left, right = plane[:width], plane[2 : width + 2]
            for x in range(width):
                across = right[x] - left[x]
                down = np.int32(below[x, c]) - np.int32(above[x, c])
                squares[x] += np.float32(np.int32(across * across)) + np.float32(np.int32(down * down))
        row = strength[y]
        for x in range(width):
            row[x] = np.int32(min(np.sqrt(squares[x]) * unit + np.float32(0.5), np.float32(WEIGHTS - 1)))


def _color_gradient_cpu(levels, unit):
    strength = recycled_empty(levels.shape[:2], np.uint16)
    run_bands(_gradient_rows, levels.shape[0], levels, unit, strength)
    return strength


def _color_gradient_cuda(levels, unit):
    height, width = levels.shape[:2]
    strength = array_module(levels).empty((height, width), np.uint16)
    _cuda.launch_image("color_gradient", (height, width), levels, strength, np.int32(height), np.int32(width), unit)
    return strength


def _sample(rng, size_hw):
    levels = rng.integers(-8000, 8001, (*size_hw, 4)).astype(np.int16)
    levels[:, : size_hw[1] // 2] //= 50  # small differences too
    return levels, np.float32(0.0625)


color_gradient = Kernel("color_gradient", cpu=_color_gradient_cpu, cuda=_color_gradient_cuda, sample=_sample, atol=0)
