"""Joint histogram of two label maps: how many pixels each pair of labels shares, one map's regions moved before."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

CHUNK = 32  # pixels of a row that one CUDA thread walks; equal neighbours then cost one atomic


@cpu_kernel
def _count_pairs(first, second, shifts_xy, counts):
    """first, second: (height, width) int32; shifts_xy: (n + 1, 2) int32 pixels; counts: (n + 1, m + 1) int32."""
    height, width = first.shape
    rows, columns = counts.shape
    for y in range(height):
        label, length, dx, source_y = -1, 0, 0, -1
        other = -1
        for x in range(width):
            # A pair is added to the table when it changes, not at every pixel.
            if first[y, x] != label:
                if length > 0:
                    counts[label, other] += length
                label, length, other = first[y, x], 0, -1
                if 0 <= label < rows:
                    dx, source_y = shifts_xy[label, 0], y + shifts_xy[label, 1]
                else:
                    source_y = -1
            if source_y < 0 or source_y >= height:
                continue
            source_x = x + dx
            found = second[source_y, source_x] if 0 <= source_x < width else -1
            if found != other:
                if length > 0:
                    counts[label, other] += length
                other, length = found, 0
            if 0 <= found < columns:
                length += 1
        if length > 0:
            counts[label, other] += length


def _label_overlap_cpu(first, second, shifts_xy, columns):
    counts = np.zeros((shifts_xy.shape[0], int(columns)), np.int32)
    _count_pairs(first, second, shifts_xy, counts)
    return counts


def _label_overlap_cuda(first, second, shifts_xy, columns):
    counts = array_module(first).zeros((shifts_xy.shape[0], int(columns)), np.int32)
    height, width = first.shape
    _cuda.launch_image(
        "label_overlap",
        (height, -(-width // CHUNK)),
        first,
        second,
        shifts_xy,
        counts,
        np.int32(height),
        np.int32(width),
        np.int32(shifts_xy.shape[0]),
        np.int32(columns),
        block=(4, 64),
    )
    return counts


def _sample(rng, size_hw):
    coarse = rng.integers(0, 9, (2, size_hw[0] // 5 + 1, size_hw[1] // 7 + 1), dtype=np.int32)
    first, second = np.ascontiguousarray(coarse.repeat(5, 1).repeat(7, 2)[:, : size_hw[0], : size_hw[1]])
    shifts_xy = rng.integers(-6, 7, (9, 2), dtype=np.int32)
    return first, second, shifts_xy, np.int32(9)


label_overlap = Kernel("label_overlap", cpu=_label_overlap_cpu, cuda=_label_overlap_cuda, sample=_sample, atol=0)
