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
from cvseg.kernels.labeling.next_labelled import next_labelled

_cuda = CudaSource(__file__)


@cpu_kernel
def _join(before, now, count_before, connectivity, parent):
    """before, now: (height, width) int32, 0 background; parent: (n + m) int32, every index its own."""
    height, width = now.shape
    for y in range(height):
        row = now[y]
        # In the frame before: the row itself, with corners the rows beside it; in each, pixels to the left and right.
        for dy in range(-1, 2):
            reach = 0
            if dy == 0:
                reach = 1 if connectivity > 6 else 0
            elif connectivity <= 6 or y + dy < 0 or y + dy >= height:
                continue
            else:
                reach = 1 if connectivity > 18 else 0
            other = before[y + dy]
            x = next_labelled(row, 0)
            while x < width:
                # One run of a component now: all that lies under it, each stretch of one component once.
                label, first = row[x], x
                while x < width and row[x] == label:
                    x += 1
                seen = 0
                for k in range(max(first - reach, 0), min(x + reach, width)):
                    found = other[k]
                    if found != seen:
                        seen = found
                        if found > 0:
                            a, b = find_root(parent, found - 1), find_root(parent, count_before + label - 1)
                            if a < b:
                                parent[b] = a
                            elif b < a:
                                parent[a] = b
                if x < width and row[x] == 0:
                    x = next_labelled(row, x)
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
