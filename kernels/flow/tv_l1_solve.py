"""TV-L1: the flow, and the change of light, with the least sum of data terms and jumps, by primal-dual steps.

The energy, with the terms of tv_l1_terms (a, b, c, d, smoothness s) and a data weight l, at every pixel::

    l |a u + b v + c w + d|  +  s H(|grad u, grad v|)  +  s H(|grad w|)

with H(x) = |x|, rounded below 0.01 per pixel. w is what the light adds. A dual vector p of six numbers per pixel pulls
at the gradients. One iteration, z = (u, v, w), n = (a, b, c), and y being where z will be if it goes on as it went::

    p <- (p + sigma grad y) cut to length s           grad: differences to the right and down, 0 at the last pixel
    x <- z + tau div p                                div: the exact transpose
    x <- x - n clamp((n x + d) / |n|^2, -tau l, tau l)          along n, and never past the plane n x + d = 0
    y <- 2 x - z,  z <- x

On the CPU ten iterations or more are one pass over the rows: iteration t follows one row behind iteration t - 1, and a
ring of rows stays in the second-level cache. A band computes the rows that its neighbours spoil by itself.
"""

import numpy as np

from cvseg.arrays import array_module
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

# Iterations in flight: the rows of as many stay in the second-level cache. A pass over memory costs as much as six.
AT_ONCE, AT_ONCE_COLUMNS = 10, 12000
# Rows of the ring, by number: u, v, w, where they go, the dual vectors, and the terms.
GOING, P, STATE, PLANES = 3, 6, 12, 18


@cpu_kernel(forceinline=True)
def _iterate_row(ring, row, above, below, length, width, limit):
    """One iteration of one row: `row`, `above` and `below` are where u starts; planes are `length` apart."""
    one, two, far, deep = length, 2 * length, GOING * length, P * length
    n = STATE * length
    twice, zero = np.float32(2), splat16(np.float32(0))
    for going in (row + far, row + far + one, row + far + two):
        ring[going + width] = ring[going + width - 1]
    before_u, before_v, before_w = zero, zero, zero
    for x in range(0, width, 16):
        i, y, p = row + x, row + x + far, row + x + deep
        down, up = below + x + far, above + x + deep + one
        going_u, going_v, going_w = load16(ring, y), load16(ring, y + one), load16(ring, y + two)
        pu = fma(SIGMA, load16(ring, y + 1) - going_u, load16(ring, p))
        qu = fma(SIGMA, load16(ring, down) - going_u, load16(ring, p + one))
        pv = fma(SIGMA, load16(ring, y + one + 1) - going_v, load16(ring, p + two))
        qv = fma(SIGMA, load16(ring, down + one) - going_v, load16(ring, p + two + one))
        pw = fma(SIGMA, load16(ring, y + two + 1) - going_w, load16(ring, p + two + two))
        qw = fma(SIGMA, load16(ring, down + two) - going_w, load16(ring, p + two + two + one))
        smooth = load16(ring, i + n + two + two)
        squares = fma(qv, qv, fma(pv, pv, fma(qu, qu, fma(pu, pu, splat16(FEW)))))
        cut = minimum(smooth * inverse_root(squares), STRETCH)
        squares = fma(qw, qw, fma(pw, pw, splat16(FEW)))
        cut_w = minimum(smooth * inverse_root(squares), STRETCH)
        pu, qu, pv, qv, pw, qw = pu * cut, qu * cut, pv * cut, qv * cut, pw * cut_w, qw * cut_w
        store16(ring, p, pu)
        store16(ring, p + one, qu)
        store16(ring, p + two, pv)
        store16(ring, p + two + one, qv)
        store16(ring, p + two + two, pw)
        store16(ring, p + two + two + one, qw)
        pull_u = (pu - left_neighbors(before_u, pu)) + (qu - load16(ring, up))
        pull_v = (pv - left_neighbors(before_v, pv)) + (qv - load16(ring, up + two))
        pull_w = (pw - left_neighbors(before_w, pw)) + (qw - load16(ring, up + two + two))
        before_u, before_v, before_w = pu, pv, pw
        u, v, w = load16(ring, i), load16(ring, i + one), load16(ring, i + two)
        to_u, to_v, to_w = fma(TAU, pull_u, u), fma(TAU, pull_v, v), fma(TAU, pull_w, w)
        a, b, c = load16(ring, i + n), load16(ring, i + n + one), load16(ring, i + n + two)
        residual = fma(c, to_w, fma(b, to_v, fma(a, to_u, load16(ring, i + n + two + one))))
        step = residual * load16(ring, i + n + two + two + one)
        step = maximum(minimum(step, splat16(limit)), splat16(-limit))
        to_u, to_v, to_w = to_u - a * step, to_v - b * step, to_w - c * step
        store16(ring, i, to_u)
        store16(ring, i + one, to_v)
        store16(ring, i + two, to_w)
        store16(ring, y, twice * to_u - u)
        store16(ring, y + one, twice * to_v - v)
        store16(ring, y + two, twice * to_w - w)


