"""Inverse search: for each 8x8 patch of one image, the displacement at which it fits the other image best.

The gradients of the patch (central differences), made free of their mean and multiplied by the inverse of their 2x2
matrix, are computed once; then every step is one bilinear reading of the other image and two sums::

    residual = image1(x + u) - image0(x)
    u -= sum(step * residual) + pull * (u - start)     # the mean of the residual drops out: the steps sum to zero

The pull holds a patch near its start in the directions that its texture leaves open: along an edge, or everywhere where
it is flat. A second start, the hint, is taken where it fits much better. Afterwards, in the spreading pass, a patch
that a neighbour's result fits better starts again from there.

On the CPU a row of the patch is one vector of 8 lanes. One patch alone waits for its own sums (33 ns a step); with four
in flight the processor overlaps them (20 ns).
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.patch_grid import MARGIN, PATCH, patch_grid
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma, hsum, load8, splat8, store8

SLOTS = 4  # patches in flight
# Strength of the pull, against the sum of squared gradients: 0 would let an edge slide along itself.
PULL = np.float32(0.03)
FLAT = np.float32(64 * (0.25 / 255) ** 2)  # added to it: 64 pixels with a gradient of a quarter grey level
STILL = np.float32(0.03**2)  # squared pixels: a shorter step ends the search
FAR = np.float32(PATCH**2)  # squared pixels: a patch that moved farther is lost, and goes back to its start
NEAR = np.float32(0.25**2)  # squared pixels: starts that are nearer to each other are not compared
HINT = np.float32(0.7)  # the hint is taken when its cost is below this share of the start's

_NUMBERS = {"PULL": PULL, "FLAT": FLAT, "STILL": STILL, "NEAR": NEAR, "HINT": HINT}
_cuda = CudaSource(__file__, {name: f"{value!s}f" for name, value in _NUMBERS.items()})


# Every sum over a patch is made in the order of a warp's butterfly, where a thread holds rows r and r + 4 of one
# column: first those two, then rows 2 apart, then rows 1 apart, then the columns (hsum). Same bits in both halves.


@cpu_kernel(forceinline=True)
def _gradients(image0, i, pitch):
    """Central differences of 8 pixels. Computed here, not read: cheaper than to write and to read two more images."""
    half = np.float32(0.5)
    return (
        (load8(image0, i + 1) - load8(image0, i - 1)) * half,
        (load8(image0, i + pitch) - load8(image0, i - pitch)) * half,
    )


@cpu_kernel(forceinline=True)
def _steps(gx, gy, a, b, c, work, to):
    """One row of the gradients times the inverse matrix."""
    store8(work, to + 64, c * gx - b * gy)
    store8(work, to + 128, a * gy - b * gx)


@cpu_kernel(forceinline=True)
def _prepare(image0, corner, pitch, work, pull, slot):
    """Fill the slot's template, steps and pull."""
    # All gradients stay in registers until they are used up: a store in between would make the compiler read again.
    ax, ay = _gradients(image0, corner, pitch)
    bx, by = _gradients(image0, corner + pitch, pitch)
    cx, cy = _gradients(image0, corner + 2 * pitch, pitch)
    dx, dy = _gradients(image0, corner + 3 * pitch, pitch)
    ex, ey = _gradients(image0, corner + 4 * pitch, pitch)
    fx, fy = _gradients(image0, corner + 5 * pitch, pitch)
    gx, gy = _gradients(image0, corner + 6 * pitch, pitch)
    hx, hy = _gradients(image0, corner + 7 * pitch, pitch)
    x = ((ax + ex) + (cx + gx)) + ((bx + fx) + (dx + hx))
    y = ((ay + ey) + (cy + gy)) + ((by + fy) + (dy + hy))
    xx = (fma(ex, ex, ax * ax) + fma(gx, gx, cx * cx)) + (fma(fx, fx, bx * bx) + fma(hx, hx, dx * dx))
    xy = (fma(ex, ey, ax * ay) + fma(gx, gy, cx * cy)) + (fma(fx, fy, bx * by) + fma(hx, hy, dx * dy))
    yy = (fma(ey, ey, ay * ay) + fma(gy, gy, cy * cy)) + (fma(fy, fy, by * by) + fma(hy, hy, dy * dy))
    per_pixel, count = np.float32(1 / 64), np.float32(64)
    mean_x, mean_y = hsum(x) * per_pixel, hsum(y) * per_pixel
    a = hsum(xx) - count * mean_x * mean_x
    b = hsum(xy) - count * mean_x * mean_y
    c = hsum(yy) - count * mean_y * mean_y
    strength = PULL * (a + c) + FLAT
    a, c = a + strength, c + strength
    scale = np.float32(1) / (a * c - b * b)
    a, b, c = a * scale, b * scale, c * scale
    pull[slot, 0], pull[slot, 1], pull[slot, 2] = strength * c, strength * b, strength * a
    first = slot * 192
    for row in range(8):
        store8(work, first + row * 8, load8(image0, corner + row * pitch))
    _steps(ax - mean_x, ay - mean_y, a, b, c, work, first)
    _steps(bx - mean_x, by - mean_y, a, b, c, work, first + 8)
    _steps(cx - mean_x, cy - mean_y, a, b, c, work, first + 16)
    _steps(dx - mean_x, dy - mean_y, a, b, c, work, first + 24)
    _steps(ex - mean_x, ey - mean_y, a, b, c, work, first + 32)
    _steps(fx - mean_x, fy - mean_y, a, b, c, work, first + 40)
    _steps(gx - mean_x, gy - mean_y, a, b, c, work, first + 48)
    _steps(hx - mean_x, hy - mean_y, a, b, c, work, first + 56)


