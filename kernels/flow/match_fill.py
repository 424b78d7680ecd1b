"""Seeds whose flow is unknown continue that of the nearest known one, on the way that crosses the fewest edges.

A step from seed to seed costs STEP, and 1 for every grey level between them: what is hidden behind a moving object is
filled from the background, not from the object. Round by round each seed looks at its four neighbours. The flow is
continued as a plane, fitted to the known seeds around the source that move as it does, so that a road which flows
faster the nearer it comes goes on doing so beyond the image. A seed that no known one reaches in ROUNDS steps keeps the
flow it came with.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.match_check import UNKNOWN
from cvseg.kernels.kernel import Kernel

ROUNDS = 64  # seeds a flow can travel
STEP = 8  # grey levels that count as much as the way to the next seed
REACH = 5  # the plane is fitted to the seeds up to 5 away
# Pixels of level 3: seeds at a distance d move as the source does when they differ by at most ALIKE + SLOPE d.
ALIKE = np.float32(0.3)
SLOPE = np.float32(0.25)
RIDGE = np.float32(0.5)  # squared seeds: holds the plane level where the seeds lie too close to tell its slope

_NUMBERS = {"STEP": str(STEP), "REACH": str(REACH)}
_FLOATS = {"ALIKE": ALIKE, "SLOPE": SLOPE, "RIDGE": RIDGE}
_cuda = CudaSource(__file__, _NUMBERS | {name: f"{value!s}f" for name, value in _FLOATS.items()})


@cpu_kernel
def _sources(image, distance, other_distance, source, other_source, rounds):
    """Where each seed takes its flow from, in `source`; False where that came to stand in `other_source`."""
    rows, columns = image.shape
    levels, half = np.float32(255), np.float32(0.5)
    grey = np.empty((rows, columns), np.int32)
    for row in range(rows):
        for column in range(columns):
            grey[row, column] = int(min(max(image[row, column], np.float32(0)), np.float32(1)) * levels + half)
            source[row, column] = row * columns + column
    before, after, before_source, after_source = distance, other_distance, source, other_source
    for turn in range(rounds):
        changed = False
        for row in range(rows):
            for column in range(columns):
                best, best_source = before[row, column], before_source[row, column]
                if best > 0:
                    for side in range(4):
                        other_row = row + (side == 3) - (side == 2)
                        other_column = column + (side == 1) - (side == 0)
                        if 0 <= other_row < rows and 0 <= other_column < columns:
                            step = STEP + abs(grey[row, column] - grey[other_row, other_column])
                            if before[other_row, other_column] + step < best:
                                best = before[other_row, other_column] + step
                                best_source, changed = before_source[other_row, other_column], True
                after[row, column], after_source[row, column] = best, best_source
        before, after, before_source, after_source = after, before, after_source, before_source
        if not changed:
            return turn % 2 == 1
    return rounds % 2 == 0


@cpu_kernel
def _continue(flow_uv, distance, source, filled_uv):
    """The plane through the known seeds around the source, at the seed."""
    rows, columns = distance.shape
    zero, one = np.float32(0), np.float32(1)
    for row in range(rows):
        for column in range(columns):
            from_row, from_column = source[row, column] // columns, source[row, column] % columns
            u, v = flow_uv[0, from_row, from_column], flow_uv[1, from_row, from_column]
            filled_uv[0, row, column], filled_uv[1, row, column] = u, v
            if distance[row, column] == 0 or distance[from_row, from_column] > 0:
                continue
            count, sum_x, sum_y, sum_u, sum_v = zero, zero, zero, zero, zero
            xx, xy, yy, xu, yu, xv, yv = zero, zero, zero, zero, zero, zero, zero
            for other_row in range(max(0, from_row - REACH), min(rows, from_row + REACH + 1)):
                for other_column in range(max(0, from_column - REACH), min(columns, from_column + REACH + 1)):
                    if distance[other_row, other_column] > 0:
                        continue
                    x, y = np.float32(other_column - from_column), np.float32(other_row - from_row)
                    du, dv = flow_uv[0, other_row, other_column] - u, flow_uv[1, other_row, other_column] - v
                    bound = ALIKE + SLOPE * (abs(x) + abs(y))
                    if abs(du) <= bound and abs(dv) <= bound:
                        count, sum_x, sum_y = count + one, sum_x + x, sum_y + y
                        sum_u, sum_v = sum_u + du, sum_v + dv
                        xx, xy, yy = xx + x * x, xy + x * y, yy + y * y
                        xu, yu, xv, yv = xu + x * du, yu + y * du, xv + x * dv, yv + y * dv
            mean_x, mean_y, mean_u, mean_v = sum_x / count, sum_y / count, sum_u / count, sum_v / count
            a, b, c = xx - sum_x * mean_x + RIDGE * count, xy - sum_x * mean_y, yy - sum_y * mean_y + RIDGE * count
            scale = one / (a * c - b * b)
            along_x, along_y = np.float32(column - from_column) - mean_x, np.float32(row - from_row) - mean_y
            p, q = xu - sum_x * mean_u, yu - sum_y * mean_u
            slope_x, slope_y = (c * p - b * q) * scale, (a * q - b * p) * scale
            filled_uv[0, row, column] = u + (mean_u + (slope_x * along_x + slope_y * along_y))
            p, q = xv - sum_x * mean_v, yv - sum_y * mean_v
            slope_x, slope_y = (c * p - b * q) * scale, (a * q - b * p) * scale
            filled_uv[1, row, column] = v + (mean_v + (slope_x * along_x + slope_y * along_y))


def _match_fill_cpu(image, flow_uv, distance):
    distances, sources = (distance.copy(), np.empty_like(distance)), np.empty((2, *distance.shape), np.int32)
    first = _sources(image, *distances, *sources, ROUNDS)
    filled_uv = np.empty_like(flow_uv)
    _continue(flow_uv, distance, sources[0 if first else 1], filled_uv)
    return filled_uv


def _match_fill_cuda(image, flow_uv, distance):
    xp = array_module(flow_uv)
    rows, columns = distance.shape
    size = np.int32(rows), np.int32(columns)
    before, after = (
        (xp.empty_like(distance), xp.empty_like(distance)),
        (xp.empty_like(distance), xp.empty_like(distance)),
    )
    _cuda.launch_image("match_fill_start", (rows, columns), distance, *before, *size)
    for _ in range(ROUNDS):
        _cuda.launch_image("match_fill_round", (rows, columns), image, *before, *after, *size)
        before, after = after, before
    filled_uv = xp.empty_like(flow_uv)
    _cuda.launch_image("match_fill", (rows, columns), flow_uv, distance, before[1], filled_uv, *size)
    return filled_uv


def _sample(rng, size_hw):
    distance = np.where(rng.random(size_hw) < 0.3, 0, UNKNOWN).astype(np.int32)
    return rng.random(size_hw, dtype=np.float32), rng.normal(0, 0.3, (2, *size_hw)).astype(np.float32), distance


match_fill = Kernel("match_fill", cpu=_match_fill_cpu, cuda=_match_fill_cuda, sample=_sample)
