"""Distance along the column to the nearest pixel that is not set.

gaps(y, x) = min over y' with mask(y', x) = 0 of |y - y'|, FAR where the column has none
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

FAR = 32767  # more than any distance: sides are at most 32767; the same word stands in the .cu files
SLICES = 16  # pieces of a column that threads of a CUDA block walk at the same time


@cpu_kernel
def _columns(first, end, mask, gaps):
    """Columns first to end. mask: (height, width) uint8; gaps: the same, uint16."""
    height = mask.shape[0]
    far, one, none = np.uint16(FAR), np.uint16(1), np.uint16(0)
    row = gaps[0, first:end]
    inside = mask[0, first:end]
    for x in range(end - first):
        row[x] = far if inside[x] != 0 else none
    for y in range(1, height):
        # At most FAR + height: that fits into 16 bits.
        above, row, inside = gaps[y - 1, first:end], gaps[y, first:end], mask[y, first:end]
        for x in range(end - first):
            row[x] = above[x] + one if inside[x] != 0 else none
    for x in range(end - first):
        row[x] = min(row[x], far)
    for y in range(height - 2, -1, -1):
        below, row = gaps[y + 1, first:end], gaps[y, first:end]
        for x in range(end - first):
            row[x] = min(min(row[x], np.uint16(below[x] + one)), far)


def _column_distance_cpu(mask):
    gaps = recycled_empty(mask.shape, np.uint16)
    if mask.size:
        run_bands(_columns, mask.shape[1], mask, gaps, least=max(64, 400_000 // mask.shape[0]), align=64)
    return gaps


def _column_distance_cuda(mask):
    height, width = mask.shape
    gaps = array_module(mask).empty(mask.shape, np.uint16)
    if mask.size:
        sizes = np.int32(height), np.int32(width)
        _cuda.launch_blocks("column_distance", (-(-width // 32),), (32, SLICES), mask, gaps, *sizes)
    return gaps


def _sample(rng, size_hw):
    mask = (rng.random(size_hw) < 0.97).astype(np.uint8)
    mask[:, :: max(1, size_hw[1] // 3)] = 1  # columns without any
    return (mask,)


column_distance = Kernel("column_distance", cpu=_column_distance_cpu, cuda=_column_distance_cuda, sample=_sample)