@cpu_kernel(forceinline=True)
def _step(image1, first1, pitch, x, y, work, slot):
    """The Gauss-Newton step at corner position (x, y) in image1, inside its margin."""
    margin, one, zero = np.float32(MARGIN), np.float32(1), splat8(np.float32(0))
    x, y = x + margin, y + margin
    x0, y0 = int(x), int(y)
    fx, fy = x - np.float32(x0), y - np.float32(y0)
    rx, ry = one - fx, one - fy
    i = first1 + y0 * pitch + x0
    j = i + 4 * pitch
    top0 = fma(fx, load8(image1, i + 1), rx * load8(image1, i))
    top1 = fma(fx, load8(image1, j + 1), rx * load8(image1, j))
    sum_x, sum_y, odd_x, odd_y = zero, zero, zero, zero
    for row in range(4):
        i, j = i + pitch, j + pitch
        bottom0 = fma(fx, load8(image1, i + 1), rx * load8(image1, i))
        bottom1 = fma(fx, load8(image1, j + 1), rx * load8(image1, j))
        t = slot * 192 + row * 8
        residual0 = fma(fy, bottom0, ry * top0) - load8(work, t)
        residual1 = fma(fy, bottom1, ry * top1) - load8(work, t + 32)
        top0, top1 = bottom0, bottom1
        along_x = fma(residual1, load8(work, t + 96), residual0 * load8(work, t + 64))
        along_y = fma(residual1, load8(work, t + 160), residual0 * load8(work, t + 128))
        if row % 2 == 0:
            sum_x, sum_y = sum_x + along_x, sum_y + along_y
        else:
            odd_x, odd_y = odd_x + along_x, odd_y + along_y
    return hsum(sum_x + odd_x), hsum(sum_y + odd_y)


