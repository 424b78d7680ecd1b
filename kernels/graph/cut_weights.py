"""What a cut costs between neighbouring pixels: much where they look alike, little across an edge of the picture.

    weight(p, q) = contrast * length * (floor + exp(-|p - q|^2 / (2 mean)))

|p - q|^2 is the sum of squared differences of red, green and blue, mean its mean over all pairs of the picture, length
1 along rows and columns and 0.7071 along diagonals. Planes: to the right, down, down and right, down and left; 0 where
there is no such neighbour.

The squares are whole numbers, so their sum is the same in any order. The exponential is made of basic operations, which
round alike in both halves, and its loop runs on whole vectors.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

ROW_THREADS = 128  # of a CUDA block that adds up a row
_cuda = CudaSource(__file__, {"ROW_THREADS": str(ROW_THREADS)})

_SHIFTS = (1, 0, 1, -1)
_DIAGONAL = np.float32(0.7071)
_LOG2_E, _LEAST = np.float32(1.442695), np.float32(-100)
# 2^f on [0, 1), 1 at 0 and 2 at 1; off by at most 4e-6.
_C1, _C2, _C3, _C4 = np.float32(0.693032), np.float32(0.24138), np.float32(0.052032), np.float32(0.013556)


@cpu_kernel
def _row_squares(image, y, k, squares):
    """Squared differences of row y to its neighbours in direction k. image: (height, 3 width) uint8."""
    width = len(squares)
    shift = _SHIFTS[k]
    first, end = max(0, -shift), width - max(0, shift)
    one = image[y, 3 * first : 3 * end]
    other = image[y + (1 if k > 0 else 0), 3 * (first + shift) : 3 * (end + shift)]
    target = squares[first:end]
    for x in range(end - first):
        red = np.int32(one[3 * x]) - np.int32(other[3 * x])
        green = np.int32(one[3 * x + 1]) - np.int32(other[3 * x + 1])
        blue = np.int32(one[3 * x + 2]) - np.int32(other[3 * x + 2])
        target[x] = red * red + green * green + blue * blue
    return first, end


@cpu_kernel
def _sum_rows(first_row, end_row, image, planes, sums):
    """planes: (4, height, width) int32, for squared differences; sums: (height) int64."""
    height = planes.shape[1]
    for y in range(first_row, end_row):
        total = np.int64(0)
        for k in range(4 if y + 1 < height else 1):
            first, end = _row_squares(image, y, k, planes[k, y])
            row = planes[k, y, first:end]
            for x in range(end - first):
                total += row[x]
        sums[y] = total


@cpu_kernel
def _weight_rows(first_row, end_row, planes, scale, contrast, floor, weights):
    height, width = weights.shape[1:]
    zero, one = np.float32(0), np.float32(1)
    powers = np.empty(width, np.int32)
    values = np.empty(width, np.float32)
    for y in range(first_row, end_row):
        for k in range(4):
            target = weights[k, y]
            if k > 0 and y + 1 == height:
                target[:] = zero
                continue
            shift = _SHIFTS[k]
            first, end = max(0, -shift), width - max(0, shift)
            squares = planes[k, y]
            strength = contrast if k < 2 else contrast * _DIAGONAL
            for x in range(first, end):
                exponent = max(np.float32(squares[x]) * scale * _LOG2_E, _LEAST)
                # Towards zero is upwards here: one less is at or below the exponent.
                whole = np.int32(exponent) - np.int32(1)
                f = exponent - np.float32(whole)
                values[x] = one + f * (_C1 + f * (_C2 + f * (_C3 + f * _C4)))
                powers[x] = (whole + np.int32(127)) << np.int32(23)
            factors = powers.view(np.float32)
            for x in range(first, end):
                target[x] = strength * (floor + values[x] * factors[x])
            for x in range(first):
                target[x] = zero
            for x in range(end, width):
                target[x] = zero


def _pairs(height, width):
    return height * (width - 1) + (height - 1) * (3 * width - 2)


def _cut_weights_cpu(image, contrast, floor):
    height, width = image.shape[:2]
    planes, sums = recycled_empty((4, height, width), np.int32), np.empty(height, np.int64)
    run_bands(_sum_rows, height, image.reshape(height, 3 * width), planes, sums)
    mean = float(sums.sum()) / max(_pairs(height, width), 1) + 1e-6
    weights = recycled_empty((4, height, width), np.float32)
    run_bands(_weight_rows, height, planes, np.float32(-0.5 / mean), contrast, floor, weights)
    return weights


def _cut_weights_cuda(image, contrast, floor):
    xp = array_module(image)
    height, width = image.shape[:2]
    total = xp.zeros(1, np.uint64)
    weights = xp.empty((4, height, width), np.float32)
    size = np.int32(height), np.int32(width)
    _cuda.launch_blocks("cut_weights_sum", (height,), (ROW_THREADS,), image, total, *size)
    arguments = image, total, weights, contrast, floor, np.float64(max(_pairs(height, width), 1))
    _cuda.launch_image("cut_weights", (height, width), *arguments, *size)
    return weights


def _sample(rng, size_hw):
    image = rng.integers(0, 256, (*size_hw, 3)).astype(np.uint8)
    image[:, : size_hw[1] // 2] = image[:, : size_hw[1] // 2] // 16 + 90
    return image, np.float32(2), np.float32(0.05)


cut_weights = Kernel("cut_weights", cpu=_cut_weights_cpu, cuda=_cut_weights_cuda, sample=_sample)
