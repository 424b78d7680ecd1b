"""Histograms of L*a*b* of every superpixel, one for each channel, and its sums. Whole numbers only.

A channel has 20 bins: L* in steps of 5, a* and b* in steps of 8 around 0. A pixel counts 16 units in each channel,
divided between the two bins whose middles lie around its value: no value is near the edge of a bin.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

BINS = 20
# The same numbers stand in the .cu file: sixteenths of a unit of L*, and of a* or b*, in a bin.
_L_STEP, _AB_STEP = 80, 128


@cpu_kernel
def _add_pixels(labels, levels, counts, sums):
    """labels: (height, width) int32; levels: (height, width, 4) int16; counts: (n, 60) int32; sums: (n, 4) int64."""
    height, width = labels.shape
    for y in range(height):
        row, colors = labels[y], levels[y]
        x = 0
        while x < width:
            label = row[x]
            first = x
            total_l, total_a, total_b = 0, 0, 0
            bins = counts[label]
            while x < width and row[x] == label:
                lightness, a, b = np.int32(colors[x, 0]), np.int32(colors[x, 1]), np.int32(colors[x, 2])
                total_l += lightness
                total_a += a
                total_b += b
                place_l = min(max(lightness * 16 // _L_STEP - 8, 0), 16 * (BINS - 1))
                place_a = min(max((a >> 3) + 152, 0), 16 * (BINS - 1))
                place_b = min(max((b >> 3) + 152, 0), 16 * (BINS - 1))
                one, two, three = place_l >> 4, BINS + (place_a >> 4), 2 * BINS + (place_b >> 4)
                # The upper bin of the last place gets nothing.
                bins[one] += 16 - (place_l & 15)
                bins[min(one + 1, BINS - 1)] += place_l & 15
                bins[two] += 16 - (place_a & 15)
                bins[min(two + 1, 2 * BINS - 1)] += place_a & 15
                bins[three] += 16 - (place_b & 15)
                bins[min(three + 1, 3 * BINS - 1)] += place_b & 15
                x += 1
            sums[label, 0] += total_l
            sums[label, 1] += total_a
            sums[label, 2] += total_b
            sums[label, 3] += x - first


def _node_colors_cpu(labels, levels, count):
    counts, sums = np.zeros((int(count), 3 * BINS), np.int32), np.zeros((int(count), 4), np.int64)
    _add_pixels(labels, levels, counts, sums)
    return counts, sums


def _node_colors_cuda(labels, levels, count):
    xp = array_module(labels)
    counts = xp.zeros((int(count), 3 * BINS), np.int32)
    # Unsigned, because CUDA adds 64-bit atomically only without a sign; two's complement wraps to the same bits.
    sums = xp.zeros((int(count), 4), np.uint64)
    _cuda.launch_linear("node_colors", labels.size, labels, levels, counts, sums, np.int32(labels.size))
    return counts, sums.view(np.int64)


def _sample(rng, size_hw):
    coarse = rng.integers(0, 12, (size_hw[0] // 5 + 1, size_hw[1] // 7 + 1), dtype=np.int32)
    labels = np.ascontiguousarray(coarse.repeat(5, 0).repeat(7, 1)[: size_hw[0], : size_hw[1]])
    levels = rng.integers(-1700, 1700, (*size_hw, 4)).astype(np.int16)
    levels[..., 0] = rng.integers(0, 1601, size_hw)
    return labels, levels, np.int32(12)


node_colors = Kernel("node_colors", cpu=_node_colors_cpu, cuda=_node_colors_cuda, sample=_sample, atol=0)
