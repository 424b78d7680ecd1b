"""Brightness and its gradient, smoothed by binomials over 5x5 pixels: what motion energy differentiates along time."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

_2, _4, _6 = np.float32(2), np.float32(4), np.float32(6)
_QUARTER, _SMOOTH, _STEEP = np.float32(1 / 4), np.float32(1 / 256), np.float32(1 / 128)


@cpu_kernel
def _gray_row(pixels, padded):
    width = len(pixels) // 3
    for x in range(width):
        r, g, b = np.float32(pixels[3 * x]), np.float32(pixels[3 * x + 1]), np.float32(pixels[3 * x + 2])
        padded[x + 2] = (r + _2 * g + b) * _QUARTER
    for x in range(2):
        padded[x] = padded[2]
        padded[width + 2 + x] = padded[width + 1]


@cpu_kernel
def _down(row0, row1, row2, row3, row4, smooth, steep):
    for x in range(len(smooth)):
        smooth[x] = (row0[x] + row4[x]) + _4 * (row1[x] + row3[x]) + _6 * row2[x]
        steep[x] = (row4[x] - row0[x]) + _2 * (row3[x] - row1[x])


@cpu_kernel
def _along(smooth, steep, x0, y0, value):
    """The same along the row, for all three."""
    n = len(value)
    a, b, c, d, e = smooth[0:n], smooth[1 : n + 1], smooth[2 : n + 2], smooth[3 : n + 3], smooth[4 : n + 4]
    for x in range(n):
        x0[x] = ((e[x] - a[x]) + _2 * (d[x] - b[x])) * _STEEP
        value[x] = ((a[x] + e[x]) + _4 * (b[x] + d[x]) + _6 * c[x]) * _SMOOTH
    a, b, c, d, e = steep[0:n], steep[1 : n + 1], steep[2 : n + 2], steep[3 : n + 3], steep[4 : n + 4]
    for x in range(n):
        y0[x] = ((a[x] + e[x]) + _4 * (b[x] + d[x]) + _6 * c[x]) * _STEEP


@cpu_kernel
def _derivative_rows(first_row, end_row, image, derivatives):
    """image: (height, width, 3) uint8; derivatives: (3, height, width) float32."""
    height, width = image.shape[:2]
    flat = image.reshape(-1)
    gray = np.empty((5, width + 4), np.float32)  # row y stands at y % 5
    rows = np.empty((2, width + 4), np.float32)
    loaded = max(first_row - 2, 0) - 1
    for y in range(first_row, end_row):
        while loaded < min(y + 2, height - 1):
            loaded += 1
            _gray_row(flat[3 * width * loaded : 3 * width * (loaded + 1)], gray[loaded % 5])
        _down(
            gray[max(y - 2, 0) % 5],
            gray[max(y - 1, 0) % 5],
            gray[y % 5],
            gray[min(y + 1, height - 1) % 5],
            gray[min(y + 2, height - 1) % 5],
            rows[0],
            rows[1],
        )
        _along(rows[0], rows[1], derivatives[0, y], derivatives[1, y], derivatives[2, y])


def _flux_derivatives_cpu(image):
    derivatives = np.empty((3, *image.shape[:2]), np.float32)
    run_bands(_derivative_rows, image.shape[0], image, derivatives)
    return derivatives


def _flux_derivatives_cuda(image):
    height, width = image.shape[:2]
    derivatives = array_module(image).empty((3, height, width), np.float32)
    _cuda.launch_image("flux_derivatives", (height, width), image, derivatives, np.int32(height), np.int32(width))
    return derivatives


def _sample(rng, size_hw):
    return (rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8),)


flux_derivatives = Kernel("flux_derivatives", cpu=_flux_derivatives_cpu, cuda=_flux_derivatives_cuda, sample=_sample)
