"""A colour picture made smaller by a whole factor: every pixel is the rounded mean of a block."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


# Up to this factor (sum + 1/2) / count in float32 has the right whole part: its error stays below 1 / (2 count).
_LARGEST_EXACT = 64


@cpu_kernel
def _halve_row(column_sums, target, pairs):
    """Sums of two rows to rounded means of 2 x 2 blocks. The strides are constants: all of it becomes vector code."""
    two = np.uint16(2)
    for k in range(pairs):
        target[3 * k] = (column_sums[6 * k] + column_sums[6 * k + 3] + two) >> two
        target[3 * k + 1] = (column_sums[6 * k + 1] + column_sums[6 * k + 4] + two) >> two
        target[3 * k + 2] = (column_sums[6 * k + 2] + column_sums[6 * k + 5] + two) >> two


@cpu_kernel
def _divide(sums, target, count):
    """target = (sums + count / 2) / count, whole numbers; sums: (n) int32, target: (n) uint8."""
    half, size = np.int32(count // 2), np.float32(count)
    if count <= _LARGEST_EXACT * _LARGEST_EXACT:
        for i in range(len(sums)):
            target[i] = np.uint8(np.int32((np.float32(sums[i] + half) + np.float32(0.5)) / size))
    else:
        for i in range(len(sums)):
            target[i] = (sums[i] + half) // np.int32(count)


@cpu_kernel
def _shrink_rows(first_row, end_row, image, small, factor):
    """image: (height, width, 3) uint8; small: (ceil(height / factor), ceil(width / factor), 3) uint8."""
    height, width, _ = image.shape
    small_width, whole = small.shape[1], width // factor
    pitch = 3 * width
    pixels, result = image.reshape(-1), small.reshape(-1)
    pair_sums = np.empty(pitch, np.uint16)
    column_sums = np.empty(pitch, np.int32)
    sums = np.empty(3 * small_width, np.int32)
    for j in range(first_row, end_row):
        rows = min(factor, height - j * factor)
        top = pixels[j * factor * pitch : (j * factor + 1) * pitch]
        target = result[j * small_width * 3 : (j + 1) * small_width * 3]
        if factor == 2 and rows == 2:
            below = pixels[(2 * j + 1) * pitch : (2 * j + 2) * pitch]
            for i in range(pitch):
                pair_sums[i] = np.uint16(top[i]) + np.uint16(below[i])
            _halve_row(pair_sums, target, whole)
            if whole < small_width:
                for c in range(3):
                    target[3 * whole + c] = (pair_sums[6 * whole + c] + np.uint16(1)) >> np.uint16(1)
            continue
        for i in range(pitch):
            column_sums[i] = top[i]
        for row in range(1, rows):
            source = pixels[(j * factor + row) * pitch : (j * factor + row + 1) * pitch]
            for i in range(pitch):
                column_sums[i] += np.int32(source[i])
        for k in range(small_width):
            red, green, blue = np.int32(0), np.int32(0), np.int32(0)
            for i in range(3 * k * factor, 3 * min(k * factor + factor, width), 3):
                red, green, blue = red + column_sums[i], green + column_sums[i + 1], blue + column_sums[i + 2]
            sums[3 * k], sums[3 * k + 1], sums[3 * k + 2] = red, green, blue
        _divide(sums[: 3 * whole], target[: 3 * whole], rows * factor)
        if whole < small_width:
            _divide(sums[3 * whole :], target[3 * whole :], rows * (width - whole * factor))


def _small_size(image, factor):
    return -(-image.shape[0] // int(factor)), -(-image.shape[1] // int(factor)), 3


def _shrink_rgb_cpu(image, factor):
    small = np.empty(_small_size(image, factor), np.uint8)
    run_bands(_shrink_rows, small.shape[0], image, small, int(factor), least=120)
    return small


def _shrink_rgb_cuda(image, factor):
    small = array_module(image).empty(_small_size(image, factor), np.uint8)
    height, width = image.shape[:2]
    _cuda.launch_image("shrink_rgb", small.shape[:2], image, small, np.int32(height), np.int32(width), np.int32(factor))
    return small


def _sample(rng, size_hw):
    return rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8), np.int32(2 + size_hw[1] % 2)


shrink_rgb = Kernel("shrink_rgb", cpu=_shrink_rgb_cpu, cuda=_shrink_rgb_cuda, sample=_sample)
