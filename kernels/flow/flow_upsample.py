"""Flow of a pyramid level at a finer one: bilinear, times the factor; as two planes, or joined to (H, W, 2)."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import (
    fma,
    load8,
    store8,
    zip_high,
    zip_low,
    zip_pairs_high,
    zip_pairs_low,
    zip_quads_high,
    zip_quads_low,
)
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel(forceinline=True)
def _double_row(rows, row_v, count, out, to_v, step):
    """Twice as many columns of rows u (from 16) and v (from `row_v`), `count` each, into `out` from 0 and from `to_v`.

    Even columns lie a quarter left of a coarse one, odd ones a quarter right of it.
    """
    near, far, times = np.float32(0.75), np.float32(0.25), np.float32(2)
    for k in range(0, count, 8):
        u, v = load8(rows, 16 + k), load8(rows, row_v + k)
        even_u = times * fma(near, u, far * load8(rows, 15 + k))
        even_v = times * fma(near, v, far * load8(rows, row_v + k - 1))
        odd_u = times * fma(far, load8(rows, 17 + k), near * u)
        odd_v = times * fma(far, load8(rows, row_v + k + 1), near * v)
        if step == 1:
            store8(out, 2 * k, zip_low(even_u, odd_u))
            store8(out, 2 * k + 8, zip_high(even_u, odd_u))
            store8(out, to_v + 2 * k, zip_low(even_v, odd_v))
            store8(out, to_v + 2 * k + 8, zip_high(even_v, odd_v))
        else:
            even_low, even_high = zip_low(even_u, even_v), zip_high(even_u, even_v)
            odd_low, odd_high = zip_low(odd_u, odd_v), zip_high(odd_u, odd_v)
            store8(out, 4 * k, zip_pairs_low(even_low, odd_low))
            store8(out, 4 * k + 8, zip_pairs_high(even_low, odd_low))
            store8(out, 4 * k + 16, zip_pairs_low(even_high, odd_high))
            store8(out, 4 * k + 24, zip_pairs_high(even_high, odd_high))


@cpu_kernel(forceinline=True)
def _quadruple_row(rows, row_v, count, flow, at, width):
    """Four times as many columns of rows u (from 16) and v (from `row_v`), `count` each, as (u, v) from ``flow[at]``.

    The four lie 3/8 and 1/8 left of a coarse column and 1/8 and 3/8 right of it. At the ends the row stays constant.
    """
    times = np.float32(4)
    f0, f1, f2, f3 = np.float32(0.625), np.float32(0.875), np.float32(0.125), np.float32(0.375)
    whole = width // 32 * 8  # coarse columns whose 32 pixels all lie in the row
    for k in range(0, count, 8):
        u, v, before_u, before_v = (
            load8(rows, 16 + k),
            load8(rows, row_v + k),
            load8(rows, 15 + k),
            load8(rows, row_v - 1 + k),
        )
        after_u, after_v = load8(rows, 17 + k), load8(rows, row_v + 1 + k)
        u0, v0 = times * fma(f0, u, f3 * before_u), times * fma(f0, v, f3 * before_v)
        u1, v1 = times * fma(f1, u, f2 * before_u), times * fma(f1, v, f2 * before_v)
        u2, v2 = times * fma(f2, after_u, f1 * u), times * fma(f2, after_v, f1 * v)
        u3, v3 = times * fma(f3, after_u, f0 * u), times * fma(f3, after_v, f0 * v)
        # Of each phase (u, v) pairs of coarse columns 0-3 and 4-7; then two phases; then all four.
        ends = zip_low(u0, v0), zip_low(u1, v1), zip_low(u2, v2), zip_low(u3, v3)
        far_ends = zip_high(u0, v0), zip_high(u1, v1), zip_high(u2, v2), zip_high(u3, v3)
        if k < whole:
            to, target = at + 8 * k, flow
        else:
            to, target = row_v + count + 32, rows
        for half in range(2):
            a, b, c, d = far_ends if half else ends
            left, right = zip_pairs_low(a, b), zip_pairs_low(c, d)
            store8(target, to + 32 * half, zip_quads_low(left, right))
            store8(target, to + 32 * half + 8, zip_quads_high(left, right))
            left, right = zip_pairs_high(a, b), zip_pairs_high(c, d)
            store8(target, to + 32 * half + 16, zip_quads_low(left, right))
            store8(target, to + 32 * half + 24, zip_quads_high(left, right))
        if k >= whole:
            for x in range(min(64, 2 * width - 8 * k)):
                flow[at + 8 * k + x] = rows[to + x]
    for x in range(min(2, width)):
        flow[at + 2 * x], flow[at + 2 * x + 1] = times * rows[16], times * rows[row_v]
    for x in range(4 * count - 2, width):
        flow[at + 2 * x], flow[at + 2 * x + 1] = times * rows[15 + count], times * rows[row_v + count - 1]


@cpu_kernel
def upsample_rows(
    first_row, end_row, coarse, coarse_height, coarse_width, coarse_pitch, flow, width, pitch, factor, step, to_v
):
    """coarse: flat planes u, v of coarse height x coarse pitch; flow: flat, u of pixel (x, y) at
    step * (y * pitch + x), v at to_v after it.
    """
    plane = coarse_height * coarse_pitch
    zero, half, one = np.float32(0), np.float32(0.5), np.float32(1)
    scale, times = one / np.float32(factor), np.float32(factor)
    # Where each output column reads: the same in every row.
    left, fraction = np.empty(width, np.int32), np.empty(width, np.float32)
    for x in range(width):
        position = min(max(zero, (np.float32(x) + half) * scale - half), np.float32(coarse_width - 1))
        left[x] = int(position)
        fraction[x] = position - np.float32(left[x])
    row_v = coarse_width + 48
    rows = np.zeros(2 * row_v + 128, np.float32)  # a row of u at 16, one of v at row_v, both with repeated ends
    out_v = 2 * coarse_width + 32 if step == 1 else 1
    out = np.zeros(4 * coarse_width + 64, np.float32)
    for y in range(first_row, end_row):
        position = min(max(zero, (np.float32(y) + half) * scale - half), np.float32(coarse_height - 1))
        y0 = int(position)
        y1 = min(y0 + 1, coarse_height - 1)
        fy = position - np.float32(y0)
        ry = one - fy
        u0, u1 = coarse[y0 * coarse_pitch :], coarse[y1 * coarse_pitch :]
        v0, v1 = coarse[plane + y0 * coarse_pitch :], coarse[plane + y1 * coarse_pitch :]
        row_u, row_of_v = rows[16:], rows[row_v:]
        for x in range(coarse_width):
            row_u[x] = fma(fy, u1[x], ry * u0[x])
        for x in range(coarse_width):
            row_of_v[x] = fma(fy, v1[x], ry * v0[x])
        rows[15], rows[row_v - 1] = rows[16], rows[row_v]
        row_u[coarse_width], row_of_v[coarse_width] = row_u[coarse_width - 1], row_of_v[coarse_width - 1]
        start = y * pitch * step
        if factor == 1 and step == 2:
            for k in range(0, width - 7, 8):
                u, v = load8(rows, 16 + k), load8(rows, row_v + k)
                store8(flow, start + 2 * k, zip_low(u, v))
                store8(flow, start + 2 * k + 8, zip_high(u, v))
            for x in range(width // 8 * 8, width):
                flow[start + 2 * x], flow[start + 2 * x + 1] = rows[16 + x], rows[row_v + x]
            continue
        if factor == 4 and step == 2 and width > 4 * coarse_width - 4:
            _quadruple_row(rows, row_v, coarse_width, flow, start, width)
            continue
        if factor == 2 and width >= 2 * coarse_width - 1:
            _double_row(rows, row_v, coarse_width, out, out_v, step)
            # Copied by loops: a slice would make Numba compile the text of an error for unequal shapes (2 s).
            if step == 1:
                target_u, target_v, source_v = flow[start:], flow[start + to_v :], out[out_v:]
                for x in range(width):
                    target_u[x] = out[x]
                for x in range(width):
                    target_v[x] = source_v[x]
            else:
                target = flow[start:]
                for x in range(2 * width):
                    target[x] = out[x]
            if width == 2 * coarse_width:  # the last column lies beyond the last coarse one
                flow[start + (width - 1) * step] = times * row_u[coarse_width - 1]
                flow[start + (width - 1) * step + to_v] = times * row_of_v[coarse_width - 1]
            continue
        target_u, target_v = flow[start:], flow[start + to_v :]
        for x in range(width):
            i, fx = np.uint32(left[x]), fraction[x]
            target_u[x * step] = times * fma(fx, row_u[i + np.uint32(1)], (one - fx) * row_u[i])
            target_v[x * step] = times * fma(fx, row_of_v[i + np.uint32(1)], (one - fx) * row_of_v[i])


def _flow_upsample_cpu(coarse_uv, height, width, factor, planar):
    height, width = int(height), int(width)
    flow = recycled_empty((2, height, width) if planar else (height, width, 2))
    step, to_v = (1, height * width) if planar else (2, 1)
    coarse_height, coarse_width = coarse_uv.shape[1:]
    coarse = coarse_uv.reshape(-1), coarse_height, coarse_width, coarse_width
    run_bands(upsample_rows, height, *coarse, flow.reshape(-1), width, width, int(factor), step, to_v)
    return flow


def _flow_upsample_cuda(coarse_uv, height, width, factor, planar):
    height, width = int(height), int(width)
    flow = array_module(coarse_uv).empty((2, height, width) if planar else (height, width, 2), np.float32)
    step, to_v = (1, height * width) if planar else (2, 1)
    numbers = (*coarse_uv.shape[1:], height, width, factor, step, to_v)
    _cuda.launch_image("flow_upsample", (height, width), coarse_uv, flow, *map(np.int32, numbers))
    return flow


def _sample(rng, size_hw):
    coarse_size = (size_hw[0] + 1) // 2, (size_hw[1] + 1) // 2
    coarse_uv = rng.normal(0, 3, (2, *coarse_size)).astype(np.float32)
    return coarse_uv, np.int32(size_hw[0]), np.int32(size_hw[1]), np.int32(2), np.int32(size_hw[1] % 2)


flow_upsample = Kernel("flow_upsample", cpu=_flow_upsample_cpu, cuda=_flow_upsample_cuda, sample=_sample)
