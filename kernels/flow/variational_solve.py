"""Variational refinement: the flow that fits the images and is smooth except where it pays not to be.

The energy, around the flow at which image1 was warped (see variational_images), with w = (u, v) - that flow::

    delta psi(Iz + Ix wu + Iy wv)        brightness constancy
    + gamma psi(grad Iz + Hessian w)     gradient constancy, which survives changes of light
    + alpha edge psi(grad u, grad v)     smoothness; edge = 1 / (1 + |grad I|^2 / 15^2), for motion changes at edges

with psi(x) = sqrt(x^2 + 0.001^2), and each data term divided by the gradients it multiplies, so that strong edges do
not outweigh weak ones. Where the flow leaves image1 there are no data terms.

Each fixed-point step freezes the robust weights at the current flow. That leaves a linear system with five unknowns per
row, relaxed by sweeps of red-black successive over-relaxation::

    (a11 + sum s) u + a12 v = c1 + sum s u_neighbour
    a12 u + (a22 + sum s) v = c2 + sum s v_neighbour

On the CPU all of a step is one pass over the rows: a row's system is set up when the first half-sweep is about to need
it, half-sweep h follows one row behind half-sweep h - 1, and a ring of rows stays in the second-level cache. Pixels of
even and odd x lie apart, so that the neighbours of 16 pixels of one colour are 16 consecutive numbers.
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
    inverse_root,
    load16,
    odd_lanes,
    select,
    splat16,
    store16,
    zip_high,
    zip_low,
)
from cvseg.kernels.recycled import recycled_empty

EPSILON2 = np.float32(1e-6)  # inside every robust square root: a residual below 0.001 counts as its square

ZETA2 = np.float32(0.01)  # squared grey levels per pixel: gradients below 0.1 do not count as structure
EDGE = np.float32(1 / 15**2)  # at a gradient of 15 grey levels per pixel smoothness counts half

_NUMBERS = {"EPSILON2": EPSILON2, "ZETA2": ZETA2, "EDGE": EDGE}
_cuda = CudaSource(__file__, {name: f"{value!s}f" for name, value in _NUMBERS.items()})


@cpu_kernel(forceinline=True)
def _smooth_row(images, at, image_pitch, flow, here, below, plane, width, pitch, half_alpha, smooth, to):
    """Smoothness of one row, forward differences; beyond both ends the negative, so that the edge's weight is 0."""
    half, one = np.float32(0.5), np.float32(1)
    for start in range(0, width, 16):
        x = min(start, pitch - 16)
        u, v = load16(flow, here + x), load16(flow, plane + here + x)
        ux, vx = load16(flow, here + x + 1) - u, load16(flow, plane + here + x + 1) - v
        uy, vy = load16(flow, below + x) - u, load16(flow, plane + below + x) - v
        i = at + x
        ix = (load16(images, i + 1) - load16(images, i - 1)) * half
        iy = (load16(images, i + image_pitch) - load16(images, i - image_pitch)) * half
        edge = inverse_root(fma(splat16(EDGE), fma(iy, iy, ix * ix), splat16(one)))
        squares = fma(vy, vy, fma(vx, vx, fma(uy, uy, fma(ux, ux, splat16(EPSILON2)))))
        store16(smooth, to + x, half_alpha * (edge * edge) * inverse_root(squares))
    x = width - 1  # here the vector saw the next row's flow
    uy, vy = flow[below + x] - flow[here + x], flow[plane + below + x] - flow[plane + here + x]
    i = at + x
    ix, iy = (images[i + 1] - images[i - 1]) * half, (images[i + image_pitch] - images[i - image_pitch]) * half
    edge = inverse_root(fma(EDGE, fma(iy, iy, ix * ix), one))
    squares = fma(vy, vy, fma(uy, uy, EPSILON2))
    smooth[to + x] = half_alpha * (edge * edge) * inverse_root(squares)
    smooth[to - 1], smooth[to + width] = -smooth[to], -smooth[to + x]


