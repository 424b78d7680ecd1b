"""Which motion layer each pixel of the foreground belongs to: one round of iterated conditional modes."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

MODEL_SIZE = 13


@cpu_kernel
def _label_rows(
    first_row,
    end_row,
    labels,
    before,
    carried,
    backward_xy,
    forward_xy,
    image,
    models,
    boxes_xyxy,
    color_costs,
    smoothness,
    everywhere,
    chosen,
):
    """labels, before, carried, chosen: (height, width) int32; backward_xy, forward_xy: (height, width, 2) float32.

    image: (height, width, 3) uint8; models: (n + 1, 13) float32; boxes_xyxy: (n + 1, 4) int32;
    color_costs: (n + 1, 512) float32.
    """
    height, width = labels.shape
    most, half, one = np.float32(3), np.float32(0.5), np.float32(1)
    neighbour = np.zeros(8, np.int32)
    weight = np.zeros(8, np.float32)
    for y in range(first_row, end_row):
        for x in range(width):
            own = labels[y, x]
            if own == 0:
                chosen[y, x] = 0
                continue
            mixed = own < 0 or everywhere != 0
            for other_y in range(max(y - 1, 0), min(y + 2, height)):
                for other_x in range(max(x - 1, 0), min(x + 2, width)):
                    if labels[other_y, other_x] > 0 and labels[other_y, other_x] != own:
                        mixed = True
            if not mixed:
                chosen[y, x] = own
                continue
            red, green, blue = np.int32(image[y, x, 0]), np.int32(image[y, x, 1]), np.int32(image[y, x, 2])
            count, total = 0, np.float32(0)
            for other_y in range(max(y - 1, 0), min(y + 2, height)):
                for other_x in range(max(x - 1, 0), min(x + 2, width)):
                    label = labels[other_y, other_x]
                    if label <= 0 or (other_y == y and other_x == x):
                        continue
                    r = np.int32(image[other_y, other_x, 0]) - red
                    g = np.int32(image[other_y, other_x, 1]) - green
                    b = np.int32(image[other_y, other_x, 2]) - blue
                    near = smoothness / (one + np.float32(r * r + g * g + b * b) * np.float32(1 / 300))
                    if other_y != y and other_x != x:
                        near *= np.float32(0.7071)
                    neighbour[count], weight[count] = label, near
                    count += 1
                    total += near
            color = ((red >> 5) << 6) | ((green >> 5) << 3) | (blue >> 5)
            px, py = np.float32(x), np.float32(y)
            best, least = own, np.float32(1e30)
            for k in range(1, models.shape[0]):
                agreeing, near_by = np.float32(0), k == own
                for i in range(count):
                    if neighbour[i] == k:
                        agreeing += weight[i]
                        near_by = True
                inside = boxes_xyxy[k, 0] <= x < boxes_xyxy[k, 2] and boxes_xyxy[k, 1] <= y < boxes_xyxy[k, 3]
                if (everywhere != 0 and not inside) or (everywhere == 0 and not near_by):
                    continue
                u = models[k, 0] + models[k, 1] * px + models[k, 2] * py
                v = models[k, 3] + models[k, 4] * px + models[k, 5] * py
                back_u, back_v = backward_xy[y, x, 0] - u, backward_xy[y, x, 1] - v
                fore_u = forward_xy[y, x, 0] - (models[k, 6] + models[k, 7] * px + models[k, 8] * py)
                fore_v = forward_xy[y, x, 1] - (models[k, 9] + models[k, 10] * px + models[k, 11] * py)
                back, fore = back_u * back_u + back_v * back_v, fore_u * fore_u + fore_v * fore_v
                # Written as comparisons: NaN then counts as in CUDA.
                square = fore if fore < back else back
                motion = square * models[k, 12]
                cost = (most if most < motion else motion) + color_costs[k, color] + total - agreeing
                if carried[y, x] != k:
                    cost += one
                source_x, source_y = np.floor(px + u + half), np.floor(py + v + half)
                if not (
                    source_x >= np.float32(0)
                    and source_x < np.float32(width)
                    and source_y >= np.float32(0)
                    and source_y < np.float32(height)
                    and before[int(source_y), int(source_x)] == k
                ):
                    cost += one
                if cost < least:
                    least, best = cost, k
            chosen[y, x] = best


def _layer_labels_cpu(
    labels,
    before,
    carried,
    backward_xy,
    forward_xy,
    image,
    models,
    boxes_xyxy,
    color_costs,
    smoothness,
    everywhere,
):
    chosen = recycled_empty(labels.shape, np.int32)
    run_bands(
        _label_rows,
        labels.shape[0],
        labels,
        before,
        carried,
        backward_xy,
        forward_xy,
        image,
        models,
        boxes_xyxy,
        color_costs,
        smoothness,
        everywhere,
        chosen,
    )
    return chosen


def _layer_labels_cuda(labels, *arguments):
    *arrays, smoothness, everywhere = arguments
    chosen = array_module(labels).empty_like(labels)
    height, width = labels.shape
    models = arrays[5]
    _cuda.launch_image(
        "layer_labels",
        (height, width),
        labels,
        *arrays,
        chosen,
        smoothness,
        everywhere,
        np.int32(models.shape[0]),
        np.int32(height),
        np.int32(width),
    )
    return chosen


def _sample(rng, size_hw):
    height, width = size_hw
    labels, before, carried = rng.integers(0, 4, (3, height, width), dtype=np.int32)
    labels[rng.random(size_hw) < 0.1] = -1
    backward_xy, forward_xy = rng.normal(0, 1, (2, height, width, 2)).astype(np.float32)
    backward_xy[::11, ::13] = np.nan
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    models = rng.normal(0, 0.01, (4, MODEL_SIZE)).astype(np.float32)
    models[:, 12] = 0.5
    boxes = np.array([[0, 0, 0, 0], [0, 0, width, height], [2, 2, width, height], [-3, -3, width - 2, 40]], np.int32)
    costs = rng.random((4, 512), dtype=np.float32)
    return (
        labels,
        before,
        carried,
        backward_xy,
        forward_xy,
        image,
        models,
        boxes,
        costs,
        np.float32(0.4),
        np.int32(1),
    )


layer_labels = Kernel("layer_labels", cpu=_layer_labels_cpu, cuda=_layer_labels_cuda, sample=_sample, atol=0)
