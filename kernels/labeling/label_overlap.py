"""Joint histogram of two label maps: how many pixels each pair of labels shares, one map's regions moved before.

Row 0 stays zero: background is no region, and skipping it is what makes sparse maps fast.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.labeling.next_labelled import next_labelled

_cuda = CudaSource(__file__)

CHUNK = 32  # pixels of a row that one CUDA thread walks; equal neighbours then cost one atomic


@cpu_kernel
def _count_pairs(first, second, shifts_xy, counts):
    """first, second: (height, width) int32; shifts_xy: (n + 1, 2) int32 pixels; counts: (n + 1, m + 1) int32."""
    height, width = first.shape
    rows, columns = counts.shape
    for y in range(height):
        row = first[y]
        x = next_labelled(row, 0)
        while x < width:
            # One run of equal labels: the other map is read along one row, at a fixed distance.
            label = row[x]
            begin = x
            x += 1
            while x < width and row[x] == label:
                x += 1
            if 0 < label < rows:
                dx, other_y = shifts_xy[label, 0], y + shifts_xy[label, 1]
                if 0 <= other_y < height:
                    others = second[other_y]
                    end = min(x + dx, width)
                    k = max(begin + dx, 0)
                    while k < end:
                        found = others[k]
                        start = k
                        k += 1
                        while k < end and others[k] == found:
                            k += 1
                        if 0 <= found < columns:
                            counts[label, found] += k - start
            if x < width and row[x] == 0:
                x = next_labelled(row, x)


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
