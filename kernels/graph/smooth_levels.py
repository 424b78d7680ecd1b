"""A picture of whole numbers smoothed by [1 2 1] / 4 along both axes, at four times the resolution of its values.

    smooth(y, x) = (sum over rows and columns of [1 2 1] x [1 2 1] * levels + 2) / 4, rounded down

The nine weights add up to 16, of which 4 remain in the values. Outside, the border is repeated.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _smooth_rows(first_row, end_row, levels, smooth):
    """levels, smooth: (height, width, 4) int16, values of `levels` from -2000 to 2000."""
    height, width = levels.shape[:2]
    column = np.empty(4 * width + 8, np.int16)  # a row summed over y, with the border repeated on both sides
    last = 4 * (height - 1) * width
    values, results = levels.reshape(-1), smooth.reshape(-1)
    for y in range(first_row, end_row):
        at = 4 * y * width
        here = values[at : at + 4 * width]
        above = values[max(at - 4 * width, 0) :][: 4 * width]
        below = values[min(at + 4 * width, last) :][: 4 * width]
        inner = column[4 : 4 * width + 4]
        for i in range(4 * width):
            inner[i] = above[i] + 2 * here[i] + below[i]
        for c in range(4):
            column[c] = column[4 + c]
            column[4 * width + 4 + c] = column[4 * width + c]
        left, right = column[: 4 * width], column[8 : 4 * width + 8]
        row = results[at : at + 4 * width]
        for i in range(4 * width):
            row[i] = (np.int32(left[i]) + np.int32(2) * np.int32(inner[i]) + np.int32(right[i]) + np.int32(2)) >> 2


def _smooth_levels_cpu(levels):
    smooth = recycled_empty(levels.shape, np.int16)
    if levels.size:
        run_bands(_smooth_rows, levels.shape[0], levels, smooth)
    return smooth


def _smooth_levels_cuda(levels):
    smooth = array_module(levels).empty_like(levels)
    height, width = levels.shape[:2]
    _cuda.launch_image("smooth_levels", (height, width), levels, smooth, np.int32(height), np.int32(width))
    return smooth


def _sample(rng, size_hw):
    return (rng.integers(-2000, 2001, (*size_hw, 4)).astype(np.int16),)


smooth_levels = Kernel("smooth_levels", cpu=_smooth_levels_cpu, cuda=_smooth_levels_cuda, sample=_sample, atol=0)
