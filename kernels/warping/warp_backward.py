"""Backward warp: read an image where a flow points. Bilinear, clamped at the edges."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _warp_rows(first_row, end_row, image, flow_xy, warped):
    """image, warped: (height, width, channels) float32; flow_xy: (height, width, 2) float32, pixels."""
    height, width, channels = image.shape
    one = np.float32(1)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    for y in range(first_row, end_row):
        for x in range(width):
            # max first, so that NaN becomes 0 as in CUDA: an unclamped NaN would index anywhere.
            source_x = min(max(np.float32(0), np.float32(x) + flow_xy[y, x, 0]), last_x)
            source_y = min(max(np.float32(0), np.float32(y) + flow_xy[y, x, 1]), last_y)
            x0, y0 = int(source_x), int(source_y)
            x1, y1 = min(x0 + 1, width - 1), min(y0 + 1, height - 1)
            fx, fy = source_x - np.float32(x0), source_y - np.float32(y0)
            for c in range(channels):
                top = image[y0, x0, c] * (one - fx) + image[y0, x1, c] * fx
                bottom = image[y1, x0, c] * (one - fx) + image[y1, x1, c] * fx
                warped[y, x, c] = top * (one - fy) + bottom * fy


def _warp_backward_cpu(image, flow_xy):
    planes = image.reshape(*image.shape[:2], -1)
    warped = np.empty_like(planes)
    run_bands(_warp_rows, image.shape[0], planes, flow_xy, warped)
    return warped.reshape(image.shape)


def _warp_backward_cuda(image, flow_xy):
    warped = array_module(image).empty_like(image)
    height, width = image.shape[:2]
    channels = 1 if image.ndim == 2 else image.shape[2]
    _cuda.launch_image(
        "warp_backward",
        (height, width),
        image,
        flow_xy,
        warped,
        np.int32(height),
        np.int32(width),
        np.int32(channels),
    )
    return warped


def _sample(rng, size_hw):
    image = rng.random((*size_hw, 3), dtype=np.float32)
    flow_xy = rng.normal(0, 6, (*size_hw, 2)).astype(np.float32)
    return image, flow_xy


warp_backward = Kernel("warp_backward", cpu=_warp_backward_cpu, cuda=_warp_backward_cuda, sample=_sample, atol=1e-6)
