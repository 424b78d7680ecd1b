"""Means of colour, colour square, gradient orientation and motion seed over the cells of a frame.

Cells are clusters on a grid, as `slic_clusters` gives them: cell (r, c) has the number r columns + c, and all its
pixels lie in its own place of the grid or in one of the eight around it. Sums run over those pixels row by row,
whatever the number of threads.
"""

import numpy as np

from cvseg.arrays import array_module, to_device
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)
CELL_CHANNELS = 15

_angles = np.arange(1, 8) * np.pi / 8
# (cos, sin) of the seven borders between eight orientation bins.
_DIRECTIONS = np.stack([np.cos(_angles), np.sin(_angles)], axis=1).astype(np.float32)


@cpu_kernel
def _cell_rows(first_row, end_row, lab, seeds, labels, directions, features):
    """A row is one row of the grid of cells; its cells own pixels of this grid row and of the two beside it."""
    height, width = seeds.shape
    rows, columns = features.shape[:2]
    sums, counts = np.empty((columns, 15), np.float32), np.empty(columns, np.int32)
    for row in range(first_row, end_row):
        sums[:] = 0
        counts[:] = 0
        first = row * columns
        # The pixels y with row - 1 <= y rows // height <= row + 1.
        begin_y, end_y = max(0, -(-(row - 1) * height // rows)), min(height, -(-(row + 2) * height // rows))
        for y in range(begin_y, end_y):
            up, down = max(y - 1, 0), min(y + 1, height - 1)
            for x in range(width):
                n = labels[y, x] - first
                if n < 0 or n >= columns:
                    continue
                own = sums[n]
                counts[n] += 1
                l = lab[y, x, 0] * np.float32(0.02) - np.float32(1)  # noqa: E741 (L of Lab)
                a, b = lab[y, x, 1] * np.float32(0.02), lab[y, x, 2] * np.float32(0.02)
                own[0] += l
                own[1] += a
                own[2] += b
                own[3] += l * l
                own[4] += a * a
                own[5] += b * b
                left, right = max(x - 1, 0), min(x + 1, width - 1)
                gx = (lab[y, right, 0] - lab[y, left, 0]) * np.float32(0.01)
                gy = (lab[down, x, 0] - lab[up, x, 0]) * np.float32(0.01)
                magnitude = np.sqrt(gx * gx + gy * gy)
                if gy < 0 or (gy == 0 and gx < 0):
                    gx, gy = -gx, -gy
                orientation = 0
                for k in range(7):
                    if directions[k, 0] * gy - directions[k, 1] * gx >= 0:
                        orientation += 1
                own[6 + orientation] += magnitude
                own[14] += seeds[y, x]
        for n in range(columns):
            for k in range(15):
                features[row, n, k] = sums[n, k] / np.float32(max(counts[n], 1))


def _cell_features_cpu(lab, seeds, labels, rows, columns):
    features = np.empty((int(rows), int(columns), CELL_CHANNELS), np.float32)
    run_bands(_cell_rows, features.shape[0], lab, seeds, labels, _DIRECTIONS, features, least=4)
    return features


def _cell_features_cuda(lab, seeds, labels, rows, columns):
    height, width = seeds.shape
    features = array_module(lab).empty((int(rows), int(columns), CELL_CHANNELS), np.float32)
    _cuda.launch_image(
        "cell_features",
        features.shape[:2],
        lab,
        seeds,
        labels,
        to_device(_DIRECTIONS, "cuda"),
        features,
        np.int32(height),
        np.int32(width),
        rows,
        columns,
        block=(8, 8),  # few cells: small blocks spread them over more multiprocessors
    )
    return features


def _sample(rng, size_hw):
    height, width = size_hw
    rows, columns = -(-height // 10), -(-width // 10)
    lab = rng.random((*size_hw, 3), dtype=np.float32) * np.float32([100, 120, 120]) - np.float32([0, 60, 60])
    seeds = rng.random(size_hw, dtype=np.float32)
    y, x = np.mgrid[:height, :width]
    # Each pixel in its own place of the grid or in one beside it.
    row = np.clip(y * rows // height + rng.integers(-1, 2, size_hw), 0, rows - 1)
    column = np.clip(x * columns // width + rng.integers(-1, 2, size_hw), 0, columns - 1)
    return lab, seeds, (row * columns + column).astype(np.int32), np.int32(rows), np.int32(columns)


# Sums of the same terms in the same order; sqrtf may round differently on a GPU.
cell_features = Kernel("cell_features", cpu=_cell_features_cpu, cuda=_cell_features_cuda, sample=_sample, atol=1e-5)
