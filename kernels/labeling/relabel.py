"""Renumber a label map through a table."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _relabel_pixels(first, end, labels, table, renumbered):
    """labels, renumbered: flat (pixels) int32; table: (n + 2,) int32, its last entry for what lies beyond it.

    Eight pixels of background at a time; others without a question, as neighbours in noise answer each differently.
    """
    i, last = np.uint64(first), np.uint64(end)
    one, eight = np.uint64(1), np.uint64(8)
    beyond = np.uint32(table.size - 1)
    background = table[0]
    while i + eight <= last:
        low = labels[i] | labels[i + np.uint64(1)] | labels[i + np.uint64(2)] | labels[i + np.uint64(3)]
        high = labels[i + np.uint64(4)] | labels[i + np.uint64(5)] | labels[i + np.uint64(6)] | labels[i + np.uint64(7)]
        if (low | high) == 0:
            for k in range(8):
                renumbered[i + np.uint64(k)] = background
        else:
            for k in range(8):
                # A negative label is a large number without a sign.
                renumbered[i + np.uint64(k)] = table[min(np.uint32(labels[i + np.uint64(k)]), beyond)]
        i += eight
    while i < last:
        renumbered[i] = table[min(np.uint32(labels[i]), beyond)]
        i += one


def _relabel_cpu(labels, table):
    renumbered = recycled_empty(labels.shape, np.int32)
    closed = np.zeros(table.size + 1, np.int32)
    closed[:-1] = table
    run_bands(_relabel_pixels, labels.size, labels.reshape(-1), closed, renumbered.reshape(-1), least=100_000)
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
