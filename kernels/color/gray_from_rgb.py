"""Grey from colour: BT.601 luma, (H, W, 3) uint8 to (H, W) float32 in [0, 1]."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import load16_blue, load16_green, load16_red, store16
from cvseg.kernels.recycled import recycled_empty

# The weights in units of 1 / 65536. Their sum with whole numbers up to 255 is below 2^24: exact in float32.
RED, GREEN, BLUE = np.float32(19595), np.float32(38470), np.float32(7471)
WHITE = np.float32(255 * 65536)

_cuda = CudaSource(__file__)


@cpu_kernel
def gray_row(rgb, first, gray, to, width):
    """`width` pixels of flat uint8 RGB from byte `first`, as grey from ``gray[to]`` (flat float32)."""
    if width < 16:
        for x in range(width):
            i = first + 3 * x
            weighted = RED * np.float32(rgb[i]) + GREEN * np.float32(rgb[i + 1]) + BLUE * np.float32(rgb[i + 2])
            gray[to + x] = weighted / WHITE
        return
    for start in range(0, width, 16):
        x = min(start, width - 16)
        i = first + 3 * x
        weighted = RED * load16_red(rgb, i) + GREEN * load16_green(rgb, i) + BLUE * load16_blue(rgb, i)
        store16(gray, to + x, weighted / WHITE)


@cpu_kernel
def _gray_rows(first_row, end_row, rgb, gray, width):
    """rgb: flat uint8, three bytes a pixel; gray: flat float32 in [0, 1]."""
    for y in range(first_row, end_row):
        gray_row(rgb, 3 * width * y, gray, width * y, width)


def _gray_from_rgb_cpu(rgb):
    gray = recycled_empty(rgb.shape[:2])
    run_bands(_gray_rows, rgb.shape[0], rgb.reshape(-1), gray.reshape(-1), rgb.shape[1], least=240)
    return gray


def _gray_from_rgb_cuda(rgb):
    gray = array_module(rgb).empty(rgb.shape[:2], np.float32)
    _cuda.launch_linear("gray_from_rgb", gray.size, rgb, gray, np.int32(gray.size))
    return gray


def _sample(rng, size_hw):
    return (rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8),)


gray_from_rgb = Kernel("gray_from_rgb", cpu=_gray_from_rgb_cpu, cuda=_gray_from_rgb_cuda, sample=_sample)
