"""The least value in any shape around each pixel; with flipped bits the largest.

least(y, x) = min over (dy, dx) in the shape of values(y + dy, x + dx)
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.morphology.blocks import (
    least_block,
    load_block,
    ordered_block,
    spread_block,
    store_block,
    xor_block,
)
from cvseg.kernels.morphology.least_in_box import TYPES, fill_row, load_row, lower_row
from cvseg.kernels.morphology.shape_windows import sample_shape
from cvseg.kernels.recycled import recycled_empty

_cuda_u8, _cuda_u16, _cuda_i32 = (CudaSource(__file__, {"VALUE": name}) for name in TYPES.values())
_cuda = dict(zip(TYPES, (_cuda_u8, _cuda_u16, _cuda_i32), strict=True))


@cpu_kernel
def _least_rows(first_row, end_row, values, size, windows, flip, outside, least):
    """values, least: flat (height * width); size: (height, width); windows: (n, 3) int32 dy, dx, level."""
    height, width = size[0], size[1]
    lanes = 64 // values.itemsize
    up, down, left, right, levels = 0, 0, 0, 0, 1
    for k in range(windows.shape[0]):
        up, down = max(up, -windows[k, 0]), max(down, windows[k, 0])
        left, right = max(left, -windows[k, 1]), max(right, windows[k, 1] + (1 << windows[k, 2]))
        levels = max(levels, windows[k, 2] + 1)
    pitch = (left + width + right) // lanes * lanes + 3 * lanes
    # The rows that the shape covers, each with the least of 1, 2, 4, ... neighbours; row y is at y modulo their number.
    rows = up + down + 1
    lines = np.empty(rows * levels * pitch + pitch, values.dtype)
    places = np.empty(windows.shape[0], np.int64)
    flips = spread_block(values, flip)
    short = np.empty(lanes, values.dtype)
    for source in range(first_row - up, end_row + down):
        at = source % rows * levels * pitch
        if 0 <= source < height:
            fill_row(lines, at, pitch, outside)
            load_row(values, source * width, width, flip, lines, at + left)
            for level in range(1, levels):
                lower_row(lines, at + pitch, at, at + (1 << (level - 1)), pitch)
                at += pitch
        else:
            fill_row(lines, at, levels * pitch, outside)
        y = source - down
        if y < first_row:
            continue
        for k in range(windows.shape[0]):
            line = (y + windows[k, 0]) % rows * levels + windows[k, 2]
            places[k] = line * pitch + left + windows[k, 1]
        x = 0
        while x < width:
            i = min(x, width - lanes) if width >= lanes else 0
            block = load_block(lines, places[0] + i)
            for k in range(1, places.size):
                block = least_block(block, load_block(lines, places[k] + i))
            block = ordered_block(xor_block(block, flips))
            if width >= lanes:
                store_block(least, y * width + i, block)
            else:
                store_block(short, 0, block)
                for k in range(width):
                    least[y * width + k] = short[k]
            x += lanes


def _least_in_shape_cpu(values, windows, cells, flip, outside):
    height, width = values.shape
    least = recycled_empty(values.shape, values.dtype)
    if values.size == 0:
        return least
    cast = values.dtype.type
    run_bands(
        _least_rows, height, values.reshape(-1), np.array([height, width]), windows, cast(flip), cast(outside),
        least.reshape(-1), least=max(48, 400_000 // (width * len(windows))),
    )  # fmt: skip
    return least


def _least_in_shape_cuda(values, windows, cells, flip, outside):
    least = array_module(values).empty(values.shape, values.dtype)
    height, width = values.shape
    sizes = np.int32(height), np.int32(width), np.int32(cells.shape[0])
    _cuda[values.dtype].launch_image(
        "least_in_shape", (height, width), values, windows, cells, least, *sizes, flip, outside
    )
    return least


def _sample(rng, size_hw):
    values = rng.integers(0, 256, size_hw, dtype=np.uint8)
    return values, *sample_shape(rng), np.int32(255), np.int32(99)


least_in_shape = Kernel("least_in_shape", cpu=_least_in_shape_cpu, cuda=_least_in_shape_cuda, sample=_sample, atol=0)
