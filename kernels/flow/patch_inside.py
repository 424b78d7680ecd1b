"""Patches whose start lies outside image1 keep it: there is nothing to search in, and the repeated edge misleads."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.patch_grid import PATCH, patch_grid
from cvseg.kernels.kernel import Kernel

OUTSIDE = np.float32(PATCH / 2)  # pixels: a patch that is cut in half still sees enough

_cuda = CudaSource(__file__, {"OUTSIDE": f"{OUTSIDE!s}f"})


@cpu_kernel
def _keep(start, found, kept, height, width, stride):
    """start, found, kept: (rows, columns, 2) float32, pixels."""
    rows, columns = start.shape[:2]
    last_x, last_y = np.float32(width - PATCH) + OUTSIDE, np.float32(height - PATCH) + OUTSIDE
    for row in range(rows):
        corner_y = np.float32(min(row * stride, height - PATCH))
        for column in range(columns):
            x = np.float32(min(column * stride, width - PATCH)) + start[row, column, 0]
            y = corner_y + start[row, column, 1]
            inside = x >= -OUTSIDE and y >= -OUTSIDE and x <= last_x and y <= last_y
            for c in range(2):
                kept[row, column, c] = found[row, column, c] if inside else start[row, column, c]


def _patch_inside_cpu(start, found, height, width, stride):
    kept = np.empty_like(found)
    _keep(start, found, kept, int(height), int(width), int(stride))
    return kept


def _patch_inside_cuda(start, found, height, width, stride):
    rows, columns = start.shape[:2]
    kept = array_module(found).empty_like(found)
    numbers = rows, columns, height, width, stride
    _cuda.launch_image("patch_inside", (rows, columns), start, found, kept, *map(np.int32, numbers))
    return kept


def _sample(rng, size_hw):
    height, width = max(size_hw[0], PATCH), max(size_hw[1], PATCH)
    start, found = rng.normal(0, 12, (2, *patch_grid((height, width), 3), 2)).astype(np.float32)
    return start, found, np.int32(height), np.int32(width), np.int32(3)


patch_inside = Kernel("patch_inside", cpu=_patch_inside_cpu, cuda=_patch_inside_cuda, sample=_sample)
