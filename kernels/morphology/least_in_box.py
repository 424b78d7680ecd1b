"""The least value in a rectangle around each pixel; with flipped bits the largest.

    least(y, x) = min over -up <= dy <= down, -left <= dx <= right of values(y + dy, x + dx)

The time does not depend on the height of the rectangle, and on its width by its logarithm.
"""

import itertools

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.morphology.blocks import (
    least_block,
    load_block,
    ordered,
    ordered_block,
    spread_block,
    store_block,
    xor_block,
)
from cvseg.kernels.recycled import recycled_empty

TYPES = {np.dtype(np.uint8): "unsigned char", np.dtype(np.uint16): "unsigned short", np.dtype(np.int32): "int"}
_cuda_u8, _cuda_u16, _cuda_i32 = (CudaSource(__file__, {"VALUE": name}) for name in TYPES.values())
_cuda = dict(zip(TYPES, (_cuda_u8, _cuda_u16, _cuda_i32), strict=True))

ROW_PIECE, COLUMN_PIECE = 512, 64  # what one CUDA launch reaches to either side

# Rows up to which each is read anew. Beyond it two running minima serve any number: from the ends of blocks of rows.
FEW_ROWS = 9
FEW_COLUMNS = 7


@cpu_kernel
def load_row(values, start, width, flip, row, to):
    """One row of the image into a buffer, as unsigned or ordered numbers. Blocks overlap at the row's end."""
    lanes = 64 // values.itemsize
    if width < lanes:
        for x in range(width):
            row[to + x] = ordered(values[start + x]) ^ flip
        return
    flips = spread_block(values, flip)
    x = 0
    while x < width:
        i = min(x, width - lanes)
        store_block(row, to + i, xor_block(ordered_block(load_block(values, start + i)), flips))
        x += lanes


@cpu_kernel
def lower_row(row, to, a, b, width):
    """row(to + x) = min(row(a + x), row(b + x)); whole blocks, the buffers have room."""
    lanes = 64 // row.itemsize
    for x in range(0, width, lanes):
        store_block(row, to + x, least_block(load_block(row, a + x), load_block(row, b + x)))


@cpu_kernel
def fill_row(row, to, width, value):
    lanes = 64 // row.itemsize
    block = spread_block(row, value)
    for x in range(0, width, lanes):
        store_block(row, to + x, block)


@cpu_kernel
def _across(row, width, columns, flip, least, start):
    """Least of `columns` neighbours along the row, written to the image."""
    lanes = 64 // row.itemsize
    reach = 1
    if columns > FEW_COLUMNS:
        # In place: what is read lies to the right of what is written.
        while 2 * reach <= columns:
            lower_row(row, 0, 0, reach, width + columns - 1)
            reach *= 2
    flips = spread_block(row, flip)
    x = 0
    while x < width:
        i = min(x, width - lanes) if width >= lanes else 0
        block = load_block(row, i)
        if reach == 1:
            for k in range(1, columns):
                block = least_block(block, load_block(row, i + k))
        else:
            block = least_block(block, load_block(row, i + columns - reach))
        block = ordered_block(xor_block(block, flips))
        if width >= lanes:
            store_block(least, start + i, block)
        else:
            store_block(row, 0, block)
            for k in range(width):
                least[start + k] = row[k]
        x += lanes


