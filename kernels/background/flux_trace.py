"""Trace of the flux tensor: squared change along time of the gradient, and squared acceleration of brightness."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _add_weighted(row, tap, total):
    for x in range(len(total)):
        total[x] += tap * row[x]


@cpu_kernel
def _sum_squares(a, b, c, trace):
    for x in range(len(trace)):
        trace[x] = a[x] * a[x] + b[x] * b[x] + c[x] * c[x]


@cpu_kernel
def _trace_rows(first_row, end_row, ring, oldest, newest, once, twice, trace):
    """ring: (kept, 3, height, width); newest: (3, height, width); once, twice: (kept + 1); trace: (height, width)."""
    kept, width = ring.shape[0], trace.shape[1]
    totals = np.empty((3, width), np.float32)
    for y in range(first_row, end_row):
        for plane in range(3):
            for x in range(width):
                totals[plane, x] = np.float32(0)
            for t in range(kept + 1):
                tap = twice[t] if plane == 2 else once[t]
                row = newest[plane, y] if t == kept else ring[(oldest + t) % kept, plane, y]
                _add_weighted(row, tap, totals[plane])
        _sum_squares(totals[0], totals[1], totals[2], trace[y])


def _flux_trace_cpu(ring, oldest, newest, once, twice):
    trace = np.empty(newest.shape[1:], np.float32)
    run_bands(_trace_rows, trace.shape[0], ring, np.int64(oldest), newest, once, twice, trace)
    return trace


def _flux_trace_cuda(ring, oldest, newest, once, twice):
    trace = array_module(ring).empty(newest.shape[1:], np.float32)
    sizes = np.int32(ring.shape[0]), np.int32(trace.size)
    _cuda.launch_linear("flux_trace", trace.size, ring, oldest, newest, once, twice, trace, *sizes)
    return trace


def _sample(rng, size_hw):
    ring = rng.normal(0, 20, (4, 3, *size_hw)).astype(np.float32)
    newest = rng.normal(0, 20, (3, *size_hw)).astype(np.float32)
    once, twice = np.float32([-0.125, -0.25, 0, 0.25, 0.125]), np.float32([0.25, 0, -0.5, 0, 0.25])
    return ring, np.int32(2), newest, once, twice


flux_trace = Kernel("flux_trace", cpu=_flux_trace_cpu, cuda=_flux_trace_cuda, sample=_sample)
