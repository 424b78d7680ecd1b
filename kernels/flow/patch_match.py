"""One round of PatchMatch: every seed tries the matches of its neighbours and some at random, and keeps the best.

A seed is the centre of an 8x8 patch of image0, one for every 8x8 pixels of the full picture at any level; its match is
a displacement in whole pixels of the level, with the cost

    sum over the patch of |matched1(x + d) - matched0(x)|, plus a penalty where d is not near the prior

The prior is a flow known beforehand, or zero: of several places that look alike, as in a fence, the expected one wins.

All seeds look at the round before, so that they can be computed in any order, on threads or on a GPU. Random numbers
are a hash of (seed, round, try), not drawn from a generator with a state. A seed that fits well already tries few.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.byte_patches import absolute_difference, load_patch
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.match_image import FRAME
from cvseg.kernels.kernel import Kernel

SEED = 8  # pixels of the full picture from seed to seed
LOCAL = 4  # random tries of a seed that fits, and the first radius of those around a match
ENOUGH = 192  # three grey levels for each: a seed with a lower cost has found its match

_NUMBERS = {"SEED": SEED, "FRAME": FRAME, "LOCAL": LOCAL, "ENOUGH": ENOUGH}
_cuda = CudaSource(__file__, {name: str(value) for name, value in _NUMBERS.items()})


@cpu_kernel(forceinline=True)
def _mixed(number):
    """32 bits, each of which depends on all of `number` (multiplications and shifts found by C. Wellons' search)."""
    number = np.uint32(number)
    number = np.uint32(np.uint32(number ^ (number >> np.uint32(16))) * np.uint32(0x7FEB352D))
    number = np.uint32(np.uint32(number ^ (number >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(number ^ (number >> np.uint32(16)))


@cpu_kernel(forceinline=True)
def _cost(template, matched1, corner, pitch, dx, dy, prior_x, prior_y, penalty):
    cost = absolute_difference(template, load_patch(matched1, corner + dy * pitch + dx, pitch))
    if abs(dx - prior_x) > 1 or abs(dy - prior_y) > 1:
        cost += np.int32(penalty)
    return cost


@cpu_kernel
def _match_rows(
    first_row,
    end_row,
    matched0,
    matched1,
    before,
    prior_uv,
    after,
    height,
    width,
    level,
    spread,
    radius,
    tries,
    number,
    penalty,
):
    """matched0, matched1: flat uint8 with frames; before, after: (rows, columns, 3) int32: dx, dy, cost."""
    rows, columns = before.shape[:2]
    pitch, stride = width + 2 * FRAME, SEED >> level
    factor, half, far = np.float32(stride), np.float32(0.5), np.float32(1 << 14)
    mixed_number = _mixed(number)
    for row in range(first_row, end_row):
        y = min(row * stride + stride // 2, height - 1)
        for column in range(columns):
            x = min(column * stride + stride // 2, width - 1)
            corner = (y + FRAME - 4) * pitch + x + FRAME - 4
            template = load_patch(matched0, corner, pitch)
            u, v = factor * prior_uv[0, row, column] + half, factor * prior_uv[1, row, column] + half
            prior_x, prior_y = int(np.floor(min(max(u, -far), far))), int(np.floor(min(max(v, -far), far)))
            dx, dy, best = int(before[row, column, 0]), int(before[row, column, 1]), before[row, column, 2]
            if spread == 0:
                # The first round of a level: the coarser level's match, or the prior.
                dx, dy = min(max(2 * dx, -x), width - 1 - x), min(max(2 * dy, -y), height - 1 - y)
                best = _cost(template, matched1, corner, pitch, dx, dy, prior_x, prior_y, penalty)
                ox, oy = min(max(prior_x, -x), width - 1 - x), min(max(prior_y, -y), height - 1 - y)
                cost = _cost(template, matched1, corner, pitch, ox, oy, prior_x, prior_y, penalty)
                if cost < best:
                    best, dx, dy = cost, ox, oy
            else:
                for number_of_side in range(8):
                    side = number_of_side + (number_of_side >= 4)
                    other_row, other_column = row + (side // 3 - 1) * spread, column + (side % 3 - 1) * spread
                    if 0 <= other_row < rows and 0 <= other_column < columns:
                        ox, oy = int(before[other_row, other_column, 0]), int(before[other_row, other_column, 1])
                        # Most neighbours agree: nothing to compute.
                        if (ox != dx or oy != dy) and 0 <= x + ox < width and 0 <= y + oy < height:
                            cost = _cost(template, matched1, corner, pitch, ox, oy, prior_x, prior_y, penalty)
                            if cost < best:
                                best, dx, dy = cost, ox, oy
            middle_x, middle_y = (dx, dy) if spread > 0 else (0, 0)
            for k in range(tries if best > ENOUGH else min(tries, LOCAL)):
                mixed = _mixed(np.uint32(row * columns + column) ^ np.uint32(mixed_number + np.uint32(k)))
                # Closer and closer to a match; anywhere where none is known.
                reach = max(radius >> (k & 3), 1) if spread > 0 else radius
                span = np.uint32(2 * reach + 1)
                ox = middle_x + int(np.uint32((mixed & np.uint32(0xFFFF)) * span) >> np.uint32(16)) - reach
                oy = middle_y + int(np.uint32((mixed >> np.uint32(16)) * span) >> np.uint32(16)) - reach
                if 0 <= x + ox < width and 0 <= y + oy < height:
                    cost = _cost(template, matched1, corner, pitch, ox, oy, prior_x, prior_y, penalty)
                    if cost < best:
                        best, dx, dy = cost, ox, oy
            after[row, column, 0], after[row, column, 1], after[row, column, 2] = dx, dy, best


def _patch_match_cpu(matched0, matched1, matches, prior_uv, level, spread, radius, tries, number, penalty):
    height, width = matched0.shape[0] - 2 * FRAME, matched0.shape[1] - 2 * FRAME
    after = np.empty_like(matches)
    numbers = height, width, int(level), int(spread), int(radius), int(tries), int(number), int(penalty)
    flat = matched0.reshape(-1), matched1.reshape(-1)
    run_bands(_match_rows, matches.shape[0], *flat, matches, prior_uv, after, *numbers, least=8)
    return after


def _patch_match_cuda(matched0, matched1, matches, prior_uv, level, spread, radius, tries, number, penalty):
    height, width = matched0.shape[0] - 2 * FRAME, matched0.shape[1] - 2 * FRAME
    rows, columns = matches.shape[:2]
    after = array_module(matches).empty_like(matches)
    numbers = rows, columns, height, width, level, spread, radius, tries, number, penalty
    arrays = matched0, matched1, matches, prior_uv, after
    _cuda.launch_blocks("patch_match", (-(-rows * columns // 4),), (128,), *arrays, *map(np.int32, numbers))
    return after


def _sample(rng, size_hw):
    height, width = size_hw
    matched0 = rng.integers(0, 256, (height + 2 * FRAME, width + 2 * FRAME), np.uint8)
    matched1 = np.roll(matched0, (1, 2), (0, 1))
    rows, columns = -(-height // 4), -(-width // 4)
    y, x = np.mgrid[0:rows, 0:columns]
    y, x = np.minimum(y * 4 + 2, height - 1), np.minimum(x * 4 + 2, width - 1)
    dx = np.clip(x + rng.integers(-5, 6, x.shape), 0, width - 1) - x
    dy = np.clip(y + rng.integers(-5, 6, y.shape), 0, height - 1) - y
    # Their true costs: a round relies on them.
    down, right = np.mgrid[FRAME - 4 : FRAME + 4, FRAME - 4 : FRAME + 4]
    at = y[..., None, None] + down, x[..., None, None] + right
    to = at[0] + dy[..., None, None], at[1] + dx[..., None, None]
    cost = np.abs(matched1[to].astype(np.int32) - matched0[at]).sum((2, 3))
    prior_uv = rng.normal(0, 0.5, (2, rows, columns)).astype(np.float32)
    prior = np.floor(np.float32(SEED >> 1) * prior_uv + np.float32(0.5))
    cost += np.where((np.abs(dx - prior[0]) > 1) | (np.abs(dy - prior[1]) > 1), 32, 0)
    matches = np.stack([dx, dy, cost], 2).astype(np.int32)
    numbers = 1, rng.integers(0, 3), 4, 40, 7, 32
    return matched0, matched1, matches, prior_uv, *map(np.int32, numbers)


patch_match = Kernel("patch_match", cpu=_patch_match_cpu, cuda=_patch_match_cuda, sample=_sample)
