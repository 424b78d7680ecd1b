"""Pixels near a motion boundary: within a disc around pixels whose true flow differs from a neighbour's."""

import math

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

UNKNOWN = np.float32(1e9)
FAR = np.int32(1_000_000_000)


@cpu_kernel(forceinline=True)
def _apart(here_x, here_y, there_x, there_y, step):
    # Rounded to float32 as hypotf does. Written so that NaN compares false: next to unknown truth there is no boundary.
    dx, dy = np.float64(there_x - here_x), np.float64(there_y - here_y)
    known = (abs(here_x) < UNKNOWN) & (abs(here_y) < UNKNOWN) & (abs(there_x) < UNKNOWN) & (abs(there_y) < UNKNOWN)
    return known & (np.float32(math.sqrt(dx * dx + dy * dy)) > step)


@cpu_kernel
def _boundary_rows(first_row, end_row, truth, step, boundary):
    """truth: (height, 2 * width) float32; boundary: (height, width) uint8."""
    height, width = boundary.shape
    for y in range(first_row, end_row):
        row, out = truth[y], boundary[y]
        right, below = row[2:], truth[min(y + 1, height - 1)]
        for x in range(width - 1):
            across = _apart(row[2 * x], row[2 * x + 1], right[2 * x], right[2 * x + 1], step)
            down = _apart(row[2 * x], row[2 * x + 1], below[2 * x], below[2 * x + 1], step)
            out[x] = across | down
        x = width - 1
        out[x] = _apart(row[2 * x], row[2 * x + 1], below[2 * x], below[2 * x + 1], step)


@cpu_kernel
def _gap_columns(boundary, gap):
    """Distance to the next boundary in the column; gap: (height, width) int32."""
    height, width = boundary.shape
    first, out = boundary[0], gap[0]
    for x in range(width):
        out[x] = np.int32(0) if first[x] else FAR
    for y in range(1, height):
        row, out, above = boundary[y], gap[y], gap[y - 1]
        for x in range(width):
            out[x] = np.int32(0) if row[x] else min(np.int32(above[x] + np.int32(1)), FAR)
    for y in range(height - 2, -1, -1):
        out, below = gap[y], gap[y + 1]
        for x in range(width):
            out[x] = min(np.int32(below[x] + np.int32(1)), out[x])


@cpu_kernel
def _disc_rows(first_row, end_row, gap, reach, near):
    """gap: (height, width) int32; reach: (n,) int32; near: (height, width) uint8."""
    width = gap.shape[1]
    for y in range(first_row, end_row):
        row, out = gap[y], near[y]
        nearest = FAR
        for x in range(width):
            out[x] = row[x] <= reach[0]
            nearest = min(nearest, row[x])
        if nearest > reach[0]:
            continue  # the disc is highest in its middle
        for d in range(1, min(len(reach), width)):
            limit, inner = reach[d], width - d
            shifted, behind = row[d:], out[d:]
            for x in range(inner):
                out[x] |= np.uint8(shifted[x] <= limit)
            for x in range(inner):
                behind[x] |= np.uint8(row[x] <= limit)


def _near_boundaries_cpu(truth, step, reach):
    height, width = truth.shape[:2]
    boundary, near = recycled_empty((height, width), np.uint8), np.empty((height, width), np.uint8)
    gap = recycled_empty((height, width), np.int32)
    run_bands(_boundary_rows, height, truth.reshape(height, 2 * width), step, boundary)
    _gap_columns(boundary, gap)
    run_bands(_disc_rows, height, gap, reach, near)
    return near


def _near_boundaries_cuda(truth, step, reach):
    xp = array_module(truth)
    height, width = truth.shape[:2]
    boundary, gap, near = (xp.empty((height, width), kind) for kind in (np.uint8, np.int32, np.uint8))
    sizes = np.int32(height), np.int32(width)
    _cuda.launch_image("near_boundaries", (height, width), truth, boundary, step, *sizes)
    _cuda.launch_linear("near_boundaries_gaps", width, boundary, gap, *sizes)
    _cuda.launch_image("near_boundaries_disc", (height, width), gap, reach, near, *sizes, np.int32(len(reach) - 1))
    return near


def _sample(rng, size_hw):
    coarse = rng.normal(0, 2, (size_hw[0] // 17 + 1, size_hw[1] // 13 + 1, 2)).astype(np.float32)
    truth = np.ascontiguousarray(coarse.repeat(17, 0).repeat(13, 1)[: size_hw[0], : size_hw[1]])
    truth[rng.random(size_hw) < 0.05] = np.nan
    return truth, np.float32(3), np.int32([4, 3, 3, 2, 0])


near_boundaries = Kernel("near_boundaries", cpu=_near_boundaries_cpu, cuda=_near_boundaries_cuda, sample=_sample)
