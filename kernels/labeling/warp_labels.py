"""Move a label map along a backward flow: each pixel takes the label of the nearest pixel its flow points to."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _warp_label_rows(first_row, end_row, labels, flow_xy, warped):
    """labels, warped: (height, width) int32; flow_xy: (height, width, 2) float32, pixels."""
    height, width = labels.shape
    half = np.float32(0.5)
    for y in range(first_row, end_row):
        for x in range(width):
            # Compared as floats before they become indices: NaN and far-away targets fail and read background.
            source_x = np.floor(np.float32(x) + flow_xy[y, x, 0] + half)
            source_y = np.floor(np.float32(y) + flow_xy[y, x, 1] + half)
            inside = (
                source_x >= np.float32(0)
                and source_x < np.float32(width)
                and source_y >= np.float32(0)
                and source_y < np.float32(height)
            )
            warped[y, x] = labels[int(source_y), int(source_x)] if inside else 0


def _warp_labels_cpu(labels, flow_xy):
    warped = np.empty_like(labels)
    run_bands(_warp_label_rows, labels.shape[0], labels, flow_xy, warped)
    return warped


def _warp_labels_cuda(labels, flow_xy):
    warped = array_module(labels).empty_like(labels)
    height, width = labels.shape
    _cuda.launch_image("warp_labels", (height, width), labels, flow_xy, warped, np.int32(height), np.int32(width))
    return warped


def _sample(rng, size_hw):
    labels = rng.integers(0, 50, size_hw, dtype=np.int32)
    flow_xy = rng.normal(0, 4, (*size_hw, 2)).astype(np.float32)
    flow_xy[::11, ::13] = np.nan
    return labels, flow_xy


warp_labels = Kernel("warp_labels", cpu=_warp_labels_cpu, cuda=_warp_labels_cuda, sample=_sample, atol=0)
