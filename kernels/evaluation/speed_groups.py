"""Pixels in groups by the length of their flow."""

import math

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _group_rows(first_row, end_row, flow, limits, speed, group):
    """flow: (height, 2 * width) float32; speed, scratch, and group: (height, width) float32 and uint8."""
    width = group.shape[1]
    for y in range(first_row, end_row):
        row, length, out = flow[y], speed[y], group[y]
        for x in range(width):
            u, v = np.float64(row[2 * x]), np.float64(row[2 * x + 1])
            length[x] = np.float32(math.sqrt(u * u + v * v))  # rounded as hypotf does
            out[x] = np.uint8(0) if length[x] - length[x] == np.float32(0) else np.uint8(255)
        for k in range(len(limits)):
            limit = limits[k]
            for x in range(width):
                # 255 stays: neither NaN nor the largest number of groups is below it.
                out[x] += np.uint8((length[x] >= limit) & (out[x] != np.uint8(255)))


def _speed_groups_cpu(flow, limits):
    height, width = flow.shape[:2]
    group, speed = np.empty((height, width), np.uint8), np.empty((height, width), np.float32)
    run_bands(_group_rows, height, flow.reshape(height, 2 * width), limits, speed, group)
    return group


def _speed_groups_cuda(flow, limits):
    height, width = flow.shape[:2]
    group = array_module(flow).empty((height, width), np.uint8)
    sizes = np.int32(height), np.int32(width), np.int32(len(limits))
    _cuda.launch_image("speed_groups", (height, width), flow, limits, group, *sizes)
    return group


def _sample(rng, size_hw):
    flow = rng.normal(0, 20, (*size_hw, 2)).astype(np.float32)
    flow[rng.random(size_hw) < 0.05] = np.nan
    flow[rng.random(size_hw) < 0.05] = 3e38
    return flow, np.float32([10, 40])


speed_groups = Kernel("speed_groups", cpu=_speed_groups_cpu, cuda=_speed_groups_cuda, sample=_sample)
