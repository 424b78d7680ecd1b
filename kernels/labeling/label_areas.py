"""Number of pixels of each label.

areas(k) = number of pixels with label k, 0 included; labels beyond the table are not counted
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

CHUNK = 32  # pixels of a row that one CUDA thread walks; equal neighbours then cost one atomic


@cpu_kernel
def _count(labels, areas):
    """labels: flat (pixels) int32; areas: (n + 1) int32, zero."""
    # A run goes on over the end of a row: that changes no sum.
    i, pixels, size = np.uint64(0), np.uint64(labels.size), areas.size
    one = np.uint64(1)
    while i < pixels:
        label, first = labels[i], i
        i += one
        while i < pixels and labels[i] == label:
            i += one
        if 0 <= label < size:
            areas[label] += i - first


def _label_areas_cpu(labels, count):
    areas = np.zeros(int(count) + 1, np.int32)
    _count(labels.reshape(-1), areas)
    return areas


def _label_areas_cuda(labels, count):
    areas = array_module(labels).zeros((int(count) + 1,), np.int32)
    height, width = labels.shape
    sizes = np.int32(height), np.int32(width), np.int32(int(count) + 1)
    _cuda.launch_image("label_areas", (height, -(-width // CHUNK)), labels, areas, *sizes, block=(4, 64))
    return areas


def _sample(rng, size_hw):
    coarse = rng.integers(-1, 12, (size_hw[0], size_hw[1] // 7 + 1), dtype=np.int32)
    return np.ascontiguousarray(coarse.repeat(7, 1)[:, : size_hw[1]]), np.int32(9)


label_areas = Kernel("label_areas", cpu=_label_areas_cpu, cuda=_label_areas_cuda, sample=_sample, atol=0)
