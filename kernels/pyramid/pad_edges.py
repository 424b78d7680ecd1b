"""An image with a frame of repeated edge pixels, so that patches may leave it without a test per pixel."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _pad_rows(first_row, end_row, image, padded, margin):
    """image: (height, width) float32; padded: (height + 2 margin, width + 2 margin) float32."""
    height, width = image.shape
    for y in range(first_row, end_row):
        source, target = image[min(max(y - margin, 0), height - 1)], padded[y]
        # Loops, not slices: three times as fast, and no error text for unequal shapes to compile (2 s).
        for x in range(margin):
            target[x], target[margin + width + x] = source[0], source[width - 1]
        for x in range(width):
            target[margin + x] = source[x]


def _pad_edges_cpu(image, margin):
    margin = int(margin)
    padded = recycled_empty((image.shape[0] + 2 * margin, image.shape[1] + 2 * margin))
    run_bands(_pad_rows, padded.shape[0], image, padded, margin, least=240)
    return padded


def _pad_edges_cuda(image, margin):
    height, width = image.shape
    padded = array_module(image).empty((height + 2 * int(margin), width + 2 * int(margin)), np.float32)
    _cuda.launch_image("pad_edges", padded.shape, image, padded, np.int32(height), np.int32(width), np.int32(margin))
    return padded


def _sample(rng, size_hw):
    return rng.random(size_hw, dtype=np.float32), np.int32(5)


pad_edges = Kernel("pad_edges", cpu=_pad_edges_cpu, cuda=_pad_edges_cuda, sample=_sample)
