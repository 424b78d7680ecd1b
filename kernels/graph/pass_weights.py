"""Weights of the edges of a graph of pixels from a map of strengths: water passes an edge at the higher of its ends.

    weight(p, d) = max(strength(p), strength(p + step(d))), at most 2047

Steps and missing edges as in `edge_weights`.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.graph.edge_weights import NO_EDGE, WEIGHTS
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _pass_rows(first_row, end_row, strength, weights):
    """strength: (height, width) uint16; weights: (height, width, directions) uint16."""
    height, width, directions = weights.shape
    most = np.uint16(WEIGHTS - 1)
    for y in range(first_row, end_row):
        for d in range(directions):
            shift = 1 if d % 2 == 0 else 0
            if d == 3:
                shift = -1
            below = 1 if d > 0 else 0
            first, end = max(0, -shift), width - max(0, shift)
            result = weights[y, :, d]
            if first > 0:
                result[0] = NO_EDGE
            if end < width:
                result[width - 1] = NO_EDGE
            if y + below >= height:
                result[:] = NO_EDGE
                continue
            here, there = strength[y, first:end], strength[y + below, first + shift : end + shift]
            inner = result[first:end]
            for x in range(end - first):
                inner[x] = min(max(here[x], there[x]), most)


def _pass_weights_cpu(strength, directions):
    weights = recycled_empty((*strength.shape, int(directions)), np.uint16)
    run_bands(_pass_rows, strength.shape[0], strength, weights)
    return weights


def _pass_weights_cuda(strength, directions):
    height, width = strength.shape
    weights = array_module(strength).empty((height, width, int(directions)), np.uint16)
    sizes = np.int32(height), np.int32(width), np.int32(directions)
    _cuda.launch_image("pass_weights", (height, width), strength, weights, *sizes)
    return weights


def _sample(rng, size_hw):
    return rng.integers(0, 2500, size_hw).astype(np.uint16), np.int32(4)


pass_weights = Kernel("pass_weights", cpu=_pass_weights_cpu, cuda=_pass_weights_cuda, sample=_sample, atol=0)
