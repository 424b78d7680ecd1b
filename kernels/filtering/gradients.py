"""Image gradients: central differences along x and y, the edge pixel repeated."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _gradient_rows(first_row, end_row, image, gradient_x, gradient_y):
    """image, gradient_x, gradient_y: (height, width) float32."""
    height, width = image.shape
    half = np.float32(0.5)
    for y in range(first_row, end_row):
        above, row, below = image[max(y - 1, 0)], image[y], image[min(y + 1, height - 1)]
        along_x, along_y = gradient_x[y], gradient_y[y]
        for x in range(width):
            along_y[x] = (below[x] - above[x]) * half
        for x in range(1, width - 1):
            along_x[x] = (row[x + 1] - row[x - 1]) * half
        along_x[0] = (row[min(1, width - 1)] - row[0]) * half
        along_x[width - 1] = (row[width - 1] - row[max(width - 2, 0)]) * half


def _gradients_cpu(image):
    gradient_x, gradient_y = recycled_empty(image.shape), recycled_empty(image.shape)
    run_bands(_gradient_rows, image.shape[0], image, gradient_x, gradient_y, least=160)
    return gradient_x, gradient_y


def _gradients_cuda(image):
    xp = array_module(image)
    gradient_x, gradient_y = xp.empty_like(image), xp.empty_like(image)
    height, width = image.shape
    _cuda.launch_image("gradients", (height, width), image, gradient_x, gradient_y, np.int32(height), np.int32(width))
    return gradient_x, gradient_y


def _sample(rng, size_hw):
    return (rng.random(size_hw, dtype=np.float32),)


gradients = Kernel("gradients", cpu=_gradients_cpu, cuda=_gradients_cuda, sample=_sample)
