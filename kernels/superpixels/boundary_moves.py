"""Pixels on the boundary of superpixels go to the neighbour that suits them best; no superpixel is ever cut in two.

A pixel p of superpixel A may go to a superpixel B that owns one of its four neighbours, when B's cost is smaller:

    cost(p, B) = |colour(p) - mean of B|^2 + position |p - centroid of B|^2 - boundary (pixels of B among p's eight)

and when A without p stays connected: the four neighbours that belong to A are joined through the eight around p (p is a
"simple point"). Both are looked up in 3 x 3 pixels.

A sweep goes through the pixels in four phases, (even row, even column), (even, odd), (odd, even), (odd, odd): pixels of
a phase do not touch, so all may move at once and A stays connected. Means are those at the beginning of the sweep.
Sums are whole numbers: results do not depend on the number of threads.

The results are the labels and, for each superpixel, sums of L, a, b, x, y and its pixels.

On the CPU rows are searched for boundary pixels with vector comparisons, and each thread keeps its own sums.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty
from cvseg.kernels.team import chunk_done, claim_member, next_chunk, run_team

_cuda = CudaSource(__file__)

LEAST_ROWS = 12  # below which a chunk is not worth while; chunks begin at even rows
LEAST_LABELS = 512
FIELDS = 6  # of a superpixel's sums: L, a, b, x, y, pixels
_EVEN_BYTES, _ODD_BYTES = np.uint64(0x00FF00FF00FF00FF), np.uint64(0xFF00FF00FF00FF00)


def removable_table():
    """Whether a pixel may leave its superpixel: (256) uint8, by which of its eight neighbours belong to it.

    Bit i is the neighbour i steps clockwise from the upper one. Some of the four nearest must belong to it, and they
    must be joined by the eight.
    """
    table = np.zeros(256, np.uint8)
    for bits in range(256):
        own = [bits >> i & 1 for i in range(8)]
        nearest = [i for i in (0, 2, 4, 6) if own[i]]
        # Going round, two of the nearest are joined when the corner between them is owned too.
        joints = sum(own[i] and own[(i + 1) % 8] and own[(i + 2) % 8] for i in (0, 2, 4, 6))
        parts = len(nearest) - joints if joints < 4 else 1
        table[bits] = parts == 1
    return table


@cpu_kernel(forceinline=True)
def _cost(levels, at, x, y, means, label, position, boundary, touching):
    m = np.uint64(5 * label)
    d0 = np.float32(levels[at]) - means[m]
    d1 = np.float32(levels[at + np.uint64(1)]) - means[m + np.uint64(1)]
    d2 = np.float32(levels[at + np.uint64(2)]) - means[m + np.uint64(2)]
    dx, dy = x - means[m + np.uint64(3)], y - means[m + np.uint64(4)]
    return (d0 * d0 + d1 * d1 + d2 * d2) + position * (dx * dx + dy * dy) - boundary * np.float32(touching)


@cpu_kernel
def _move_row(y, width, levels, padded, means, sums, table, position, boundary, near, words):
    """Both phases of one row. levels: flat; padded: flat labels with a border of -1; means: (5 n), sums: (6 n) flat."""
    pitch = width + 2
    here_at = (y + 1) * pitch + 1
    here, left, right = (
        padded[here_at : here_at + width],
        padded[here_at - 1 : here_at - 1 + width],
        padded[here_at + 1 : here_at + 1 + width],
    )
    up, down = padded[here_at - pitch : here_at - pitch + width], padded[here_at + pitch : here_at + pitch + width]
    for x in range(width):
        a = here[x]
        near[x] = (a != left[x]) | (a != right[x]) | (a != up[x]) | (a != down[x])
    begin, step = np.uint64(here_at), np.uint64(pitch)
    one = np.uint64(1)
    fy = np.float32(y)
    for parity in range(2):
        wanted = _ODD_BYTES if parity else _EVEN_BYTES
        for k in range(words.size):
            if words[k] & wanted == 0:
                continue
            for x in range(8 * k + parity, 8 * k + 8, 2):
                if near[x] == 0:
                    continue
                i = begin + np.uint64(x)
                a = padded[i]
                n, e, s, w = padded[i - step], padded[i + one], padded[i + step], padded[i - one]
                ne, se, sw, nw = (
                    padded[i - step + one],
                    padded[i + step + one],
                    padded[i + step - one],
                    padded[i - step - one],
                )
                bits = (
                    np.uint32(n == a)
                    | np.uint32(ne == a) << np.uint32(1)
                    | np.uint32(e == a) << np.uint32(2)
                    | np.uint32(se == a) << np.uint32(3)
                    | np.uint32(s == a) << np.uint32(4)
                    | np.uint32(sw == a) << np.uint32(5)
                    | np.uint32(w == a) << np.uint32(6)
                    | np.uint32(nw == a) << np.uint32(7)
                )
                if table[np.uint64(bits)] == 0:
                    continue
                at = np.uint64(4) * (np.uint64(y * width) + np.uint64(x))
                fx = np.float32(x)
                best, least = a, np.float32(3.0e38)
                for c in range(5):
                    b = a if c == 0 else (n if c == 1 else (e if c == 2 else (s if c == 3 else w)))
                    if c > 0 and (b < 0 or b == a):
                        continue
                    if (c > 1 and b == n) or (c > 2 and b == e) or (c > 3 and b == s):
                        continue
                    touching = (
                        np.int32(n == b)
                        + np.int32(e == b)
                        + np.int32(s == b)
                        + np.int32(w == b)
                        + np.int32(ne == b)
                        + np.int32(se == b)
                        + np.int32(sw == b)
                        + np.int32(nw == b)
                    )
                    cost = _cost(levels, at, fx, fy, means, b, position, boundary, touching)
                    if cost < least:
                        best, least = b, cost
                if best != a:
                    padded[i] = best
                    if x > 0:
                        near[x - 1] = 1
                    if x + 1 < width:
                        near[x + 1] = 1
                    old, new = np.uint64(6 * a), np.uint64(6 * best)
                    for f in range(3):
                        value = levels[at + np.uint64(f)]
                        sums[old + np.uint64(f)] -= value
                        sums[new + np.uint64(f)] += value
                    sums[old + np.uint64(3)] -= x
                    sums[new + np.uint64(3)] += x
                    sums[old + np.uint64(4)] -= y
                    sums[new + np.uint64(4)] += y
                    sums[old + np.uint64(5)] -= 1
                    sums[new + np.uint64(5)] += 1


@cpu_kernel
def _start_row(y, height, width, levels, labels, shift, padded, sums):
    """Write one row of `padded`, spread from `labels`, and add its pixels to `sums`."""
    pitch = width + 2
    row = padded[(y + 1) * pitch : (y + 2) * pitch]
    row[0], row[width + 1] = -1, -1
    source = labels[y >> shift]
    if shift:
        for x in range(width):
            row[x + 1] = source[x >> 1]
    else:
        for x in range(width):
            row[x + 1] = source[x]
    pixels = levels[4 * y * width : 4 * (y + 1) * width]
    x = 0
    while x < width:
        label = row[x + 1]
        first = x
        total0, total1, total2 = 0, 0, 0
        while x < width and row[x + 1] == label:
            i = np.uint64(4 * x)
            total0 += pixels[i]
            total1 += pixels[i + np.uint64(1)]
            total2 += pixels[i + np.uint64(2)]
            x += 1
        count = x - first
        at = 6 * label
        sums[at] += total0
        sums[at + 1] += total1
        sums[at + 2] += total2
        sums[at + 3] += (first + x - 1) * count // 2
        sums[at + 4] += y * count
        sums[at + 5] += count


@cpu_kernel
def _take_means(first, end, sums, changes, means):
    """Add the changes of all threads to the sums and renew the means."""
    members = changes.shape[0]
    for label in range(first, end):
        for f in range(6):
            for member in range(members):
                sums[6 * label + f] += changes[member, 6 * label + f]
                changes[member, 6 * label + f] = 0
        count = np.float64(max(sums[6 * label + 5], 1))
        for f in range(5):
            means[5 * label + f] = np.float32(np.float64(sums[6 * label + f]) / count)


@cpu_kernel(forceinline=True)
def _chunks(members, rows, least):
    return max(1, min(3 * members, rows // least)) if members > 1 else 1


@cpu_kernel
def _program(
    state, members, levels, labels, shift, padded, moved, means, sums, changes, table, sweeps, position, boundary
):
    height, width = moved.shape
    pitch = width + 2
    own = changes[claim_member(state)]
    near = np.zeros((width + 15) // 8 * 8, np.uint8)
    words = near.view(np.uint64)
    count = sums.size // 6
    row_chunks, label_chunks = _chunks(members, height, LEAST_ROWS), _chunks(members, count, LEAST_LABELS)
    number = 0
    chunk = next_chunk(state, number, row_chunks)
    while chunk >= 0:
        for y in range(height * chunk // row_chunks, height * (chunk + 1) // row_chunks):
            _start_row(y, height, width, levels, labels, shift, padded, own)
        if chunk == 0:
            padded[:pitch] = -1
            padded[(height + 1) * pitch :] = -1
        chunk_done(state, number)
        chunk = next_chunk(state, number, row_chunks)
    for _ in range(sweeps):
        number += 1
        chunk = next_chunk(state, number, label_chunks)
        while chunk >= 0:
            _take_means(count * chunk // label_chunks, count * (chunk + 1) // label_chunks, sums, changes, means)
            chunk_done(state, number)
            chunk = next_chunk(state, number, label_chunks)
        for parity in range(2):
            number += 1
            chunk = next_chunk(state, number, row_chunks)
            while chunk >= 0:
                first = height * chunk // row_chunks
                for y in range(first + ((first ^ parity) & 1), height * (chunk + 1) // row_chunks, 2):
                    _move_row(y, width, levels, padded, means, own, table, position, boundary, near, words)
                chunk_done(state, number)
                chunk = next_chunk(state, number, row_chunks)
    number += 1
    chunk = next_chunk(state, number, label_chunks)
    while chunk >= 0:
        _take_means(count * chunk // label_chunks, count * (chunk + 1) // label_chunks, sums, changes, means)
        chunk_done(state, number)
        chunk = next_chunk(state, number, label_chunks)
    number += 1
    chunk = next_chunk(state, number, row_chunks)
    while chunk >= 0:
        for y in range(height * chunk // row_chunks, height * (chunk + 1) // row_chunks):
            moved[y] = padded[(y + 1) * pitch + 1 : (y + 1) * pitch + 1 + width]
        chunk_done(state, number)
        chunk = next_chunk(state, number, row_chunks)


def _boundary_moves_cpu(levels, labels, table, count, sweeps, position, boundary):
    from cvseg.kernels.bands import available_share

    height, width = levels.shape[:2]
    count, sweeps = int(count), int(sweeps)
    moved = recycled_empty((height, width), np.int32)
    padded = recycled_empty(((height + 2) * (width + 2),), np.int32)
    means = np.empty(5 * count, np.float32)
    sums = np.zeros(6 * count, np.int64)
    changes = np.zeros((available_share(), 6 * count), np.int64)
    shift = int(labels.shape != (height, width))
    run_team(
        _program,
        3 + 3 * sweeps,
        levels.reshape(-1),
        labels,
        shift,
        padded,
        moved,
        means,
        sums,
        changes,
        table,
        sweeps,
        position,
        boundary,
    )
    return moved, sums.reshape(count, FIELDS)


def _boundary_moves_cuda(levels, labels, table, count, sweeps, position, boundary):
    xp = array_module(levels)
    height, width = levels.shape[:2]
    size = np.int32(height), np.int32(width)
    padded = xp.empty((height + 2, width + 2), np.int32)
    moved = xp.empty((height, width), np.int32)
    means = xp.empty((int(count), 5), np.float32)
    sums = xp.zeros((int(count), FIELDS), np.uint64)
    shift = np.int32(labels.shape != (height, width))
    _cuda.launch_image(
        "boundary_moves_start", padded.shape, levels, labels, padded, sums, *size, np.int32(labels.shape[1]), shift
    )
    for _ in range(int(sweeps)):
        _cuda.launch_linear("boundary_moves_means", int(count), sums, means, np.int32(count))
        for phase in range(4):
            odd_row, odd_column = phase >> 1, phase & 1
            _cuda.launch_image(
                "boundary_moves",
                ((height + 1 - odd_row) // 2, (width + 1 - odd_column) // 2),
                levels,
                table,
                means,
                padded,
                sums,
                *size,
                np.int32(odd_row),
                np.int32(odd_column),
                position,
                boundary,
            )
    _cuda.launch_image("boundary_moves_end", (height, width), padded, moved, *size)
    return moved, sums.view(np.int64)


def _sample(rng, size_hw):
    height, width = size_hw
    half = (height + 1) // 2, (width + 1) // 2
    rows, columns = min(half[0], 4), min(half[1], 5)
    labels = np.arange(half[0])[:, None] * rows // half[0] * columns + np.arange(half[1]) * columns // half[1]
    levels = rng.integers(-400, 400, (*size_hw, 4)).astype(np.int16)
    numbers = np.int32(rows * columns), np.int32(3), np.float32(2.0), np.float32(4000.0)
    return levels, labels.astype(np.int32), removable_table(), *numbers


boundary_moves = Kernel("boundary_moves", cpu=_boundary_moves_cpu, cuda=_boundary_moves_cuda, sample=_sample, atol=0)
