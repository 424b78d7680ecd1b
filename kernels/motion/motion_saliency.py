"""Motion saliency: how far each pixel's flow is from the camera's, in units of the flow's noise."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _residual(u, v, camera, x, y):
    depth = camera[2, 0] * x + camera[2, 1] * y + camera[2, 2]
    du = u - ((camera[0, 0] * x + camera[0, 1] * y + camera[0, 2]) / depth - x)
    dv = v - ((camera[1, 0] * x + camera[1, 1] * y + camera[1, 2]) / depth - y)
    return np.sqrt(du * du + dv * dv)


@cpu_kernel
def _saliency_rows(first_row, end_row, forward_xy, backward_xy, cameras, noise_px, saliency):
    width = saliency.shape[1]
    for row in range(first_row, end_row):
        y = np.float32(row)
        for column in range(width):
            x = np.float32(column)
            ahead = _residual(forward_xy[row, column, 0], forward_xy[row, column, 1], cameras[0], x, y) / noise_px[0]
            back = _residual(backward_xy[row, column, 0], backward_xy[row, column, 1], cameras[1], x, y) / noise_px[1]
            saliency[row, column] = min(ahead, back)


def _motion_saliency_cpu(forward_xy, backward_xy, cameras, noise_px):
    saliency = np.empty(forward_xy.shape[:2], np.float32)
    run_bands(_saliency_rows, saliency.shape[0], forward_xy, backward_xy, cameras, noise_px, saliency)
    return saliency


def _motion_saliency_cuda(forward_xy, backward_xy, cameras, noise_px):
    height, width = forward_xy.shape[:2]
    saliency = array_module(forward_xy).empty((height, width), np.float32)
    _cuda.launch_image(
        "motion_saliency",
        (height, width),
        forward_xy,
        backward_xy,
        cameras,
        noise_px,
        saliency,
        np.int32(height),
        np.int32(width),
    )
    return saliency


def _sample(rng, size_hw):
    forward_xy = rng.normal(0, 4, (*size_hw, 2)).astype(np.float32)
    backward_xy = rng.normal(0, 4, (*size_hw, 2)).astype(np.float32)
    size = np.float32([[1e-3, 1e-3, 2], [1e-3, 1e-3, 2], [1e-5, 1e-5, 0]])  # a degree, two pixels, a little tilt
    cameras = np.eye(3, dtype=np.float32) + rng.normal(0, 1, (2, 3, 3)).astype(np.float32) * size
    return forward_xy, backward_xy, cameras, np.float32([0.4, 0.7])


# The same float32 operations in the same order; only the rounding of sqrtf on some GPUs may differ.
motion_saliency = Kernel(
    "motion_saliency", cpu=_motion_saliency_cpu, cuda=_motion_saliency_cuda, sample=_sample, atol=1e-5
)
