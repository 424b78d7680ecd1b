"""Potentials on a grid of conductors: a sparse system of equations, by conjugate gradients with a multigrid step.

    for each pixel p:   sum over neighbours q of w(p, q) (x(p) - x(q)) + ground(p) x(p) = source(p)

A pixel without any conductor has potential 0. The multigrid step goes through grids of half as many pixels along each
side (`coarse_conductors`), which keep to walls between pixels: some ten iterations suffice, where blocks of 2x2 took a
hundred. It only has to be roughly right, and is float32; the conjugate gradients around it are float64. All right-hand
sides share the grids. They end when the remainder, weighted by the multigrid step, has fallen by `tolerance`: about the
error in its energy.

Sums over the image are made row by row, then over rows: the same on any number of threads. The CUDA half adds up the
pixels of a row in another order, so its last digits differ.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.graph.coarse_conductors import coarse_conductors
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

# Two steps along the diagonal that together damp the upper half of the spectrum, [0.5, 2], best: 1 / the roots of
# Chebyshev's polynomial. The words stand in the .cu file too.
FIRST, SECOND = np.float32(0.5621), np.float32(1.3905)
MOST_LEVELS = 16
ROW_THREADS = 128  # of a CUDA block that adds up a row


def _level_shapes(height, width):
    shapes = [(height, width)]
    while max(shapes[-1]) > 1 and len(shapes) < MOST_LEVELS:
        shapes.append(((shapes[-1][0] + 1) // 2, (shapes[-1][1] + 1) // 2))
    return shapes


# All arrays of a level have a border of one zero: the conductors that would lead out are then zero.
@cpu_kernel
def _invert_rows(first_row, end_row, right, down, right_down, left_down, ground, inverse):
    """inverse = 1 / (sum of conductors above zero), 0 without any.

    Without those below zero the sum is at least half of what a row of the equation adds up to in size: no step along it
    is too long (Gershgorin), and the multigrid step stays positive.
    """
    width = right.shape[1] - 2
    zero = np.float32(0)
    for y in range(first_row + 1, end_row + 1):
        for x in range(1, width + 1):
            sides = (max(right[y, x], zero) + max(right[y, x - 1], zero)) + (
                max(down[y, x], zero) + max(down[y - 1, x], zero)
            )
            corners = (max(right_down[y, x], zero) + max(right_down[y - 1, x - 1], zero)) + (
                max(left_down[y, x], zero) + max(left_down[y - 1, x + 1], zero)
            )
            total = (sides + corners) + max(ground[y, x], zero)
            inverse[y, x] = np.float32(1) / total if total > zero else zero


@cpu_kernel
def _first_rows(first_row, end_row, rest, inverse, guess):
    """guess = FIRST * rest / diagonal"""
    width = rest.shape[1] - 2
    for y in range(first_row + 1, end_row + 1):
        one, two, three = rest[y, 1 : width + 1], inverse[y, 1 : width + 1], guess[y, 1 : width + 1]
        for x in range(width):
            three[x] = FIRST * (one[x] * two[x])


@cpu_kernel
def _smooth_rows(first_row, end_row, right, down, ground, inverse, rest, guess, weight, better):
    """better = guess + weight * (rest - A guess) / diagonal; with weight 0 the remainder rest - A guess itself."""
    width = right.shape[1] - 2
    remainder = weight == np.float32(0)
    for y in range(first_row + 1, end_row + 1):
        row, left = right[y, 1 : width + 1], right[y, :width]
        below, above, own = down[y, 1 : width + 1], down[y - 1, 1 : width + 1], ground[y, 1 : width + 1]
        here, there, before = guess[y, 1 : width + 1], guess[y, 2 : width + 2], guess[y, :width]
        under, over = guess[y + 1, 1 : width + 1], guess[y - 1, 1 : width + 1]
        wished, scale, result = rest[y, 1 : width + 1], inverse[y, 1 : width + 1], better[y, 1 : width + 1]
        for x in range(width):
            value = here[x]
            flow = (row[x] * (value - there[x]) + left[x] * (value - before[x])) + (
                below[x] * (value - under[x]) + above[x] * (value - over[x])
            )
            fault = wished[x] - (flow + own[x] * value)
            result[x] = fault if remainder else value + weight * (scale[x] * fault)


@cpu_kernel
def _smooth_coarse_rows(
    first_row, end_row, right, down, right_down, left_down, ground, inverse, rest, guess, weight, better
):  # fmt: skip
    """As `_smooth_rows`, with conductors to all eight neighbours."""
    width = right.shape[1] - 2
    remainder = weight == np.float32(0)
    for y in range(first_row + 1, end_row + 1):
        row, left = right[y, 1 : width + 1], right[y, :width]
        below, above, own = down[y, 1 : width + 1], down[y - 1, 1 : width + 1], ground[y, 1 : width + 1]
        low_right, low_left = right_down[y, 1 : width + 1], left_down[y, 1 : width + 1]
        high_left, high_right = right_down[y - 1, :width], left_down[y - 1, 2 : width + 2]
        here, there, before = guess[y, 1 : width + 1], guess[y, 2 : width + 2], guess[y, :width]
        under, under_right, under_left = guess[y + 1, 1 : width + 1], guess[y + 1, 2 : width + 2], guess[y + 1, :width]
        over, over_right, over_left = guess[y - 1, 1 : width + 1], guess[y - 1, 2 : width + 2], guess[y - 1, :width]
        wished, scale, result = rest[y, 1 : width + 1], inverse[y, 1 : width + 1], better[y, 1 : width + 1]
        for x in range(width):
            value = here[x]
            flow = (row[x] * (value - there[x]) + left[x] * (value - before[x])) + (
                below[x] * (value - under[x]) + above[x] * (value - over[x])
            )
            flow += (low_right[x] * (value - under_right[x]) + high_left[x] * (value - over_left[x])) + (
                low_left[x] * (value - under_left[x]) + high_right[x] * (value - over_right[x])
            )
            fault = wished[x] - (flow + own[x] * value)
            result[x] = fault if remainder else value + weight * (scale[x] * fault)


@cpu_kernel
def _gather_rows(first_row, end_row, shares, fine, coarse):
    """coarse = P' fine: what each kept pixel gets of its neighbours."""
    coarse_width = coarse.shape[1] - 2
    for j in range(first_row, end_row):
        y = 2 * j + 1
        for i in range(coarse_width):
            x = 2 * i + 1
            sides = (shares[y, x - 1, 1] * fine[y, x - 1] + shares[y, x + 1, 0] * fine[y, x + 1]) + (
                shares[y - 1, x, 1] * fine[y - 1, x] + shares[y + 1, x, 0] * fine[y + 1, x]
            )
            corners = (shares[y - 1, x - 1, 3] * fine[y - 1, x - 1] + shares[y - 1, x + 1, 2] * fine[y - 1, x + 1]) + (
                shares[y + 1, x - 1, 1] * fine[y + 1, x - 1] + shares[y + 1, x + 1, 0] * fine[y + 1, x + 1]
            )
            coarse[j + 1, i + 1] = fine[y, x] + (sides + corners)