@cpu_kernel
def _least_rows(first_row, end_row, values, height, width, up, down, left, right, flip, outside, least):
    """values, least: flat (height * width); outside: what pixels beyond the image count."""
    lanes = 64 // values.itemsize
    columns = left + right + 1
    pitch = (width + columns + 2 * lanes) // lanes * lanes
    rows = up + down + 1
    row = np.empty(pitch + columns + lanes, values.dtype)
    nothing = outside
    if rows <= FEW_ROWS:
        flips = spread_block(values, flip)
        for y in range(first_row, end_row):
            fill_row(row, 0, pitch, nothing)
            first, last = max(y - up, 0), min(y + down, height - 1)
            clipped = last - first + 1 < rows
            if width < lanes:
                for x in range(width):
                    lowest = ordered(values[first * width + x]) ^ flip if first <= last else nothing
                    for k in range(first + 1, last + 1):
                        lowest = min(lowest, ordered(values[k * width + x]) ^ flip)
                    row[left + x] = min(lowest, nothing) if clipped else lowest
            else:
                x = 0
                while x < width:
                    i = min(x, width - lanes)
                    place = first * width + i
                    if clipped:
                        block = spread_block(values, nothing)
                        for _ in range(first, last + 1):
                            block = least_block(block, xor_block(ordered_block(load_block(values, place)), flips))
                            place += width
                    else:
                        block = xor_block(ordered_block(load_block(values, place)), flips)
                        for _ in range(1, rows):
                            place += width
                            block = least_block(block, xor_block(ordered_block(load_block(values, place)), flips))
                    store_block(row, left + i, block)
                    x += lanes
            _across(row, width, columns, flip, least, y * width)
        return
    # Blocks of `rows` rows: the least from each row to the end of its block, and from the next block's start to a row.
    # suffix: (rows + 2, pitch); its last two rows are the prefix and the row that is read.
    suffix = np.empty((rows + 2) * pitch + lanes, values.dtype)
    prefix, entering = rows * pitch, (rows + 1) * pitch
    y = first_row
    while y < end_row:
        for k in range(rows - 1, -1, -1):
            source = y - up + k
            if 0 <= source < height:
                load_row(values, source * width, width, flip, suffix, k * pitch)
            else:
                fill_row(suffix, k * pitch, width, nothing)
            if k < rows - 1:
                lower_row(suffix, k * pitch, k * pitch, (k + 1) * pitch, width)
        for k in range(min(rows, end_row - y)):
            fill_row(row, 0, pitch, nothing)
            if k > 0:
                source = y + down + k
                if source < height:
                    to = prefix if k == 1 else entering
                    load_row(values, source * width, width, flip, suffix, to)
                else:
                    fill_row(suffix, prefix if k == 1 else entering, width, nothing)
                if k > 1:
                    lower_row(suffix, prefix, prefix, entering, width)
            if width >= lanes:
                x = 0
                while x < width:
                    i = min(x, width - lanes)
                    block = load_block(suffix, k * pitch + i)
                    if k > 0:
                        block = least_block(block, load_block(suffix, prefix + i))
                    store_block(row, left + i, block)
                    x += lanes
            else:
                for x in range(width):
                    lowest = suffix[k * pitch + x]
                    row[left + x] = min(lowest, suffix[prefix + x]) if k > 0 else lowest
            _across(row, width, columns, flip, least, (y + k) * width)
        y += rows


def _least_in_box_cpu(values, up, down, left, right, flip, outside):
    height, width = values.shape
    least = recycled_empty(values.shape, values.dtype)
    if values.size == 0:
        return least
    cast = values.dtype.type
    # Beyond the image's size there is nothing but the outside.
    up, down, left, right = min(up, height), min(down, height), min(left, width), min(right, width)
    run_bands(
        _least_rows, height, values.reshape(-1), height, width, int(up), int(down), int(left), int(right),
        cast(flip), cast(outside), least.reshape(-1), least=max(48, 100_000 // width),
    )  # fmt: skip
    return least


def _least_in_box_cuda(values, up, down, left, right, flip, outside):
    xp = array_module(values)
    height, width = values.shape
    least = xp.empty(values.shape, values.dtype)
    if values.size == 0:
        return least
    source, size = _cuda[values.dtype], (np.int32(height), np.int32(width))
    up, down, left, right = min(up, height), min(down, height), min(left, width), min(right, width)
    # A wide window is several narrower ones, one after the other: each holds its centre, so that none is cut off.
    passes = [("rows", *piece) for piece in _pieces(left, right, ROW_PIECE)]
    passes += [("columns", *piece) for piece in _pieces(up, down, COLUMN_PIECE)]
    given = values
    for number, (along, before, after) in enumerate(passes):
        ends = np.int32((number == 0) + 2 * (number == len(passes) - 1))
        to = least if number == len(passes) - 1 else xp.empty(values.shape, values.dtype)
        reach = np.int32(before), np.int32(after)
        if along == "rows":
            source.launch_blocks(
                "least_in_box", (-(-width // 256), height), (256, 1), given, to, *size, *reach, flip, outside, ends,
                shared_bytes=2 * (256 + before + after) * values.itemsize,
            )  # fmt: skip
        else:
            source.launch_blocks(
                "least_in_box_columns", (-(-width // 32), -(-height // 32)), (32, 8), given, to, *size, *reach, flip,
                outside, ends, shared_bytes=2 * (32 + before + after) * 32 * values.itemsize,
            )  # fmt: skip
        given = to
    return least


def _pieces(before, after, most):
    """Windows of at most `most` to either side that together reach as far; at least one."""
    count = max(1, -(-int(max(before, after)) // most))
    ends = [(int(before) * k // count, int(after) * k // count) for k in range(count + 1)]
    return [(b - a, d - c) for (a, c), (b, d) in itertools.pairwise(ends)]


def _sample(rng, size_hw):
    return rng.integers(0, 256, size_hw, dtype=np.uint8), *np.int32([3, 4, 6, 2, 255, 7])


least_in_box = Kernel("least_in_box", cpu=_least_in_box_cpu, cuda=_least_in_box_cuda, sample=_sample, atol=0)
