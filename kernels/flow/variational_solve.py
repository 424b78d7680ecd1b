"""Variational refinement: the flow that fits the data terms and is smooth except where it pays not to be.

Each fixed-point step freezes the robust weights at the current flow, which leaves a linear system with five unknowns
per row, and relaxes it by a few sweeps of red-black successive over-relaxation::

    (a11 + sum w) u + a12 v = c1 + sum w u_neighbour
    a12 u + (a22 + sum w) v = c2 + sum w v_neighbour
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import (
    even_lanes,
    fma,
    load16,
    maximum,
    odd_lanes,
    splat16,
    square_root,
    store16,
    zip_high,
    zip_low,
)

EPSILON2 = np.float32(1e-6)  # inside every robust square root: a residual below 0.001 counts as its square

_cuda = CudaSource(__file__, {"EPSILON2": f"{EPSILON2!s}f"})


@cpu_kernel(forceinline=True)
def _smooth_row(terms, flow, here, below, plane, width, pitch, half_alpha, smooth, to):
    """Smoothness of one row, forward differences; beyond both ends the negative, so that the edge's weight is 0."""
    for start in range(0, width, 16):
        x = min(start, pitch - 16)
        u, v = load16(flow, here + x), load16(flow, plane + here + x)
        ux, vx = load16(flow, here + x + 1) - u, load16(flow, plane + here + x + 1) - v
        uy, vy = load16(flow, below + x) - u, load16(flow, plane + below + x) - v
        squares = fma(vy, vy, fma(vx, vx, fma(uy, uy, fma(ux, ux, splat16(EPSILON2)))))
        store16(smooth, to + x, half_alpha * load16(terms, 9 * plane + here + x) / square_root(squares))
    last = width - 1
    uy, vy = flow[below + last] - flow[here + last], flow[plane + below + last] - flow[plane + here + last]
    squares = fma(vy, vy, fma(uy, uy, EPSILON2))
    smooth[to + last] = half_alpha * terms[9 * plane + here + last] / np.sqrt(squares)
    smooth[to - 1], smooth[to + width] = -smooth[to], -smooth[to + last]


@cpu_kernel(forceinline=True)
def _system_row(
    terms,
    base,
    flow,
    here,
    plane,
    width,
    pitch,
    smooth,
    above,
    row,
    below,
    has_up,
    has_down,
    delta,
    gamma,
    rows,
    length,
):
    """The linear system of one row, in natural order: `rows` holds 9 rows of `length` (the flow is the last two)."""
    tiny = np.float32(1e-9)
    for start in range(0, width, 16):
        x = min(start, pitch - 16)
        i = here + x
        u, v = load16(flow, i), load16(flow, plane + i)
        u0, v0 = load16(base, i), load16(base, plane + i)
        du, dv = u - u0, v - v0
        bx, by, bz = load16(terms, i), load16(terms, plane + i), load16(terms, 2 * plane + i)
        g11, g12, g22 = load16(terms, 3 * plane + i), load16(terms, 4 * plane + i), load16(terms, 5 * plane + i)
        g13, g23, g33 = load16(terms, 6 * plane + i), load16(terms, 7 * plane + i), load16(terms, 8 * plane + i)
        residual = fma(by, dv, fma(bx, du, bz))
        along_u, along_v = fma(g12, dv, fma(g11, du, g13)), fma(g22, dv, fma(g12, du, g23))
        squares = fma(along_v + g23, dv, fma(along_u + g13, du, g33))
        brightness = delta / square_root(fma(residual, residual, splat16(EPSILON2)))
        gradient = gamma / square_root(maximum(squares, np.float32(0)) + EPSILON2)
        a11 = fma(gradient, g11, brightness * bx * bx)
        a12 = fma(gradient, g12, brightness * bx * by)
        a22 = fma(gradient, g22, brightness * by * by)
        b1 = fma(gradient, g13, brightness * bx * bz)
        b2 = fma(gradient, g23, brightness * by * bz)
        centre = load16(smooth, row + x)
        right, left = centre + load16(smooth, row + x + 1), centre + load16(smooth, row + x - 1)
        down = (centre + load16(smooth, below + x)) * has_down
        up = (centre + load16(smooth, above + x)) * has_up
        weights = (right + left) + (down + up) + tiny
        one = splat16(np.float32(1))
        store16(rows, x, right)
        store16(rows, length + x, down)
        store16(rows, 2 * length + x, fma(a12, v0, a11 * u0) - b1)
        store16(rows, 3 * length + x, fma(a22, v0, a12 * u0) - b2)
        store16(rows, 4 * length + x, a12)
        store16(rows, 5 * length + x, one / (a11 + weights))
        store16(rows, 6 * length + x, one / (a22 + weights))
        store16(rows, 7 * length + x, u)
        store16(rows, 8 * length + x, v)
    for plane_number in range(9):
        for x in range(width, 16):
            rows[plane_number * length + x] = np.float32(0)


