"""Pictures whose channels lie side by side, smoothed by a Gaussian and taken apart into planes."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


def gaussian_taps(sigma_px):
    """Weights of a Gaussian, cut off at three standard deviations, the middle one first; mirrored they sum to 1."""
    radius = max(1, int(np.ceil(3.0 * sigma_px)))
    weights = np.exp(-0.5 * (np.arange(radius + 1) / sigma_px) ** 2)
    return (weights / (2 * weights.sum() - weights[0])).astype(np.float32)


@cpu_kernel
def _smooth_rows(first_row, end_row, image, taps, planes):
    """image: (height, width, channels); planes: (channels, height, width).

    Along y in whole rows with all channels, then each channel along x, from a line with its ends repeated.
    """
    height, width, channels = image.shape
    radius = taps.size - 1
    length = width * channels
    values = image.reshape(-1)
    total = np.empty(length, np.float32)
    line = np.empty(width + 2 * radius, np.float32)
    for y in range(first_row, end_row):
        middle, weight = values[y * length : (y + 1) * length], taps[0]
        for k in range(length):
            total[k] = middle[k] * weight
        for j in range(1, radius + 1):
            top, bottom, weight = max(y - j, 0), min(y + j, height - 1), taps[j]
            above, below = values[top * length : (top + 1) * length], values[bottom * length : (bottom + 1) * length]
            for k in range(length):
                total[k] += (above[k] + below[k]) * weight
        for c in range(channels):
            inner, channel = line[radius : radius + width], total[c:]
            for x in range(width):
                inner[x] = channel[x * channels]
            for x in range(radius):
                line[x] = line[radius]
                line[radius + width + x] = line[radius + width - 1]
            smooth, weight = planes[c, y], taps[0]
            for x in range(width):
                smooth[x] = inner[x] * weight
            for i in range(1, radius + 1):
                left, right, weight = line[radius - i :], line[radius + i :], taps[i]
                for x in range(width):
                    smooth[x] += (left[x] + right[x]) * weight


def _smooth_planes_cpu(image, taps):
    height, width, channels = image.shape
    planes = recycled_empty((channels, height, width))
    if image.size:
        run_bands(_smooth_rows, height, image, taps, planes)
    return planes


def _smooth_planes_cuda(image, taps):
    xp = array_module(image)
    height, width, channels = image.shape
    columns, planes = (xp.empty((channels, height, width), np.float32) for _ in range(2))
    sizes = np.int32(height), np.int32(width), np.int32(channels), np.int32(taps.size - 1)
    _cuda.launch_image("smooth_planes_columns", (channels * height, width), image, taps, columns, *sizes)
    _cuda.launch_image("smooth_planes", (channels * height, width), columns, taps, planes, *sizes)
    return planes


def _sample(rng, size_hw):
    return rng.random((*size_hw, 3), dtype=np.float32), gaussian_taps(1.5)


smooth_planes = Kernel("smooth_planes", cpu=_smooth_planes_cpu, cuda=_smooth_planes_cuda, sample=_sample)
