"""Which components of two frames belong together: all that touch, directly or through others.

parent(p - 1) for component p of the frame before, parent(n + c - 1) for c of the frame now:
the smallest index of its group
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.labeling.label_components import find_root

_cuda = CudaSource(__file__)


@cpu_kernel
def _find_runs(row, changes, words, starts, ends, labels):
    """Runs of one component in a row. changes: a byte a pixel; words: the same memory, 8 bytes at a time."""
    width = row.size
    before, after, differs = row[: width - 1], row[1:], changes[1:]
    for x in range(width - 1):
        differs[x] = before[x] != after[x]
    changes[0] = 1
    runs, inside = 0, False
    for k in range(words.size):
        if words[k] == 0:
            continue
        for x in range(8 * k, 8 * k + 8):
            if changes[x] != 0:
                if inside:
                    ends[runs] = x
                    runs += 1
                inside = row[x] != 0
                if inside:
                    starts[runs] = x
                    labels[runs] = row[x]
    if inside:
        ends[runs] = width
        runs += 1
    return runs


@cpu_kernel
def _join(before, now, count_before, connectivity, parent):
    """before, now: (height, width) int32, 0 background; parent: (n + m) int32, every index its own."""
    height, width = now.shape
    changes = np.zeros((width + 7) // 8 * 8, np.uint8)
    words = changes.view(np.uint64)
    # Runs of a row now, and of three rows before: row y is at y modulo 3.
    starts, ends = np.empty((4, width), np.int32), np.empty((4, width), np.int32)
    labels = np.empty((4, width), np.int32)
    counts = np.zeros(3, np.int64)
    beside = 1 if connectivity > 6 else 0
    for y in range(-beside, height):
        if y + beside < height:
            k = (y + beside) % 3
            counts[k] = _find_runs(before[y + beside], changes, words, starts[k], ends[k], labels[k])
        if y < 0:
            continue
        runs = _find_runs(now[y], changes, words, starts[3], ends[3], labels[3])
        for dy in range(-beside, beside + 1):
            if y + dy < 0 or y + dy >= height:
                continue
            reach = 1 if connectivity > (6 if dy == 0 else 18) else 0
            line = (y + dy) % 3
            first, last = 0, counts[line]
            for run in range(runs):
                low, high = starts[3, run] - reach, ends[3, run] + reach
                while first < last and ends[line, first] <= low:
                    first += 1
                k = first
                while k < last and starts[line, k] < high:
                    a = find_root(parent, labels[line, k] - 1)
                    b = find_root(parent, count_before + labels[3, run] - 1)
                    if a < b:
                        parent[b] = a
                    elif b < a:
                        parent[a] = b
                    k += 1
    for k in range(parent.size):
        parent[k] = parent[parent[k]]  # a parent is smaller than its child, and final


def _join_labels_cpu(before, now, count_before, count_now, connectivity):
    parent = np.arange(int(count_before) + int(count_now), dtype=np.int32)
    _join(before, now, int(count_before), int(connectivity), parent)
    return parent


def _join_labels_cuda(before, now, count_before, count_now, connectivity):
    height, width = now.shape
    count = int(count_before) + int(count_now)
    parent = array_module(now).empty((count,), np.int32)
    sizes = np.int32(height), np.int32(width)
    _cuda.launch_linear("join_labels_start", count, parent, np.int32(count))
    _cuda.launch_image("join_labels", (height, width), before, now, parent, *sizes, count_before, connectivity)
    _cuda.launch_linear("join_labels_end", count, parent, np.int32(count))
    return parent


def _sample(rng, size_hw):
    before, now = (rng.integers(0, 30, size_hw, dtype=np.int32) * (rng.random(size_hw) < 0.02) for _ in range(2))
    return before.astype(np.int32), now.astype(np.int32), np.int32(30), np.int32(31), np.int32(26)


join_labels = Kernel("join_labels", cpu=_join_labels_cpu, cuda=_join_labels_cuda, sample=_sample, atol=0)
