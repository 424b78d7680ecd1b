"""The two most similar cells of another frame, for every cell: exhaustive, exact, the same on both devices."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.consensus.cell_descriptors import DESCRIPTOR_CHANNELS
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _nearest_rows(first_row, end_row, descriptors, pairs, nearest, distances):
    """A row is one (pair, query cell)."""
    channels, cells = descriptors.shape[1:]
    row_distances = np.empty(cells, np.float32)
    infinite = np.float32(np.inf)
    for row in range(first_row, end_row):
        pair, i = row // cells, row % cells
        query_frame, reference_frame = pairs[pair, 0], pairs[pair, 1]
        reference = descriptors[reference_frame]
        query = descriptors[query_frame]
        # Four channels a pass: a quarter of the loads and stores of the running sum, in the same order of addition.
        row_distances[:] = 0
        for k in range(0, channels, 4):
            r0, r1, r2, r3 = reference[k], reference[k + 1], reference[k + 2], reference[k + 3]
            q0, q1, q2, q3 = query[k, i], query[k + 1, i], query[k + 2, i], query[k + 3, i]
            for j in range(cells):
                d0, d1, d2, d3 = q0 - r0[j], q1 - r1[j], q2 - r2[j], q3 - r3[j]
                row_distances[j] = (((row_distances[j] + d0 * d0) + d1 * d1) + d2 * d2) + d3 * d3
        if query_frame == reference_frame:
            row_distances[i] = infinite
        best, second, best_cell, second_cell = infinite, infinite, 0, 0
        for j in range(cells):
            distance = row_distances[j]
            if distance < second:
                if distance < best:
                    second, second_cell, best, best_cell = best, best_cell, distance, j
                else:
                    second, second_cell = distance, j
        nearest[pair, i, 0], nearest[pair, i, 1] = best_cell, second_cell
        distances[pair, i, 0], distances[pair, i, 1] = best, second


def _nearest_cells_cpu(descriptors, pairs):
    cells = descriptors.shape[2]
    nearest = np.empty((len(pairs), cells, 2), np.int32)
    distances = np.empty((len(pairs), cells, 2), np.float32)
    run_bands(_nearest_rows, len(pairs) * cells, descriptors, pairs, nearest, distances)
    return nearest, distances


def _nearest_cells_cuda(descriptors, pairs):
    cells = descriptors.shape[2]
    module = array_module(descriptors)
    nearest = module.empty((len(pairs), cells, 2), np.int32)
    distances = module.empty((len(pairs), cells, 2), np.float32)
    _cuda.launch_blocks(
        "nearest_cells",
        (-(-cells // 64), len(pairs)),
        (64,),
        descriptors,
        pairs,
        nearest,
        distances,
        np.int32(len(pairs)),
        np.int32(cells),
    )
    return nearest, distances


def _sample(rng, size_hw):
    cells = -(-size_hw[0] // 20) * -(-size_hw[1] // 20)
    descriptors = rng.random((5, DESCRIPTOR_CHANNELS, cells), dtype=np.float32)
    pairs = np.int32([[4, 4], [4, 1], [1, 4], [4, 0], [0, 4]])
    return descriptors, pairs


nearest_cells = Kernel("nearest_cells", cpu=_nearest_cells_cpu, cuda=_nearest_cells_cuda, sample=_sample)