@cpu_kernel(forceinline=True)
def _system_row(
    y,
    images,
    at,
    image_pitch,
    change,
    base,
    flow,
    plane,
    height,
    width,
    pitch,
    numbers,
    smooth,
    above,
    row,
    below,
    delta,
    gamma,
    rows,
    length,
):
    """The linear system of one row, in natural order: `rows` holds 9 rows of `length`, the flow is the last two."""
    zero, half, quarter, one = splat16(np.float32(0)), np.float32(0.5), np.float32(0.25), splat16(np.float32(1))
    last_x, last_y, here_y = np.float32(width - 1), np.float32(height - 1), np.float32(y)
    has_up, has_down = np.float32(y > 0), np.float32(y + 1 < height)
    tiny = np.float32(1e-9)  # holds a pixel without data and without neighbours where it is
    for start in range(0, width, 16):
        x = min(start, pitch - 16)
        i = y * pitch + x
        u, v, u0, v0 = load16(flow, i), load16(flow, plane + i), load16(base, i), load16(base, plane + i)
        du, dv = u - u0, v - v0
        to_x, to_y = load16(numbers, x) + u0, here_y + v0
        inside = select((to_x >= zero) & (to_x <= last_x) & (to_y >= zero) & (to_y <= last_y), one, zero)
        # Derivatives: of the mean in space, of the change in time.
        i = at + x
        up, down = i - image_pitch, i + image_pitch
        ix = (load16(images, i + 1) - load16(images, i - 1)) * half
        iy = (load16(images, down) - load16(images, up)) * half
        twice = load16(images, i) + load16(images, i)
        ixx = (load16(images, i + 2) - twice + load16(images, i - 2)) * quarter
        iyy = (load16(images, down + image_pitch) - twice + load16(images, up - image_pitch)) * quarter
        across_down, across_up = (
            load16(images, down + 1) - load16(images, down - 1),
            load16(images, up + 1) - load16(images, up - 1),
        )
        ixy = (across_down - across_up) * quarter
        iz = load16(images, change + i)
        ixz = (load16(images, change + i + 1) - load16(images, change + i - 1)) * half
        iyz = (load16(images, change + down) - load16(images, change + up)) * half
        # Normalised residuals at the current flow, and their robust weights.
        norm = inside * inverse_root(fma(iy, iy, fma(ix, ix, splat16(ZETA2))))
        bx, by, bz = norm * ix, norm * iy, norm * iz
        norm_x, norm_y = fma(ixy, ixy, fma(ixx, ixx, splat16(ZETA2))), fma(iyy, iyy, fma(ixy, ixy, splat16(ZETA2)))
        inverse = inside / (norm_x * norm_y)  # one division for both
        first, second = norm_y * inverse, norm_x * inverse
        residual = fma(by, dv, fma(bx, du, bz))
        residual_x, residual_y = fma(ixy, dv, fma(ixx, du, ixz)), fma(iyy, dv, fma(ixy, du, iyz))
        squares = fma(second * residual_y, residual_y, first * residual_x * residual_x)
        brightness = delta * inverse_root(fma(residual, residual, splat16(EPSILON2)))
        gradient = gamma * inverse_root(squares + EPSILON2)
        first, second = gradient * first, gradient * second
        xx, xy, yy = first * ixx, first * ixy, second * iyy
        yx = second * ixy
        along_x, along_y = brightness * bx, brightness * by
        a11 = fma(yx, ixy, fma(xx, ixx, along_x * bx)) + tiny
        a12 = fma(yx, iyy, fma(xx, ixy, along_x * by))
        a22 = fma(yy, iyy, fma(xy, ixy, along_y * by)) + tiny
        b1 = fma(yx, iyz, fma(xx, ixz, along_x * bz))
        b2 = fma(yy, iyz, fma(xy, ixz, along_y * bz))
        # Smoothness to the four neighbours.
        centre = load16(smooth, row + x)
        right, left = centre + load16(smooth, row + x + 1), centre + load16(smooth, row + x - 1)
        down_weight = (centre + load16(smooth, below + x)) * has_down
        up_weight = (centre + load16(smooth, above + x)) * has_up
        weights = (right + left) + (down_weight + up_weight)
        diagonal_u, diagonal_v = a11 + weights, a22 + weights
        inverse = one / (diagonal_u * diagonal_v)
        store16(rows, x, right)
        store16(rows, length + x, down_weight)
        store16(rows, 2 * length + x, fma(a12, v0, a11 * u0) - b1)
        store16(rows, 3 * length + x, fma(a22, v0, a12 * u0) - b2)
        store16(rows, 4 * length + x, a12)
        store16(rows, 5 * length + x, diagonal_v * inverse)
        store16(rows, 6 * length + x, diagonal_u * inverse)
        store16(rows, 7 * length + x, u)
        store16(rows, 8 * length + x, v)
    for number in range(9):
        for x in range(width, 16):
            rows[number * length + x] = np.float32(0)


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
def solve_rows(
    first_row, end_row, images, base, flow, relaxed, height, width, pitch, sweeps, alpha, delta, gamma, omega
):
    """One fixed-point step. images: flat; base, flow, relaxed: flat planes of height x pitch, flow with 16 spare."""
    plane, image_pitch = height * pitch, pitch + 4
    change = (height + 4) * image_pitch
    half_sweeps = 2 * sweeps
    # What is missing beyond the band's halo spoils one more row per half-sweep, and never reaches the band.
    top, bottom = max(0, first_row - half_sweeps - 1), min(height, end_row + half_sweeps + 1)
    ring = half_sweeps + 3  # rows in flight
    half_length = ((width + 1) // 2 + 16) // 16 * 16  # at least one spare pixel, its weight 0
    length = 2 * half_length
    size = ring * length
    system = np.zeros(9 * size + 64, np.float32)
    origin = 16 + (-system.ctypes.data % 64) // 4  # rows start on whole cache lines
    rows = np.zeros(9 * length + 64, np.float32)
    smooth_length = width + 64
    smooth = np.zeros(4 * smooth_length, np.float32)
    numbers = np.empty(pitch, np.float32)
    for x in range(pitch):
        numbers[x] = np.float32(x)
    half_alpha = np.float32(0.5) * alpha
    count = (width + 1) // 2
    for step in range(top, bottom + half_sweeps + 1):
        if step < bottom:
            _smooth_row(
                images,
                (step + 2) * image_pitch + 2,
                image_pitch,
                flow,
                step * pitch,
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
                y,
                images,
                (y + 2) * image_pitch + 2,
                image_pitch,
                change,
                base,
                flow,
                plane,
                height,
                width,
                pitch,
                numbers,
                smooth,
                ((y - 1) & 3) * smooth_length + 16,
                (y & 3) * smooth_length + 16,
                ((y + 1) & 3) * smooth_length + 16,
                delta,
                gamma,
                rows,
                length,
            )
            slot = origin + (y % ring) * length
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
                slot = origin + (y % ring) * length
                _relax_row(
                    system,
                    size,
                    slot + odd * half_length,
                    slot + (1 - odd) * half_length,
                    odd,
                    origin + ((y - 1) % ring) * length + odd * half_length,
                    origin + ((y + 1) % ring) * length + odd * half_length,
                    count,
                    omega,
                )
        y = step - 1 - half_sweeps
        if first_row <= y < end_row:
            slot = origin + (y % ring) * length
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


def _variational_solve_cpu(images, base_uv, fixed_points, sweeps, alpha, delta, gamma, omega):
    height, width = base_uv.shape[1:]
    pitch = max(width, 16)
    if width < 16:  # whole vectors need 16 columns; the added ones are never used
        images, base_uv = (np.pad(planes, ((0, 0), (0, 0), (0, 16 - width))) for planes in (images, base_uv))
    images, base = images.reshape(-1), base_uv.reshape(-1)
    flow, relaxed = recycled_empty((base.size + 16,)), recycled_empty((base.size + 16,))
    flow[: base.size] = base
    # Read with the last vector, and never used; any number will do that makes no trap.
    flow[base.size :] = relaxed[base.size :] = 0
    for _ in range(int(fixed_points)):
        numbers = height, width, pitch, int(sweeps), alpha, delta, gamma, omega
        run_bands(solve_rows, height, images, base, flow, relaxed, *numbers, least=64)
        flow, relaxed = relaxed, flow
    return np.ascontiguousarray(flow[: base.size].reshape(2, height, pitch)[:, :, :width])


def _variational_solve_cuda(images, base_uv, fixed_points, sweeps, alpha, delta, gamma, omega):
    xp = array_module(base_uv)
    height, width = base_uv.shape[1:]
    size = np.int32(height), np.int32(width)
    flow_uv = base_uv.copy()
    smooth, system = xp.empty((height, width), np.float32), xp.empty((7, height, width), np.float32)
    for _ in range(int(fixed_points)):
        _cuda.launch_image("variational_solve_smooth", (height, width), images, flow_uv, smooth, *size, alpha)
        _cuda.launch_image(
            "variational_solve", (height, width), images, base_uv, flow_uv, smooth, system, *size, delta, gamma
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
    height, width = size_hw
    image0, image1 = rng.random((2, height + 4, width + 4), dtype=np.float32) * np.float32(255)
    images = np.stack([(image0 + image1) * np.float32(0.5), image1 - image0])
    flow_uv = rng.normal(0, 2, (2, height, width)).astype(np.float32)
    numbers = (np.float32(20), np.float32(5), np.float32(10), np.float32(1.6))
    return images, flow_uv, np.int32(2), np.int32(3), *numbers


variational_solve = Kernel(
    "variational_solve", cpu=_variational_solve_cpu, cuda=_variational_solve_cuda, sample=_sample
)
