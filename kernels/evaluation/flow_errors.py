"""Errors of a flow against its truth, by class: sums of endpoint error and angle, counts, histogram of errors."""

import math

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

LANES = 32  # partial sums of a row: a warp's threads; added in this order in both halves
UNKNOWN = np.float32(1e9)
BINS_PER_PX = 100.0

_QUARTER, _HALF, _WHOLE = math.pi / 4, math.pi / 2, math.pi
_DEGREES = 180.0 / math.pi


@cpu_kernel(forceinline=True)
def _angle(y, x):
    """Arc tangent of y / x for y >= 0, not both 0.

    The C library's takes 15 ns a pixel, and a GPU's rounds otherwise. Below tan(pi / 8) the series ends within 5e-16 of
    its value; beyond, atan(t) = pi / 4 + atan((t - 1) / (t + 1)).
    """
    length = abs(x)
    low, high = (y if y < length else length), (length if y < length else y)
    steep = low > 0.41421356237309503 * high
    t = (low - high if steep else low) / (low + high if steep else high)
    z = t * t
    p = -1.0 / 35.0
    p = p * z + 1.0 / 33.0
    p = p * z - 1.0 / 31.0
    p = p * z + 1.0 / 29.0
    p = p * z - 1.0 / 27.0
    p = p * z + 1.0 / 25.0
    p = p * z - 1.0 / 23.0
    p = p * z + 1.0 / 21.0
    p = p * z - 1.0 / 19.0
    p = p * z + 1.0 / 17.0
    p = p * z - 1.0 / 15.0
    p = p * z + 1.0 / 13.0
    p = p * z - 1.0 / 11.0
    p = p * z + 1.0 / 9.0
    p = p * z - 1.0 / 7.0
    p = p * z + 1.0 / 5.0
    p = p * z - 1.0 / 3.0
    p = p * z + 1.0
    angle = t * p + (_QUARTER if steep else 0.0)
    angle = _HALF - angle if y >= length else angle
    return _WHOLE - angle if x < 0.0 else angle


@cpu_kernel
def _add_errors(flow, truth, classes, sums, counts, histogram, errors, angles, kinds, lanes, seen):
    """flow, truth: (height, 2 * width) float32; classes: (height, width) uint8; sums: (height, count, 2) float64.

    counts: (count, 5) int32: pixels, outliers, above 1 px, not finite, largest bin; histogram: (count, bins + 1) int32;
    both zero. Scratch: errors, angles: (width,) float64, kinds: (width,) uint8, lanes: (count, 2, 32) float64, seen:
    (count,) int64.
    """
    height, width = classes.shape
    count, bins = counts.shape[0], histogram.shape[1] - 1
    most = np.float64(bins)
    seen[:] = -1
    for y in range(height):
        flow_row, true_row, row = flow[y], truth[y], classes[y]
        # Without a branch, so that it is done for eight pixels at once; what does not count is sorted out below.
        for x in range(width):
            flow_x, flow_y = np.float64(flow_row[2 * x]), np.float64(flow_row[2 * x + 1])
            true_x, true_y = np.float64(true_row[2 * x]), np.float64(true_row[2 * x + 1])
            dx, dy = flow_x - true_x, flow_y - true_y
            squared = dx * dx + dy * dy
            error = math.sqrt(squared)
            area = flow_x * true_y - flow_y * true_x
            errors[x] = error
            angles[x] = _angle(math.sqrt(squared + area * area), flow_x * true_x + flow_y * true_y + 1.0) * _DEGREES
            # 1: known truth, 2: finite flow, 4: outlier.
            known = (abs(true_row[2 * x]) < UNKNOWN) & (abs(true_row[2 * x + 1]) < UNKNOWN)
            finite = (flow_x - flow_x == 0.0) & (flow_y - flow_y == 0.0)
            outlier = (error > 3.0) & (error > 0.05 * math.sqrt(true_x * true_x + true_y * true_y))
            kinds[x] = (1 if known else 0) + (2 if finite else 0) + (4 if outlier else 0)
        for x in range(width):
            number, kind = np.int64(row[x]), kinds[x]
            if number == 0 or number >= count or not kind & 1:
                continue
            counts[number, 0] += 1
            if not kind & 2:
                counts[number, 3] += 1
                continue
            if seen[number] != y:
                seen[number] = y
                for lane in range(LANES):
                    lanes[number, 0, lane] = lanes[number, 1, lane] = 0.0
            error = errors[x]
            lanes[number, 0, x & (LANES - 1)] += error
            lanes[number, 1, x & (LANES - 1)] += angles[x]
            counts[number, 1] += kind >> 2
            counts[number, 2] += error > 1.0
            bin = np.int32(min(np.ceil(error * BINS_PER_PX), most))
            histogram[number, bin] += 1
            counts[number, 4] = max(counts[number, 4], bin)
        for number in range(count):
            for k in range(2):
                total = 0.0
                if seen[number] == y:
                    for lane in range(LANES):
                        total += lanes[number, k, lane]
                sums[y, number, k] = total


def _flow_errors_cpu(flow, truth, classes, count, bins):
    count, bins = int(count), int(bins)
    height, width = classes.shape
    sums = np.empty((height, count, 2))
    # Fresh zeros cost only where they are touched, which most of a histogram is not.
    counts, histogram = np.zeros((count, 5), np.int32), np.zeros((count, bins + 1), np.int32)
    scratch = np.empty(width), np.empty(width), np.empty(width, np.uint8)
    lanes, seen = np.empty((count, 2, LANES)), np.empty(count, np.int64)
    rows = flow.reshape(height, 2 * width), truth.reshape(height, 2 * width)
    _add_errors(*rows, classes, sums, counts, histogram, *scratch, lanes, seen)
    return sums, counts, histogram


def _flow_errors_cuda(flow, truth, classes, count, bins):
    xp, count, bins = array_module(flow), int(count), int(bins)
    height, width = classes.shape
    lanes, sums = xp.zeros((height, count, 2, LANES), np.float64), xp.empty((height, count, 2), np.float64)
    counts, histogram = xp.zeros((count, 5), np.int32), xp.zeros((count, bins + 1), np.int32)
    sizes = tuple(map(np.int32, (height, width, count, bins)))
    _cuda.launch_blocks("flow_errors", (height,), (LANES,), flow, truth, classes, lanes, counts, histogram, *sizes)
    total = height * count * 2
    _cuda.launch_linear("flow_errors_rows", total, lanes, sums, np.int32(total))
    return sums, counts, histogram


def _sample(rng, size_hw):
    truth = rng.normal(0, 20, (*size_hw, 2)).astype(np.float32)
    flow = (truth + rng.normal(0, 2, truth.shape)).astype(np.float32)
    truth[rng.random(size_hw) < 0.05] = 1e10
    truth[rng.random(size_hw) < 0.05] = np.nan
    flow[rng.random(size_hw) < 0.05] = np.inf
    flow[rng.random(size_hw) < 0.05] *= -900
    return flow, truth, rng.integers(0, 6, size_hw, dtype=np.uint8), np.int32(5), np.int32(1000)


flow_errors = Kernel("flow_errors", cpu=_flow_errors_cpu, cuda=_flow_errors_cuda, sample=_sample)
