"""Mean over a square window that ends at the image's edge, for several planes at once."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import load16, store16

_cuda = CudaSource(__file__)

LANES = 16


@cpu_kernel
def _add_strided(values, start, stride, count, total, first):
    """total[first + x] = sum over k of values[start + k stride + x], for all x of one row; in ascending order of k.

    Sums stay in registers: 16 columns at a time, the last 16 again where the width is no multiple. Adding one row after
    the other to a row in memory takes four times as long.
    """
    width = len(total) - 2 * first
    if width < LANES:
        for x in range(width):
            number = values[start + x]
            for k in range(1, count):
                number += values[start + k * stride + x]
            total[first + x] = number
        return
    for block in range((width + LANES - 1) // LANES):
        x = min(block * LANES, width - LANES)
        lanes = load16(values, start + x)
        for k in range(1, count):
            lanes = lanes + load16(values, start + k * stride + x)
        store16(total, first + x, lanes)


@cpu_kernel
def _box_rows(first_row, end_row, planes, means, radius):
    """planes, means: (channels, height, width) float32; rows are counted through all channels.

    Columns first, then along the row: no sum runs from one row to the next, so the bits do not depend on where a band
    starts.
    """
    _, height, width = planes.shape
    reach = min(radius, width - 1)
    values, result = planes.reshape(-1), means.reshape(-1)
    columns = np.zeros(width + 2 * reach, np.float32)  # zeros beyond the edges add nothing
    across = np.empty(width, np.float32)
    for x in range(width):
        across[x] = np.float32(min(x + radius, width - 1) - max(x - radius, 0) + 1)
    for row in range(first_row, end_row):
        y = row % height
        top, end = max(y - radius, 0), min(y + radius + 1, height)
        _add_strided(values, (row - y + top) * width, width, end - top, columns, reach)
        total = result[row * width : (row + 1) * width]
        _add_strided(columns, 0, 1, 2 * reach + 1, total, 0)
        down = np.float32(end - top)
        for x in range(width):
            total[x] /= across[x] * down


def _box_mean_cpu(planes, radius):
    means = np.empty_like(planes)
    run_bands(_box_rows, planes.shape[0] * planes.shape[1], planes, means, int(radius))
    return means


def _box_mean_cuda(planes, radius):
    xp = array_module(planes)
    columns, means = xp.empty_like(planes), xp.empty_like(planes)
    channels, height, width = planes.shape
    sizes = np.int32(height), np.int32(width), np.int32(channels * height), np.int32(radius)
    _cuda.launch_image("box_mean_columns", (channels * height, width), planes, columns, *sizes)
    _cuda.launch_image("box_mean", (channels * height, width), columns, means, *sizes)
    return means


def _sample(rng, size_hw):
    return rng.random((4, *size_hw), dtype=np.float32), np.int32(6)


box_mean = Kernel("box_mean", cpu=_box_mean_cpu, cuda=_box_mean_cuda, sample=_sample)
