"""Motion boundaries: where the flow changes abruptly in length, or a little less abruptly but also in direction.

[PapazoglouFerrari2013]_ section 3.1. Departures: central differences, and the directions of the eight neighbours.
"""

import math

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

# The same numbers stand in the .cu file. A step of the flow of 1.0 px counts half, of 1.31 px counts 0.6.
STEP_WEIGHT = 0.7
CLEAR_STEP, LEAST_STEP = 0.6, 0.5
_CLEAR_SQUARED, _LEAST_SQUARED = (
    np.float32((math.log(1.0 - step) / STEP_WEIGHT) ** 2) for step in (CLEAR_STEP, LEAST_STEP)
)


@cpu_kernel
def _strength(flow_xy, x, y, squared_gradient):
    """As in the .cu file; asked at one pixel in a hundred."""
    step = 1.0 - math.exp(-STEP_WEIGHT * math.sqrt(np.float64(squared_gradient)))
    u, v = np.float64(flow_xy[y, x, 0]), np.float64(flow_xy[y, x, 1])
    own = u * u + v * v
    least = 1.0
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            p, q = np.float64(flow_xy[y + dy, x + dx, 0]), np.float64(flow_xy[y + dy, x + dx, 1])
            product = own * (p * p + q * q)
            if product > 0.0:
                least = min(least, (u * p + v * q) / math.sqrt(product))
    angle = math.acos(max(least, -1.0))
    return np.float32(step * (1.0 - math.exp(-angle * angle)))


@cpu_kernel
def _boundary_rows(first_row, end_row, forward_xy, backward_xy, boundary):
    """boundary: (2, height, width); rows are counted through both."""
    height, width, _ = forward_xy.shape
    half, clear, least = np.float32(0.5), _CLEAR_SQUARED, _LEAST_SQUARED
    squared = np.zeros(2 * width, np.float32)
    for row in range(first_row, end_row):
        k = 0 if row < height else 1
        y = row - k * height
        flow_xy = forward_xy if k == 0 else backward_xy
        result = boundary[k, y]
        result[:] = 0
        if y == 0 or y == height - 1 or width < 3:
            continue
        values = flow_xy.reshape(-1)
        start = 2 * y * width
        left, right = values[start : start + 2 * width - 4], values[start + 4 : start + 2 * width]
        above = values[start - 2 * width + 2 : start - 2]
        below = values[start + 2 * width + 2 : start + 4 * width - 2]
        # Numbers i and i + 1 belong to one pixel: squares of both components along x, then along y, as in the .cu file.
        for x in range(width - 2):
            i = 2 * x
            ux, vx = (right[i] - left[i]) * half, (right[i + 1] - left[i + 1]) * half
            uy, vy = (below[i] - above[i]) * half, (below[i + 1] - above[i + 1]) * half
            squared[x] = (ux * ux + vx * vx) + (uy * uy + vy * vy)
        inner = result[1 : width - 1]
        unsure = 0
        for x in range(width - 2):
            inner[x] = np.uint8(squared[x] > clear)
            unsure += np.int32(squared[x] > least) - np.int32(squared[x] > clear)
        if unsure > 0:
            for x in range(width - 2):
                if least < squared[x] <= clear:
                    inner[x] = np.uint8(_strength(flow_xy, x + 1, y, squared[x]) > half)


def _motion_boundary_cpu(forward_xy, backward_xy):
    boundary = np.empty((2, *forward_xy.shape[:2]), np.uint8)
    run_bands(_boundary_rows, 2 * forward_xy.shape[0], forward_xy, backward_xy, boundary)
    return boundary


def _motion_boundary_cuda(forward_xy, backward_xy):
    height, width = forward_xy.shape[:2]
    boundary = array_module(forward_xy).empty((2, height, width), np.uint8)
    sizes = np.int32(height), np.int32(width)
    _cuda.launch_image("motion_boundary", (2 * height, width), forward_xy, backward_xy, boundary, *sizes)
    return boundary


def _sample(rng, size_hw):
    # Gradients on both sides of the bounds, in all directions
    forward_xy = rng.normal(0, 1, (*size_hw, 2)).astype(np.float32)
    return forward_xy, (rng.normal(0, 0.8, (*size_hw, 2)) + 0.5).astype(np.float32)


# Where exp and acos round differently a pixel may fall on the other side of 0.5: none was seen to.
motion_boundary = Kernel(
    "motion_boundary", cpu=_motion_boundary_cpu, cuda=_motion_boundary_cuda, sample=_sample, mismatch=0.001
)
