"""Blend one layer, seen through an affine map, over an image, and note whose pixel it is."""

import numpy as np

from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _blend_rows(first_row, end_row, image, owner, layer, to_layer, first_x, first_y, end_x, number):
    """Rows count from `first_y`. image: (height, width, 3) float32; layer: (h, w, 4) float32, multiplied by alpha."""
    layer_height, layer_width = layer.shape[:2]
    zero, one, half = np.float32(0), np.float32(1), np.float32(0.5)
    last_x, last_y = np.float32(layer_width - 1), np.float32(layer_height - 1)
    for row in range(first_row, end_row):
        y = row + first_y
        start_x = to_layer[1] * np.float32(y) + to_layer[2]
        start_y = to_layer[4] * np.float32(y) + to_layer[5]
        for x in range(first_x, end_x):
            source_x = min(max(zero, to_layer[0] * np.float32(x) + start_x), last_x)
            source_y = min(max(zero, to_layer[3] * np.float32(x) + start_y), last_y)
            x0, y0 = int(source_x), int(source_y)
            x1, y1 = min(x0 + 1, layer_width - 1), min(y0 + 1, layer_height - 1)
            fx, fy = source_x - np.float32(x0), source_y - np.float32(y0)
            gx, gy = one - fx, one - fy
            alpha = (layer[y0, x0, 3] * gx + layer[y0, x1, 3] * fx) * gy
            alpha = alpha + (layer[y1, x0, 3] * gx + layer[y1, x1, 3] * fx) * fy
            if alpha <= zero:
                continue
            for k in range(3):
                top = layer[y0, x0, k] * gx + layer[y0, x1, k] * fx
                bottom = layer[y1, x0, k] * gx + layer[y1, x1, k] * fx
                image[y, x, k] = image[y, x, k] * (one - alpha) + (top * gy + bottom * fy)
            if number >= 0 and alpha > half:
                owner[y, x] = number


def _blend_layer_cpu(image, owner, layer, to_layer, first_x, first_y, end_x, end_y, number):
    rows = int(end_y) - int(first_y)
    if rows > 0 and end_x > first_x:
        columns = (int(first_x), int(first_y), int(end_x))
        run_bands(_blend_rows, rows, image, owner, layer, to_layer, *columns, int(number))
    return image, owner


def _blend_layer_cuda(image, owner, layer, to_layer, first_x, first_y, end_x, end_y, number):
    box = max(int(end_y) - int(first_y), 0), max(int(end_x) - int(first_x), 0)
    sizes = np.int32(image.shape[1]), np.int32(layer.shape[0]), np.int32(layer.shape[1])
    corners = np.int32(first_x), np.int32(first_y), np.int32(end_x), np.int32(end_y)
    _cuda.launch_image("blend_layer", box, image, owner, layer, to_layer, *corners, np.int32(number), *sizes)
    return image, owner


def _sample(rng, size_hw):
    height, width = size_hw
    image = rng.random((height, width, 3), dtype=np.float32)
    owner = np.zeros((height, width), np.int32)
    layer = rng.random((height // 2 + 3, width // 2 + 5, 4), dtype=np.float32)
    layer[..., :3] *= layer[..., 3:]
    # Rotated a little, half as large as the image, partly outside it.
    to_layer = np.array([0.71, 0.13, -3.3, -0.09, 0.83, 1.7], np.float32)
    box = np.int32(1), np.int32(0), np.int32(width), np.int32(max(1, height - 2))
    return image, owner, layer, to_layer, *box, np.int32(7)


# Both halves do the same float32 operations in the same order: no tolerance.
blend_layer = Kernel("blend_layer", cpu=_blend_layer_cpu, cuda=_blend_layer_cuda, sample=_sample)
