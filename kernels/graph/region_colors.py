"""Sums of the colours of every region of a label map, and how they are spread, in one pass. Whole numbers only.

sums(r) = {pixels, sum of each of three channels, sum of the square of each}
histogram(r, c, bin) = pixels whose channel c lies in the bin: (level + offset(c)) >> shift, held to 0 ... bins - 1
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

SUMS = 7


@cpu_kernel
def _add_rows(labels, levels, offsets, shift, sums, histogram):
    """labels: (height, width) int32; levels: (height, width, 4) int16; sums: (n, 7) int64; histogram: (n, 3, bins)."""
    height, width = labels.shape
    count, last = sums.shape[0], histogram.shape[2] - 1
    own = np.zeros(7, np.int64)
    for y in range(height):
        row, colors = labels[y], levels[y]
        x = 0
        while x < width:
            label = row[x]
            if label < 0 or label >= count:
                x += 1
                continue
            first = x
            own[:] = 0
            bins = histogram[label]
            while x < width and row[x] == label:
                for c in range(3):
                    value = np.int64(colors[x, c])
                    own[1 + c] += value
                    own[4 + c] += value * value
                    if last >= 0:
                        bins[c, min(max((value + offsets[c]) >> shift, 0), last)] += 1
                x += 1
            own[0] = x - first
            for k in range(7):
                sums[label, k] += own[k]


def _region_colors_cpu(labels, levels, offsets, shift, count, bins):
    sums = np.zeros((int(count), SUMS), np.int64)
    histogram = np.zeros((int(count), 3, int(bins)), np.int32)
    _add_rows(labels, levels, offsets, np.int64(shift), sums, histogram)
    return sums, histogram


def _region_colors_cuda(labels, levels, offsets, shift, count, bins):
    xp = array_module(labels)
    height, width = labels.shape
    # Unsigned, because CUDA adds 64-bit atomically only without a sign; two's complement wraps to the same bits.
    sums = xp.zeros((int(count), SUMS), np.uint64)
    histogram = xp.zeros((int(count), 3, int(bins)), np.int32)
    sizes = np.int32(height), np.int32(width), np.int32(count), np.int32(bins), np.int32(shift)
    _cuda.launch_image("region_colors", (height, width), labels, levels, offsets, sums, histogram, *sizes)
    return sums.view(np.int64), histogram


def _sample(rng, size_hw):
    coarse = rng.integers(-1, 12, (size_hw[0] // 5 + 1, size_hw[1] // 7 + 1), dtype=np.int32)
    labels = np.ascontiguousarray(coarse.repeat(5, 0).repeat(7, 1)[: size_hw[0], : size_hw[1]])
    levels = rng.integers(-1500, 2000, (*size_hw, 4)).astype(np.int16)
    return labels, levels, np.array([0, 800, 800], np.int32), np.int32(7), np.int32(11), np.int32(12)


region_colors = Kernel("region_colors", cpu=_region_colors_cpu, cuda=_region_colors_cuda, sample=_sample, atol=0)
