"""A number per pixel, looked up by its L*a*b* colour: the log ratio of foreground and background."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.appearance.color_bins import BINS, color_bins
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _look_up_rows(first_row, end_row, lab, table, ratio):
    """lab: (height, width, 3) float32; table: (4096) float32; ratio: (height, width) float32."""
    width = ratio.shape[1]
    values, bins = lab.reshape(-1), np.empty(width, np.int32)
    for y in range(first_row, end_row):
        color_bins(values[3 * width * y : 3 * width * (y + 1)], bins)
        target = ratio[y]
        for x in range(width):
            target[x] = table[bins[x]]


def _color_log_ratio_cpu(lab, table):
    ratio = np.empty(lab.shape[:2], np.float32)
    run_bands(_look_up_rows, lab.shape[0], lab, table, ratio)
    return ratio


def _color_log_ratio_cuda(lab, table):
    ratio = array_module(lab).empty(lab.shape[:2], np.float32)
    _cuda.launch_linear("color_log_ratio", ratio.size, lab, table, ratio, np.int32(ratio.size))
    return ratio


def _sample(rng, size_hw):
    lab = rng.random((*size_hw, 3), dtype=np.float32) * np.float32(150) - np.float32(75)
    lab[..., 0] = rng.random(size_hw, dtype=np.float32) * np.float32(100)
    return lab, rng.normal(0, 2, BINS**3).astype(np.float32)


color_log_ratio = Kernel("color_log_ratio", cpu=_color_log_ratio_cpu, cuda=_color_log_ratio_cuda, sample=_sample)
