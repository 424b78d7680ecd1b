"""Seeds whose flow is unknown take that of the nearest known one, on the way that crosses the fewest edges.

A step from seed to seed costs 8, and 1 for every grey level between them: what is hidden behind a moving object is
filled from the background, not from the object. Round by round each seed looks at its four neighbours; a seed that no
known one reaches in ROUNDS steps keeps the flow it came with.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.match_check import UNKNOWN
from cvseg.kernels.kernel import Kernel

ROUNDS = 64  # seeds a flow can travel
STEP = 8  # grey levels that count as much as the way to the next seed

_cuda = CudaSource(__file__, {"STEP": str(STEP)})


@cpu_kernel
def _fill(image, flow_uv, distance, other_uv, other, rounds):
    """image: (rows, columns) float32 in [0, 1]. The result is in flow_uv; False where it came to stand in other_uv."""
    rows, columns = image.shape
    levels, half = np.float32(255), np.float32(0.5)
    grey = np.empty((rows, columns), np.int32)
    for row in range(rows):
        for column in range(columns):
            grey[row, column] = int(min(max(image[row, column], np.float32(0)), np.float32(1)) * levels + half)
    source, source_d, target, target_d = flow_uv, distance, other_uv, other
    for turn in range(rounds):
        changed = False
        for row in range(rows):
            for column in range(columns):
                best, from_row, from_column = source_d[row, column], row, column
                if best > 0:
                    for side in range(4):
                        other_row = row + (side == 3) - (side == 2)
                        other_column = column + (side == 1) - (side == 0)
                        if 0 <= other_row < rows and 0 <= other_column < columns:
                            step = STEP + abs(grey[row, column] - grey[other_row, other_column])
                            if source_d[other_row, other_column] + step < best:
                                best = source_d[other_row, other_column] + step
                                from_row, from_column, changed = other_row, other_column, True
                target_d[row, column] = best
                target[0, row, column] = source[0, from_row, from_column]
                target[1, row, column] = source[1, from_row, from_column]
        source, source_d, target, target_d = target, target_d, source, source_d
        if not changed:
            return turn % 2 == 1
    return rounds % 2 == 0


def _match_fill_cpu(image, flow_uv, distance):
    planes, others = (flow_uv.copy(), distance.copy()), (np.empty_like(flow_uv), np.empty_like(distance))
    first = _fill(image, *planes, *others, ROUNDS)
    return (planes if first else others)[0]


def _match_fill_cuda(image, flow_uv, distance):
    xp = array_module(flow_uv)
    rows, columns = distance.shape
    source, target = (flow_uv, distance), (xp.empty_like(flow_uv), xp.empty_like(distance))
    spare = xp.empty_like(flow_uv), xp.empty_like(distance)
    for _ in range(ROUNDS):
        size = np.int32(rows), np.int32(columns)
        _cuda.launch_image("match_fill", (rows, columns), image, *source, *target, *size)
        source, target = target, spare if source[0] is flow_uv else source
    return source[0]


def _sample(rng, size_hw):
    distance = np.where(rng.random(size_hw) < 0.1, 0, UNKNOWN).astype(np.int32)
    return rng.random(size_hw, dtype=np.float32), rng.normal(0, 3, (2, *size_hw)).astype(np.float32), distance


match_fill = Kernel("match_fill", cpu=_match_fill_cpu, cuda=_match_fill_cuda, sample=_sample)
