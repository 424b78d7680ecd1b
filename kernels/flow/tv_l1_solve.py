"""TV-L1: the flow with the least sum of data terms and jumps, by primal-dual steps.

The energy, with the terms of tv_l1_terms (n, d, data weight l, smoothness weight s) at every pixel::

    l |n (u, v) + d|  +  s H(|grad u, grad v|)        H(a) = |a|, rounded below 0.01 pixels per pixel

A dual vector p of four numbers per pixel pulls at the gradient of the flow. One iteration, b being where the flow will
be if it goes on as it went::

    p <- (p + sigma grad b) cut to length s           grad: differences to the right and down, 0 at the last pixel
    w <- (u, v) + tau div p                           div: the exact transpose
    w <- w - n clamp(n w + d, -tau l, tau l)          the data term moves it along n, and never past the line
    b <- 2 w - (u, v),  (u, v) <- w

On the CPU ten iterations are one pass over the rows: iteration t follows one row behind iteration t - 1, and a ring of
rows stays in the second-level cache. A band computes the rows that its neighbours spoil by itself.
"""

import numpy as np

from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma, inverse_root, left_neighbors, load16, maximum, minimum, splat16, store16
from cvseg.kernels.recycled import recycled_empty

# sigma tau 8 = 1: the longest steps for which the iteration is proven to converge.
SIGMA, TAU = np.float32(0.5), np.float32(0.25)
STRETCH = np.float32(1 / (1 + 0.5 * 0.01))  # 1 / (1 + sigma 0.01): shortens p where H is a square
FEW = np.float32(1e-20)  # below the smallest squared length that matters, above what 1 / sqrt cannot take

_NUMBERS = {"SIGMA": SIGMA, "TAU": TAU, "STRETCH": STRETCH, "FEW": FEW}
_cuda = CudaSource(__file__, {name: f"{value!s}f" for name, value in _NUMBERS.items()})

AT_ONCE = 10  # iterations in flight: more do not stay in the cache
# Rows of the ring, by number: u, v, where they go, the dual vectors; then the five terms.
U, V, GOING_U, GOING_V, P, STATE, PLANES = 0, 1, 2, 3, 4, 8, 13


@cpu_kernel(forceinline=True)
def _iterate_row(ring, row, above, below, length, width):
    """One iteration of one row: `row`, `above` and `below` are where u starts; planes are `length` apart."""
    gu, gv, p = GOING_U * length, GOING_V * length, P * length
    n = STATE * length
    two = np.float32(2)
    ring[row + gu + width], ring[row + gv + width] = ring[row + gu + width - 1], ring[row + gv + width - 1]
    zero = splat16(np.float32(0))
    before_0, before_2 = zero, zero
    for x in range(0, width, 16):
        i, down, up = row + x, below + x, above + x
        going_u, going_v = load16(ring, i + gu), load16(ring, i + gv)
        p0 = fma(SIGMA, load16(ring, i + gu + 1) - going_u, load16(ring, i + p))
        p1 = fma(SIGMA, load16(ring, down + gu) - going_u, load16(ring, i + p + length))
        p2 = fma(SIGMA, load16(ring, i + gv + 1) - going_v, load16(ring, i + p + 2 * length))
        p3 = fma(SIGMA, load16(ring, down + gv) - going_v, load16(ring, i + p + 3 * length))
        squares = fma(p3, p3, fma(p2, p2, fma(p1, p1, fma(p0, p0, splat16(FEW)))))
        cut = minimum(load16(ring, i + n + 4 * length) * inverse_root(squares), STRETCH)
        p0, p1, p2, p3 = p0 * cut, p1 * cut, p2 * cut, p3 * cut
        store16(ring, i + p, p0)
        store16(ring, i + p + length, p1)
        store16(ring, i + p + 2 * length, p2)
        store16(ring, i + p + 3 * length, p3)
        divergence_u = (p0 - left_neighbors(before_0, p0)) + (p1 - load16(ring, up + p + length))
        divergence_v = (p2 - left_neighbors(before_2, p2)) + (p3 - load16(ring, up + p + 3 * length))
        before_0, before_2 = p0, p2
        u, v = load16(ring, i), load16(ring, i + length)
        to_u, to_v = fma(TAU, divergence_u, u), fma(TAU, divergence_v, v)
        nx, ny = load16(ring, i + n), load16(ring, i + n + length)
        distance = fma(ny, to_v, fma(nx, to_u, load16(ring, i + n + 2 * length)))
        limit = load16(ring, i + n + 3 * length)
        step = maximum(minimum(distance, limit), zero - limit)
        to_u, to_v = to_u - nx * step, to_v - ny * step
        store16(ring, i, to_u)
        store16(ring, i + length, to_v)
        store16(ring, i + gu, two * to_u - u)
        store16(ring, i + gv, two * to_v - v)


