"""Is a mask set in all pixels of a shape around each pixel? With flipped bits: in any of them.

    inside(y, x) = all over (dy, dx) in the shape of mask(y + dy, x + dx)

64 pixels are one number here, 512 one vector.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.morphology.blocks import (
    and_block,
    load_block,
    nonzero_bits,
    spread_block,
    store_bits,
    store_block,
    window_block,
    xor_block,
)
from cvseg.kernels.morphology.shape_windows import sample_shape
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _pack_row(mask, start, width, flip, outside, lines, at, before, words):
    """One row of the mask as bits, from word `at` + `before` on; all other words of the line are `outside`."""
    for k in range(words):
        lines[at + k] = outside
    whole = width // 64
    for k in range(whole):
        lines[at + before + k] = nonzero_bits(mask, start + 64 * k) ^ flip
    word, bit = np.uint64(0), np.uint64(1)
    for x in range(64 * whole, width):
        if mask[start + x] != 0:
            word |= bit
        bit <<= np.uint64(1)
    if width > 64 * whole:
        rest = bit - np.uint64(1)
        lines[at + before + whole] = ((word ^ flip) & rest) | (outside & ~rest)


@cpu_kernel
def _mask_rows(first_row, end_row, mask, size, windows, flip, outside, inside):
    """mask, inside: flat (height * width) uint8; size: (height, width); windows: (n, 3) int32 dy, dx, level.

    flip, outside: uint64, 0 or all bits.
    """
    height, width = size[0], size[1]
    up, down, left, right, levels = 0, 0, 0, 0, 1
    for k in range(windows.shape[0]):
        up, down = max(up, -windows[k, 0]), max(down, windows[k, 0])
        left, right = max(left, -windows[k, 1]), max(right, windows[k, 1] + (1 << windows[k, 2]))
        levels = max(levels, windows[k, 2] + 1)
    before = (left + 63) // 64
    used = (width + 63) // 64
    words = (before + used + (right + 63) // 64 + 1 + 7) // 8 * 8 + 8
    rows = up + down + 1
    lines = np.empty((rows * levels + 1) * words + 16, np.uint64)
    lines[rows * levels * words :] = outside
    places = np.empty(windows.shape[0], np.int64)
    found = np.empty((used + 7) // 8 * 8, np.uint64)
    flips = spread_block(lines, flip)
    for source in range(first_row - up, end_row + down):
        at = source % rows * levels * words
        if 0 <= source < height:
            _pack_row(mask, source * width, width, flip, outside, lines, at, before, words)
            for level in range(1, levels):
                shift = 1 << (level - 1)
                for k in range(0, words, 8):
                    block = and_block(load_block(lines, at + k), window_block(lines, 64 * (at + k) + shift))
                    store_block(lines, at + words + k, block)
                at += words
        else:
            for k in range(levels * words):
                lines[at + k] = outside
        y = source - down
        if y < first_row:
            continue
        for k in range(windows.shape[0]):
            line = (y + windows[k, 0]) % rows * levels + windows[k, 2]
            places[k] = 64 * (line * words + before) + windows[k, 1]
        for k in range(0, used, 8):
            block = window_block(lines, places[0] + 64 * k)
            for n in range(1, places.size):
                block = and_block(block, window_block(lines, places[n] + 64 * k))
            store_block(found, k, xor_block(block, flips))
        whole = width // 64
        for k in range(whole):
            store_bits(inside, y * width + 64 * k, found[k])
        if width > 64 * whole:
            word = found[whole]
            for x in range(64 * whole, width):
                inside[y * width + x] = word & np.uint64(1)
                word >>= np.uint64(1)


def _mask_in_shape_cpu(mask, windows, cells, flip, outside):
    height, width = mask.shape
    inside = recycled_empty(mask.shape, np.uint8)
    if mask.size == 0:
        return inside
    full = np.uint64(2**64 - 1)
    flip, outside = (full if number else np.uint64(0) for number in (flip, outside))
    run_bands(
        _mask_rows, height, mask.reshape(-1), np.array([height, width]), windows, flip, outside, inside.reshape(-1),
        least=max(48, 1_000_000 // (width + 10 * len(windows))),
    )  # fmt: skip
    return inside


def _mask_in_shape_cuda(mask, windows, cells, flip, outside):
    xp = array_module(mask)
    height, width = mask.shape
    inside = xp.empty(mask.shape, np.uint8)
    words = -(-width // 32)
    bits = xp.empty((height, words), np.uint32)
    sizes = np.int32(height), np.int32(width), np.int32(words)
    flip, outside = (np.uint32(0xFFFFFFFF if number else 0) for number in (flip, outside))
    _cuda.launch_image("mask_in_shape_pack", (height, 32 * words), mask, bits, *sizes, flip, outside)
    # A warp works on 32 words of a row, then writes their pixels.
    wide = 32 * -(-words // 32)
    _cuda.launch_image(
        "mask_in_shape", (height, wide), bits, windows, inside, *sizes, np.int32(windows.shape[0]), flip, outside
    )
    return inside


def _sample(rng, size_hw):
    mask = (rng.random(size_hw) < 0.003).astype(np.uint8)
    return mask, *sample_shape(rng), np.int32(1), np.int32(1)


mask_in_shape = Kernel("mask_in_shape", cpu=_mask_in_shape_cpu, cuda=_mask_in_shape_cuda, sample=_sample, atol=0)
