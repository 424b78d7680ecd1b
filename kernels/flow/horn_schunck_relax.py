"""Jacobi iterations of Horn and Schunck (eq. 12 of their paper): all pixels at once, each from its eight neighbours.

    average = (left + right + up + down) / 6 + (the four diagonal ones) / 12       edge pixels repeat
    t = Ix average_u + Iy average_v + It
    u = average_u - Ix t,   v = average_v - Iy t

with all three derivatives divided by sqrt(smoothness^2 + Ix^2 + Iy^2), as `brightness_constraint` gives them: the paper
divides t by the square of that.

On the CPU the iterations follow each other down the image, one row apart, as many at a time as fit in the cache: row y
of iteration k needs rows y - 1 to y + 1 of iteration k - 1, which have just been made. The bits stay the same.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma, load16, splat16, store16
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

TOGETHER = 12  # iterations that follow each other: 4 rows of flow and their equations each, in the second-level cache


@cpu_kernel(forceinline=True)
def _average(rows, up, here, down, x):
    """Horn and Schunck's weighted mean of the eight neighbours of 16 pixels."""
    column = load16(rows, up + x) + load16(rows, down + x)
    left = load16(rows, up + x - 1) + load16(rows, down + x - 1)
    right = load16(rows, up + x + 1) + load16(rows, down + x + 1)
    cross = (load16(rows, here + x - 1) + load16(rows, here + x + 1)) + column
    return fma(splat16(np.float32(1 / 6)), cross, np.float32(1 / 12) * (left + right))


@cpu_kernel
def _relax_rows(first_row, end_row, constraint, flow, relaxed, height, width, pitch, iterations):
    """constraint: flat planes Ix, Iy, It; flow, relaxed: flat planes u, v; planes are height x pitch."""
    plane = height * pitch
    # What is missing beyond the band's halo spoils one more row per iteration, and never reaches the band.
    top, bottom = max(0, first_row - iterations), min(height, end_row + iterations)
    length = pitch + 32  # of one row: 16 spare numbers before it and after it
    rows = np.zeros(8 * length * (iterations + 1), np.float32)  # per iteration 4 rows of u and 4 of v
    for step in range(top, bottom + iterations):
        for k in range(max(0, step - bottom + 1), min(iterations, step - top) + 1):
            y = step - k
            to = (8 * k + (y & 3)) * length + 16
            to_v = to + 4 * length
            at = y * pitch
            if k == 0:
                for x in range(0, pitch, 16):
                    x = min(x, pitch - 16)
                    store16(rows, to + x, load16(flow, at + x))
                    store16(rows, to_v + x, load16(flow, plane + at + x))
            else:
                before = 8 * (k - 1) * length + 16
                up, here = before + (max(y - 1, 0) & 3) * length, before + (y & 3) * length
                down, to_next = before + (min(y + 1, height - 1) & 3) * length, 4 * length
                for x in range(0, pitch, 16):
                    x = min(x, pitch - 16)
                    average_u = _average(rows, up, here, down, x)
                    average_v = _average(rows, up + to_next, here + to_next, down + to_next, x)
                    i = at + x
                    ix, iy = load16(constraint, i), load16(constraint, plane + i)
                    t = fma(iy, average_v, fma(ix, average_u, load16(constraint, 2 * plane + i)))
                    minus_t = np.float32(0) - t
                    store16(rows, to + x, fma(ix, minus_t, average_u))
                    store16(rows, to_v + x, fma(iy, minus_t, average_v))
            rows[to - 1], rows[to + width] = rows[to], rows[to + width - 1]
            rows[to_v - 1], rows[to_v + width] = rows[to_v], rows[to_v + width - 1]
            if k == iterations and first_row <= y < end_row:
                for x in range(0, pitch, 16):
                    x = min(x, pitch - 16)
                    store16(relaxed, at + x, load16(rows, to + x))
                    store16(relaxed, plane + at + x, load16(rows, to_v + x))


def _horn_schunck_relax_cpu(constraint, flow_uv, iterations):
    height, width = flow_uv.shape[1:]
    pitch = max(width, 16)
    if width < 16:  # whole vectors need 16 columns; the added ones are never used
        constraint, flow_uv = (np.pad(planes, ((0, 0), (0, 0), (0, 16 - width))) for planes in (constraint, flow_uv))
    left, flow = int(iterations), flow_uv
    while left:
        relaxed = recycled_empty(flow_uv.shape)
        count = min(left, TOGETHER)
        numbers = height, width, pitch, count
        run_bands(_relax_rows, height, constraint.reshape(-1), flow.reshape(-1), relaxed.reshape(-1), *numbers)
        flow, left = relaxed, left - count
    if flow is flow_uv:
        flow = flow.copy()
    return flow if width == pitch else np.ascontiguousarray(flow[:, :, :width])


def _horn_schunck_relax_cuda(constraint, flow_uv, iterations):
    xp = array_module(flow_uv)
    _, height, width = flow_uv.shape
    flow, relaxed = flow_uv.copy(), xp.empty_like(flow_uv)
    for _ in range(int(iterations)):
        size = np.int32(height), np.int32(width)
        _cuda.launch_image("horn_schunck_relax", (height, width), constraint, flow, relaxed, *size)
        flow, relaxed = relaxed, flow
    return flow


def _sample(rng, size_hw):
    derivatives = rng.normal(0, 10, (3, *size_hw)).astype(np.float32)
    norm = np.sqrt(np.float32(100) + derivatives[0] ** 2 + derivatives[1] ** 2)
    return derivatives / norm, rng.normal(0, 2, (2, *size_hw)).astype(np.float32), np.int32(15)


horn_schunck_relax = Kernel(
    "horn_schunck_relax", cpu=_horn_schunck_relax_cpu, cuda=_horn_schunck_relax_cuda, sample=_sample
)