@cpu_kernel
def _spread_rows(first_row, end_row, shares, coarse, guess):
    """guess += P coarse"""
    width = guess.shape[1] - 2
    for y in range(first_row + 1, end_row + 1):
        j = (y + 1) // 2
        one, two, result = coarse[j], coarse[j + 1], guess[y]
        if y & 1:
            for x in range(1, width + 1, 2):
                result[x] += one[(x + 1) // 2]
            for x in range(2, width + 1, 2):
                result[x] += shares[y, x, 0] * one[x // 2] + shares[y, x, 1] * one[x // 2 + 1]
        else:
            for x in range(1, width + 1, 2):
                result[x] += shares[y, x, 0] * one[(x + 1) // 2] + shares[y, x, 1] * two[(x + 1) // 2]
            for x in range(2, width + 1, 2):
                i = x // 2
                result[x] += (shares[y, x, 0] * one[i] + shares[y, x, 1] * one[i + 1]) + (
                    shares[y, x, 2] * two[i] + shares[y, x, 3] * two[i + 1]
                )


@cpu_kernel
def _direction_rows(first_row, end_row, step, towards, direction):
    """direction = step + towards * direction"""
    width = step.shape[1] - 2
    for y in range(first_row + 1, end_row + 1):
        one, two = step[y, 1 : width + 1], direction[y, 1 : width + 1]
        for x in range(width):
            two[x] = np.float64(one[x]) + towards * two[x]


# reassoc: the sums of a row side by side, 0.5 ms instead of 1.1 at 854x480.
@cpu_kernel(fastmath={"reassoc"})
def _apply_rows(first_row, end_row, right, down, ground, direction, image, sums):
    """image = A direction;   sums[y] = direction . image within the row."""
    width = right.shape[1] - 2
    for y in range(first_row + 1, end_row + 1):
        row, left = right[y, 1 : width + 1], right[y, :width]
        below, above, own = down[y, 1 : width + 1], down[y - 1, 1 : width + 1], ground[y, 1 : width + 1]
        here, there, before = direction[y, 1 : width + 1], direction[y, 2 : width + 2], direction[y, :width]
        under, over, result = direction[y + 1, 1 : width + 1], direction[y - 1, 1 : width + 1], image[y, 1 : width + 1]
        total = 0.0
        for x in range(width):
            value = here[x]
            flow = (row[x] * (value - there[x]) + left[x] * (value - before[x])) + (
                below[x] * (value - under[x]) + above[x] * (value - over[x])
            )
            flow += own[x] * value
            result[x] = flow
            total += value * flow
        sums[y - 1] = total


@cpu_kernel
def _advance_rows(first_row, end_row, length, direction, image, potential, rest, rough):
    """potential += length * direction; rest -= length * image, also as float32."""
    width = rest.shape[1] - 2
    for y in range(first_row + 1, end_row + 1):
        one, two = direction[y, 1 : width + 1], image[y, 1 : width + 1]
        three, four, five = potential[y, 1 : width + 1], rest[y, 1 : width + 1], rough[y, 1 : width + 1]
        for x in range(width):
            three[x] += length * one[x]
            value = four[x] - length * two[x]
            four[x] = value
            five[x] = np.float32(value)


@cpu_kernel(fastmath={"reassoc"})
def _product_rows(first_row, end_row, rest, step, sums):
    width = rest.shape[1] - 2
    for y in range(first_row + 1, end_row + 1):
        one, two = rest[y, 1 : width + 1], step[y, 1 : width + 1]
        total = 0.0
        for x in range(width):
            total += one[x] * np.float64(two[x])
        sums[y - 1] = total


def _bordered(array, dtype=np.float32):
    height, width = array.shape
    result = np.zeros((height + 2, width + 2), dtype)
    result[1:-1, 1:-1] = array
    return result


class _Grids:
    """The equation on all levels, and room for the multigrid step."""

    def __init__(self, right, down, ground):
        self.shapes = _level_shapes(*right.shape)
        none = np.zeros((right.shape[0] + 2, right.shape[1] + 2), np.float32)
        self.systems = [(_bordered(right), _bordered(down), none, none, _bordered(ground))]
        self.shares = []
        for _ in self.shapes[1:]:
            shares, *coarse = coarse_conductors(*self.systems[-1])
            self.shares.append(shares)
            self.systems.append(tuple(coarse))
        self.inverses = [np.zeros_like(system[0]) for system in self.systems]
        for (height, _), system, inverse in zip(self.shapes, self.systems, self.inverses, strict=True):
            run_bands(_invert_rows, height, *system, inverse)
        self.rests, self.guesses, self.others = (
            [np.zeros_like(inverse) for inverse in self.inverses] for _ in range(3)
        )

    def smooth(self, level, source, weight, target):
        right, down, right_down, left_down, ground = self.systems[level]
        rest = self.inverses[level], self.rests[level], source, weight, target
        height = self.shapes[level][0]
        if level == 0:
            run_bands(_smooth_rows, height, right, down, ground, *rest)
        else:
            run_bands(_smooth_coarse_rows, height, right, down, right_down, left_down, ground, *rest)

    def step(self, level=0):
        """guesses[level] = roughly the solution for rests[level]."""
        height = self.shapes[level][0]
        rest, guess, other = self.rests[level], self.guesses[level], self.others[level]
        inverse = self.inverses[level]
        if level + 1 == len(self.shapes):
            guess[:] = rest * inverse
            return
        run_bands(_first_rows, height, rest, inverse, other)
        self.smooth(level, other, SECOND, guess)
        self.smooth(level, guess, np.float32(0), other)
        run_bands(_gather_rows, self.shapes[level + 1][0], self.shares[level], other, self.rests[level + 1])
        self.step(level + 1)
        run_bands(_spread_rows, height, self.shares[level], self.guesses[level + 1], guess)
        self.smooth(level, guess, FIRST, other)
        self.smooth(level, other, SECOND, guess)


def _grid_potentials_cpu(right, down, ground, sources, tolerance, iterations):
    height = right.shape[0]
    potentials = recycled_empty(sources.shape, np.float32)
    grids = _Grids(right, down, ground)
    sums = np.empty(height)
    for k in range(sources.shape[0]):
        potentials[k] = _solve(grids, sources[k], float(tolerance), int(iterations), sums)[1:-1, 1:-1]
    return potentials


def _solve(grids, source, tolerance, iterations, sums):
    height = grids.shapes[0][0]
    right, down, _, _, ground = grids.systems[0]
    rest = _bordered(np.where(grids.inverses[0][1:-1, 1:-1] > 0, source, np.float32(0)), np.float64)
    potential, direction, image = (np.zeros_like(rest) for _ in range(3))
    rough = grids.rests[0]
    rough[:] = rest
    product = enough = 0.0
    for number in range(iterations):
        grids.step()
        run_bands(_product_rows, height, rest, grids.guesses[0], sums)
        before, product = product, float(sums.sum())
        if number == 0:
            enough = tolerance**2 * product
        if product <= enough:
            break
        towards = product / before if number else 0.0
        run_bands(_direction_rows, height, grids.guesses[0], towards, direction)
        run_bands(_apply_rows, height, right, down, ground, direction, image, sums)
        length = product / float(sums.sum())
        run_bands(_advance_rows, height, length, direction, image, potential, rest, rough)
    return potential


class _CudaGrids:
    """As `_Grids`; guesses and rests have one layer for each right-hand side."""

    def __init__(self, right, down, ground, layers):
        xp = array_module(right)
        self.shapes, self.layers = _level_shapes(*right.shape), layers
        rooms = [(height + 2, width + 2) for height, width in self.shapes]
        first = tuple(xp.zeros(rooms[0], np.float32) for _ in range(5))
        for source, target in ((right, first[0]), (down, first[1]), (ground, first[4])):
            self.launch("grid_potentials_border", 0, source, target, layers=1)
        self.systems, self.shares = [first], []
        for _ in self.shapes[1:]:
            shares, *coarse = coarse_conductors(*self.systems[-1])
            self.shares.append(shares)
            self.systems.append(tuple(coarse))
        self.inverses = [xp.zeros(room, np.float32) for room in rooms]
        self.rests, self.guesses, self.others = (
            [xp.zeros((layers, *room), np.float32) for room in rooms] for _ in range(3)
        )
        for level in range(len(self.shapes)):
            self.launch("grid_potentials_invert", level, *self.systems[level], self.inverses[level], layers=1)

    def launch(self, function, level, *arguments, layers=0):
        """One thread for each pixel of a level and each layer."""
        height, width = self.shapes[level]
        grid = (-(-width // 32), -(-height // 8), layers or self.layers)
        _cuda.launch_blocks(function, grid, (32, 8), *arguments, np.int32(height), np.int32(width))

    def launch_rows(self, function, *arguments):
        """One block for each row of the finest level and each layer."""
        height, width = self.shapes[0]
        sizes = np.int32(height), np.int32(width)
        _cuda.launch_blocks(function, (height, self.layers), (ROW_THREADS,), *arguments, *sizes)

    def step(self, state, level=0):
        rest, guess, other = self.rests[level], self.guesses[level], self.others[level]
        inverse = self.inverses[level]
        if level + 1 == len(self.shapes):
            self.launch("grid_potentials_first", level, rest, inverse, state, guess, np.float32(1))
            return
        # Slanted conductors are zero on the finest level, and not read.
        fine = *self.systems[level], inverse, rest, state
        slanted = np.int32(level > 0)
        self.launch("grid_potentials_first", level, rest, inverse, state, other, FIRST)
        self.launch("grid_potentials_smooth", level, *fine, other, guess, SECOND, slanted)
        self.launch("grid_potentials_smooth", level, *fine, guess, other, np.float32(0), slanted)
        sizes, coarse_sizes = (tuple(np.int32(size) for size in self.shapes[k]) for k in (level, level + 1))
        shares, coarse = self.shares[level], self.guesses[level + 1]
        self.launch("grid_potentials_gather", level + 1, shares, other, state, self.rests[level + 1], *sizes)
        self.step(state, level + 1)
        self.launch("grid_potentials_spread", level, shares, coarse, state, guess, *coarse_sizes)
        self.launch("grid_potentials_smooth", level, *fine, guess, other, FIRST, slanted)
        self.launch("grid_potentials_smooth", level, *fine, other, guess, SECOND, slanted)


def _grid_potentials_cuda(right, down, ground, sources, tolerance, iterations):
    xp = array_module(right)
    height, width = right.shape
    layers = sources.shape[0]
    potentials = xp.empty(sources.shape, np.float32)
    if sources.size == 0:
        return potentials
    grids = _CudaGrids(right, down, ground, layers)
    rest, potential, direction, image = (xp.zeros((layers, height + 2, width + 2), np.float64) for _ in range(4))
    sums = xp.empty((layers, height), np.float64)
    state = xp.zeros((layers, 8), np.float64)
    rough, guess = grids.rests[0], grids.guesses[0]
    bordered_right, bordered_down, _, _, bordered_ground = grids.systems[0]
    system = bordered_right, bordered_down, bordered_ground
    grids.launch("grid_potentials_start", 0, sources, grids.inverses[0], rest, rough)

    def add_up(phase):
        numbers = np.int32(phase), np.int32(height), tolerance
        _cuda.launch_blocks("grid_potentials_state", (layers,), (ROW_THREADS,), sums, state, *numbers)

    for _ in range(int(iterations)):
        grids.step(state)
        grids.launch_rows("grid_potentials_product", rest, guess, state, sums)
        add_up(0)
        grids.launch("grid_potentials_direction", 0, guess, state, direction)
        grids.launch_rows("grid_potentials", *system, direction, state, image, sums)
        add_up(1)
        grids.launch("grid_potentials_advance", 0, direction, image, state, potential, rest, rough)
    grids.launch("grid_potentials_end", 0, potential, potentials)
    return potentials


def _sample(rng, size_hw):
    right, down = (np.exp(-rng.uniform(0, 6, size_hw)).astype(np.float32) for _ in range(2))
    right[:, -1] = down[-1] = 0
    ground = np.where(rng.random(size_hw) < 0.05, np.float32(1), np.float32(1e-3))
    sources = rng.random((2, *size_hw), dtype=np.float32) * ground
    sources[:, size_hw[0] // 2 :] = 0
    # A pixel without conductors.
    right[0, :1] = right[0, :1] * 0
    down[0, :1] = down[0, :1] * 0
    ground[0, :1] = ground[0, :1] * np.float32(0)
    return right, down, ground, sources, np.float64(1e-6), np.int32(40)


# 1e-5: rows are summed in another order, and the iterations stop at a remainder of 1e-6.
grid_potentials = Kernel(
    "grid_potentials", cpu=_grid_potentials_cpu, cuda=_grid_potentials_cuda, sample=_sample, atol=1e-5
)
