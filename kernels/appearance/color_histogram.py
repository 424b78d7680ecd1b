"""Two colour histograms at once: evidence for the foreground and for the background, from a soft mask."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.appearance.color_bins import BINS, color_bins
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

PARTS = 4  # partial histograms on the CPU; whole numbers add to the same sums in any order


@cpu_kernel
def _count_parts(first_part, end_part, lab, weight, counts):
    """lab: (height, width, 3) float32; weight: (height, width) float32; counts: (parts, 2 * 4096) int32, zero."""
    height, width = weight.shape
    parts, bin_count = counts.shape[0], np.int32(BINS**3)
    one, half, full, zero = np.float32(1), np.float32(0.5), np.float32(255), np.float32(0)
    values, bins = lab.reshape(-1), np.empty(width, np.int32)
    amounts = np.empty(width, np.int32)
    for part in range(first_part, end_part):
        target = counts[part]
        for y in range(height * part // parts, height * (part + 1) // parts):
            color_bins(values[3 * width * y : 3 * width * (y + 1)], bins)
            row = weight[y]
            for x in range(width):
                evidence = min(max(-one, row[x] + row[x] - one), one)
                bins[x] += np.int32(0) if evidence > zero else bin_count
                amounts[x] = np.int32(abs(evidence) * full + half)
            for x in range(width):
                target[bins[x]] += amounts[x]


def _color_histogram_cpu(lab, weight):
    counts = np.zeros((PARTS, 2 * BINS**3), np.int32)
    run_bands(_count_parts, PARTS, lab, weight, counts, least=1)
    return counts.sum(axis=0, dtype=np.int32).reshape(2, BINS**3)


def _color_histogram_cuda(lab, weight):
    counts = array_module(lab).zeros((2, BINS**3), np.int32)
    _cuda.launch_linear("color_histogram", weight.size, lab, weight, counts, np.int32(weight.size))
    return counts


def _sample(rng, size_hw):
    lab = rng.random((*size_hw, 3), dtype=np.float32) * np.float32(150) - np.float32(75)
    lab[..., 0] = rng.random(size_hw, dtype=np.float32) * np.float32(100)
    return lab, rng.random(size_hw, dtype=np.float32)


color_histogram = Kernel("color_histogram", cpu=_color_histogram_cpu, cuda=_color_histogram_cuda, sample=_sample)
