"""Grey from colour: BT.601 luma, (H, W, 3) uint8 to (H, W) float32 in [0, 1]."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _gray_rows(first_row, end_row, rgb, gray):
    """rgb: (height, width, 3) uint8; gray: (height, width) float32 in [0, 1]."""
    scale = np.float32(16711680)  # 255 * 65536, below 2^24: the weighted sum is exact as float32
    for y in range(first_row, end_row):
        source, target = rgb[y], gray[y]
        for x in range(len(target)):
            weighted = (
                np.int32(19595) * np.int32(source[x, 0])
                + np.int32(38470) * np.int32(source[x, 1])
                + np.int32(7471) * np.int32(source[x, 2])
            )
            target[x] = np.float32(np.int32(weighted)) / scale


def _gray_from_rgb_cpu(rgb):
    gray = recycled_empty(rgb.shape[:2])
    run_bands(_gray_rows, rgb.shape[0], rgb, gray, least=120)
    return gray


def _gray_from_rgb_cuda(rgb):
    gray = array_module(rgb).empty(rgb.shape[:2], np.float32)
    _cuda.launch_linear("gray_from_rgb", gray.size, rgb, gray, np.int32(gray.size))
    return gray


def _sample(rng, size_hw):
    return (rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8),)


gray_from_rgb = Kernel("gray_from_rgb", cpu=_gray_from_rgb_cpu, cuda=_gray_from_rgb_cuda, sample=_sample)
