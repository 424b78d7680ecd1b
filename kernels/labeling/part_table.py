"""What each connected part of a label map is: its area, first pixel, label, and the part that lies before it.

    table(k) = pixels of part k + 1; linear index of its first pixel in raster order; the label there; the number of the
               part to the left of that pixel, or above it in the first column; 0 for the first part

The part before has a smaller number, so that parts can be joined to it one after the other.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

AREA, FIRST, LABEL, BEFORE = range(4)


@cpu_kernel
def _add_rows(parts, labels, table):
    """parts: (height, width) int32, 1 ... n in raster order of first pixels; labels the same; table: (n, 4) int32."""
    height, width = parts.shape
    known = 0
    for y in range(height):
        row = parts[y]
        x = 0
        while x < width:
            part = row[x]
            first = x
            while x < width and row[x] == part:
                x += 1
            if part > known:
                known = part
                table[part - 1, 1] = y * width + first
                table[part - 1, 2] = labels[y, first]
                table[part - 1, 3] = row[first - 1] if first > 0 else (parts[y - 1, 0] if y > 0 else 0)
            table[part - 1, 0] += x - first


def _part_table_cpu(parts, labels, count):
    table = np.zeros((int(count), 4), np.int32)
    _add_rows(parts, labels, table)
    return table


def _part_table_cuda(parts, labels, count):
    table = array_module(parts).zeros((int(count), 4), np.int32)
    height, width = parts.shape
    sizes = np.int32(height), np.int32(width)
    _cuda.launch_linear("part_table_start", int(count), table, np.int32(count), np.int32(parts.size))
    _cuda.launch_image("part_table", (height, width), parts, table, *sizes)
    _cuda.launch_linear("part_table_end", int(count), parts, labels, table, np.int32(count), np.int32(width))
    return table


def _sample(rng, size_hw):
    from cvseg.kernels.labeling.connected_labels import connected_labels

    labels = rng.integers(0, 3, size_hw, dtype=np.int32)
    parts, count = connected_labels.cpu(labels)
    return parts, labels, np.int32(count[0])


part_table = Kernel("part_table", cpu=_part_table_cpu, cuda=_part_table_cuda, sample=_sample, atol=0)
