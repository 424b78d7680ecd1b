"""Histograms of motion of every superpixel: 7 x 7 bins of direction and speed, relative to the camera's motion.

    place = 3 + 3 motion / (speed + 4 px),   motion = flow - reference

So all speeds fit into a disc: 1 px is 0.6 bins from the middle, 4 px 1.5, 30 px 2.6. A pixel counts 256 units, divided
between the four bins around its place. Every second pixel of every second row is looked at.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

SIDE = 7
BINS = SIDE * SIDE
STEP = 2
# The same numbers stand in the .cu file.
_MIDDLE, _HALF_SPEED, _FASTEST = np.float32(3), np.float32(4), np.float32(1e6)


@cpu_kernel
def _add_pixels(labels, flow_xy, reference_xy, counts):
    """labels: (height, width) int32; flow_xy: (height, width, 2), reference_xy: (2) float32; counts: (n, 49) int32."""
    height, width = labels.shape
    units = np.float32(16)
    half = np.float32(0.5)
    for y in range(0, height, STEP):
        for x in range(0, width, STEP):
            u, v = flow_xy[y, x, 0] - reference_xy[0], flow_xy[y, x, 1] - reference_xy[1]
            # Written so that NaN fails.
            if not (abs(u) <= _FASTEST and abs(v) <= _FASTEST):
                continue
            share = _MIDDLE / (np.sqrt(u * u + v * v) + _HALF_SPEED)
            across = np.int32((_MIDDLE + u * share) * units + half)
            down = np.int32((_MIDDLE + v * share) * units + half)
            column, row = min(across >> 4, SIDE - 2), min(down >> 4, SIDE - 2)
            right, below = across - 16 * column, down - 16 * row
            bins = counts[labels[y, x]]
            place = SIDE * row + column
            bins[place] += (16 - right) * (16 - below)
            bins[place + 1] += right * (16 - below)
            bins[place + SIDE] += (16 - right) * below
            bins[place + SIDE + 1] += right * below


def _node_motion_cpu(labels, flow_xy, reference_xy, count):
    counts = np.zeros((int(count), BINS), np.int32)
    _add_pixels(labels, flow_xy, reference_xy, counts)
    return counts


def _node_motion_cuda(labels, flow_xy, reference_xy, count):
    counts = array_module(labels).zeros((int(count), BINS), np.int32)
    height, width = labels.shape
    looked_at = -(-height // STEP), -(-width // STEP)
    sizes = np.int32(height), np.int32(width)
    _cuda.launch_image("node_motion", looked_at, labels, flow_xy, reference_xy, counts, *sizes)
    return counts


def _sample(rng, size_hw):
    coarse = rng.integers(0, 12, (size_hw[0] // 5 + 1, size_hw[1] // 7 + 1), dtype=np.int32)
    labels = np.ascontiguousarray(coarse.repeat(5, 0).repeat(7, 1)[: size_hw[0], : size_hw[1]])
    flow_xy = (rng.normal(0, 4, (*size_hw, 2)) ** 3).astype(np.float32)
    flow_xy[::11, ::13], flow_xy[::10, 4::7, 1] = np.nan, np.inf
    return labels, flow_xy, np.array([1.5, -0.25], np.float32), np.int32(12)


node_motion = Kernel("node_motion", cpu=_node_motion_cpu, cuda=_node_motion_cuda, sample=_sample, atol=0)
