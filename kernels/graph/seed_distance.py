"""How many steps along rows and columns the nearest seed is away.

    distance(y, x) = min over seeds (v, u) of |y - v| + |x - u|, at most 65535

Down and up each column, then along each row both ways: the sum of two distances is the distance of their sum.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

FAR = 65535  # the same word stands in the .cu file


@cpu_kernel
def _distance_columns(seeds, distance):
    """seeds: (height, width) int32, a seed where positive; distance: (height, width) uint16."""
    height, width = seeds.shape
    most = np.int32(FAR)
    for y in range(height):
        row, result, above = seeds[y], distance[y], distance[max(y - 1, 0)]
        if y == 0:
            for x in range(width):
                result[x] = 0 if row[x] > 0 else most
        else:
            for x in range(width):
                result[x] = 0 if row[x] > 0 else min(np.int32(above[x]) + np.int32(1), most)
    for y in range(height - 2, -1, -1):
        result, below = distance[y], distance[y + 1]
        for x in range(width):
            result[x] = min(np.int32(result[x]), np.int32(below[x]) + np.int32(1))


@cpu_kernel
def _distance_rows(first_row, end_row, distance):
    width = distance.shape[1]
    for y in range(first_row, end_row):
        row = distance[y]
        near = np.int32(FAR)
        for x in range(width):
            near = min(near + np.int32(1), np.int32(row[x]))
            row[x] = near
        for x in range(width - 1, -1, -1):
            near = min(near + np.int32(1), np.int32(row[x]))
            row[x] = near


def _seed_distance_cpu(seeds):
    distance = recycled_empty(seeds.shape, np.uint16)
    _distance_columns(seeds, distance)
    run_bands(_distance_rows, seeds.shape[0], distance)
    return distance


def _seed_distance_cuda(seeds):
    height, width = seeds.shape
    distance = array_module(seeds).empty((height, width), np.uint16)
    sizes = np.int32(height), np.int32(width)
    _cuda.launch_linear("seed_distance", width, seeds, distance, *sizes)
    _cuda.launch_linear("seed_distance_rows", height, distance, *sizes)
    return distance


def _sample(rng, size_hw):
    return (np.where(rng.random(size_hw) < 0.01, 3, rng.integers(-1, 1, size_hw)).astype(np.int32),)


seed_distance = Kernel("seed_distance", cpu=_seed_distance_cpu, cuda=_seed_distance_cuda, sample=_sample, atol=0)
