"""Boundary of a mask: pixels that differ from the right, the lower or the lower right neighbour."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _boundary_rows(first_row, end_row, mask, boundary):
    """mask, boundary: (height, width) uint8, 0 or 1."""
    height, width = mask.shape
    for y in range(first_row, end_row):
        # Row views: a variable offset in a 2-D index would stop the vectoriser.
        row = mask[y]
        below = mask[min(y + 1, height - 1)]
        right = row[1:]
        diagonal = below[1:]
        out = boundary[y]
        for x in range(width - 1):
            out[x] = (row[x] ^ right[x]) | (row[x] ^ below[x]) | (row[x] ^ diagonal[x])
        out[width - 1] = row[width - 1] ^ below[width - 1]


def _mask_boundary_cpu(mask):
    boundary = recycled_empty(mask.shape, mask.dtype)
    run_bands(_boundary_rows, mask.shape[0], mask, boundary, least=512)
    return boundary


def _mask_boundary_cuda(mask):
    boundary = array_module(mask).empty_like(mask)
    height, width = mask.shape
    _cuda.launch_image("mask_boundary", (height, width), mask, boundary, np.int32(height), np.int32(width))
    return boundary


def _sample(rng, size_hw):
    blocks = rng.integers(0, 2, (size_hw[0] // 7 + 1, size_hw[1] // 5 + 1), dtype=np.uint8)
    mask = np.repeat(np.repeat(blocks, 7, axis=0), 5, axis=1)[: size_hw[0], : size_hw[1]]
    return (np.ascontiguousarray(mask),)


mask_boundary = Kernel("mask_boundary", cpu=_mask_boundary_cpu, cuda=_mask_boundary_cuda, sample=_sample)
