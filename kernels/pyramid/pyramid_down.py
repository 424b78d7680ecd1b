"""The next coarser image of a pyramid: mean of 2x2 pixels.

Coarse pixel i covers fine pixels 2i and 2i + 1 exactly, whatever the size: a coarse position x is the fine position
2x + 0.5, with no drift. At an odd edge the last row or column counts twice, so (h, w) becomes (ceil(h/2), ceil(w/2)).
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
def _down_rows(first_row, end_row, image, down):
    """image: (height, width) float32; down: (ceil(height / 2), ceil(width / 2)) float32."""
    height, width = image.shape
    quarter = np.float32(0.25)
    for y in range(first_row, end_row):
        top, bottom, target = image[2 * y], image[min(2 * y + 1, height - 1)], down[y]
        for x in range(width // 2):
            target[x] = ((top[2 * x] + top[2 * x + 1]) + (bottom[2 * x] + bottom[2 * x + 1])) * quarter
        if width % 2:
            last = width - 1
            target[last // 2] = ((top[last] + top[last]) + (bottom[last] + bottom[last])) * quarter


def _size(image):
    return (image.shape[0] + 1) // 2, (image.shape[1] + 1) // 2


def _pyramid_down_cpu(image):
    down = recycled_empty(_size(image))
    run_bands(_down_rows, down.shape[0], image, down, least=240)
    return down


def _pyramid_down_cuda(image):
    down = array_module(image).empty(_size(image), np.float32)
    height, width = image.shape
    _cuda.launch_image("pyramid_down", down.shape, image, down, np.int32(height), np.int32(width))
    return down


def _sample(rng, size_hw):
    return (rng.random(size_hw, dtype=np.float32),)


pyramid_down = Kernel("pyramid_down", cpu=_pyramid_down_cpu, cuda=_pyramid_down_cuda, sample=_sample)
