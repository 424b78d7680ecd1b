"""The second start of each patch: its match, where the coarser levels have lost it; no motion, near what stands still.

Smoothness on a coarse level takes a small thing that moves far for noise. Its match brings it back on the next level,
if it fits much better (see patch_search). A patch without either gets its own start, which is no alternative.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.patch_grid import PATCH, patch_grid
from cvseg.kernels.flow.patch_match import SEED
from cvseg.kernels.kernel import Kernel

LOST = np.float32(1)  # pixels of level 3 between the start and the match: a nearer match is not a second start

_cuda = CudaSource(__file__, {"SEED": str(SEED), "LOST": f"{LOST!s}f"})


@cpu_kernel
def _hint(start, known_uv, distance, still, hint, height, width, stride, level):
    """start, hint: (rows, columns, 2) float32, pixels of the level; the others as in match_hint.cu."""
    rows, columns = start.shape[:2]
    scale = np.float32(SEED >> level)
    far = LOST * scale
    for row in range(rows):
        y = min(row * stride, height - PATCH) + PATCH // 2
        seed_row = min((y << level) // SEED, still.shape[0] - 1)
        for column in range(columns):
            x = min(column * stride, width - PATCH) + PATCH // 2
            seed_column = min((x << level) // SEED, still.shape[1] - 1)
            u, v = start[row, column, 0], start[row, column, 1]
            match_u, match_v = scale * known_uv[0, seed_row, seed_column], scale * known_uv[1, seed_row, seed_column]
            lost = abs(match_u - u) > far or abs(match_v - v) > far
            if lost and distance[seed_row, seed_column] == 0:
                u, v = match_u, match_v
            elif still[seed_row, seed_column]:
                u, v = np.float32(0), np.float32(0)
            hint[row, column, 0], hint[row, column, 1] = u, v


def _match_hint_cpu(start, known_uv, distance, still, height, width, stride, level):
    hint = np.empty_like(start)
    _hint(start, known_uv, distance, still, hint, int(height), int(width), int(stride), int(level))
    return hint


def _match_hint_cuda(start, known_uv, distance, still, height, width, stride, level):
    hint = array_module(start).empty_like(start)
    numbers = *start.shape[:2], *still.shape, height, width, stride, level
    arrays = start, known_uv, distance, still, hint
    _cuda.launch_image("match_hint", start.shape[:2], *arrays, *map(np.int32, numbers))
    return hint


def _sample(rng, size_hw):
    height, width = max(size_hw[0], PATCH), max(size_hw[1], PATCH)
    start = rng.normal(0, 3, (*patch_grid((height, width), 3), 2)).astype(np.float32)
    seeds = -(-height // 4), -(-width // 4)
    known_uv = rng.normal(0, 1, (2, *seeds)).astype(np.float32)
    distance = rng.integers(0, 2, seeds).astype(np.int32)
    numbers = np.int32(height), np.int32(width), np.int32(3), np.int32(1)
    return start, known_uv, distance, rng.random(seeds) < 0.5, *numbers


match_hint = Kernel("match_hint", cpu=_match_hint_cpu, cuda=_match_hint_cuda, sample=_sample)
