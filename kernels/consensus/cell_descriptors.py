"""Descriptor of each cell, for finding the same surface in other frames, and weights to its four neighbours."""

import math

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)
DESCRIPTOR_CHANNELS = 24  # 22 used; a multiple of 8 for the search


@cpu_kernel
def _similarity(features, y0, x0, y1, x1):
    d0 = features[y0, x0, 0] - features[y1, x1, 0]
    d1 = features[y0, x0, 1] - features[y1, x1, 1]
    d2 = features[y0, x0, 2] - features[y1, x1, 2]
    return np.float32(math.exp(-(d0 * d0 + d1 * d1 + d2 * d2) * np.float32(50))) + np.float32(1e-9)


@cpu_kernel
def _descriptor_rows(first_row, end_row, features, near, far, descriptors, links):
    cells_y, cells_x = features.shape[:2]
    near_radius, far_radius = near.size // 2, far.size // 2
    close, wide, orient = np.empty(6, np.float32), np.empty(3, np.float32), np.empty(8, np.float32)
    zero = np.float32(0)
    for cy in range(first_row, end_row):
        for cx in range(cells_x):
            i = cy * cells_x + cx
            close[:] = 0
            wide[:] = 0
            orient[:] = 0
            for dy in range(-far_radius, far_radius + 1):
                y = min(max(cy + dy, 0), cells_y - 1)
                for dx in range(-far_radius, far_radius + 1):
                    x = min(max(cx + dx, 0), cells_x - 1)
                    weight = far[dy + far_radius] * far[dx + far_radius]
                    for k in range(3):
                        wide[k] += weight * features[y, x, k]
                    if abs(dy) <= near_radius and abs(dx) <= near_radius:
                        tight = near[dy + near_radius] * near[dx + near_radius]
                        for k in range(6):
                            close[k] += tight * features[y, x, k]
                        for k in range(8):
                            orient[k] += tight * features[y, x, 6 + k]
            total = np.float32(0.5)
            for k in range(8):
                total += orient[k]
            for k in range(3):
                descriptors[k, i] = np.float32(2) * features[cy, cx, k]
                descriptors[3 + k, i] = np.float32(2) * close[k]
                descriptors[6 + k, i] = wide[k]
                descriptors[9 + k, i] = np.float32(2) * np.sqrt(max(close[3 + k] - close[k] * close[k], zero))
            for k in range(8):
                descriptors[12 + k, i] = np.float32(0.5) * (orient[k] / total)
            descriptors[20, i] = np.float32(cx) / np.float32(cells_x) - np.float32(0.5)
            descriptors[21, i] = np.float32(cy) / np.float32(cells_y) - np.float32(0.5)
            descriptors[22, i] = 0
            descriptors[23, i] = 0

            left = _similarity(features, cy, cx, cy, cx - 1) if cx > 0 else zero
            right = _similarity(features, cy, cx, cy, cx + 1) if cx < cells_x - 1 else zero
            upper = _similarity(features, cy, cx, cy - 1, cx) if cy > 0 else zero
            lower = _similarity(features, cy, cx, cy + 1, cx) if cy < cells_y - 1 else zero
            links_sum = max(left + right + upper + lower, np.float32(1e-12))
            links[0, i] = left / links_sum
            links[1, i] = right / links_sum
            links[2, i] = upper / links_sum
            links[3, i] = lower / links_sum


def gaussian_weights(sigma):
    """Normalised Gaussian over ``2 ceil(2.5 sigma) + 1`` cells, float32."""
    radius = max(1, math.ceil(2.5 * sigma))
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    return (weights / weights.sum()).astype(np.float32)


def _cell_descriptors_cpu(features, near, far):
    cells_y, cells_x = features.shape[:2]
    descriptors = np.empty((DESCRIPTOR_CHANNELS, cells_y * cells_x), np.float32)
    links = np.empty((4, cells_y * cells_x), np.float32)
    run_bands(_descriptor_rows, cells_y, features, near, far, descriptors, links, least=4)
    return descriptors, links


def _cell_descriptors_cuda(features, near, far):
    cells_y, cells_x = features.shape[:2]
    module = array_module(features)
    descriptors = module.empty((DESCRIPTOR_CHANNELS, cells_y * cells_x), np.float32)
    links = module.empty((4, cells_y * cells_x), np.float32)
    _cuda.launch_image(
        "cell_descriptors",
        (cells_y, cells_x),
        features,
        near,
        far,
        descriptors,
        links,
        np.int32(cells_y),
        np.int32(cells_x),
        np.int32(near.size // 2),
        np.int32(far.size // 2),
        block=(8, 8),
    )
    return descriptors, links


def _sample(rng, size_hw):
    cells = (-(-size_hw[0] // 10), -(-size_hw[1] // 10))
    features = rng.random((*cells, 15), dtype=np.float32)
    features[..., 3:6] = features[..., :3] ** 2 + np.float32(0.01)
    return features, gaussian_weights(0.5), gaussian_weights(1.4)


# expf of the CUDA library and of the CPU differ in the last digits; the square root of a difference magnifies it.
cell_descriptors = Kernel(
    "cell_descriptors", cpu=_cell_descriptors_cpu, cuda=_cell_descriptors_cuda, sample=_sample, atol=2e-5
)
