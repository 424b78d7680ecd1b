"""A colour picture made smaller by a whole factor: every pixel is the rounded mean of a block."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _shrink_rows(first_row, end_row, image, small, factor):
    """image: (height, width, 3) uint8; small: (ceil(height / factor), ceil(width / factor), 3) uint8."""
    height, width, _ = image.shape
    for j in range(first_row, end_row):
        y0, y1 = j * factor, min(j * factor + factor, height)
        for k in range(small.shape[1]):
            x0, x1 = k * factor, min(k * factor + factor, width)
            count = np.int32((y1 - y0) * (x1 - x0))
            for c in range(3):
                total = count // np.int32(2)
                for y in range(y0, y1):
                    for x in range(x0, x1):
                        total += np.int32(image[y, x, c])
                small[j, k, c] = total // count


def _small_size(image, factor):
    return -(-image.shape[0] // int(factor)), -(-image.shape[1] // int(factor)), 3


def _shrink_rgb_cpu(image, factor):
    small = np.empty(_small_size(image, factor), np.uint8)
    run_bands(_shrink_rows, small.shape[0], image, small, int(factor))
    return small


def _shrink_rgb_cuda(image, factor):
    small = array_module(image).empty(_small_size(image, factor), np.uint8)
    height, width = image.shape[:2]
    _cuda.launch_image("shrink_rgb", small.shape[:2], image, small, np.int32(height), np.int32(width), np.int32(factor))
    return small


def _sample(rng, size_hw):
    return rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8), np.int32(2 + size_hw[1] % 2)


shrink_rgb = Kernel("shrink_rgb", cpu=_shrink_rgb_cpu, cuda=_shrink_rgb_cuda, sample=_sample)