@cpu_kernel(forceinline=True)
def patch_cost(image0, corner, image1, first1, pitch, x, y):
    """Sum of squared residuals at corner position (x, y) in image1, their mean taken off."""
    margin, one, zero = np.float32(MARGIN), np.float32(1), splat8(np.float32(0))
    x, y = x + margin, y + margin
    x0, y0 = int(x), int(y)
    fx, fy = x - np.float32(x0), y - np.float32(y0)
    rx, ry = one - fx, one - fy
    i = first1 + y0 * pitch + x0
    j = i + 4 * pitch
    top0 = fma(fx, load8(image1, i + 1), rx * load8(image1, i))
    top1 = fma(fx, load8(image1, j + 1), rx * load8(image1, j))
    total, squares, odd_total, odd_squares = zero, zero, zero, zero
    for row in range(4):
        i, j = i + pitch, j + pitch
        bottom0 = fma(fx, load8(image1, i + 1), rx * load8(image1, i))
        bottom1 = fma(fx, load8(image1, j + 1), rx * load8(image1, j))
        t = corner + row * pitch
        residual0 = fma(fy, bottom0, ry * top0) - load8(image0, t)
        residual1 = fma(fy, bottom1, ry * top1) - load8(image0, t + 4 * pitch)
        top0, top1 = bottom0, bottom1
        if row % 2 == 0:
            total, squares = total + (residual0 + residual1), squares + fma(residual1, residual1, residual0 * residual0)
        else:
            odd_total = odd_total + (residual0 + residual1)
            odd_squares = odd_squares + fma(residual1, residual1, residual0 * residual0)
    mean = hsum(total + odd_total)
    return hsum(squares + odd_squares) - mean * mean * np.float32(1 / 64)


@cpu_kernel(forceinline=True)
def distance2(ax, ay, bx, by):
    return (ax - bx) * (ax - bx) + (ay - by) * (ay - by)


@cpu_kernel
def search_rows(
    first_row,
    end_row,
    image0,
    image1,
    first,
    pitch,
    start,
    hint,
    found,
    height,
    width,
    stride,
    iterations,
    spread,
):
    """image0, image1: flat float32, with their margin from `first`; start, hint, found: (rows, columns, 2) float32."""
    rows, columns = start.shape[:2]
    origin = first + MARGIN * pitch + MARGIN
    # The corner of a patch in image1 stays in [-8, size]: inside the margin, bilinear neighbour included.
    low, high_x, high_y = np.float32(-PATCH), np.float32(width), np.float32(height)
    work = np.empty(SLOTS * 192, np.float32)  # per slot: template, step_x, step_y
    pull = np.empty((SLOTS, 3), np.float32)
    left = np.zeros(SLOTS, np.int64)  # iterations to go; 0 = free
    patch = np.empty(SLOTS, np.int64)
    corner_x, corner_y = np.empty(SLOTS, np.float32), np.empty(SLOTS, np.float32)
    at_x, at_y = np.empty(SLOTS, np.float32), np.empty(SLOTS, np.float32)
    from_x, from_y = np.empty(SLOTS, np.float32), np.empty(SLOTS, np.float32)
    following, last = first_row * columns, end_row * columns
    live = 0
    while live > 0 or following < last:
        for slot in range(SLOTS):
            while left[slot] == 0 and following < last:
                row, column = following // columns, following % columns
                x, y = min(column * stride, width - PATCH), min(row * stride, height - PATCH)
                corner = origin + y * pitch + x
                cx, cy = np.float32(x), np.float32(y)
                px = min(max(low, cx + start[row, column, 0]), high_x)
                py = min(max(low, cy + start[row, column, 1]), high_y)
                moved = not spread
                best = np.float32(-1)  # not computed yet
                for side in range(4 if spread else 1):
                    if spread:
                        other_row = row + (side == 3) - (side == 0)
                        other_column = column + (side == 2) - (side == 1)
                        if other_row < 0 or other_row >= rows or other_column < 0 or other_column >= columns:
                            continue
                        qx, qy = cx + start[other_row, other_column, 0], cy + start[other_row, other_column, 1]
                    else:
                        qx, qy = cx + hint[row, column, 0], cy + hint[row, column, 1]
                    qx, qy = min(max(low, qx), high_x), min(max(low, qy), high_y)
                    if distance2(px, py, qx, qy) < NEAR:
                        continue
                    if best < np.float32(0):
                        best = patch_cost(image0, corner, image1, first, pitch, px, py)
                        if not spread:
                            best = best * HINT
                    cost = patch_cost(image0, corner, image1, first, pitch, qx, qy)
                    if cost < best:
                        best, px, py, moved = cost, qx, qy, True
                if moved:
                    _prepare(image0, corner, pitch, work, pull, slot)
                    patch[slot] = following
                    corner_x[slot], corner_y[slot] = cx, cy
                    at_x[slot], at_y[slot] = px, py
                    from_x[slot], from_y[slot] = px, py
                    left[slot] = iterations
                    live += 1
                else:
                    found[row, column, 0], found[row, column, 1] = start[row, column, 0], start[row, column, 1]
                following += 1
            if left[slot] > 0:
                step_x, step_y = _step(image1, first, pitch, at_x[slot], at_y[slot], work, slot)
                off_x, off_y = at_x[slot] - from_x[slot], at_y[slot] - from_y[slot]
                step_x = step_x + (pull[slot, 0] * off_x - pull[slot, 1] * off_y)
                step_y = step_y + (pull[slot, 2] * off_y - pull[slot, 1] * off_x)
                px = min(max(low, at_x[slot] - step_x), high_x)
                py = min(max(low, at_y[slot] - step_y), high_y)
                at_x[slot], at_y[slot] = px, py
                left[slot] -= 1
                if step_x * step_x + step_y * step_y < STILL:
                    left[slot] = 0
                if left[slot] == 0:
                    if distance2(px, py, from_x[slot], from_y[slot]) > FAR:
                        px, py = from_x[slot], from_y[slot]
                    row, column = patch[slot] // columns, patch[slot] % columns
                    found[row, column, 0] = px - corner_x[slot]
                    found[row, column, 1] = py - corner_y[slot]
                    live -= 1


