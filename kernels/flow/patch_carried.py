"""A further start for each patch of a video: the motion seen there in the pair of frames before, if it fits better.

It is compared with the coarser level's flow on the patch itself, so that it matters where that has lost a motion, and
where the motion is no longer what it was it does no harm.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.carried_flow import CELL
from cvseg.kernels.flow.patch_grid import MARGIN, PATCH, patch_grid
from cvseg.kernels.flow.patch_search import NEAR, distance2, patch_cost
from cvseg.kernels.kernel import Kernel

# The carried flow is taken when its cost is below this share of the other's. 1 gains more on steady motion, and loses
# as much in the first pair after a cut.
CARRIED = np.float32(0.85)

_cuda = CudaSource(__file__, {"CELL": str(CELL), "NEAR": f"{NEAR!s}f", "CARRIED": f"{CARRIED!s}f"})


@cpu_kernel
def carried_rows(first_row, end_row, image0, image1, first, pitch, start, carried, height, width, stride, level):
    """Rows of `start` (rows, columns, 2), in place.

    carried: (cell rows, cell columns, 2) float32, pixels of level 0, NaN where there is none.
    image0, image1: flat float32, with their margin from `first`.
    """
    cell_rows, cell_columns = carried.shape[:2]
    origin = first + MARGIN * pitch + MARGIN
    low, high_x, high_y = np.float32(-PATCH), np.float32(width), np.float32(height)
    scale = np.float32(1) / np.float32(1 << level)
    for row in range(first_row, end_row):
        y = min(row * stride, height - PATCH)
        cell_row = min(((y + PATCH // 2) << level) // CELL, cell_rows - 1)
        for column in range(start.shape[1]):
            x = min(column * stride, width - PATCH)
            cell_column = min(((x + PATCH // 2) << level) // CELL, cell_columns - 1)
            u, v = scale * carried[cell_row, cell_column, 0], scale * carried[cell_row, cell_column, 1]
            if u != u:
                continue
            cx, cy = np.float32(x), np.float32(y)
            px = min(max(low, cx + start[row, column, 0]), high_x)
            py = min(max(low, cy + start[row, column, 1]), high_y)
            qx, qy = min(max(low, cx + u), high_x), min(max(low, cy + v), high_y)
            if distance2(px, py, qx, qy) < NEAR:
                continue
            corner = origin + y * pitch + x
            best = CARRIED * patch_cost(image0, corner, image1, first, pitch, px, py)
            if patch_cost(image0, corner, image1, first, pitch, qx, qy) < best:
                start[row, column, 0], start[row, column, 1] = u, v


def _patch_carried_cpu(padded0, padded1, start, carried, stride, level):
    height, width = padded0.shape[0] - 2 * MARGIN, padded0.shape[1] - 2 * MARGIN
    chosen = start.copy()
    flat = padded0.reshape(-1), padded1.reshape(-1), 0, padded0.shape[1]
    run_bands(carried_rows, len(start), *flat, chosen, carried, height, width, int(stride), int(level), least=8)
    return chosen


def _patch_carried_cuda(padded0, padded1, start, carried, stride, level):
    height, width = padded0.shape[0] - 2 * MARGIN, padded0.shape[1] - 2 * MARGIN
    rows, columns = start.shape[:2]
    chosen = array_module(start).empty_like(start)
    numbers = height, width, *carried.shape[:2], stride, level
    blocks = (-(-rows * columns // 4),)
    arrays = padded0, padded1, start, carried, chosen
    _cuda.launch_blocks("patch_carried", blocks, (128,), *arrays, *map(np.int32, numbers))
    return chosen


def _sample(rng, size_hw):
    height, width = max(size_hw[0], PATCH), max(size_hw[1], PATCH)
    padded0 = rng.random((height + 2 * MARGIN, width + 2 * MARGIN), dtype=np.float32)
    padded1 = np.roll(padded0, (1, -2), (0, 1))
    start = rng.normal(0, 2, (*patch_grid((height, width), 3), 2)).astype(np.float32)
    carried = rng.normal((-4, 2), 1, (-(-2 * height // CELL), -(-2 * width // CELL), 2)).astype(np.float32)
    carried[rng.random(carried.shape[:2]) < 0.2] = np.nan
    return padded0, padded1, start, carried, np.int32(3), np.int32(1)


patch_carried = Kernel("patch_carried", cpu=_patch_carried_cpu, cuda=_patch_carried_cuda, sample=_sample)
