"""Five maps of what may move, each brought to [0, 1] by its own level, and their weighted mean."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _add_map(row, level, scaled, sums):
    for x in range(row.size):
        value = min(row[x] * level[0], np.float32(1)) * level[1]
        scaled[x] = value
        sums[x] += value * level[2]


@cpu_kernel
def _mean_rows(first_row, end_row, residual, barrier, votes, outliers, colors, levels, maps, seed):
    for y in range(first_row, end_row):
        sums = seed[y]
        sums[:] = 0
        _add_map(residual[y], levels[0], maps[0, y], sums)
        _add_map(barrier[y], levels[1], maps[1, y], sums)
        _add_map(votes[y], levels[2], maps[2, y], sums)
        _add_map(outliers[y], levels[3], maps[3, y], sums)
        _add_map(colors[y], levels[4], maps[4, y], sums)


def _seed_mean_cpu(residual, barrier, votes, outliers, colors, levels):
    maps, seed = recycled_empty((5, *residual.shape)), np.empty(residual.shape, np.float32)
    run_bands(_mean_rows, seed.shape[0], residual, barrier, votes, outliers, colors, levels, maps, seed, least=200)
    return maps, seed


def _seed_mean_cuda(residual, barrier, votes, outliers, colors, levels):
    xp = array_module(residual)
    maps, seed = xp.empty((5, *residual.shape), np.float32), xp.empty(residual.shape, np.float32)
    raw = residual, barrier, votes, outliers, colors
    _cuda.launch_linear("seed_mean", seed.size, *raw, levels, maps, seed, np.int32(seed.size))
    return maps, seed


def _sample(rng, size_hw):
    maps = (rng.exponential(size=size_hw).astype(np.float32) for _ in range(5))
    return *maps, rng.random((5, 3), dtype=np.float32)


seed_mean = Kernel("seed_mean", cpu=_seed_mean_cpu, cuda=_seed_mean_cuda, sample=_sample)