def _patch_search_cpu(padded0, padded1, start, hint, stride, iterations, spread_iterations):
    height, width = padded0.shape[0] - 2 * MARGIN, padded0.shape[1] - 2 * MARGIN
    flat = padded0.reshape(-1), padded1.reshape(-1), 0, padded0.shape[1]
    found = start
    for spread, steps in enumerate((int(iterations), int(spread_iterations))):
        if steps:
            start, found = found, np.empty_like(start)
            numbers = height, width, int(stride), steps, spread
            run_bands(search_rows, start.shape[0], *flat, start, hint, found, *numbers, least=8)
    return found


def _patch_search_cuda(padded0, padded1, start, hint, stride, iterations, spread_iterations):
    height, width = padded0.shape[0] - 2 * MARGIN, padded0.shape[1] - 2 * MARGIN
    rows, columns = start.shape[:2]
    found = start
    for spread, steps in enumerate((int(iterations), int(spread_iterations))):
        if steps:
            start, found = found, array_module(start).empty_like(start)
            _cuda.launch_blocks(
                "patch_search",
                (-(-rows * columns // 4),),
                (128,),
                padded0,
                padded1,
                start,
                hint,
                found,
                np.int32(height),
                np.int32(width),
                np.int32(stride),
                np.int32(steps),
                np.int32(spread),
            )
    return found


def _sample(rng, size_hw):
    height, width = max(size_hw[0], PATCH), max(size_hw[1], PATCH)
    y, x = np.mgrid[-MARGIN : height + MARGIN, -MARGIN : width + MARGIN].astype(np.float32)
    waves = [(rng.normal(0, 0.2), rng.normal(0, 0.2), rng.uniform(0, 6)) for _ in range(6)]

    def texture(x, y):
        return (0.5 + 0.08 * sum(np.sin(a * x + b * y + c) for a, b, c in waves)).astype(np.float32)

    padded0, padded1 = texture(x, y), texture(x - 1.5, y + 0.75)
    start = rng.normal(0, 1, (*patch_grid((height, width), 4), 2)).astype(np.float32)
    hint = np.zeros_like(start)
    return padded0, padded1, start, hint, np.int32(4), np.int32(8), np.int32(4)


patch_search = Kernel("patch_search", cpu=_patch_search_cpu, cuda=_patch_search_cuda, sample=_sample)
