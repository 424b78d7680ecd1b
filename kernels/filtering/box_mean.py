"""Mean over a square window that ends at the image's edge, for several planes at once."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _box_rows(first_row, end_row, planes, means, radius):
    """planes, means: (channels, height, width) float32; rows are counted through all channels.

    Columns first, then along the row, both in ascending order: no sum runs from one row to the next, so the bits do
    not depend on where a band starts.
    """
    _, height, width = planes.shape
    reach = min(radius, width - 1)
    columns = np.zeros(width + 2 * reach, np.float32)  # zeros beyond the edges add nothing
    across = np.empty(width, np.float32)
    for x in range(width):
        across[x] = np.float32(min(x + radius, width - 1) - max(x - radius, 0) + 1)
    for row in range(first_row, end_row):
        plane, y = row // height, row % height
        top, end = max(y - radius, 0), min(y + radius + 1, height)
        inner = columns[reach : reach + width]
        inner[:] = planes[plane, top]
        for other in range(top + 1, end):
            source = planes[plane, other]
            for x in range(width):
                inner[x] += source[x]
        total = means[plane, y]
        total[:] = columns[:width]
        for shift in range(1, 2 * reach + 1):
            shifted = columns[shift : shift + width]
            for x in range(width):
                total[x] += shifted[x]
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


# 1e-6: values up to 1; both halves add in the same order today, but a faster one may not
box_mean = Kernel("box_mean", cpu=_box_mean_cpu, cuda=_box_mean_cuda, sample=_sample, atol=1e-6)
