"""Means of colour, colour square, gradient orientation and motion seed over the square cells of a frame."""

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
def _cell_rows(first_row, end_row, lab, saliency, directions, features, cell, full_seed):
    height, width = saliency.shape
    cells_x = features.shape[1]
    sums = np.empty(15, np.float32)
    for cy in range(first_row, end_row):
        for cx in range(cells_x):
            sums[:] = 0
            end_y, end_x = min((cy + 1) * cell, height), min((cx + 1) * cell, width)
            for y in range(cy * cell, end_y):
                up, down = max(y - 1, 0), min(y + 1, height - 1)
                for x in range(cx * cell, end_x):
                    l = lab[y, x, 0] * np.float32(0.02) - np.float32(1)  # noqa: E741 (L of Lab)
                    a, b = lab[y, x, 1] * np.float32(0.02), lab[y, x, 2] * np.float32(0.02)
                    sums[0] += l
                    sums[1] += a
                    sums[2] += b
                    sums[3] += l * l
                    sums[4] += a * a
                    sums[5] += b * b
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
                    sums[6 + orientation] += magnitude
                    sums[14] += min(saliency[y, x] / full_seed, np.float32(1))
            count = np.float32((end_y - cy * cell) * (end_x - cx * cell))
            for k in range(15):
                features[cy, cx, k] = sums[k] / count


def _cells(size_hw, cell):
    return -(-size_hw[0] // int(cell)), -(-size_hw[1] // int(cell))


def _cell_features_cpu(lab, saliency, cell, full_seed):
    features = np.empty((*_cells(saliency.shape, cell), CELL_CHANNELS), np.float32)
    run_bands(_cell_rows, features.shape[0], lab, saliency, _DIRECTIONS, features, int(cell), full_seed, least=4)
    return features


def _cell_features_cuda(lab, saliency, cell, full_seed):
    height, width = saliency.shape
    features = array_module(lab).empty((*_cells(saliency.shape, cell), CELL_CHANNELS), np.float32)
    _cuda.launch_image(
        "cell_features",
        features.shape[:2],
        lab,
        saliency,
        to_device(_DIRECTIONS, "cuda"),
        features,
        np.int32(height),
        np.int32(width),
        cell,
        full_seed,
        block=(8, 8),  # few cells: small blocks spread them over more multiprocessors
    )
    return features


def _sample(rng, size_hw):
    lab = rng.random((*size_hw, 3), dtype=np.float32) * np.float32([100, 120, 120]) - np.float32([0, 60, 60])
    saliency = rng.random(size_hw, dtype=np.float32) * np.float32(4)
    return lab, saliency, np.int32(10), np.float32(3)


# Sums of up to cell*cell terms in the same order; sqrtf may round differently on a GPU.
cell_features = Kernel("cell_features", cpu=_cell_features_cpu, cuda=_cell_features_cuda, sample=_sample, atol=1e-5)
