"""Least squares in a window around every pixel: the one flow that suits all equations there best.

`equations` are five numbers per pixel: it asks for ``g11 u + g12 v = h1`` and ``g12 u + g22 v = h2``.
Their weighted sums over the window, with the pull towards the flow so far, are solved::

    (G + pull I) (u, v) = H + pull (u_before, v_before)

Along a direction in which the window has structure lambda (an eigenvalue of G) the flow comes for lambda parts from the
window and for `pull` parts from before. The smaller eigenvalue tells how well the flow is determined in its worst
direction. Pixels beyond the edge count nothing.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma, load16, splat16, square_root, store16
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _solve_rows(first_row, end_row, equations, flow, solved, weights, height, width, pitch, pull):
    """equations, flow, solved: flat planes of height x pitch, 5, 2 and 3 of them; weights: (radius + 1,)."""
    plane, radius = height * pitch, len(weights) - 1
    margin = (radius + 15) // 16 * 16
    length = pitch + 2 * margin
    lines = np.zeros(5 * length, np.float32)  # the sums along y of a row, with zeros at both ends
    line1, line2, line3, line4 = length, 2 * length, 3 * length, 4 * length
    zero = splat16(np.float32(0))
    half, four, one = np.float32(0.5), np.float32(4), splat16(np.float32(1))
    for y in range(first_row, end_row):
        top, bottom = max(y - radius, 0), min(y + radius, height - 1)
        for x in range(0, pitch, 16):
            x = min(x, pitch - 16)
            g11, g12, g22, h1, h2 = zero, zero, zero, zero, zero
            for other in range(top, bottom + 1):
                weight, i = weights[abs(other - y)], other * pitch + x
                g11 = fma(weight, load16(equations, i), g11)
                g12 = fma(weight, load16(equations, plane + i), g12)
                g22 = fma(weight, load16(equations, 2 * plane + i), g22)
                h1 = fma(weight, load16(equations, 3 * plane + i), h1)
                h2 = fma(weight, load16(equations, 4 * plane + i), h2)
            to = margin + x
            store16(lines, to, g11)
            store16(lines, line1 + to, g12)
            store16(lines, line2 + to, g22)
            store16(lines, line3 + to, h1)
            store16(lines, line4 + to, h2)
        for x in range(0, pitch, 16):
            x = min(x, pitch - 16)
            g11, g12, g22, h1, h2 = zero, zero, zero, zero, zero
            for k in range(-radius, radius + 1):
                weight, i = weights[abs(k)], margin + x + k
                g11 = fma(weight, load16(lines, i), g11)
                g12 = fma(weight, load16(lines, line1 + i), g12)
                g22 = fma(weight, load16(lines, line2 + i), g22)
                h1 = fma(weight, load16(lines, line3 + i), h1)
                h2 = fma(weight, load16(lines, line4 + i), h2)
            i = y * pitch + x
            difference = g11 - g22
            root = square_root(fma(difference, difference, four * (g12 * g12)))
            store16(solved, 2 * plane + i, half * ((g11 + g22) - root))
            h1, h2 = fma(pull, load16(flow, i), h1), fma(pull, load16(flow, plane + i), h2)
            g11, g22 = g11 + pull, g22 + pull
            inverse = one / (g11 * g22 - g12 * g12)
            store16(solved, i, (g22 * h1 - g12 * h2) * inverse)
            store16(solved, plane + i, (g11 * h2 - g12 * h1) * inverse)


def _window_flow_cpu(equations, flow_uv, weights, pull):
    height, width = flow_uv.shape[1:]
    pitch = max(width, 16)
    if width < 16:  # whole vectors need 16 columns; the added ones hold zeros and are never used
        equations, flow_uv = (np.pad(planes, ((0, 0), (0, 0), (0, 16 - width))) for planes in (equations, flow_uv))
    solved = recycled_empty((3, height, pitch))
    arrays = equations.reshape(-1), flow_uv.reshape(-1), solved.reshape(-1), weights
    run_bands(_solve_rows, height, *arrays, height, width, pitch, pull)
    return solved if width == pitch else np.ascontiguousarray(solved[:, :, :width])


def _window_flow_cuda(equations, flow_uv, weights, pull):
    xp = array_module(flow_uv)
    _, height, width = flow_uv.shape
    columns, solved = xp.empty_like(equations), xp.empty((3, height, width), np.float32)
    sizes = np.int32(height), np.int32(width), np.int32(len(weights) - 1)
    _cuda.launch_image("window_flow_columns", (5 * height, width), equations, weights, columns, *sizes)
    _cuda.launch_image("window_flow", (height, width), columns, flow_uv, weights, solved, *sizes, pull)
    return solved


def _sample(rng, size_hw):
    x, y, z = rng.normal(0, 1, (3, *size_hw)).astype(np.float32)
    equations = np.stack([x * x, x * y, y * y, x * z, y * z])
    weights = np.exp(-(np.arange(6) ** 2) / 8).astype(np.float32)
    return equations, rng.normal(0, 2, (2, *size_hw)).astype(np.float32), weights, np.float32(0.05)


window_flow = Kernel("window_flow", cpu=_window_flow_cpu, cuda=_window_flow_cuda, sample=_sample)
