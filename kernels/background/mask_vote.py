"""Window votes over a mask: any set pixel (dilation), all (erosion), or more than half (the median of zeros and ones).

Pixels outside the picture do not vote.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

ANY, MAJORITY, ALL = np.int32(0), np.int32(1), np.int32(2)
LARGEST_RADIUS = 7  # 15x15 = 225 still fits into a byte: 64 sums in a vector


@cpu_kernel
def _add(row, total):
    for x in range(len(row)):
        total[x] = np.uint8(total[x] + row[x])


@cpu_kernel
def _subtract(row, total):
    for x in range(len(row)):
        total[x] = np.uint8(total[x] - row[x])


@cpu_kernel
def _limits(radius, rows, width, kind, limit):
    """limit[x]: the most votes that are not enough."""
    for x in range(width):
        columns = min(x + radius, width - 1) - max(x - radius, 0) + 1
        area = rows * columns
        limit[x] = np.uint8(0 if kind == 0 else (area >> 1 if kind == 1 else area - 1))


@cpu_kernel
def _exceeds(total, limit, result):
    for x in range(len(result)):
        result[x] = np.uint8(1) if total[x] > limit[x] else np.uint8(0)


@cpu_kernel
def _vote_rows(first_row, end_row, mask, radius, kind, result):
    """mask, result: (height, width) uint8, 0 or 1."""
    height, width = mask.shape
    columns = np.zeros(width + 2 * radius, np.uint8)  # sums over the rows of the window
    inside = columns[radius : radius + width]
    total, limit = np.empty(width, np.uint8), np.empty(width, np.uint8)
    for y in range(max(first_row - radius, 0), min(first_row + radius, height)):
        _add(mask[y], inside)
    rows_before = -1
    for y in range(first_row, end_row):
        if y + radius < height:
            _add(mask[y + radius], inside)
        if y - radius - 1 >= 0 and y > first_row:
            _subtract(mask[y - radius - 1], inside)
        rows = min(y + radius, height - 1) - max(y - radius, 0) + 1
        if rows != rows_before:
            _limits(radius, rows, width, kind, limit)
            rows_before = rows
        for x in range(width):
            total[x] = columns[x]
        for shift in range(1, 2 * radius + 1):
            _add(columns[shift : shift + width], total)
        _exceeds(total, limit, result[y])


def _mask_vote_cpu(mask, radius, kind):
    result = recycled_empty(mask.shape, np.uint8)
    run_bands(_vote_rows, mask.shape[0], mask, np.int64(radius), np.int64(kind), result, least=64)
    return result


def _mask_vote_cuda(mask, radius, kind):
    result = array_module(mask).empty_like(mask)
    height, width = mask.shape
    _cuda.launch_image("mask_vote", mask.shape, mask, radius, kind, result, np.int32(height), np.int32(width))
    return result


def _sample(rng, size_hw):
    return (rng.random(size_hw) < 0.5).astype(np.uint8), np.int32(3), MAJORITY


mask_vote = Kernel("mask_vote", cpu=_mask_vote_cpu, cuda=_mask_vote_cuda, sample=_sample)
