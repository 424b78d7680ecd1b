"""Half the height and width: each block is the rounded mean of 2x2; an odd last row or column counts twice."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _halve_rows(first_row, end_row, levels, halved):
    """levels: (height, width, 4) int16; halved: ((height + 1) // 2, (width + 1) // 2, 4) int16."""
    height, width = levels.shape[:2]
    pairs = np.uint64(width // 2)
    for y in range(first_row, end_row):
        up, down = levels[2 * y].reshape(-1), levels[min(2 * y + 1, height - 1)].reshape(-1)
        row = halved[y].reshape(-1)
        for x in range(pairs):
            for k in range(np.uint64(4)):
                i = np.uint64(8) * x + k
                j = i + np.uint64(4)
                total = np.int32(up[i]) + np.int32(up[j]) + np.int32(down[i]) + np.int32(down[j])
                row[np.uint64(4) * x + k] = np.int16((total + 2) >> 2)
        if width % 2:
            for k in range(4):
                total = 2 * np.int32(up[4 * width - 4 + k]) + 2 * np.int32(down[4 * width - 4 + k])
                row[4 * (width // 2) + k] = np.int16((total + 2) >> 2)


def _halve_levels_cpu(levels):
    height, width = levels.shape[:2]
    halved = recycled_empty(((height + 1) // 2, (width + 1) // 2, 4), np.int16)
    run_bands(_halve_rows, halved.shape[0], levels, halved, least=64)
    return halved


def _halve_levels_cuda(levels):
    height, width = levels.shape[:2]
    size = (height + 1) // 2, (width + 1) // 2
    halved = array_module(levels).empty((*size, 4), np.int16)
    _cuda.launch_image("halve_levels", size, levels, halved, np.int32(height), np.int32(width))
    return halved


def _sample(rng, size_hw):
    return (rng.integers(-2000, 2000, (*size_hw, 4)).astype(np.int16),)


halve_levels = Kernel("halve_levels", cpu=_halve_levels_cpu, cuda=_halve_levels_cuda, sample=_sample, atol=0)
