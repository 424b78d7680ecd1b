"""Median along columns, then along rows, of every plane: almost a square window's median, for a fraction of its work.

Removes what stands alone and keeps edges. 7 + 7 numbers are looked at per pixel instead of 49. Beyond the edges the
edge pixel repeats.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import load16, maximum, minimum, store16
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel(forceinline=True)
def _median3(a, b, c):
    return maximum(minimum(a, b), minimum(maximum(a, b), c))


@cpu_kernel(forceinline=True)
def _median5(a, b, c, d, e):
    # Neither the least nor the greatest of four is the median of five.
    return _median3(e, maximum(minimum(a, b), minimum(c, d)), minimum(maximum(a, b), maximum(c, d)))


@cpu_kernel(forceinline=True)
def _median7(a, b, c, d, e, f, g):
    # Of five, least and greatest go: three are left for a median of five with the other two.
    low, high = minimum(a, b), maximum(a, b)
    low2, high2 = minimum(c, d), maximum(c, d)
    x, y = maximum(low, low2), minimum(high, high2)
    low, high = minimum(low, low2), maximum(high, high2)
    return _median5(x, y, minimum(maximum(low, e), high), f, g)


@cpu_kernel(forceinline=True)
def _median(values, i, step, radius):
    """Median of 16 times 2 radius + 1 numbers, `step` apart, around `i`."""
    here = load16(values, i)
    before, after = load16(values, i - step), load16(values, i + step)
    if radius == 1:
        return _median3(before, here, after)
    before2, after2 = load16(values, i - 2 * step), load16(values, i + 2 * step)
    if radius == 2:
        return _median5(before, before2, after, after2, here)
    before3, after3 = load16(values, i - 3 * step), load16(values, i + 3 * step)
    return _median7(before, before2, before3, after, after2, after3, here)


@cpu_kernel
def _median_rows(first_row, end_row, planes, medians, radius):
    """planes, medians: (channels, height, width) float32; rows are counted through all channels."""
    _, height, width = planes.shape
    length = width + 64  # 16 spare numbers at each end
    window = np.zeros(7 * length, np.float32)  # the rows around one row, then their median
    along = np.zeros(length, np.float32)
    for row in range(first_row, end_row):
        channel, y = row // height, row % height
        for k in range(-radius, radius + 1):
            source, to = planes[channel, min(max(y + k, 0), height - 1)], window[(k + radius) * length + 16 :]
            for x in range(width):
                to[x] = source[x]
        for x in range(16, width + 16, 16):
            store16(along, x, _median(window, radius * length + x, length, radius))
        for k in range(1, radius + 1):
            along[16 - k], along[15 + width + k] = along[16], along[15 + width]
        for x in range(16, width + 16, 16):
            store16(window, x, _median(along, x, 1, radius))
        target, source = medians[channel, y], window[16:]
        for x in range(width):
            target[x] = source[x]


def _separable_median_cpu(planes, radius):
    medians = recycled_empty(planes.shape)
    run_bands(_median_rows, planes.shape[0] * planes.shape[1], planes, medians, int(radius))
    return medians


def _separable_median_cuda(planes, radius):
    xp = array_module(planes)
    columns, medians = xp.empty_like(planes), xp.empty_like(planes)
    channels, height, width = planes.shape
    numbers = np.int32(height), np.int32(width), np.int32(channels * height), np.int32(radius)
    for along_x, source, result in ((0, planes, columns), (1, columns, medians)):
        _cuda.launch_image("separable_median", (channels * height, width), source, result, *numbers, np.int32(along_x))
    return medians


def _sample(rng, size_hw):
    # Radius 1, 2 or 3, by the size: tests run over several sizes.
    return rng.random((2, *size_hw), dtype=np.float32), np.int32(1 + size_hw[1] % 3)


separable_median = Kernel("separable_median", cpu=_separable_median_cpu, cuda=_separable_median_cuda, sample=_sample)
