"""Where a patch may try not to move: near a known seed that stands still.

Behind something that moves fast there is often a background that stands. But where nothing stands, a patch that tries
to, and fits by chance, is a hole in the flow.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

NEAR = 8  # seeds
STANDS = np.float32(0.3)  # pixels of level 3: a match of one pixel of level 1 stands

_cuda = CudaSource(__file__, {"NEAR": str(NEAR), "STANDS": f"{STANDS!s}f"})


@cpu_kernel
def _mark(flow_uv, distance, across, still):
    """across: scratch, whether a seed stands within NEAR columns; still: the same within NEAR rows, too."""
    rows, columns = distance.shape
    for row in range(rows):
        for column in range(columns):
            across[row, column] = False
        for column in range(columns):
            stands = abs(flow_uv[0, row, column]) <= STANDS and abs(flow_uv[1, row, column]) <= STANDS
            if stands and distance[row, column] == 0:
                for near in range(max(0, column - NEAR), min(columns, column + NEAR + 1)):
                    across[row, near] = True
    for row in range(rows):
        for column in range(columns):
            still[row, column] = False
        for near in range(max(0, row - NEAR), min(rows, row + NEAR + 1)):
            for column in range(columns):
                still[row, column] |= across[near, column]


def _match_still_cpu(flow_uv, distance):
    across, still = np.empty(distance.shape, np.bool_), np.empty(distance.shape, np.bool_)
    _mark(flow_uv, distance, across, still)
    return still


def _match_still_cuda(flow_uv, distance):
    still = array_module(distance).empty(distance.shape, np.bool_)
    size = np.int32(distance.shape[0]), np.int32(distance.shape[1])
    _cuda.launch_image("match_still", distance.shape, flow_uv, distance, still, *size)
    return still


def _sample(rng, size_hw):
    distance = np.where(rng.random(size_hw) < 0.05, 0, 9).astype(np.int32)
    return rng.normal(0, 0.5, (2, *size_hw)).astype(np.float32), distance


match_still = Kernel("match_still", cpu=_match_still_cpu, cuda=_match_still_cuda, sample=_sample)
