"""Which matches can be trusted: those that lead back to where they came from, and whose neighbours move alike.

Where a match fails, the prior flow is kept, when asked for, if the prior of the other direction leads back. What is
left is unknown: it is hidden in the other image, has left it, or has no texture.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.patch_match import SEED
from cvseg.kernels.kernel import Kernel

BACK = 1  # pixels of the level: a larger error of the round trip refuses a match
NEAR = 3  # seeds: a match is compared with those up to 3 rows and columns away
SUPPORT = 10  # of those 48 that must move as it does: fewer are a chance, or too small a thing to tell from one
# Pixels of the level: at a distance of d seeds, flows that differ by more than ALIKE + SLOPE d do not move alike.
ALIKE = np.float32(1.2)
SLOPE = np.float32(0.4)
PRIOR_BACK2 = np.float32(0.7**2)  # squared pixels of level 3: as BACK, for the prior
UNKNOWN = 1 << 28  # distance of a seed that is not known; known ones have 0

_NUMBERS = {"SEED": SEED, "BACK": BACK, "NEAR": NEAR, "SUPPORT": SUPPORT, "UNKNOWN": UNKNOWN}
_cuda = CudaSource(
    __file__,
    {name: str(value) for name, value in _NUMBERS.items()}
    | {"PRIOR_BACK2": f"{PRIOR_BACK2!s}f", "ALIKE": f"{ALIKE!s}f", "SLOPE": f"{SLOPE!s}f"},
)


@cpu_kernel
def _returning(forward, backward, height, width, level, returns):
    """returns: (rows, columns) bool, the match leads to a seed whose own match leads back."""
    rows, columns = forward.shape[:2]
    stride = SEED >> level
    for row in range(rows):
        y = min(row * stride + stride // 2, height - 1)
        for column in range(columns):
            x = min(column * stride + stride // 2, width - 1)
            dx, dy = forward[row, column, 0], forward[row, column, 1]
            to_row, to_column = min((y + dy) // stride, rows - 1), min((x + dx) // stride, columns - 1)
            back_x, back_y = dx + backward[to_row, to_column, 0], dy + backward[to_row, to_column, 1]
            returns[row, column] = abs(back_x) <= BACK and abs(back_y) <= BACK


@cpu_kernel
def _supported(forward, returns, prior_uv, prior_back_uv, keep_prior, level, flow_uv, distance):
    rows, columns = forward.shape[:2]
    scale = np.float32(1 << level) / np.float32(SEED)
    half, last_x, last_y = np.float32(0.5), np.float32(columns - 1), np.float32(rows - 1)
    for row in range(rows):
        for column in range(columns):
            dx, dy = forward[row, column, 0], forward[row, column, 1]
            support = 0
            if returns[row, column]:
                for other_row in range(max(0, row - NEAR), min(rows, row + NEAR + 1)):
                    for other_column in range(max(0, column - NEAR), min(columns, column + NEAR + 1)):
                        far_x = np.float32(abs(forward[other_row, other_column, 0] - dx))
                        far_y = np.float32(abs(forward[other_row, other_column, 1] - dy))
                        bound = ALIKE + SLOPE * np.float32(abs(other_row - row) + abs(other_column - column))
                        support += returns[other_row, other_column] and far_x <= bound and far_y <= bound
            # The seed agrees with itself.
            if support > SUPPORT:
                flow_uv[0, row, column], flow_uv[1, row, column] = scale * np.float32(dx), scale * np.float32(dy)
                distance[row, column] = 0
                continue
            u, v = prior_uv[0, row, column], prior_uv[1, row, column]
            flow_uv[0, row, column], flow_uv[1, row, column] = u, v
            to_x, to_y = np.float32(column) + u, np.float32(row) + v
            known = keep_prior and to_x >= -half and to_y >= -half and to_x <= last_x + half and to_y <= last_y + half
            if known:
                to_row = min(int(to_y + half), rows - 1)
                to_column = min(int(to_x + half), columns - 1)
                back_u, back_v = u + prior_back_uv[0, to_row, to_column], v + prior_back_uv[1, to_row, to_column]
                known = back_u * back_u + back_v * back_v <= PRIOR_BACK2
            distance[row, column] = 0 if known else UNKNOWN


def _match_check_cpu(forward, backward, prior_uv, prior_back_uv, keep_prior, height, width, level):
    rows, columns = forward.shape[:2]
    returns = np.empty((rows, columns), np.bool_)
    flow_uv, distance = np.empty((2, rows, columns), np.float32), np.empty((rows, columns), np.int32)
    _returning(forward, backward, int(height), int(width), int(level), returns)
    _supported(forward, returns, prior_uv, prior_back_uv, bool(keep_prior), int(level), flow_uv, distance)
    return flow_uv, distance


def _match_check_cuda(forward, backward, prior_uv, prior_back_uv, keep_prior, height, width, level):
    rows, columns = forward.shape[:2]
    xp = array_module(forward)
    returns = xp.empty((rows, columns), np.bool_)
    flow_uv, distance = xp.empty((2, rows, columns), np.float32), xp.empty((rows, columns), np.int32)
    size = np.int32(rows), np.int32(columns)
    numbers = np.int32(height), np.int32(width), np.int32(level)
    _cuda.launch_image("match_check_returning", (rows, columns), forward, backward, returns, *size, *numbers)
    arrays = forward, returns, prior_uv, prior_back_uv, flow_uv, distance
    _cuda.launch_image("match_check", (rows, columns), *arrays, *size, np.int32(level), np.int32(keep_prior))
    return flow_uv, distance


def _sample(rng, size_hw):
    height, width = size_hw
    rows, columns = -(-height // 4), -(-width // 4)
    y, x = np.mgrid[0:rows, 0:columns]
    y, x = np.minimum(y * 4 + 2, height - 1), np.minimum(x * 4 + 2, width - 1)
    forward = np.zeros((rows, columns, 3), np.int32)
    for k, (at, size) in enumerate(((x, width), (y, height))):
        forward[..., k] = np.clip(at + 2 + rng.integers(-1, 2, at.shape), 0, size - 1) - at
    backward = -forward
    prior_uv, prior_back_uv = rng.normal(0, 0.5, (2, 2, rows, columns)).astype(np.float32)
    return (
        forward,
        backward,
        prior_uv,
        prior_back_uv,
        np.int32(width % 2),
        np.int32(height),
        np.int32(width),
        np.int32(1),
    )


match_check = Kernel("match_check", cpu=_match_check_cpu, cuda=_match_check_cuda, sample=_sample)
