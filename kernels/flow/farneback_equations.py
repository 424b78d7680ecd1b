"""The two equations that each pixel gives to Farneback's least squares: ``A flow = (b0 - b1) / 2``.

If image1 is image0 moved by `flow`, the expansions have the same A, and ``b1 = b0 - 2 A flow``. Compared are the
expansion of image0 at x and that of image1 at ``x + flow so far``, read bilinearly; A is the mean of the two. What the
flow so far explains is added back, so that the equations speak of the whole flow::

    A flow = (b0 - b1) / 2 + A flow_so_far

Their normal equations ``A A`` and ``A right side`` are five planes (see `window_flow`), divided by ``|A|^2 + floor^2``,
so that strong structure does not outweigh weak. Left after that, ``|b0 - b1| / 2 |A|`` is a distance in pixels; the
weight falls as ``1 / sqrt(1 + (distance / robust)^2)``. It is 0 where the flow leaves image1.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _equation_rows(first_row, end_row, expansion0, expansion1, flow_uv, equations, floor2, inverse_robust2):
    """expansion0: (5, height, width); expansion1: 5 flat planes; flow_uv: (2, height, width); equations: (5, h, w)."""
    _, height, width = flow_uv.shape
    zero, half, one, two = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    plane = height * width
    offsets, to_right, to_below = np.empty(width, np.int32), np.empty(width, np.int32), np.empty(width, np.int32)
    fractions_x, fractions_y = np.empty(width, np.float32), np.empty(width, np.float32)
    seen = np.empty(width, np.float32)
    there = np.empty((5, width), np.float32)
    for y in range(first_row, end_row):
        u, v, here = flow_uv[0, y], flow_uv[1, y], np.float32(y)
        # Where to read first, reading after: the first loop runs on whole vectors.
        for x in range(width):
            to_x, to_y = np.float32(np.int32(x)) + u[x], here + v[x]
            seen[x] = one if (to_x >= zero) & (to_x <= last_x) & (to_y >= zero) & (to_y <= last_y) else zero
            at_x, at_y = min(max(zero, to_x), last_x), min(max(zero, to_y), last_y)
            x0, y0 = np.int32(at_x), np.int32(at_y)
            offsets[x] = y0 * np.int32(width) + x0
            to_right[x] = 1 if x0 < width - 1 else 0
            to_below[x] = width if y0 < height - 1 else 0
            fractions_x[x], fractions_y[x] = at_x - np.float32(x0), at_y - np.float32(y0)
        for c in range(5):
            values, read = expansion1[c * plane : (c + 1) * plane], there[c]
            for x in range(width):
                i, fx = np.uint32(offsets[x]), fractions_x[x]
                right, below, rx = np.uint32(to_right[x]), np.uint32(to_below[x]), one - fx
                top = fma(fx, values[i + right], rx * values[i])
                bottom = fma(fx, values[i + below + right], rx * values[i + below])
                read[x] = fma(fractions_y[x], bottom, (one - fractions_y[x]) * top)
        b1, b2, a11, a12, a22 = there[0], there[1], there[2], there[3], there[4]
        for c in range(2):
            before, after = expansion0[c, y], there[c]
            for x in range(width):
                after[x] = half * (before[x] - after[x])
        for c in range(2, 5):
            before, after = expansion0[c, y], there[c]
            for x in range(width):
                after[x] = half * (before[x] + after[x])
        for x in range(width):
            cross = two * (a12[x] * a12[x])
            scale = one / (fma(a22[x], a22[x], fma(a11[x], a11[x], cross)) + floor2)
            distance2 = scale * fma(b2[x], b2[x], b1[x] * b1[x])
            seen[x] = seen[x] * (scale / np.sqrt(fma(distance2, inverse_robust2, one)))
        g11, g12, g22, right1, right2 = (
            equations[0, y],
            equations[1, y],
            equations[2, y],
            equations[3, y],
            equations[4, y],
        )
        for x in range(width):
            weight11, weight12, weight22 = seen[x] * a11[x], seen[x] * a12[x], seen[x] * a22[x]
            g11[x] = fma(weight12, a12[x], weight11 * a11[x])
            g12[x] = fma(weight12, a22[x], weight11 * a12[x])
            g22[x] = fma(weight22, a22[x], weight12 * a12[x])
            b1[x] = fma(a12[x], v[x], fma(a11[x], u[x], b1[x]))
            b2[x] = fma(a22[x], v[x], fma(a12[x], u[x], b2[x]))
        for x in range(width):
            right1[x] = seen[x] * fma(a12[x], b2[x], a11[x] * b1[x])
            right2[x] = seen[x] * fma(a22[x], b2[x], a12[x] * b1[x])


def _numbers(floor, robust):
    return np.float32(floor * floor), np.float32(1) / (robust * robust)


def _farneback_equations_cpu(expansion0, expansion1, flow_uv, floor, robust):
    equations = recycled_empty(expansion0.shape)
    arrays = expansion0, expansion1.reshape(-1), flow_uv, equations
    run_bands(_equation_rows, flow_uv.shape[1], *arrays, *_numbers(floor, robust))
    return equations


def _farneback_equations_cuda(expansion0, expansion1, flow_uv, floor, robust):
    equations = array_module(flow_uv).empty_like(expansion0)
    _, height, width = flow_uv.shape
    numbers = np.int32(height), np.int32(width), *_numbers(floor, robust)
    _cuda.launch_image("farneback_equations", (height, width), expansion0, expansion1, flow_uv, equations, *numbers)
    return equations


def _sample(rng, size_hw):
    expansion0, expansion1 = rng.normal(0, 3, (2, 5, *size_hw)).astype(np.float32)
    flow_uv = rng.normal(0, 2, (2, *size_hw)).astype(np.float32)
    return expansion0, expansion1, flow_uv, np.float32(0.5), np.float32(0.3)


farneback_equations = Kernel(
    "farneback_equations", cpu=_farneback_equations_cpu, cuda=_farneback_equations_cuda, sample=_sample
)
