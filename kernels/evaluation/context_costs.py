"""Chi-square distance between the shape contexts of every pair of points of two outlines."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

BINS = 60  # the same word stands in the .cu file


@cpu_kernel
def _shares(contexts, shares):
    """Counts as shares of their sum. contexts: (n, BINS) int32; shares: (n, BINS) float32."""
    for i in range(contexts.shape[0]):
        total = 0
        for k in range(BINS):
            total += contexts[i, k]
        for k in range(BINS):
            shares[i, k] = np.float32(contexts[i, k]) / np.float32(max(total, 1))


@cpu_kernel
def _cost_rows(first_row, end_row, first, second, costs):
    """first: (n, BINS), second: (BINS, m), costs: (n, m) float32."""
    for i in range(first_row, end_row):
        out = costs[i]
        out[:] = np.float32(0)
        for k in range(BINS):
            share = first[i, k]
            others = second[k]
            # The many empty bins cost an addition instead of a division.
            if share == np.float32(0):
                for j in range(others.shape[0]):
                    out[j] += others[j]
            else:
                for j in range(others.shape[0]):
                    gap = share - others[j]
                    out[j] += gap * gap / (share + others[j])
        for j in range(out.shape[0]):
            out[j] *= np.float32(0.5)


def _context_costs_cpu(first, second):
    shares = [np.empty((len(contexts), BINS), np.float32) for contexts in (first, second)]
    for contexts, share in zip((first, second), shares, strict=True):
        _shares(contexts, share)
    costs = np.empty((len(first), len(second)), np.float32)
    run_bands(_cost_rows, len(first), shares[0], np.ascontiguousarray(shares[1].T), costs, least=128)
    return costs


def _context_costs_cuda(first, second):
    rows, columns = first.shape[0], second.shape[0]
    costs = array_module(first).empty((rows, columns), np.float32)
    _cuda.launch_image("context_costs", (rows, columns), first, second, costs, np.int32(rows), np.int32(columns))
    return costs


def _sample(rng, size_hw):
    first, second = (rng.integers(0, 9, (size, BINS), dtype=np.int32) for size in size_hw)
    first[rng.random(first.shape) < 0.6] = 0
    second[rng.random(second.shape) < 0.6] = 0
    return first, second


context_costs = Kernel("context_costs", cpu=_context_costs_cpu, cuda=_context_costs_cuda, sample=_sample)
