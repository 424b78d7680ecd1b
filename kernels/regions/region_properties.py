"""Sums, boxes and weights of all regions of a label map in one pass. Integers only, so the order cannot matter."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.labeling.next_labelled import next_labelled

_cuda = CudaSource(__file__)

CHUNK = 32  # pixels of a row that one CUDA thread walks; a run then costs one set of atomics
# Weights are summed as whole multiples of 2^-20: exact for any order of addition, 1e-6 fine.
WEIGHT_UNIT = 2.0**-20
_SCALE = np.float32(2.0**20)
_MOST = np.float32(2.0**40)  # scaled weights are clamped here: 2^23 pixels of it still fit 64 bits


@cpu_kernel
def _add_rows(labels, weights, moments, boxes_xyxy, weight_sums):
    """labels: (height, width) int32; weights: (height, width) float32 or empty; results as in the wrapper."""
    height, width = labels.shape
    count = moments.shape[0]
    weighted = weights.size > 0
    for y in range(height):
        row = labels[y]
        following = next_labelled(row, 0)
        while following < width:
            begin = following
            label = row[begin]
            x = begin + 1
            while x < width and row[x] == label:
                x += 1
            following = next_labelled(row, x)
            if label <= 0 or label > count:
                continue
            r = label - 1
            n = x - begin
            last = x - 1
            # Sums of x and x^2 over begin..last in closed form.
            sum_x = (begin + last) * n // 2
            sum_xx = last * (last + 1) * (2 * last + 1) // 6 - (begin - 1) * begin * (2 * begin - 1) // 6
            moments[r, 0] += n
            moments[r, 1] += sum_x
            moments[r, 2] += n * y
            moments[r, 3] += sum_xx
            moments[r, 4] += n * y * y
            moments[r, 5] += sum_x * y
            boxes_xyxy[r, 0] = min(boxes_xyxy[r, 0], begin)
            boxes_xyxy[r, 1] = min(boxes_xyxy[r, 1], y)
            boxes_xyxy[r, 2] = max(boxes_xyxy[r, 2], x)
            boxes_xyxy[r, 3] = max(boxes_xyxy[r, 3], y + 1)
            if weighted:
                total = 0
                for k in range(begin, x):
                    # max and min drop NaN towards the bound in both halves: an invalid weight counts as the least.
                    scaled = weights[y, k] * _SCALE
                    scaled = min(max(-_MOST, scaled), _MOST)
                    total += int(np.floor(scaled + np.float32(0.5)))
                weight_sums[r] += total


def _region_properties_cpu(labels, weights, count):
    count = int(count)
    height, width = labels.shape
    moments = np.zeros((count, 6), np.int64)
    boxes_xyxy = np.zeros((count, 4), np.int32)
    boxes_xyxy[:, 0], boxes_xyxy[:, 1] = width, height
    weight_sums = np.zeros(count, np.int64)
    _add_rows(labels, weights, moments, boxes_xyxy, weight_sums)
    return moments, boxes_xyxy, weight_sums


def _region_properties_cuda(labels, weights, count):
    xp = array_module(labels)
    height, width = labels.shape
    # Unsigned, because CUDA adds 64-bit atomically only without a sign; two's complement wraps to the same bits.
    moments = xp.zeros((int(count), 6), np.uint64)
    boxes_xyxy = xp.empty((int(count), 4), np.int32)
    weight_sums = xp.zeros(int(count), np.uint64)
    sizes = np.int32(height), np.int32(width), np.int32(count)
    _cuda.launch_linear("region_properties_start", int(count), boxes_xyxy, *sizes)
    _cuda.launch_image(
        "region_properties",
        (height, -(-width // CHUNK)),
        labels,
        weights,
        moments,
        boxes_xyxy,
        weight_sums,
        *sizes,
        np.int32(weights.size > 0),
        block=(4, 64),
    )
    return moments.view(np.int64), boxes_xyxy, weight_sums.view(np.int64)


def _sample(rng, size_hw):
    coarse = rng.integers(0, 12, (size_hw[0] // 5 + 1, size_hw[1] // 7 + 1), dtype=np.int32)
    labels = np.ascontiguousarray(coarse.repeat(5, 0).repeat(7, 1)[: size_hw[0], : size_hw[1]])
    weights = rng.normal(0, 2, size_hw).astype(np.float32)
    return labels, weights, np.int32(12)


region_properties = Kernel(
    "region_properties", cpu=_region_properties_cpu, cuda=_region_properties_cuda, sample=_sample, atol=0
)
