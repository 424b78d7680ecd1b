"""Minimum barrier distance to the frame's border: how far values must rise and fall on the way out.

The cost of a path is the largest value on it less the smallest; the distance of a pixel is the cost of its best path to
the border. What a gentle slope joins to the border is near, however far its value is; what a step encloses is far.
Each sweep takes over the path of the pixel before where that is better [Zhang2015]_. Departure: the sweeps go along
rows and along columns, whose lines do not look at each other, so that all lines go at once.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import load16, maximum, minimum, select, store16, zip_high, zip_low
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

LANES = 16
TILE = 32  # rows a CUDA block walks; the same word stands in the .cu file


@cpu_kernel(forceinline=True)
def _rotated(r):
    """Number the 256 elements of 16 vectors by 4 bits of row and 4 of lane: the bits are rotated by one."""
    return (
        zip_low(r[0], r[8]),
        zip_high(r[0], r[8]),
        zip_low(r[1], r[9]),
        zip_high(r[1], r[9]),
        zip_low(r[2], r[10]),
        zip_high(r[2], r[10]),
        zip_low(r[3], r[11]),
        zip_high(r[3], r[11]),
        zip_low(r[4], r[12]),
        zip_high(r[4], r[12]),
        zip_low(r[5], r[13]),
        zip_high(r[5], r[13]),
        zip_low(r[6], r[14]),
        zip_high(r[6], r[14]),
        zip_low(r[7], r[15]),
        zip_high(r[7], r[15]),
    )


@cpu_kernel(forceinline=True)
def _load_rows(flat, at, pitch):
    return (
        load16(flat, at),
        load16(flat, at + pitch),
        load16(flat, at + 2 * pitch),
        load16(flat, at + 3 * pitch),
        load16(flat, at + 4 * pitch),
        load16(flat, at + 5 * pitch),
        load16(flat, at + 6 * pitch),
        load16(flat, at + 7 * pitch),
        load16(flat, at + 8 * pitch),
        load16(flat, at + 9 * pitch),
        load16(flat, at + 10 * pitch),
        load16(flat, at + 11 * pitch),
        load16(flat, at + 12 * pitch),
        load16(flat, at + 13 * pitch),
        load16(flat, at + 14 * pitch),
        load16(flat, at + 15 * pitch),
    )


@cpu_kernel(forceinline=True)
def _store_rows(flat, at, pitch, r):
    store16(flat, at, r[0])
    store16(flat, at + pitch, r[1])
    store16(flat, at + 2 * pitch, r[2])
    store16(flat, at + 3 * pitch, r[3])
    store16(flat, at + 4 * pitch, r[4])
    store16(flat, at + 5 * pitch, r[5])
    store16(flat, at + 6 * pitch, r[6])
    store16(flat, at + 7 * pitch, r[7])
    store16(flat, at + 8 * pitch, r[8])
    store16(flat, at + 9 * pitch, r[9])
    store16(flat, at + 10 * pitch, r[10])
    store16(flat, at + 11 * pitch, r[11])
    store16(flat, at + 12 * pitch, r[12])
    store16(flat, at + 13 * pitch, r[13])
    store16(flat, at + 14 * pitch, r[14])
    store16(flat, at + 15 * pitch, r[15])


@cpu_kernel
def _transpose(source, at, pitch, target, to, target_pitch, blocks):
    """16 rows of `blocks` times 16 columns to columns of 16, or back: block b starts at `at` + 16 b pitches or places.

    Whichever of the two pitches is 16 belongs to the array that holds columns.
    """
    source_step = LANES * pitch if pitch == LANES else LANES
    target_step = LANES * target_pitch if target_pitch == LANES else LANES
    for block in range(blocks):
        rows = _load_rows(source, at + block * source_step, pitch)
        turned = _rotated(_rotated(_rotated(_rotated(rows))))
        _store_rows(target, to + block * target_step, target_pitch, turned)


@cpu_kernel
def _sweep(values, high, low, at, step, count):
    """`count` vectors from `at` on, `step` apart: 16 lines, each pixel may take over the path of the one before."""
    before_high, before_low = load16(high, at), load16(low, at)
    for _ in range(1, count):
        at += step
        value, own_high, own_low = load16(values, at), load16(high, at), load16(low, at)
        top, bottom = maximum(before_high, value), minimum(before_low, value)
        better = top - bottom < own_high - own_low
        before_high, before_low = select(better, top, own_high), select(better, bottom, own_low)
        store16(high, at, before_high)
        store16(low, at, before_low)


@cpu_kernel
def _sweep_rows(values, high, low, at, step, count, length):
    """As `_sweep`, but `length` numbers wide: row after row, so that one vector need not wait for the one above."""
    for _ in range(1, count):
        before = at
        at += step
        for x in range(0, length, LANES):
            value, own_high, own_low = load16(values, at + x), load16(high, at + x), load16(low, at + x)
            top, bottom = maximum(load16(high, before + x), value), minimum(load16(low, before + x), value)
            better = top - bottom < own_high - own_low
            store16(high, at + x, select(better, top, own_high))
            store16(low, at + x, select(better, bottom, own_low))


@cpu_kernel
def _channel_distances(first_channel, end_channel, planes, weights, border, rounds, scratch, ranges):
    """ranges(c) = weights(c) * distance in planes(c). planes, ranges: (channels, height, width).

    scratch: (channels, 4 height' width' + 32 width'), height and width rounded up to 16. What is beyond the picture has
    no path and is in no sweep along its own direction, so that no path leads through it.
    """
    _, height, width = planes.shape
    pitch, blocks = (width + LANES - 1) // LANES * LANES, (height + LANES - 1) // LANES
    size = blocks * LANES * pitch
    for c in range(first_channel, end_channel):
        memory = scratch[c]
        values, turned = memory[:size], memory[size : 2 * size]
        high, low = memory[2 * size : 3 * size], memory[3 * size : 4 * size]
        highs, lows = memory[4 * size : 4 * size + LANES * pitch], memory[4 * size + LANES * pitch :]
        values[:] = 0
        high[:] = np.inf
        low[:] = -np.inf
        for y in range(height):
            row, at = planes[c, y], y * pitch
            into, highest, lowest = values[at : at + width], high[at : at + width], low[at : at + width]
            inner = border <= y < height - border
            for x in range(width):
                into[x] = row[x]
            for x in range(min(border, width) if inner else width):
                highest[x] = lowest[x] = row[x]
            for x in range(max(width - border, 0) if inner else width, width):
                highest[x] = lowest[x] = row[x]
        for block in range(blocks):
            _transpose(values, block * LANES * pitch, pitch, turned, block * LANES * pitch, LANES, pitch // LANES)
        for _ in range(rounds):
            for block in range(blocks):
                at = block * LANES * pitch
                _transpose(high, at, pitch, highs, 0, LANES, pitch // LANES)
                _transpose(low, at, pitch, lows, 0, LANES, pitch // LANES)
                here = turned[at : at + LANES * pitch]
                _sweep(here, highs, lows, 0, LANES, width)
                _sweep(here, highs, lows, (width - 1) * LANES, -LANES, width)
                _transpose(highs, 0, LANES, high, at, pitch, pitch // LANES)
                _transpose(lows, 0, LANES, low, at, pitch, pitch // LANES)
            _sweep_rows(values, high, low, 0, pitch, height, pitch)
            _sweep_rows(values, high, low, (height - 1) * pitch, -pitch, height, pitch)
        weight = weights[c]
        for y in range(height):
            at, result = y * pitch, ranges[c, y]
            highest, lowest = high[at : at + width], low[at : at + width]
            for x in range(width):
                result[x] = (highest[x] - lowest[x]) * weight


@cpu_kernel
def _add_channels(ranges, distance):
    """ranges: (channels, n), distance: (n)."""
    distance[:] = 0
    for c in range(ranges.shape[0]):
        row = ranges[c]
        for i in range(distance.size):
            distance[i] += row[i]


def _barrier_distance_cpu(planes, weights, border, rounds):
    channels, height, width = planes.shape
    distance = recycled_empty((height, width))
    if planes.size:
        pitch, padded = -(-width // LANES) * LANES, -(-height // LANES) * LANES
        scratch = recycled_empty((channels, 4 * padded * pitch + 2 * LANES * pitch))
        ranges = recycled_empty(planes.shape)
        run_bands(_channel_distances, channels, planes, weights, int(border), int(rounds), scratch, ranges, least=1)
        _add_channels(ranges.reshape(channels, -1), distance.reshape(-1))
    return distance


def _barrier_distance_cuda(planes, weights, border, rounds):
    xp = array_module(planes)
    channels, height, width = planes.shape
    high, low = xp.empty_like(planes), xp.empty_like(planes)
    distance = xp.empty((height, width), np.float32)
    rows, state, count = channels * height, (planes, high, low), np.int32(channels)
    size = np.int32(height), np.int32(width)
    _cuda.launch_image("barrier_distance_start", (rows, width), *state, *size, np.int32(rows), np.int32(border))
    for _ in range(int(rounds)):
        _cuda.launch_blocks("barrier_distance_rows", (-(-rows // TILE),), (TILE,), *state, size[1], np.int32(rows))
        _cuda.launch_image(
            "barrier_distance_columns", (channels, width), *state, *size, np.int32(channels), block=(64, 1)
        )
    pixels = height * width
    _cuda.launch_linear("barrier_distance", pixels, high, low, weights, distance, np.int32(pixels), count)
    return distance


def _sample(rng, size_hw):
    planes = rng.integers(0, 9, (3, *size_hw)).astype(np.float32)  # few values: many paths of one cost
    return planes, np.float32([0.5, 2.0, 1.0]), np.int32(3), np.int32(3)


barrier_distance = Kernel("barrier_distance", cpu=_barrier_distance_cpu, cuda=_barrier_distance_cuda, sample=_sample)
