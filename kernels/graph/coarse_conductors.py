"""A grid of conductors with half as many pixels along each side, whose equations follow from those of the fine grid.

Every second pixel of every second row is kept. The potential of the others is taken from the kept ones around them:

    between two kept ones:   in shares of the conductors to both sides, those of the rows (columns) beside added
    between four:            as the equation of the pixel says, of its eight neighbours

With P these shares, the coarse equations are P' A P (Galerkin): nine neighbours instead of five. A conductor may be
negative then; for the shares it counts as none. Dendy, Black Box Multigrid, J. Comput. Phys. 48, 1982.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


# All arrays have a border of one zero: what would lead out is zero. Pixels with an even y and x in the arrays, which
# are the odd ones of the picture, are between four kept ones.
@cpu_kernel
def _share_between_two(first_row, end_row, right, down, right_down, left_down, ground, shares):
    """shares: (height + 2, width + 2, 4) float32."""
    width = right.shape[1] - 2
    zero = np.float32(0)
    for y in range(first_row + 1, end_row + 1):
        for x in range(1, width + 1):
            for k in range(4):
                shares[y, x, k] = zero
            if (y & 1) and (x & 1):
                shares[y, x, 0] = np.float32(1)
                continue
            if not (y & 1) and not (x & 1):
                continue
            right_up, left_up = left_down[y - 1, x + 1], right_down[y - 1, x - 1]
            if y & 1:
                one = (max(right[y, x - 1], zero) + max(left_up, zero)) + max(left_down[y, x], zero)
                two = (max(right[y, x], zero) + max(right_up, zero)) + max(right_down[y, x], zero)
            else:
                one = (max(down[y - 1, x], zero) + max(left_up, zero)) + max(right_up, zero)
                two = (max(down[y, x], zero) + max(left_down[y, x], zero)) + max(right_down[y, x], zero)
            total = (one + two) + max(ground[y, x], zero)
            if total > zero:
                shares[y, x, 0] = one / total
                shares[y, x, 1] = two / total


@cpu_kernel
def _share_between_four(first_row, end_row, right, down, right_down, left_down, ground, shares):
    """first_row, end_row: of the coarse grid."""
    height, width = right.shape[0] - 2, right.shape[1] - 2
    zero = np.float32(0)
    for y in range(2 * first_row + 2, min(2 * end_row, height) + 1, 2):
        for x in range(2, width + 1, 2):
            up, below = max(down[y - 1, x], zero), max(down[y, x], zero)
            before, after = max(right[y, x - 1], zero), max(right[y, x], zero)
            left_up, right_up = max(right_down[y - 1, x - 1], zero), max(left_down[y - 1, x + 1], zero)
            left_below, right_below = max(left_down[y, x], zero), max(right_down[y, x], zero)
            sides = (up + below) + (before + after)
            total = (sides + ((left_up + right_up) + (left_below + right_below))) + max(ground[y, x], zero)
            if total > zero:
                over, under, left, beyond = shares[y - 1, x], shares[y + 1, x], shares[y, x - 1], shares[y, x + 1]
                shares[y, x, 0] = ((left_up + up * over[0]) + before * left[0]) / total
                shares[y, x, 1] = ((right_up + up * over[1]) + after * beyond[0]) / total
                shares[y, x, 2] = ((left_below + below * under[0]) + before * left[1]) / total
                shares[y, x, 3] = ((right_below + below * under[1]) + after * beyond[1]) / total


@cpu_kernel
def _part(shares, y, x, dy, dx):
    """The share that a kept pixel (y, x) has in its neighbour (y + dy, x + dx)."""
    if dy == 0 and dx == 0:
        return np.float64(1)
    if dy == 0:
        return np.float64(shares[y, x + dx, 0 if dx > 0 else 1])
    if dx == 0:
        return np.float64(shares[y + dy, x, 0 if dy > 0 else 1])
    return np.float64(shares[y + dy, x + dx, (0 if dy > 0 else 2) + (0 if dx > 0 else 1)])


@cpu_kernel
def _coarse_rows(
    first_row, end_row, right, down, right_down, left_down, ground, shares,
    coarse_right, coarse_down, coarse_right_down, coarse_left_down, coarse_ground,
):  # fmt: skip
    """first_row, end_row: of the coarse grid."""
    height, width = right.shape[0] - 2, right.shape[1] - 2
    coarse_height, coarse_width = coarse_right.shape[0] - 2, coarse_right.shape[1] - 2
    basis = np.zeros((7, 7))  # the shares of one kept pixel, which lies at (3, 3)
    flows = np.zeros((5, 5))  # A basis
    for j in range(first_row + 1, end_row + 1):
        for i in range(1, coarse_width + 1):
            y0, x0 = 2 * j - 1, 2 * i - 1
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    basis[3 + dy, 3 + dx] = _part(shares, y0, x0, dy, dx)
            to_ground = 0.0
            for a in range(5):
                for b in range(5):
                    y, x = y0 + a - 2, x0 + b - 2
                    flows[a, b] = 0.0
                    if y < 1 or x < 1 or y > height or x > width:
                        continue
                    value = basis[a + 1, b + 1]
                    sides = (
                        right[y, x] * (value - basis[a + 1, b + 2]) + right[y, x - 1] * (value - basis[a + 1, b])
                    ) + (down[y, x] * (value - basis[a + 2, b + 1]) + down[y - 1, x] * (value - basis[a, b + 1]))
                    falling = right_down[y, x] * (value - basis[a + 2, b + 2]) + right_down[y - 1, x - 1] * (
                        value - basis[a, b]
                    )
                    rising = left_down[y, x] * (value - basis[a + 2, b]) + left_down[y - 1, x + 1] * (
                        value - basis[a, b + 2]
                    )
                    flow = (sides + (falling + rising)) + ground[y, x] * value
                    flows[a, b] = flow
                    # What all kept pixels together make of potential 1 everywhere.
                    whole = (shares[y, x, 0] + shares[y, x, 1]) + (shares[y, x, 2] + shares[y, x, 3])
                    to_ground += flow * np.float64(whole)
            coarse_ground[j, i] = np.float32(to_ground)
            for k in range(4):
                di, dj = (1, 0, 1, -1)[k], (0, 1, 1, 1)[k]
                total = 0.0
                if j + dj <= coarse_height and 1 <= i + di <= coarse_width:
                    for dy in range(-1, 2):
                        for dx in range(-1, 2):
                            a, b = 2 * dj + dy + 2, 2 * di + dx + 2
                            if 0 <= a < 5 and 0 <= b < 5:
                                total += flows[a, b] * _part(shares, y0 + 2 * dj, x0 + 2 * di, dy, dx)
                conductor = np.float32(-total)
                if k == 0:
                    coarse_right[j, i] = conductor
                elif k == 1:
                    coarse_down[j, i] = conductor
                elif k == 2:
                    coarse_right_down[j, i] = conductor
                else:
                    coarse_left_down[j, i] = conductor


def _rooms(right):
    """Fine and coarse sizes, without borders."""
    height, width = right.shape[0] - 2, right.shape[1] - 2
    return height, width, (height + 1) // 2, (width + 1) // 2


def _coarse_conductors_cpu(right, down, right_down, left_down, ground):
    height, width, coarse_height, coarse_width = _rooms(right)
    fine = right, down, right_down, left_down, ground
    shares = np.zeros((height + 2, width + 2, 4), np.float32)
    coarse = tuple(np.zeros((coarse_height + 2, coarse_width + 2), np.float32) for _ in range(5))
    run_bands(_share_between_two, height, *fine, shares)
    run_bands(_share_between_four, coarse_height, *fine, shares)
    run_bands(_coarse_rows, coarse_height, *fine, shares, *coarse)
    return shares, *coarse


def _coarse_conductors_cuda(right, down, right_down, left_down, ground):
    xp = array_module(right)
    height, width, coarse_height, coarse_width = _rooms(right)
    fine = right, down, right_down, left_down, ground
    shares = xp.zeros((height + 2, width + 2, 4), np.float32)
    coarse = tuple(xp.zeros((coarse_height + 2, coarse_width + 2), np.float32) for _ in range(5))
    sizes = np.int32(height), np.int32(width)
    _cuda.launch_image("coarse_conductors_two", (height, width), *fine, shares, *sizes)
    _cuda.launch_image("coarse_conductors_four", (coarse_height, coarse_width), *fine, shares, *sizes)
    _cuda.launch_image("coarse_conductors", (coarse_height, coarse_width), *fine, shares, *coarse, *sizes)
    return shares, *coarse


def _sample(rng, size_hw):
    height, width = size_hw
    arrays = []
    for number, (bottom, left, beyond) in enumerate(((0, 0, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (0, 0, 0))):
        array = np.zeros((height + 2, width + 2), np.float32)
        inner = np.exp(-rng.uniform(0, 6, size_hw)).astype(np.float32)
        # Slanted conductors of a coarse grid may be negative.
        array[1:-1, 1:-1] = inner - np.float32(0.05) if number in (2, 3) else inner
        if bottom:
            array[height] = 0
        if left:
            array[:, 1] = 0
        if beyond:
            array[:, width] = 0
        arrays.append(array)
    # A pixel without conductors, and one between two that has none.
    for array in arrays:
        array[:3, :3] = 0
    return tuple(arrays)


coarse_conductors = Kernel(
    "coarse_conductors", cpu=_coarse_conductors_cpu, cuda=_coarse_conductors_cuda, sample=_sample, atol=0
)
