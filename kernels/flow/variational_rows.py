"""The CPU half of the variational refinement: one pass over the rows from images and flow to relaxed flow.

A row is warped, its system set up and its pixels relaxed as soon as the rows above and below allow it: half-sweep h
follows one row behind half-sweep h - 1, and only a ring of rows is in flight, which stays in the second-level cache.
See `variational_solve` for the equations.

Every row in flight is kept as two runs, pixels of even x and pixels of odd x ("split"), so that the 16 pixels of one
colour that are relaxed together, and each of their neighbours, are 16 consecutive numbers::

    16 spare | even x: 0 2 4 ... | 16 spare | odd x: 1 3 5 ... | 16 spare

For pixels of parity p, x - 1 and x + 1 are k + p - 1 and k + p of the other run, x - 2 and x + 2 are k - 1 and k + 1
of their own. Lanes beyond the width are kept finite and out of the sums: their data are zero, their system is void.
"""

import numpy as np

from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.lanes import (
    even_lanes,
    fma,
    hmin,
    inverse_root,
    load16,
    mask_bits,
    maximum,
    minimum,
    odd_lanes,
    round_down,
    select,
    splat16,
    store16,
    zip_high,
    zip_low,
)

EPSILON2 = np.float32(1e-6)  # inside every robust square root: a residual below 0.001 counts as its square
ZETA2 = np.float32(0.01)  # squared grey levels per pixel: gradients below 0.1 do not count as structure
EDGE = np.float32(1 / 15**2)  # at a gradient of 15 grey levels per pixel smoothness counts half


@cpu_kernel(forceinline=True)
def refined_pitch(width):
    """Numbers per row of the flow planes that `refine_rows` reads and writes."""
    return (width + 31) // 32 * 32


@cpu_kernel(forceinline=True)
def _line(width):
    """Numbers in a split row: an odd number of cache lines, see patch_densify."""
    return 48 + refined_pitch(width)


@cpu_kernel
def refine_scratch(width, sweeps):
    """Numbers of scratch that one call of `refine_rows` needs."""
    return (9 * (2 * sweeps + 4) + 16 + 4 + 8 + 1 + 3) * _line(width) + 64


@cpu_kernel(forceinline=True)
def _place(x, odd):
    """Where pixel x lies in a split row."""
    return odd + (x >> 1) if x & 1 else 16 + (x >> 1)


