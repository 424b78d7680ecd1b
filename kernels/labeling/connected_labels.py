"""Connected parts of a label map: neighbours, 4 each, with one label get one number, counted in raster order."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.labeling.label_components import find_root, number_components
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _join_runs(labels, starts, parent, first_run):
    """Find the runs of one label in all rows, join those that touch, number the roots.

    labels: (height, width) int32.   starts, parent: one entry a run; afterwards `parent` holds the part's number.
    first_run: (height + 1) index of each row's first run.   Returns the number of parts.
    """
    height, width = labels.shape
    # Where runs begin, as bytes, then looked at eight at a time.
    changes = np.zeros((width + 7) // 8 * 8, np.uint8)
    words = changes.view(np.uint64)
    runs = 0
    first_run[0] = 0
    for y in range(height):
        row = labels[y]
        before, after, differs = row[: width - 1], row[1:], changes[1:]
        for x in range(width - 1):
            differs[x] = before[x] != after[x]
        changes[0] = 1
        for k in range(words.size):
            if words[k] == 0:
                continue
            for x in range(8 * k, 8 * k + 8):
                if changes[x] != 0:
                    starts[runs] = x
                    parent[runs] = runs
                    runs += 1
        first_run[y + 1] = runs
        if y == 0:
            continue
        upper = labels[y - 1]
        above, above_end = first_run[y - 1], first_run[y]
        for run in range(first_run[y], runs):
            start = starts[run]
            end = starts[run + 1] if run + 1 < runs else width
            label = row[start]
            while above + 1 < above_end and starts[above + 1] <= start:
                above += 1
            other = above
            while other < above_end and starts[other] < end:
                if upper[starts[other]] == label:
                    root, other_root = find_root(parent, run), find_root(parent, other)
                    # The smaller index stays the root: it is the run that comes first in raster order.
                    if root < other_root:
                        parent[other_root] = root
                    elif other_root < root:
                        parent[root] = other_root
                other += 1
    count = 0
    for run in range(runs):
        # A parent precedes its child, so it holds its final number already.
        if parent[run] == run:
            count += 1
            parent[run] = count
        else:
            parent[run] = parent[parent[run]]
    return count


@cpu_kernel
def _fill_rows(first_row, end_row, starts, numbers, first_run, parts):
    width = parts.shape[1]
    for y in range(first_row, end_row):
        row = parts[y]
        last = first_run[y + 1] - 1
        for run in range(first_run[y], last + 1):
            number = numbers[run]
            for x in range(starts[run], starts[run + 1] if run < last else width):
                row[x] = number


def _connected_labels_cpu(labels):
    height, width = labels.shape
    parts = recycled_empty((height, width), np.int32)
    if labels.size == 0:
        return parts, np.zeros(1, np.int32)
    starts, parent = (recycled_empty((labels.size,), np.int32) for _ in range(2))
    first_run = np.empty(height + 1, np.int32)
    count = _join_runs(labels, starts, parent, first_run)
    run_bands(_fill_rows, height, starts, parent, first_run, parts, least=128)
    return parts, np.array([count], np.int32)


def _connected_labels_cuda(labels):
    xp = array_module(labels)
    height, width = labels.shape
    parts = xp.empty((height, width), np.int32)
    count = xp.zeros(1, np.int32)
    if labels.size == 0:
        return parts, count
    parent = xp.empty((height, width), np.int32)
    sizes = np.int32(height), np.int32(width)
    _cuda.launch_linear("connected_labels_start", labels.size, parent, np.int32(labels.size))
    _cuda.launch_image("connected_labels", (height, width), labels, parent, *sizes)
    number_components(parent, parts, count)
    return parts, count


def _sample(rng, size_hw):
    # Two labels near the percolation threshold, parts of all sizes; a third one, and a negative one, here and there.
    labels = (rng.random(size_hw) < 0.55).astype(np.int32)
    labels[rng.random(size_hw) < 0.05] = -1
    labels[: size_hw[0] // 3, size_hw[1] // 2 :] = 7
    return (labels,)


connected_labels = Kernel(
    "connected_labels", cpu=_connected_labels_cpu, cuda=_connected_labels_cuda, sample=_sample, atol=0
)
