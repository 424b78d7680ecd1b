"""Move each superpixel as a whole into the next frame; where several arrive, the one with the nearest colour stays.

    target = p + shift(label);   the label with the least |colour(target) - mean(label)|^2 wins, then the smaller one

A superpixel that is to be divided leaves the pixels beyond a line, side . (x, y) > offset, to another label. Pixels
that nobody reaches become -1.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _carry(labels, levels, means, shifts_xy, sides, others, carried, distances):
    """labels, carried: (height, width) int32; levels: (height, width, 4) int16; means: (n, 3), sides: (n, 3) float32.

    shifts_xy: (n, 2) int32; others: (n) int32; distances: (height, width) float32.
    """
    height, width = labels.shape
    carried[:] = -1
    distances[:] = np.float32(3.0e38)
    for y in range(height):
        for x in range(width):
            own = labels[y, x]
            to_x, to_y = x + shifts_xy[own, 0], y + shifts_xy[own, 1]
            if to_x < 0 or to_y < 0 or to_x >= width or to_y >= height:
                continue
            d0 = np.float32(levels[to_y, to_x, 0]) - means[own, 0]
            d1 = np.float32(levels[to_y, to_x, 1]) - means[own, 1]
            d2 = np.float32(levels[to_y, to_x, 2]) - means[own, 2]
            distance = d0 * d0 + d1 * d1 + d2 * d2
            beyond = sides[own, 0] * np.float32(x) + sides[own, 1] * np.float32(y) > sides[own, 2]
            label = others[own] if beyond else own
            best = distances[to_y, to_x]
            if distance < best or (distance == best and label < carried[to_y, to_x]):
                distances[to_y, to_x] = distance
                carried[to_y, to_x] = label


def _carry_labels_cpu(labels, levels, means, shifts_xy, sides, others):
    carried = np.empty_like(labels)
    _carry(labels, levels, means, shifts_xy, sides, others, carried, np.empty(labels.shape, np.float32))
    return carried


def _carry_labels_cuda(labels, levels, means, shifts_xy, sides, others):
    xp = array_module(labels)
    carried = xp.empty_like(labels)
    # Distance in the upper half, label in the lower one: the least of both is what stays.
    keys = xp.full(labels.shape, np.uint64(2**64 - 1), np.uint64)
    sizes = np.int32(labels.shape[0]), np.int32(labels.shape[1])
    _cuda.launch_image("carry_labels", labels.shape, labels, levels, means, shifts_xy, sides, others, keys, *sizes)
    _cuda.launch_linear("carry_labels_end", labels.size, keys, carried, np.int32(labels.size))
    return carried


def _sample(rng, size_hw):
    height, width = size_hw
    coarse = rng.integers(0, 20, (height // 7 + 1, width // 6 + 1), dtype=np.int32)
    labels = np.ascontiguousarray(coarse.repeat(7, 0).repeat(6, 1)[:height, :width])
    levels = rng.integers(-3, 4, (height, width, 4)).astype(np.int16)
    sides = np.zeros((20, 3), np.float32)
    sides[3], sides[7] = (1, 0, width // 2), (0.5, -1, 3)
    others = np.arange(20, dtype=np.int32)
    others[3], others[7] = 20, 21
    means = np.rint(rng.normal(0, 2, (20, 3))).astype(np.float32)
    return labels, levels, means, rng.integers(-4, 5, (20, 2), dtype=np.int32), sides, others


carry_labels = Kernel("carry_labels", cpu=_carry_labels_cpu, cuda=_carry_labels_cuda, sample=_sample, atol=0)