@cpu_kernel(forceinline=True)
def _split(source, at, memory, to, odd, pitch):
    """A row in natural order as a split row."""
    for k in range(0, pitch // 2, 16):
        low, high = load16(source, at + 2 * k), load16(source, at + 2 * k + 16)
        store16(memory, to + 16 + k, even_lanes(low, high))
        store16(memory, to + odd + k, odd_lanes(low, high))


@cpu_kernel(forceinline=True)
def _split_flow(flow, at, memory, to, odd, pitch, width):
    """One plane's row; x = width repeats the last pixel, so that the difference across the edge is 0."""
    _split(flow, at, memory, to, odd, pitch)
    for x in range(width, pitch):
        memory[to + _place(x, odd)] = np.float32(0)
    memory[to + _place(width, odd)] = flow[at + width - 1]


@cpu_kernel(forceinline=True)
def _mixed(image, i, shifted, fx, rx):
    """Pixels i, i + 1, ... mixed with their right neighbours, all one further where `shifted`."""
    first, second, third = load16(image, i), load16(image, i + 1), load16(image, i + 2)
    return fma(fx, select(shifted, third, second), rx * select(shifted, second, first))


@cpu_kernel(forceinline=True)
def _warped_row(image0, at0, image1, first1, pitch1, flow, at, plane, y, height, width, memory, numbers, row, line):
    """Mean and change of a row, in natural order at row and row + line: see `variational_images`."""
    zero, one, half, levels = splat16(np.float32(0)), np.float32(1), np.float32(0.5), np.float32(255)
    last_x, last_y, here_y = splat16(np.float32(width - 1)), splat16(np.float32(height - 1)), np.float32(y)
    corner = first1 + MARGIN * pitch1 + MARGIN
    lanes = load16(numbers, 0)
    for x in range(0, width, 16):
        # Beyond the width the flow is anything: clamped, it reads inside the image.
        at_x = minimum(maximum(load16(flow, at + x) + (np.float32(x) + lanes), zero), last_x)
        at_y = minimum(maximum(load16(flow, at + plane + x) + here_y, zero), last_y)
        x0, y0 = round_down(at_x), round_down(at_y)
        fx, fy = at_x - x0, at_y - y0
        rx, ry = one - fx, one - fy
        # Where the flow is smooth, 16 neighbours read 16 neighbours, or those one to the right or one below: three rows
        # of three vectors instead of 64 single numbers.
        along = x0 - lanes
        first_x, first_y = hmin(along), hmin(y0)
        to_right, to_below = along - first_x, y0 - first_y
        if mask_bits(maximum(to_right, to_below) > one) == 0:
            shifted, lowered = to_right > zero, to_below > zero
            i = corner + int(first_y) * pitch1 + int(first_x)
            mix0 = _mixed(image1, i, shifted, fx, rx)
            mix1 = _mixed(image1, i + pitch1, shifted, fx, rx)
            mix2 = _mixed(image1, i + 2 * pitch1, shifted, fx, rx)
            top, bottom = select(lowered, mix1, mix0), select(lowered, mix2, mix1)
        else:
            store16(numbers, 16, x0)
            store16(numbers, 32, y0)
            for lane in range(16):
                i = corner + int(numbers[32 + lane]) * pitch1 + int(numbers[16 + lane])
                numbers[48 + lane], numbers[64 + lane] = image1[i], image1[i + 1]
                numbers[80 + lane], numbers[96 + lane] = image1[i + pitch1], image1[i + pitch1 + 1]
            top = fma(fx, load16(numbers, 64), rx * load16(numbers, 48))
            bottom = fma(fx, load16(numbers, 96), rx * load16(numbers, 80))
        there, before = levels * fma(fy, bottom, ry * top), levels * load16(image0, at0 + x)
        store16(memory, row + x, (before + there) * half)
        store16(memory, row + line + x, there - before)


@cpu_kernel(forceinline=True)
def _split_image(memory, row, to, odd, pitch, width):
    """A row in natural order as a split row, its first and last pixel repeated."""
    first, last = memory[row], memory[row + width - 1]
    for x in range(width, pitch):
        memory[row + x] = last
    _split(memory, row, memory, to, odd, pitch)
    memory[to + 15], memory[to + odd - 1] = first, first
    memory[to + _place(width, odd)], memory[to + _place(width + 1, odd)] = last, last


@cpu_kernel(forceinline=True)
def _smooth_row(memory, up, here, down, u, v, below_u, below_v, smooth, odd, pitch, width, half_alpha):
    """Smoothness of a row by forward differences; beyond both ends the negative, so that the edge's weight is 0."""
    half, one = np.float32(0.5), np.float32(1)
    for parity in range(2):
        own, other = (odd, 16) if parity else (16, odd)
        for k in range(0, pitch // 2, 16):
            i, right = own + k, other + k + parity
            here_u, here_v = load16(memory, u + i), load16(memory, v + i)
            ux, vx = load16(memory, u + right) - here_u, load16(memory, v + right) - here_v
            uy, vy = load16(memory, below_u + i) - here_u, load16(memory, below_v + i) - here_v
            ix = (load16(memory, here + right) - load16(memory, here + right - 1)) * half
            iy = (load16(memory, down + i) - load16(memory, up + i)) * half
            edge = inverse_root(fma(splat16(EDGE), fma(iy, iy, ix * ix), splat16(one)))
            squares = fma(vy, vy, fma(vx, vx, fma(uy, uy, fma(ux, ux, splat16(EPSILON2)))))
            store16(memory, smooth + i, half_alpha * (edge * edge) * inverse_root(squares))
    memory[smooth + odd - 1] = -memory[smooth + 16]
    memory[smooth + _place(width, odd)] = -memory[smooth + _place(width - 1, odd)]


@cpu_kernel(forceinline=True)
def _system_row(
    memory,
    up2,
    up,
    here,
    down,
    down2,
    change_up,
    change,
    change_down,
    base_u,
    base_v,
    above,
    smooth,
    below,
    numbers,
    y,
    height,
    width,
    odd,
    pitch,
    slot,
    size,
    delta,
    gamma,
):
    """The linear system of one row: 7 split rows, `size` apart, from `slot`; the flow is the 8th and 9th."""
    zero, half, quarter, one = splat16(np.float32(0)), np.float32(0.5), np.float32(0.25), splat16(np.float32(1))
    last_x, last_y, here_y = np.float32(width - 1), np.float32(height - 1), np.float32(y)
    has_up, has_down = np.float32(y > 0), np.float32(y + 1 < height)
    tiny = np.float32(1e-9)  # holds a pixel without data and without neighbours where it is
    for parity in range(2):
        own, other = (odd, 16) if parity else (16, odd)
        for k in range(0, pitch // 2, 16):
            i, left, right = own + k, other + k + parity - 1, other + k + parity
            # Derivatives: of the mean in space, of the change in time.
            ix = (load16(memory, here + right) - load16(memory, here + left)) * half
            iy = (load16(memory, down + i) - load16(memory, up + i)) * half
            twice = load16(memory, here + i) + load16(memory, here + i)
            ixx = (load16(memory, here + i + 1) - twice + load16(memory, here + i - 1)) * quarter
            iyy = (load16(memory, down2 + i) - twice + load16(memory, up2 + i)) * quarter
            across_down = load16(memory, down + right) - load16(memory, down + left)
            across_up = load16(memory, up + right) - load16(memory, up + left)
            ixy = (across_down - across_up) * quarter
            iz = load16(memory, change + i)
            ixz = (load16(memory, change + right) - load16(memory, change + left)) * half
            iyz = (load16(memory, change_down + i) - load16(memory, change_up + i)) * half
            # Normalised residuals at the current flow, and their robust weights.
            u0, v0 = load16(memory, base_u + i), load16(memory, base_v + i)
            u, v = load16(memory, slot + 7 * size + i), load16(memory, slot + 8 * size + i)
            du, dv = u - u0, v - v0
            x = load16(memory, numbers + i)
            to_x, to_y = x + u0, here_y + v0
            inside = select((to_x >= zero) & (to_x <= last_x) & (to_y >= zero) & (to_y <= last_y), one, zero)
            norm = inside * inverse_root(fma(iy, iy, fma(ix, ix, splat16(ZETA2))))
            bx, by, bz = norm * ix, norm * iy, norm * iz
            norm = inside * inverse_root(fma(ixy, ixy, fma(ixx, ixx, splat16(ZETA2))))
            gxx, gxy, gxz = norm * ixx, norm * ixy, norm * ixz
            norm = inside * inverse_root(fma(iyy, iyy, fma(ixy, ixy, splat16(ZETA2))))
            gyx, gyy, gyz = norm * ixy, norm * iyy, norm * iyz
            residual = fma(by, dv, fma(bx, du, bz))
            residual_x, residual_y = fma(gxy, dv, fma(gxx, du, gxz)), fma(gyy, dv, fma(gyx, du, gyz))
            brightness = delta * inverse_root(fma(residual, residual, splat16(EPSILON2)))
            squares = fma(residual_y, residual_y, fma(residual_x, residual_x, splat16(EPSILON2)))
            gradient = gamma * inverse_root(squares)
            along_x, along_y = brightness * bx, brightness * by
            xx, xy, yx, yy = gradient * gxx, gradient * gxy, gradient * gyx, gradient * gyy
            a11 = fma(yx, gyx, fma(xx, gxx, along_x * bx)) + tiny
            a12 = fma(yx, gyy, fma(xx, gxy, along_x * by))
            a22 = fma(yy, gyy, fma(xy, gxy, along_y * by)) + tiny
            b1 = fma(yx, gyz, fma(xx, gxz, along_x * bz))
            b2 = fma(yy, gyz, fma(xy, gxz, along_y * bz))
            # Smoothness to the four neighbours.
            centre = load16(memory, smooth + i)
            right_weight = centre + load16(memory, smooth + right)
            left_weight = centre + load16(memory, smooth + left)
            down_weight = (centre + load16(memory, below + i)) * has_down
            up_weight = (centre + load16(memory, above + i)) * has_up
            weights = (right_weight + left_weight) + (down_weight + up_weight)
            diagonal_u, diagonal_v = a11 + weights, a22 + weights
            inverse = select(x <= last_x, one / (diagonal_u * diagonal_v), zero)
            i += slot
            store16(memory, i, right_weight)
            store16(memory, size + i, down_weight)
            store16(memory, 2 * size + i, fma(a12, v0, a11 * u0) - b1)
            store16(memory, 3 * size + i, fma(a22, v0, a12 * u0) - b2)
            store16(memory, 4 * size + i, a12)
            store16(memory, 5 * size + i, diagonal_v * inverse)
            store16(memory, 6 * size + i, diagonal_u * inverse)


@cpu_kernel(forceinline=True)
def _relax_row(memory, size, at, other, shift, row_up, row_down, count, omega):
    """Every second pixel of a row: the planes of the system are `size` apart, the pixels start at `at`."""
    u, v = 7 * size, 8 * size
    for k in range(0, count, 16):
        i, left, right = at + k, other + k + shift - 1, other + k + shift
        up, down = row_up + k, row_down + k
        weight = load16(memory, left)
        sum_u = fma(weight, load16(memory, u + left), load16(memory, 2 * size + i))
        sum_v = fma(weight, load16(memory, v + left), load16(memory, 3 * size + i))
        weight = load16(memory, i)
        sum_u, sum_v = fma(weight, load16(memory, u + right), sum_u), fma(weight, load16(memory, v + right), sum_v)
        weight = load16(memory, size + up)
        sum_u, sum_v = fma(weight, load16(memory, u + up), sum_u), fma(weight, load16(memory, v + up), sum_v)
        weight = load16(memory, size + i)
        sum_u, sum_v = fma(weight, load16(memory, u + down), sum_u), fma(weight, load16(memory, v + down), sum_v)
        minus_a12 = np.float32(0) - load16(memory, 4 * size + i)
        old_u, old_v = load16(memory, u + i), load16(memory, v + i)
        to_u = fma(minus_a12, old_v, sum_u) * load16(memory, 5 * size + i)
        new_u = fma(omega, to_u - old_u, old_u)
        store16(memory, u + i, new_u)
        to_v = fma(minus_a12, new_u, sum_v) * load16(memory, 6 * size + i)
        store16(memory, v + i, fma(omega, to_v - old_v, old_v))


@cpu_kernel
def refine_rows(
    first_row,
    end_row,
    images,
    image0,
    origin0,
    pitch0,
    image1,
    first1,
    pitch1,
    base,
    flow,
    relaxed,
    again,
    height,
    width,
    sweeps,
    alpha,
    delta,
    gamma,
    omega,
    scratch,
):
    """One fixed-point step on rows first_row to end_row.

    All arrays are flat float32. Where `images` is empty, mean and change are made here from image0, whose pixel (0, 0)
    is at origin0, and image1, whose margin begins at first1; else they are `images`, as variational_images makes them.
    base, flow, relaxed: planes u, v of height rows of refined_pitch(width); flow counts when `again`, else it is base.
    """
    pitch = refined_pitch(width)
    line, odd, plane = _line(width), 32 + pitch // 2, height * pitch
    half_sweeps = 2 * sweeps
    # What is missing beyond the band's halo spoils one more row per half-sweep, and never reaches the band.
    top, bottom = max(0, first_row - half_sweeps - 1), min(height, end_row + half_sweeps + 1)
    ring = half_sweeps + 4  # rows in flight
    size = ring * line
    memory = scratch[(-scratch.ctypes.data % 64) // 4 :]  # rows start on whole cache lines
    mean, change = 9 * size, 9 * size + 8 * line
    smooth, bases = change + 8 * line, change + 12 * line
    numbers, row = bases + 8 * line, bases + 9 * line
    for x in range(pitch + 2):
        memory[numbers + _place(x, odd)] = np.float32(x)
    few = np.empty(112, np.float32)  # 16 column numbers, then scratch of _warped_row
    for x in range(16):
        few[x] = np.float32(x)
    # Beyond the first and last column, and above the first and below the last row: weights of 0, and finite flow.
    for number in range(9):
        above, below = number * size + ((top + ring - 1) % ring) * line, number * size + (bottom % ring) * line
        for x in range(line):
            memory[above + x] = memory[below + x] = np.float32(0)
        for slot in range(number * size, (number + 1) * size, line):
            memory[slot + 15] = memory[slot + odd - 1] = np.float32(0)
            memory[slot + odd - 16] = memory[slot + line - 16] = np.float32(0)
    for slot in range(mean, smooth, line):  # a lane beyond the width that is not finite would spread
        memory[slot + odd - 16] = memory[slot + line - 16] = np.float32(0)
    for x in range(smooth, smooth + 4 * line):
        memory[x] = np.float32(0)
    half_alpha = np.float32(0.5) * alpha
    image_pitch = width + 4
    for step in range(top - 2, bottom + half_sweeps + 2):
        if step < bottom + 2:
            y = min(max(step, 0), height - 1)
            if images.size:
                at = (y + 2) * image_pitch + 2
                for x in range(width):
                    memory[row + x] = images[at + x]
                at += (height + 4) * image_pitch
                for x in range(width):
                    memory[row + line + x] = images[at + x]
            else:
                at0 = origin0 + y * pitch0
                _warped_row(
                    image0,
                    at0,
                    image1,
                    first1,
                    pitch1,
                    base,
                    y * pitch,
                    plane,
                    y,
                    height,
                    width,
                    memory,
                    few,
                    row,
                    line,
                )
            slot = ((step + 8) & 7) * line
            _split_image(memory, row, mean + slot, odd, pitch, width)
            _split_image(memory, row + line, change + slot, odd, pitch, width)
        if top <= step < min(bottom + 1, height):  # the smoothness of the last row sees the next one
            slot = (step % ring) * line
            _split_flow(flow if again else base, step * pitch, memory, 7 * size + slot, odd, pitch, width)
            _split_flow(flow if again else base, plane + step * pitch, memory, 8 * size + slot, odd, pitch, width)
            if again:
                slot = bases + (step & 3) * line
                _split_flow(base, step * pitch, memory, slot, odd, pitch, width)
                _split_flow(base, plane + step * pitch, memory, slot + 4 * line, odd, pitch, width)
        y = step - 1
        if top <= y < bottom:
            slot, below = 7 * size + (y % ring) * line, 7 * size + (min(y + 1, height - 1) % ring) * line
            _smooth_row(
                memory,
                mean + ((y + 7) & 7) * line,
                mean + (y & 7) * line,
                mean + ((y + 1) & 7) * line,
                slot,
                size + slot,
                below,
                size + below,
                smooth + (y & 3) * line,
                odd,
                pitch,
                width,
                half_alpha,
            )
        y = step - 2
        if top <= y < bottom:
            slot = (y % ring) * line
            _system_row(
                memory,
                mean + ((y + 6) & 7) * line,
                mean + ((y + 7) & 7) * line,
                mean + (y & 7) * line,
                mean + ((y + 1) & 7) * line,
                mean + ((y + 2) & 7) * line,
                change + ((y + 7) & 7) * line,
                change + (y & 7) * line,
                change + ((y + 1) & 7) * line,
                bases + (y & 3) * line if again else 7 * size + slot,
                bases + (4 + (y & 3)) * line if again else 8 * size + slot,
                smooth + ((y + 3) & 3) * line,
                smooth + (y & 3) * line,
                smooth + ((y + 1) & 3) * line,
                numbers,
                y,
                height,
                width,
                odd,
                pitch,
                slot,
                size,
                delta,
                gamma,
            )
        for half_sweep in range(half_sweeps):
            y = step - 3 - half_sweep
            if top <= y < bottom:
                parity = (y + half_sweep) & 1  # of the x of this colour's pixels
                own, other = (odd, 16) if parity else (16, odd)
                slot = (y % ring) * line
                _relax_row(
                    memory,
                    size,
                    slot + own,
                    slot + other,
                    parity,
                    ((y + ring - 1) % ring) * line + own,
                    ((y + 1) % ring) * line + own,
                    pitch // 2,
                    omega,
                )
        y = step - 2 - half_sweeps
        if first_row <= y < end_row:
            for number in range(2):
                source, to = (7 + number) * size + (y % ring) * line, number * plane + y * pitch
                for k in range(0, pitch // 2, 16):
                    even, odd_ones = load16(memory, source + 16 + k), load16(memory, source + odd + k)
                    store16(relaxed, to + 2 * k, zip_low(even, odd_ones))
                    store16(relaxed, to + 2 * k + 16, zip_high(even, odd_ones))