@cpu_kernel
def _solve_rows(
    first_row, end_row, terms, flow_uv, light, going_uv, going_light, dual, solved, limit, iterations, is_last
):
    """terms: (6, height, width); light, going_light: (height, width); solved: (12, height, width)."""
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
                if plane < 2:
                    source = flow_uv[plane, step]
                elif plane == 2:
                    source = light[step]
                elif plane < 5:
                    source = going_uv[plane - 3, step]
                elif plane == 5:
                    source = going_light[step]
                else:
                    source = dual[plane - P, step]
                target = ring[slot + plane * length :]
                for x in range(width):
                    target[x] = source[x]
            for plane in range(PLANES - STATE):
                source, target = terms[plane, step], ring[slot + (STATE + plane) * length :]
                for x in range(width):
                    target[x] = source[x]
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
                    limit,
                )
        y = step - iterations
        if first_row <= y < end_row:
            slot = origin + (y % turns) * size
            for plane in range(STATE):
                if is_last and GOING <= plane < P:
                    continue
                target, source = solved[plane, y], ring[slot + plane * length :]
                for x in range(width):
                    target[x] = source[x]


def _tv_l1_solve_cpu(terms, flow_uv, light, dual, weight, iterations):
    _, height, width = terms.shape
    going_uv, going_light = flow_uv, light
    left, limit = int(iterations), TAU * weight
    at_once = max(AT_ONCE, AT_ONCE_COLUMNS // width)
    while left > 0:
        count, is_last = min(left, at_once), left <= at_once
        solved = recycled_empty((STATE, height, width))
        state = flow_uv, light, going_uv, going_light, dual
        run_bands(_solve_rows, height, terms, *state, solved, limit, count, is_last, least=64)
        flow_uv, light, going_uv, going_light, dual = solved[:2], solved[2], solved[3:5], solved[5], solved[P:]
        left -= count
    return flow_uv, light, dual


def _tv_l1_solve_cuda(terms, flow_uv, light, dual, weight, iterations):
    height, width = terms.shape[1:]
    size = np.int32(height), np.int32(width)
    flow_uvw = array_module(terms).empty((3, height, width), np.float32)
    flow_uvw[:2], flow_uvw[2] = flow_uv, light
    going_uvw, dual = flow_uvw.copy(), dual.copy()
    for _ in range(int(iterations)):
        _cuda.launch_image("tv_l1_solve_dual", (height, width), terms, going_uvw, dual, *size)
        _cuda.launch_image("tv_l1_solve", (height, width), terms, dual, flow_uvw, going_uvw, *size, TAU * weight)
    return flow_uvw[:2], flow_uvw[2], dual


def _sample(rng, size_hw):
    terms = rng.normal(0, 0.5, (6, *size_hw)).astype(np.float32)
    terms[4] = np.abs(terms[4])
    terms[5] = 1 / (terms[:3] ** 2).sum(axis=0)
    flow_uv = rng.normal(0, 2, (2, *size_hw)).astype(np.float32)
    light = rng.normal(0, 2, size_hw).astype(np.float32)
    return terms, flow_uv, light, np.zeros((6, *size_hw), np.float32), np.float32(1.2), np.int32(13)


tv_l1_solve = Kernel("tv_l1_solve", cpu=_tv_l1_solve_cpu, cuda=_tv_l1_solve_cuda, sample=_sample)
