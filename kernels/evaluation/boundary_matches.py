"""How many pixels of one boundary have a pixel of another within a radius."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _found_near(other, x, y, radius):
    """True when `other` has a pixel within `radius` of (x, y). Rows are tried from the middle outwards."""
    height, width = other.shape
    for step in range(2 * radius + 1):
        dy = (step + 1) // 2 if step % 2 == 1 else -(step // 2)
        if y + dy < 0 or y + dy >= height:
            continue
        reach = radius
        while reach * reach + dy * dy > radius * radius:
            reach -= 1
        for column in range(max(x - reach, 0), min(x + reach, width - 1) + 1):
            if other[y + dy, column] != 0:
                return True
    return False


@cpu_kernel
def _match_rows(first_row, end_row, boundary, other, counts, radius):
    """boundary, other: (height, width) uint8; counts: (height, 2) int32."""
    width = boundary.shape[1]
    for y in range(first_row, end_row):
        pixels = 0
        matched = 0
        for x in range(width):
            if boundary[y, x] != 0:
                pixels += 1
                if _found_near(other, x, y, radius):
                    matched += 1
        counts[y, 0] = pixels
        counts[y, 1] = matched


def _boundary_matches_cpu(boundary, other, radius):
    counts = np.zeros((boundary.shape[0], 2), np.int32)
    run_bands(_match_rows, boundary.shape[0], boundary, other, counts, int(radius))
    return counts


def _boundary_matches_cuda(boundary, other, radius):
    height, width = boundary.shape
    counts = array_module(boundary).zeros((height, 2), np.int32)
    sizes = np.int32(radius), np.int32(height), np.int32(width)
    _cuda.launch_image("boundary_matches", (height, width), boundary, other, counts, *sizes)
    return counts


def _sample(rng, size_hw):
    boundary = (rng.random(size_hw) < 0.03).astype(np.uint8)
    other = (rng.random(size_hw) < 0.01).astype(np.uint8)
    return boundary, other, np.int32(4)


boundary_matches = Kernel("boundary_matches", cpu=_boundary_matches_cpu, cuda=_boundary_matches_cuda, sample=_sample)
