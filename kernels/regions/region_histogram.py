"""Colour histogram of every region: 8 x 8 x 8 bins of RGB."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.labeling.next_labelled import next_labelled

_cuda = CudaSource(__file__)

BINS = 512


@cpu_kernel
def _count_colors(labels, image, counts):
    """labels: (height, width) int32; image: (height, width, 3) uint8; counts: (n, 512) int32."""
    height, width = labels.shape
    regions = counts.shape[0]
    for y in range(height):
        row = labels[y]
        x = next_labelled(row, 0)
        while x < width:
            label = row[x]
            if label > 0 and label <= regions:
                red, green, blue = np.int32(image[y, x, 0]), np.int32(image[y, x, 1]), np.int32(image[y, x, 2])
                counts[label - 1, ((red >> 5) << 6) | ((green >> 5) << 3) | (blue >> 5)] += 1
            x += 1
            if x < width and row[x] == 0:
                x = next_labelled(row, x)


def _region_histogram_cpu(labels, image, count):
    counts = np.zeros((int(count), BINS), np.int32)
    _count_colors(labels, image, counts)
    return counts


def _region_histogram_cuda(labels, image, count):
    counts = array_module(labels).zeros((int(count), BINS), np.int32)
    height, width = labels.shape
    _cuda.launch_image(
        "region_histogram",
        (height, width),
        labels,
        image,
        counts,
        np.int32(height),
        np.int32(width),
        np.int32(count),
    )
    return counts


def _sample(rng, size_hw):
    coarse = rng.integers(0, 12, (size_hw[0] // 5 + 1, size_hw[1] // 7 + 1), dtype=np.int32)
    labels = np.ascontiguousarray(coarse.repeat(5, 0).repeat(7, 1)[: size_hw[0], : size_hw[1]])
    return labels, rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8), np.int32(10)


region_histogram = Kernel(
    "region_histogram", cpu=_region_histogram_cpu, cuda=_region_histogram_cuda, sample=_sample, atol=0
)