@cpu_kernel(forceinline=True)
def _relax_row(system, size, at, other, shift, row_up, row_down, count, omega):
    """Every second pixel of a row: planes of `system` are `size` apart, the pixels start at `at`."""
    u, v = 7 * size, 8 * size
    for k in range(0, count, 16):
        i, left, right = at + k, other + k + shift - 1, other + k + shift
        up, down = row_up + k, row_down + k
        weight = load16(system, left)
        sum_u = fma(weight, load16(system, u + left), load16(system, 2 * size + i))
        sum_v = fma(weight, load16(system, v + left), load16(system, 3 * size + i))
        weight = load16(system, i)
        sum_u, sum_v = fma(weight, load16(system, u + right), sum_u), fma(weight, load16(system, v + right), sum_v)
        weight = load16(system, size + up)
        sum_u, sum_v = fma(weight, load16(system, u + up), sum_u), fma(weight, load16(system, v + up), sum_v)
        weight = load16(system, size + i)
        sum_u, sum_v = fma(weight, load16(system, u + down), sum_u), fma(weight, load16(system, v + down), sum_v)
        minus_a12 = np.float32(0) - load16(system, 4 * size + i)
        old_u, old_v = load16(system, u + i), load16(system, v + i)
        to_u = fma(minus_a12, old_v, sum_u) * load16(system, 5 * size + i)
        new_u = fma(omega, to_u - old_u, old_u)
        store16(system, u + i, new_u)
        to_v = fma(minus_a12, new_u, sum_v) * load16(system, 6 * size + i)
        store16(system, v + i, fma(omega, to_v - old_v, old_v))


