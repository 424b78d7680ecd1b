"""Shape contexts: where the other points of an outline lie, seen from each of its points, in 12 directions and 5 rings.

Nothing here needs an angle or a root to be rounded alike on two machines: rings are powers of two of the mean distance,
directions are found by comparing products.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

SECTORS, RINGS = 12, 5  # the same words stand in the .cu file
TAN_30, TAN_60 = 0.5773502691896257, 1.7320508075688772


@cpu_kernel
def _distance_rows(first_row, end_row, points, sums):
    """sums(i) = distances of point i to all points; points: (2, n), sums: (n,) float64."""
    xs, ys = points[0], points[1]  # unpacking would lose that they are contiguous
    for i in range(first_row, end_row):
        total = 0.0
        for j in range(xs.shape[0]):
            dx, dy = xs[j] - xs[i], ys[j] - ys[i]
            total += np.sqrt(dx * dx + dy * dy)
        sums[i] = total


@cpu_kernel
def _context_rows(first_row, end_row, points, square, contexts):
    """points: (2, n) float64; square: of the mean distance; contexts: (n, RINGS * SECTORS) int32."""
    xs, ys = points[0], points[1]  # unpacking would lose that they are contiguous
    count = xs.shape[0]
    bins = np.empty(count, np.int32)
    for i in range(first_row, end_row):
        context = contexts[i]
        context[:] = 0
        x0, y0 = xs[i], ys[i]
        for j in range(count):
            dx, dy = xs[j] - x0, ys[j] - y0
            distance = dx * dx + dy * dy
            ring = np.int32(0)
            # 1, 1/2, 1/4, 1/8 of the mean distance; the outermost ring is 0, and beyond 2 nothing counts.
            ring += np.int32(distance < square) + np.int32(distance < 0.25 * square)
            ring += np.int32(distance < 0.0625 * square) + np.int32(distance < 0.015625 * square)
            # Half-open halves, so that each right angle begins a quarter; no branches, so that the loop is vector code.
            upper = (dy > 0.0) | ((dy == 0.0) & (dx > 0.0))
            left = (dx < 0.0) | ((dx == 0.0) & (dy > 0.0))
            quarter = np.int32(left) if upper else np.int32(3) - np.int32(left)
            along = abs(dy) if upper == left else abs(dx)
            across = abs(dx) if upper == left else abs(dy)
            sector = np.int32(3) * quarter + np.int32(across >= along * TAN_30) + np.int32(across >= along * TAN_60)
            sector = sector if distance > 0.0 else np.int32(0)  # the point itself
            bins[j] = ring * np.int32(SECTORS) + sector if distance < 4.0 * square else np.int32(-1)
        for j in range(count):
            if bins[j] >= 0:
                context[bins[j]] += 1


def _shape_contexts_cpu(points):
    count = points.shape[1]
    sums = np.empty(count, np.float64)
    run_bands(_distance_rows, count, points, sums, least=128)
    mean = _in_order(sums) / (float(count) * float(count))
    contexts = np.empty((count, RINGS * SECTORS), np.int32)
    run_bands(_context_rows, count, points, mean * mean, contexts, least=128)
    return contexts


@cpu_kernel
def _in_order(values):
    total = 0.0
    for i in range(values.shape[0]):
        total += values[i]
    return total


def _shape_contexts_cuda(points):
    count = points.shape[1]
    module = array_module(points)
    sums = module.empty(count, np.float64)
    contexts = module.zeros((count, RINGS * SECTORS), np.int32)
    _cuda.launch_linear("shape_contexts_sums", count, points, sums, np.int32(count))
    _cuda.launch_linear("shape_contexts", count, points, sums, contexts, np.int32(count))
    return contexts


def _sample(rng, size_hw):
    count = size_hw[0] + size_hw[1]
    points = rng.integers(0, 4 * max(size_hw), (2, count)) / 4.0  # on a grid: equal points and right angles occur
    return (np.ascontiguousarray(points, np.float64),)


shape_contexts = Kernel("shape_contexts", cpu=_shape_contexts_cpu, cuda=_shape_contexts_cuda, sample=_sample)
