"""Majority of a window: a mask without specks and pinholes, as a median filter of its zeros and ones gives it."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

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
def _halves(radius, rows, width, limit):
    """limit[x]: half the number of window pixels inside the picture."""
    for x in range(width):
        columns = min(x + radius, width - 1) - max(x - radius, 0) + 1
        limit[x] = np.uint8((rows * columns) >> 1)


@cpu_kernel
def _exceeds(total, limit, result):
    for x in range(len(result)):
        result[x] = np.uint8(1) if total[x] > limit[x] else np.uint8(0)


@cpu_kernel
def _majority_rows(first_row, end_row, mask, radius, result):
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
            _halves(radius, rows, width, limit)
            rows_before = rows
        for x in range(width):
            total[x] = columns[x]
        for shift in range(1, 2 * radius + 1):
            _add(columns[shift : shift + width], total)
        _exceeds(total, limit, result[y])


def _mask_majority_cpu(mask, radius):
    result = recycled_empty(mask.shape, np.uint8)
    run_bands(_majority_rows, mask.shape[0], mask, np.int64(radius), result, least=64)
    return result


def _mask_majority_cuda(mask, radius):
    result = array_module(mask).empty_like(mask)
    height, width = mask.shape
    _cuda.launch_image("mask_majority", mask.shape, mask, radius, result, np.int32(height), np.int32(width))
    return result


def _sample(rng, size_hw):
    return (rng.random(size_hw) < 0.5).astype(np.uint8), np.int32(3)


mask_majority = Kernel("mask_majority", cpu=_mask_majority_cpu, cuda=_mask_majority_cuda, sample=_sample)