@cpu_kernel
def _solve_rows(first_row, end_row, terms, state, solved, iterations):
    """terms: (5, height, width); state, solved: (8, height, width): u, v, where they go, the dual vectors."""
    height, width = terms.shape[1:]
    # What is missing beyond the band's halo spoils one more row per iteration, and never reaches the band.
    top, bottom = max(0, first_row - iterations - 1), min(height, end_row + iterations + 1)
    slots = iterations + 4  # rows in flight, and one of zeros above the image
    length = (width + 16) // 16 * 16  # at least one spare pixel
    size = PLANES * length
    ring = np.zeros(slots * size + 48, np.float32)
    origin = 16 + (-ring.ctypes.data % 64) // 4  # rows start on whole cache lines
    zeros = origin + (slots - 1) * size
    turns = slots - 1
    for step in range(top, bottom + iterations + 1):
        if step < bottom:
            slot = origin + (step % turns) * size
            # Copied by loops: a slice would make Numba compile the text of an error for unequal shapes (2 s).
            for plane in range(STATE):
                source, target = state[plane, step], ring[slot + plane * length :]
                for x in range(width):
                    target[x] = source[x]
            for plane in range(PLANES - STATE):
                source, target = terms[plane, step], ring[slot + (STATE + plane) * length :]
                for x in range(width):
                    target[x] = source[x]
            limit = ring[slot + (STATE + 3) * length :]
            for x in range(width):
                limit[x] *= TAU
        for iteration in range(iterations):
            y = step - 1 - iteration
            if top <= y < bottom:
                _iterate_row(
                    ring,
                    origin + (y % turns) * size,
                    origin + ((y - 1) % turns) * size if y else zeros,
                    origin + (min(y + 1, height - 1) % turns) * size,
                    length,
                    width,
                )
        y = step - iterations
        if first_row <= y < end_row:
            slot = origin + (y % turns) * size
            for plane in range(STATE):
                target, source = solved[plane, y], ring[slot + plane * length :]
                for x in range(width):
                    target[x] = source[x]


def _tv_l1_solve_cpu(terms, flow_uv, dual, iterations):
    _, height, width = terms.shape
    state, solved = recycled_empty((STATE, height, width)), recycled_empty((STATE, height, width))
    state[:GOING_U], state[GOING_U:P], state[P:] = flow_uv, flow_uv, dual
    left = int(iterations)
    while left > 0:
        run_bands(_solve_rows, height, terms, state, solved, min(left, AT_ONCE), least=64)
        state, solved = solved, state
        left -= AT_ONCE
    return state[:GOING_U], state[P:]


def _tv_l1_solve_cuda(terms, flow_uv, dual, iterations):
    height, width = terms.shape[1:]
    size = np.int32(height), np.int32(width)
    flow_uv, going_uv, dual = flow_uv.copy(), flow_uv.copy(), dual.copy()
    for _ in range(int(iterations)):
        _cuda.launch_image("tv_l1_solve_dual", (height, width), terms, going_uv, dual, *size)
        _cuda.launch_image("tv_l1_solve", (height, width), terms, dual, flow_uv, going_uv, *size)
    return flow_uv, dual


def _sample(rng, size_hw):
    height, width = size_hw
    angle = rng.random(size_hw) * 2 * np.pi
    terms = np.stack([np.cos(angle), np.sin(angle), *rng.normal(0, 1, (3, *size_hw))]).astype(np.float32)
    terms[3:] = np.abs(terms[3:])
    flow_uv = rng.normal(0, 2, (2, height, width)).astype(np.float32)
    return terms, flow_uv, np.zeros((4, height, width), np.float32), np.int32(13)


tv_l1_solve = Kernel("tv_l1_solve", cpu=_tv_l1_solve_cpu, cuda=_tv_l1_solve_cuda, sample=_sample)
