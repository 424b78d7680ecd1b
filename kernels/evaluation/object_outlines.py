"""Outlines of all objects of a label map in one pass: a bit per object in every pixel."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _look_up(row, bit_of, bits):
    """bits(x) = bit_of(row(x)); runs of one label need no new look-up."""
    before = row[0]
    bit = bit_of[before]
    for x in range(row.shape[0]):
        if row[x] != before:
            before = row[x]
            bit = bit_of[before]
        bits[x] = bit


@cpu_kernel
def _outline_rows(first_row, end_row, labels, bit_of, outlines):
    """labels: (height, width) int32; bit_of: (ids) uint32; outlines: (height, width) uint32."""
    height, width = labels.shape
    here = np.empty(width, np.uint32)
    below = np.empty(width, np.uint32)
    _look_up(labels[first_row], bit_of, here)
    for y in range(first_row, end_row):
        _look_up(labels[min(y + 1, height - 1)], bit_of, below)
        right = here[1:]
        diagonal = below[1:]
        out = outlines[y]
        # An object ends here if some of the four pixels are its own and some are not.
        for x in range(width - 1):
            any_of = here[x] | right[x] | below[x] | diagonal[x]
            all_of = here[x] & right[x] & below[x] & diagonal[x]
            out[x] = any_of ^ all_of
        out[width - 1] = here[width - 1] ^ below[width - 1]
        here, below = below, here


def _object_outlines_cpu(labels, bit_of):
    outlines = recycled_empty(labels.shape, np.uint32)
    run_bands(_outline_rows, labels.shape[0], labels, bit_of, outlines, least=256)
    return outlines


def _object_outlines_cuda(labels, bit_of):
    height, width = labels.shape
    outlines = array_module(labels).empty((height, width), np.uint32)
    _cuda.launch_image("object_outlines", (height, width), labels, bit_of, outlines, np.int32(height), np.int32(width))
    return outlines


def _sample(rng, size_hw):
    blocks = rng.integers(0, 34, (size_hw[0] // 7 + 1, size_hw[1] // 5 + 1), dtype=np.int32)
    labels = np.repeat(np.repeat(blocks, 7, axis=0), 5, axis=1)[: size_hw[0], : size_hw[1]]
    bit_of = np.zeros(34, np.uint32)
    bit_of[1:33] = np.uint32(1) << np.arange(32, dtype=np.uint32)
    return np.ascontiguousarray(labels), bit_of


object_outlines = Kernel("object_outlines", cpu=_object_outlines_cpu, cuda=_object_outlines_cuda, sample=_sample)
