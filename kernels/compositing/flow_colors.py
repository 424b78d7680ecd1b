"""Optical flow as colours: the direction is the hue, the length the saturation."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

ZERO, HALF, ONE, FULL = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)
LARGEST = np.float32(3.0e38)
SINE_60 = np.float32(0.8660254)


@cpu_kernel
def _color_rows(first_row, end_row, flow_xy, largest_px, colors):
    """flow_xy: (height, width, 2) float32; colors: (height, width, 3) uint8."""
    width = flow_xy.shape[1]
    for y in range(first_row, end_row):
        for x in range(width):
            u, v = flow_xy[y, x, 0], flow_xy[y, x, 1]
            length = np.float32(np.sqrt(u * u + v * v))
            if not length <= LARGEST:  # infinite or NaN
                for c in range(3):
                    colors[y, x, c] = 0
                continue
            if length > ZERO:
                u, v = u / length, v / length
            saturation = min(length / largest_px, ONE)
            for c in range(3):
                # The cosine of the angle to the direction of red, green or blue: 0, 120 and 240 degrees.
                if c == 0:
                    cosine = u
                elif c == 1:
                    cosine = SINE_60 * v - HALF * u
                else:
                    cosine = -SINE_60 * v - HALF * u
                hue = min(max(HALF + cosine, ZERO), ONE)
                colors[y, x, c] = np.uint8(np.int32(FULL * (ONE - saturation * (ONE - hue)) + HALF))


def _flow_colors_cpu(flow_xy, largest_px):
    """flow_xy: (height, width, 2) float32, pixels; largest_px: float32, the length in full colour.

    Returns (height, width, 3) uint8 RGB: white where nothing moves, black where the flow is unknown (NaN, infinite).
    """
    height, width = flow_xy.shape[:2]
    colors = np.empty((height, width, 3), np.uint8)
    run_bands(_color_rows, height, flow_xy, largest_px, colors)
    return colors


def _flow_colors_cuda(flow_xy, largest_px):
    height, width = flow_xy.shape[:2]
    colors = array_module(flow_xy).empty((height, width, 3), np.uint8)
    _cuda.launch_image(
        "flow_colors", (height, width), flow_xy, colors, np.float32(largest_px), np.int32(height), np.int32(width)
    )
    return colors


def _sample(rng, size_hw):
    flow_xy = rng.normal(0, 6, (*size_hw, 2)).astype(np.float32)
    flow_xy[rng.random(size_hw) < 0.1] = 0
    flow_xy[rng.random(size_hw) < 0.05] = np.nan
    return flow_xy, np.float32(9)


flow_colors = Kernel("flow_colors", cpu=_flow_colors_cpu, cuda=_flow_colors_cuda, sample=_sample)
