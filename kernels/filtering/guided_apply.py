"""Fast guided filter, last step: lines a, b of a small image, applied to the grey of a full-size picture."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _place(position, factor, count):
    """Small pixel below and above full pixel `position`, and the share of the second: pixel centres aligned."""
    small = np.float32(2 * position + 1 - factor) / np.float32(2 * factor)
    small = min(max(small, np.float32(0)), np.float32(count - 1))
    first = int(small)
    return first, min(first + 1, count - 1), small - np.float32(first)


@cpu_kernel
def _widen(coefficients, row, left, right, share, wide):
    """One row of the small a and b, interpolated along x: wide is (2, width)."""
    one = np.float32(1)
    for c in range(2):
        source, target = coefficients[c, row], wide[c]
        for x in range(len(share)):
            target[x] = source[left[x]] * (one - share[x]) + source[right[x]] * share[x]


@cpu_kernel
def _luma(pixels, gray):
    """pixels: one row, flat, r g b r g b ... uint8; the same bits as `gray_from_rgb`."""
    scale = np.float32(16711680)
    for x in range(len(gray)):
        weighted = (
            np.int32(19595) * np.int32(pixels[3 * x])
            + np.int32(38470) * np.int32(pixels[3 * x + 1])
            + np.int32(7471) * np.int32(pixels[3 * x + 2])
        )
        gray[x] = np.float32(np.int32(weighted)) / scale


@cpu_kernel
def _draw(gray, slope0, slope1, offset0, offset1, fy, target):
    one = np.float32(1)
    for x in range(len(gray)):
        slope = slope0[x] * (one - fy) + slope1[x] * fy
        offset = offset0[x] * (one - fy) + offset1[x] * fy
        target[x] = slope * gray[x] + offset


@cpu_kernel
def _apply_rows(first_row, end_row, coefficients, image, values, factor):
    """coefficients: (2, h, w) float32; image: (height, width, 3) uint8; values: (height, width) float32."""
    _, small_height, small_width = coefficients.shape
    width = image.shape[1]
    pixels, gray = image.reshape(-1), np.empty(width, np.float32)
    left, right = np.empty(width, np.int32), np.empty(width, np.int32)
    share = np.empty(width, np.float32)
    for x in range(width):
        left[x], right[x], share[x] = _place(x, factor, small_width)
    # A small row serves many full rows: it is interpolated along x once.
    wide = np.empty((2, 2, width), np.float32)
    held = np.full(2, -1, np.int64)
    for y in range(first_row, end_row):
        y0, y1, fy = _place(y, factor, small_height)
        for row in (y0, y1):
            if held[row & 1] != row:
                _widen(coefficients, row, left, right, share, wide[row & 1])
                held[row & 1] = row
        above, below = wide[y0 & 1], wide[y1 & 1]
        _luma(pixels[3 * width * y : 3 * width * (y + 1)], gray)
        _draw(gray, above[0], below[0], above[1], below[1], fy, values[y])


def _guided_apply_cpu(coefficients, image, factor):
    values = np.empty(image.shape[:2], np.float32)
    run_bands(_apply_rows, image.shape[0], coefficients, image, values, int(factor))
    return values


def _guided_apply_cuda(coefficients, image, factor):
    values = array_module(image).empty(image.shape[:2], np.float32)
    (_, small_height, small_width), (height, width) = coefficients.shape, values.shape
    _cuda.launch_image(
        "guided_apply",
        (height, width),
        coefficients,
        image,
        values,
        np.int32(small_height),
        np.int32(small_width),
        np.int32(height),
        np.int32(width),
        np.int32(factor),
    )
    return values


def _sample(rng, size_hw):
    factor = 1 + size_hw[1] % 3
    small = [-(-size // factor) for size in size_hw]
    return (
        rng.random((2, *small), dtype=np.float32),
        rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8),
        np.int32(factor),
    )


guided_apply = Kernel("guided_apply", cpu=_guided_apply_cpu, cuda=_guided_apply_cuda, sample=_sample)
