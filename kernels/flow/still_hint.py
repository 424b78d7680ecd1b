"""The second start of each patch: no motion where something near it stands still, else its own start, which is none."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.patch_grid import PATCH, patch_grid
from cvseg.kernels.flow.patch_match import SEED
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__, {"SEED": str(SEED)})


@cpu_kernel
def _hint(start, still, hint, height, width, stride, level):
    """start, hint: (rows, columns, 2) float32, pixels of the level; still: (seed rows, seed columns) bool."""
    rows, columns = start.shape[:2]
    for row in range(rows):
        y = min(row * stride, height - PATCH) + PATCH // 2
        seed_row = min((y << level) // SEED, still.shape[0] - 1)
        for column in range(columns):
            x = min(column * stride, width - PATCH) + PATCH // 2
            stands = still[seed_row, min((x << level) // SEED, still.shape[1] - 1)]
            for c in range(2):
                hint[row, column, c] = np.float32(0) if stands else start[row, column, c]


def _still_hint_cpu(start, still, height, width, stride, level):
    hint = np.empty_like(start)
    _hint(start, still, hint, int(height), int(width), int(stride), int(level))
    return hint


def _still_hint_cuda(start, still, height, width, stride, level):
    hint = array_module(start).empty_like(start)
    numbers = *start.shape[:2], *still.shape, height, width, stride, level
    _cuda.launch_image("still_hint", start.shape[:2], start, still, hint, *map(np.int32, numbers))
    return hint


def _sample(rng, size_hw):
    height, width = max(size_hw[0], PATCH), max(size_hw[1], PATCH)
    start = rng.normal(0, 3, (*patch_grid((height, width), 3), 2)).astype(np.float32)
    still = rng.random((-(-height // 4), -(-width // 4))) < 0.5
    return start, still, np.int32(height), np.int32(width), np.int32(3), np.int32(1)


still_hint = Kernel("still_hint", cpu=_still_hint_cpu, cuda=_still_hint_cuda, sample=_sample)
