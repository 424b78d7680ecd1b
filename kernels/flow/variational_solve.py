"""Variational refinement: the flow that fits the data terms and is smooth except where it pays not to be.

Each fixed-point step freezes the robust weights at the current flow, which leaves a linear system with five unknowns
per row, and relaxes it by a few sweeps of red-black successive over-relaxation::

    (a11 + sum w) u + a12 v = c1 + sum w u_neighbour
    a12 u + (a22 + sum w) v = c2 + sum w v_neighbour
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma

EPSILON2 = np.float32(1e-6)  # inside every robust square root: a residual below 0.001 counts as its square

_cuda = CudaSource(__file__, {"EPSILON2": f"{EPSILON2!s}f"})


@cpu_kernel
def _system_rows(terms, base, flow, smooth, system, alpha, delta, gamma):
    """Robust weights at the current flow: see variational_solve.cu for every plane."""
    height, width = flow.shape[1:]
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    for y in range(height):
        below = min(y + 1, height - 1)
        for x in range(width):
            right = min(x + 1, width - 1)
            ux, uy = flow[0, y, right] - flow[0, y, x], flow[0, below, x] - flow[0, y, x]
            vx, vy = flow[1, y, right] - flow[1, y, x], flow[1, below, x] - flow[1, y, x]
            squares = fma(vy, vy, fma(vx, vx, fma(uy, uy, fma(ux, ux, EPSILON2))))
            smooth[y, x] = half * alpha / np.sqrt(squares)
    for y in range(height):
        for x in range(width):
            u0, v0 = base[0, y, x], base[1, y, x]
            du, dv = flow[0, y, x] - u0, flow[1, y, x] - v0
            bx, by, bz = terms[0, y, x], terms[1, y, x], terms[2, y, x]
            g11, g12, g22 = terms[3, y, x], terms[4, y, x], terms[5, y, x]
            g13, g23, g33 = terms[6, y, x], terms[7, y, x], terms[8, y, x]
            residual = fma(by, dv, fma(bx, du, bz))
            along_u, along_v = fma(g12, dv, fma(g11, du, g13)), fma(g22, dv, fma(g12, du, g23))
            squares = fma(along_v + g23, dv, fma(along_u + g13, du, g33))
            brightness = delta / np.sqrt(fma(residual, residual, EPSILON2))
            gradient = gamma / np.sqrt(max(squares, zero) + EPSILON2)
            a11 = fma(gradient, g11, brightness * bx * bx)
            a12 = fma(gradient, g12, brightness * bx * by)
            a22 = fma(gradient, g22, brightness * by * by)
            b1 = fma(gradient, g13, brightness * bx * bz)
            b2 = fma(gradient, g23, brightness * by * bz)
            right = smooth[y, x] + smooth[y, x + 1] if x + 1 < width else zero
            left = smooth[y, x] + smooth[y, x - 1] if x > 0 else zero
            down = smooth[y, x] + smooth[y + 1, x] if y + 1 < height else zero
            up = smooth[y, x] + smooth[y - 1, x] if y > 0 else zero
            weights = (right + left) + (down + up) + np.float32(1e-9)
            system[0, y, x], system[1, y, x] = right, down
            system[2, y, x] = fma(a12, v0, a11 * u0) - b1
            system[3, y, x] = fma(a22, v0, a12 * u0) - b2
            system[4, y, x] = a12
            system[5, y, x] = one / (a11 + weights)
            system[6, y, x] = one / (a22 + weights)


@cpu_kernel
def _relax(system, flow, sweeps, omega):
    height, width = flow.shape[1:]
    u, v = flow[0], flow[1]
    right, down = system[0], system[1]
    for half_sweep in range(2 * sweeps):
        for y in range(height):
            for x in range((y + half_sweep) & 1, width, 2):
                sum_u, sum_v = system[2, y, x], system[3, y, x]
                if x > 0:
                    sum_u, sum_v = fma(right[y, x - 1], u[y, x - 1], sum_u), fma(right[y, x - 1], v[y, x - 1], sum_v)
                if x + 1 < width:
                    sum_u, sum_v = fma(right[y, x], u[y, x + 1], sum_u), fma(right[y, x], v[y, x + 1], sum_v)
                if y > 0:
                    sum_u, sum_v = fma(down[y - 1, x], u[y - 1, x], sum_u), fma(down[y - 1, x], v[y - 1, x], sum_v)
                if y + 1 < height:
                    sum_u, sum_v = fma(down[y, x], u[y + 1, x], sum_u), fma(down[y, x], v[y + 1, x], sum_v)
                a12 = system[4, y, x]
                to_u = fma(-a12, v[y, x], sum_u) * system[5, y, x]
                u[y, x] = fma(omega, to_u - u[y, x], u[y, x])
                to_v = fma(-a12, u[y, x], sum_v) * system[6, y, x]
                v[y, x] = fma(omega, to_v - v[y, x], v[y, x])


def _variational_solve_cpu(terms, base_uv, fixed_points, sweeps, alpha, delta, gamma, omega):
    height, width = base_uv.shape[1:]
    flow_uv = base_uv.copy()
    smooth = np.empty((height, width), np.float32)
    system = np.empty((7, height, width), np.float32)
    for _ in range(int(fixed_points)):
        _system_rows(terms, base_uv, flow_uv, smooth, system, alpha, delta, gamma)
        _relax(system, flow_uv, int(sweeps), omega)
    return flow_uv


def _variational_solve_cuda(terms, base_uv, fixed_points, sweeps, alpha, delta, gamma, omega):
    xp = array_module(base_uv)
    height, width = base_uv.shape[1:]
    size = np.int32(height), np.int32(width)
    flow_uv = base_uv.copy()
    smooth, system = xp.empty((height, width), np.float32), xp.empty((7, height, width), np.float32)
    for _ in range(int(fixed_points)):
        _cuda.launch_image("variational_solve_smooth", (height, width), flow_uv, smooth, *size, alpha)
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
