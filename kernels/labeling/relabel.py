"""Renumber a label map through a table."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.labeling.next_labelled import next_labelled
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _relabel_rows(first_row, end_row, labels, table, renumbered):
    """labels, renumbered: (height, width) int32; table: (n + 1,) int32. A label beyond the table becomes 0."""
    width = labels.shape[1]
    size = table.shape[0]
    background = table[0] if size > 0 else 0
    for y in range(first_row, end_row):
        row = labels[y]
        renumbered[y] = background
        x = next_labelled(row, 0)
        while x < width:
            label = row[x]
            renumbered[y, x] = table[label] if 0 <= label < size else 0
            x += 1
            if x < width and row[x] == 0:
                x = next_labelled(row, x)


def _relabel_cpu(labels, table):
    renumbered = recycled_empty(labels.shape, np.int32)
    run_bands(_relabel_rows, labels.shape[0], labels, table, renumbered, least=128)
    return renumbered


def _relabel_cuda(labels, table):
    renumbered = array_module(labels).empty_like(labels)
    pixels, size = np.int32(labels.size), np.int32(table.shape[0])
    _cuda.launch_linear("relabel", labels.size, labels, table, renumbered, pixels, size)
    return renumbered


def _sample(rng, size_hw):
    labels = rng.integers(0, 40, size_hw, dtype=np.int32)
    return labels, rng.integers(0, 99, 37, dtype=np.int32)  # a table that is too short for some labels


relabel = Kernel("relabel", cpu=_relabel_cpu, cuda=_relabel_cuda, sample=_sample, atol=0)
