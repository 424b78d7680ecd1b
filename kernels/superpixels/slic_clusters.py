"""SLIC's clusters: every pixel joins the nearest of nine centres, those of the grid cells around it.

    distance^2 = |colour(p) - colour(centre)|^2 + position |p - centre|^2;   centres become the means of their pixels

Centres start as the means of their cells; one that has lost all pixels stays where it was. On the CPU a centre is
compared with the pixels of three cells in a row at a time, 16 in a vector (8 iterations of 481x321: 9 ms, as a plain
loop 25). Labels pass through float32, which holds 2^24 of them. Sums are whole numbers, so that results do not depend
on the number of threads.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import available_share
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import load16, select, splat16, store16
from cvseg.kernels.recycled import recycled_empty
from cvseg.kernels.team import chunk_done, claim_member, next_chunk, run_team

_cuda = CudaSource(__file__)

LEAST_ROWS, LEAST_LABELS = 8, 512
FAR = np.float32(3.0e38)


@cpu_kernel
def _add_row(y, pixels, numbers, sums):
    x, width = 0, len(numbers)
    while x < width:
        label, first = numbers[x], x
        total0, total1, total2 = 0, 0, 0
        while x < width and numbers[x] == label:
            i = np.uint64(4 * x)
            total0 += pixels[i]
            total1 += pixels[i + np.uint64(1)]
            total2 += pixels[i + np.uint64(2)]
            x += 1
        count, at = x - first, 6 * label
        sums[at] += total0
        sums[at + 1] += total1
        sums[at + 2] += total2
        sums[at + 3] += (first + x - 1) * count // 2
        sums[at + 4] += y * count
        sums[at + 5] += count


@cpu_kernel
def _assign_row(y, levels, labels, rows, columns, means, position, buffer, pitch):
    """levels: flat; means: (n, 5); buffer: (6 pitch) float32, scratch: L, a, b, x, nearest distance, its label."""
    height, width = labels.shape
    pixels, numbers = levels[4 * y * width : 4 * (y + 1) * width], labels[y]
    to_a, to_b, to_x, to_nearest, to_label = pitch, 2 * pitch, 3 * pitch, 4 * pitch, 5 * pitch
    for x in range(width):
        buffer[x] = np.float32(pixels[4 * x])
        buffer[to_a + x] = np.float32(pixels[4 * x + 1])
        buffer[to_b + x] = np.float32(pixels[4 * x + 2])
    for x in range(pitch):
        buffer[to_x + x] = np.float32(x)
        buffer[to_nearest + x] = FAR
    cell_row = y * rows // height
    for row in range(max(0, cell_row - 1), min(rows, cell_row + 2)):
        for column in range(columns):
            # The pixels of this column and of those beside it, all x with |x columns // width - column| <= 1
            first = max(0, -(-(column - 1) * width // columns))
            end = min(width, -(-(column + 2) * width // columns))
            label = row * columns + column
            mean0, mean1, mean2, mean3 = means[label, 0], means[label, 1], means[label, 2], means[label, 3]
            dy = np.float32(y) - means[label, 4]
            number, limit, dy2 = splat16(np.float32(label)), np.float32(end), splat16(dy * dy)
            for x in range(first, end, 16):
                d0, d1 = load16(buffer, x) - mean0, load16(buffer, to_a + x) - mean1
                d2, places = load16(buffer, to_b + x) - mean2, load16(buffer, to_x + x)
                dx, nearest = places - mean3, load16(buffer, to_nearest + x)
                distance = (d0 * d0 + d1 * d1 + d2 * d2) + position * (dx * dx + dy2)
                closer = (distance < nearest) & (places < limit)
                store16(buffer, to_nearest + x, select(closer, distance, nearest))
                store16(buffer, to_label + x, select(closer, number, load16(buffer, to_label + x)))
    for x in range(width):
        numbers[x] = np.int32(buffer[to_label + x])


@cpu_kernel
def _take_means(first, end, changes, means):
    members = changes.shape[0]
    total = np.empty(6, np.int64)
    for label in range(first, end):
        for f in range(6):
            total[f] = 0
            for member in range(members):
                total[f] += changes[member, 6 * label + f]
                changes[member, 6 * label + f] = 0
        if total[5] > 0:
            for f in range(5):
                means[label, f] = np.float32(np.float64(total[f]) / np.float64(total[5]))


@cpu_kernel(forceinline=True)
def _chunks(members, rows, least):
    return max(1, min(3 * members, rows // least)) if members > 1 else 1


@cpu_kernel
def _program(state, members, levels, labels, rows, columns, means, changes, iterations, position):
    height, width = labels.shape
    own = changes[claim_member(state)]
    pitch = width + 16  # a vector may begin at any pixel
    buffer = np.zeros(6 * pitch, np.float32)
    count = rows * columns
    row_chunks, label_chunks = _chunks(members, height, LEAST_ROWS), _chunks(members, count, LEAST_LABELS)
    number = 0
    for iteration in range(iterations + 1):
        chunk = next_chunk(state, number, row_chunks)
        while chunk >= 0:
            for y in range(height * chunk // row_chunks, height * (chunk + 1) // row_chunks):
                if iteration:
                    _assign_row(y, levels, labels, rows, columns, means, position, buffer, pitch)
                else:
                    for x in range(width):
                        labels[y, x] = (y * rows // height) * columns + x * columns // width
                if iteration < iterations:
                    _add_row(y, levels[4 * y * width : 4 * (y + 1) * width], labels[y], own)
            chunk_done(state, number)
            chunk = next_chunk(state, number, row_chunks)
        number += 1
        if iteration == iterations:
            break
        chunk = next_chunk(state, number, label_chunks)
        while chunk >= 0:
            _take_means(count * chunk // label_chunks, count * (chunk + 1) // label_chunks, changes, means)
            chunk_done(state, number)
            chunk = next_chunk(state, number, label_chunks)
        number += 1


def _slic_clusters_cpu(levels, rows, columns, iterations, position):
    rows, columns, iterations = int(rows), int(columns), int(iterations)
    labels = recycled_empty(levels.shape[:2], np.int32)
    means = np.empty((rows * columns, 5), np.float32)
    changes = np.zeros((available_share(), 6 * rows * columns), np.int64)
    passes = 2 * iterations + 1
    numbers = rows, columns, means, changes, iterations, position
    run_team(_program, passes, levels.reshape(-1), labels, *numbers)
    return labels


def _slic_clusters_cuda(levels, rows, columns, iterations, position):
    xp = array_module(levels)
    height, width = levels.shape[:2]
    count = int(rows) * int(columns)
    sizes = np.int32(height), np.int32(width), np.int32(rows), np.int32(columns)
    labels = xp.empty((height, width), np.int32)
    means = xp.empty((count, 5), np.float32)
    sums = xp.zeros((count, 6), np.uint64)
    _cuda.launch_image("slic_clusters_start", (height, width), labels, *sizes)
    for _ in range(int(iterations)):
        _cuda.launch_image("slic_clusters_add", (height, width), levels, labels, sums, *sizes[:2])
        _cuda.launch_linear("slic_clusters_means", count, sums, means, np.int32(count))
        _cuda.launch_image("slic_clusters", (height, width), levels, means, labels, *sizes, position)
    return labels


def _sample(rng, size_hw):
    levels = rng.integers(-400, 400, (*size_hw, 4)).astype(np.int16)
    return levels, np.int32(min(size_hw[0], 4)), np.int32(min(size_hw[1], 5)), np.int32(3), np.float32(900.0)


slic_clusters = Kernel("slic_clusters", cpu=_slic_clusters_cpu, cuda=_slic_clusters_cuda, sample=_sample, atol=0)
