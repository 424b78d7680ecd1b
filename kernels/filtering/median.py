"""Median over 3x3 or 5x5 pixels, the edge pixel repeated, for several planes at once: by sorting networks.

A fixed list of exchanges (smaller one here, larger one there) sorts any numbers, for 16 pixels at a time and without a
branch. First each column of a window is sorted: its neighbours share that work. Of the sorted columns only those
exchanges are left that the middle one of 25 needs (61 of 99; found by leaving out one after the other as long as all
7776 patterns of zeros and ones in sorted columns still give the right middle, which by the 0-1 principle proves it for
all numbers).
"""

import numpy as np
from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import Lanes, load16, maximum, minimum, store16
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

LANES = 16
REACH = 16  # spare numbers at both ends of a sorted row

# Exchanges between places 3 rank + column, or 5 rank + column, and the place where the median ends; also in median.cu.
NETWORK_3 = ((0, 1), (1, 2), (7, 8), (6, 7), (3, 5), (3, 4), (4, 5), (2, 4), (4, 6), (2, 4))
MIDDLE_3 = 4
# fmt: off
NETWORK_5 = (
    (0, 3), (1, 4), (0, 2), (1, 3), (2, 4), (2, 3), (5, 8), (6, 9), (6, 8), (5, 6), (7, 9), (6, 7), (8, 9),
    (10, 13), (11, 14), (10, 12), (11, 13), (10, 11), (12, 14), (11, 12), (13, 14), (12, 13),
    (15, 18), (16, 19), (15, 17), (16, 18), (15, 16), (17, 19), (16, 17), (17, 18),
    (20, 23), (21, 24), (20, 22), (21, 23), (20, 21), (22, 24), (21, 22),
    (16, 20), (4, 12), (21, 3), (8, 7), (11, 15), (17, 9), (16, 4), (20, 12), (21, 8), (3, 7), (20, 4), (20, 3),
    (4, 8), (4, 21), (12, 3), (17, 13), (12, 21), (15, 17), (21, 11), (3, 15), (8, 17), (12, 3), (8, 11), (3, 8),
)
# fmt: on
MIDDLE_5 = 8


def _median_of_columns(side, network, middle):
    """``median(sorted_rows, at, pitch)``: of the windows whose left columns start at `at`; ranks are `pitch` apart."""

    @intrinsic
    def median(typing_context, sorted_rows, at, pitch):
        def emit(context, builder, sig, args):
            rows, at, pitch = args
            data = cgutils.create_struct_proxy(sig.args[0])(context, builder, rows).data
            vector = ir.VectorType(ir.FloatType(), LANES).as_pointer()
            places = []
            for rank in range(side):
                first = builder.add(at, builder.mul(pitch, ir.Constant(pitch.type, rank)))
                for column in range(side):
                    place = builder.gep(data, [builder.add(first, ir.Constant(at.type, column))])
                    places.append(builder.load(builder.bitcast(place, vector), align=4))
            for i, j in network:
                a, b = places[i], places[j]
                places[i] = builder.select(builder.fcmp_ordered("<", a, b), a, b)
                places[j] = builder.select(builder.fcmp_ordered(">", a, b), a, b)
            return places[middle]

        return Lanes(LANES)(sorted_rows, at, pitch), emit

    return median


_median_of_3 = _median_of_columns(3, NETWORK_3, MIDDLE_3)
_median_of_5 = _median_of_columns(5, NETWORK_5, MIDDLE_5)


@cpu_kernel(forceinline=True)
def _ordered(a, b):
    return minimum(a, b), maximum(a, b)


@cpu_kernel
def _median_rows(first_row, end_row, planes, medians, height, width, radius):
    """planes, medians: flat, rows of `width` counted through all channels; the width is at least 16."""
    pitch = width + 2 * REACH
    ranks = np.zeros(5 * pitch, np.float32)
    side = 2 * radius + 1
    for row in range(first_row, end_row):
        y = row % height
        top = row - y
        r1, r2, r3 = (top + max(y - 1, 0)) * width, row * width, (top + min(y + 1, height - 1)) * width
        r0, r4 = (top + max(y - 2, 0)) * width, (top + min(y + 2, height - 1)) * width
        for start in range(0, width, LANES):
            x = min(start, width - LANES)
            to = REACH + x
            b, c, d = load16(planes, r1 + x), load16(planes, r2 + x), load16(planes, r3 + x)
            if radius == 1:
                b, d = _ordered(b, d)
                b, c = _ordered(b, c)
                c, d = _ordered(c, d)
                store16(ranks, to, b)
                store16(ranks, pitch + to, c)
                store16(ranks, 2 * pitch + to, d)
            else:
                a, e = load16(planes, r0 + x), load16(planes, r4 + x)
                a, d = _ordered(a, d)
                b, e = _ordered(b, e)
                a, c = _ordered(a, c)
                b, d = _ordered(b, d)
                a, b = _ordered(a, b)
                c, e = _ordered(c, e)
                b, c = _ordered(b, c)
                d, e = _ordered(d, e)
                c, d = _ordered(c, d)
                store16(ranks, to, a)
                store16(ranks, pitch + to, b)
                store16(ranks, 2 * pitch + to, c)
                store16(ranks, 3 * pitch + to, d)
                store16(ranks, 4 * pitch + to, e)
        for rank in range(side):
            first, last = rank * pitch + REACH, rank * pitch + REACH + width - 1
            for k in range(1, radius + 1):
                ranks[first - k], ranks[last + k] = ranks[first], ranks[last]
        for start in range(0, width, LANES):
            x = min(start, width - LANES)
            if radius == 1:
                store16(medians, r2 + x, _median_of_3(ranks, REACH + x - 1, pitch))
            else:
                store16(medians, r2 + x, _median_of_5(ranks, REACH + x - 2, pitch))


def _median_cpu(planes, radius):
    channels, height, width = planes.shape
    if width < LANES:  # whole vectors need 16 columns; the added ones repeat the edge, as the windows do
        planes = np.pad(planes, ((0, 0), (0, 0), (0, LANES - width)), mode="edge")
    medians = recycled_empty(planes.shape)
    flat = planes.reshape(-1), medians.reshape(-1)
    run_bands(_median_rows, channels * height, *flat, height, planes.shape[2], int(radius), least=64)
    return medians if width >= LANES else np.ascontiguousarray(medians[..., :width])


def _median_cuda(planes, radius):
    medians = array_module(planes).empty_like(planes)
    channels, height, width = planes.shape
    sizes = np.int32(height), np.int32(width), np.int32(channels * height), np.int32(radius)
    _cuda.launch_image("median", (channels * height, width), planes, medians, *sizes)
    return medians


def _sample(rng, size_hw):
    return rng.normal(0, 3, (2, *size_hw)).astype(np.float32), np.int32(1 + size_hw[1] % 2)


median = Kernel("median", cpu=_median_cpu, cuda=_median_cuda, sample=_sample)