@cpu_kernel
def _solve_rows(
    first_row, end_row, terms, base, flow, relaxed, height, width, pitch, sweeps, alpha, delta, gamma, omega
):
    """One fixed-point step. terms, base, flow, relaxed: flat planes of height x pitch; flow has 16 spare at its end."""
    plane = height * pitch
    half_sweeps = 2 * sweeps
    # What is missing beyond the band's halo spoils one more row per half-sweep, and never reaches the band.
    top, bottom = max(0, first_row - half_sweeps - 1), min(height, end_row + half_sweeps + 1)
    ring = 1  # rows in flight, a power of two
    while ring < half_sweeps + 3:
        ring *= 2
    half_length = ((width + 1) // 2 + 16) // 16 * 16  # at least one spare pixel, its weight 0
    length = 2 * half_length
    size = ring * length
    system = np.zeros(9 * size + 64, np.float32)
    rows = np.zeros(9 * length + 64, np.float32)
    smooth_length = width + 64
    smooth = np.zeros(4 * smooth_length, np.float32)
    half_alpha = np.float32(0.5) * alpha
    count = (width + 1) // 2
    for step in range(top, bottom + half_sweeps + 1):
        if step < bottom:
            here = step * pitch
            _smooth_row(
                terms,
                flow,
                here,
                min(step + 1, height - 1) * pitch,
                plane,
                width,
                pitch,
                half_alpha,
                smooth,
                (step & 3) * smooth_length + 16,
            )
        y = step - 1
        if top <= y < bottom:
            _system_row(
                terms,
                base,
                flow,
                y * pitch,
                plane,
                width,
                pitch,
                smooth,
                ((y - 1) & 3) * smooth_length + 16,
                (y & 3) * smooth_length + 16,
                ((y + 1) & 3) * smooth_length + 16,
                np.float32(y > 0),
                np.float32(y + 1 < height),
                delta,
                gamma,
                rows,
                length,
            )
            slot = 16 + (y & (ring - 1)) * length
            for number in range(9):
                source, to = number * length, number * size + slot
                for k in range(0, half_length, 16):
                    low, high = load16(rows, source + 2 * k), load16(rows, source + 2 * k + 16)
                    store16(system, to + k, even_lanes(low, high))
                    store16(system, to + half_length + k, odd_lanes(low, high))
        for half_sweep in range(half_sweeps):
            y = step - 2 - half_sweep
            if top <= y < bottom:
                odd = (y + half_sweep) & 1  # whether the pixels of this colour have odd x
                slot = 16 + (y & (ring - 1)) * length
                _relax_row(
                    system,
                    size,
                    slot + odd * half_length,
                    slot + (1 - odd) * half_length,
                    odd,
                    16 + ((y - 1) & (ring - 1)) * length + odd * half_length,
                    16 + ((y + 1) & (ring - 1)) * length + odd * half_length,
                    count,
                    omega,
                )
        y = step - 1 - half_sweeps
        if first_row <= y < end_row:
            slot = 16 + (y & (ring - 1)) * length
            for number in range(2):
                source = (7 + number) * size + slot
                for k in range(0, count, 16):
                    even, odd_ones = load16(system, source + k), load16(system, source + half_length + k)
                    store16(rows, 2 * k, zip_low(even, odd_ones))
                    store16(rows, 2 * k + 16, zip_high(even, odd_ones))
                to = number * plane + y * pitch
                for x in range(width):
                    relaxed[to + x] = rows[x]
                for x in range(width, length):
                    rows[x] = np.float32(0)


def _variational_solve_cpu(terms, base_uv, fixed_points, sweeps, alpha, delta, gamma, omega):
    height, width = base_uv.shape[1:]
    pitch = max(width, 16)
    if width < 16:  # whole vectors need 16 columns; the added ones are never used
        terms, base_uv = (np.pad(planes, ((0, 0), (0, 0), (0, 16 - width))) for planes in (terms, base_uv))
    terms, base = np.ascontiguousarray(terms).reshape(-1), np.ascontiguousarray(base_uv).reshape(-1)
    flow, relaxed = np.zeros(base.size + 16, np.float32), np.zeros(base.size + 16, np.float32)
    flow[: base.size] = base
    for _ in range(int(fixed_points)):
        numbers = height, width, pitch, int(sweeps), alpha, delta, gamma, omega
        run_bands(_solve_rows, height, terms, base, flow, relaxed, *numbers, least=64)
        flow, relaxed = relaxed, flow
    return np.ascontiguousarray(flow[: base.size].reshape(2, height, pitch)[:, :, :width])


def _variational_solve_cuda(terms, base_uv, fixed_points, sweeps, alpha, delta, gamma, omega):
    xp = array_module(base_uv)
    height, width = base_uv.shape[1:]
    size = np.int32(height), np.int32(width)
    flow_uv = base_uv.copy()
    smooth, system = xp.empty((height, width), np.float32), xp.empty((7, height, width), np.float32)
    for _ in range(int(fixed_points)):
        _cuda.launch_image("variational_solve_smooth", (height, width), terms, flow_uv, smooth, *size, alpha)
        _cuda.launch_image(
            "variational_solve_system", (height, width), terms, base_uv, flow_uv, smooth, system, *size, delta, gamma
        )
        for half_sweep in range(2 * int(sweeps)):
            _cuda.launch_image(
                "variational_solve_relax",
                (height, (width + 1) // 2),
                system,
                flow_uv,
                *size,
                np.int32(half_sweep & 1),
                omega,
            )
    return flow_uv


def _sample(rng, size_hw):
    from cvseg.kernels.flow.variational_terms import _sample as images
    from cvseg.kernels.flow.variational_terms import variational_terms

    image0, padded1, flow_uv = images(rng, size_hw)
    terms = variational_terms.cpu(image0, padded1, flow_uv)
    numbers = (np.float32(20), np.float32(5), np.float32(10), np.float32(1.6))
    return terms, flow_uv, np.int32(2), np.int32(3), *numbers


variational_solve = Kernel(
    "variational_solve", cpu=_variational_solve_cpu, cuda=_variational_solve_cuda, sample=_sample
)
