"""Connected components along time: voxels of a video that touch, in one frame or from one to the next, get one number.

Counted in raster order of their first voxels. Of a volume of labels, only voxels of one label are joined.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.labeling.label_components import find_root, number_components
from cvseg.kernels.recycled import recycled_empty

_cuda_u8, _cuda_i32 = CudaSource(__file__, {"VALUE": "unsigned char"}), CudaSource(__file__, {"VALUE": "int"})
_cuda = {np.dtype(np.uint8): _cuda_u8, np.dtype(np.int32): _cuda_i32}


@cpu_kernel
def _link_rows(run, last, other, other_last, reach, starts, ends, values, parent):
    """Join the runs of a row with those of another that they touch. reach: 1 where corners touch."""
    while run < last:
        low, high = starts[run] - reach, ends[run] + reach
        while other < other_last and ends[other] <= low:
            other += 1
        k = other
        while k < other_last and starts[k] < high:
            if values[k] == values[run]:
                root, other_root = find_root(parent, run), find_root(parent, k)
                # The smaller index stays the root: it is the run that comes first in raster order.
                if root < other_root:
                    parent[other_root] = root
                elif other_root < root:
                    parent[root] = other_root
            k += 1
        run += 1


@cpu_kernel
def _number_runs(volume, by_value, connectivity, starts, ends, values, parent, first_run):
    """volume: (time, height, width); starts, ends, values, parent: one entry a run; first_run: of each row.

    Afterwards `parent` holds the component's number. Returns the number of components.
    """
    length, height, width = volume.shape
    changes = np.zeros((width + 7) // 8 * 8, np.uint8)
    words = changes.view(np.uint64)
    runs = 0
    first_run[0] = 0
    corners, beside = int(connectivity > 6), int(connectivity > 18)
    for t in range(length):
        for y in range(height):
            row = volume[t, y]
            before, after, differs = row[: width - 1], row[1:], changes[1:]
            if by_value:
                for x in range(width - 1):
                    differs[x] = before[x] != after[x]
            else:
                for x in range(width - 1):
                    differs[x] = (before[x] != 0) != (after[x] != 0)
            changes[0] = 1
            inside = False
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
                            values[runs] = row[x] if by_value else 1
                            parent[runs] = runs
            if inside:
                ends[runs] = width
                runs += 1
            number = t * height + y
            first_run[number + 1] = runs
            first = first_run[number]
            if first == runs:
                continue
            # The row above, the row in the frame before, and the two beside that one.
            for k in range(4):
                away, reach = 1, corners
                if (k == 0 and y == 0) or (k > 0 and t == 0):
                    continue
                if k == 1:
                    away = height
                elif k > 1:
                    if connectivity == 6 or (y == 0 if k == 2 else y + 1 == height):
                        continue
                    away, reach = (height + 1 if k == 2 else height - 1), beside
                other = number - away
                _link_rows(first, runs, first_run[other], first_run[other + 1], reach, starts, ends, values, parent)
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
def _fill_rows(first_row, end_row, starts, ends, numbers, first_run, labels):
    """labels: (time * height, width) int32."""
    for y in range(first_row, end_row):
        row = labels[y]
        for x in range(row.size):
            row[x] = 0
        for run in range(first_run[y], first_run[y + 1]):
            number = numbers[run]
            for x in range(starts[run], ends[run]):
                row[x] = number


def _label_volume_cpu(volume, connectivity, by_value):
    length, height, width = volume.shape
    labels = recycled_empty(volume.shape, np.int32)
    if volume.size == 0:
        return labels, np.zeros(1, np.int32)
    most = length * height * (width if by_value else (width + 1) // 2)
    starts, ends, values, parent = (recycled_empty((most,), np.int32) for _ in range(4))
    first_run = np.empty(length * height + 1, np.int64)
    count = _number_runs(
        volume, bool(by_value), int(connectivity), starts, ends, values.view(np.int32), parent, first_run
    )
    rows = labels.reshape(length * height, width)
    run_bands(_fill_rows, length * height, starts, ends, parent, first_run, rows, least=128)
    return labels, np.array([count], np.int32)


def _label_volume_cuda(volume, connectivity, by_value):
    xp = array_module(volume)
    length, height, width = volume.shape
    labels = xp.empty(volume.shape, np.int32)
    count = xp.zeros(1, np.int32)
    if volume.size == 0:
        return labels, count
    parent = xp.empty(volume.shape, np.int32)
    sizes = np.int32(length), np.int32(height), np.int32(width)
    source, image = _cuda[volume.dtype], (length * height, width)
    source.launch_image("label_volume", image, volume, parent, *sizes, by_value)
    source.launch_image("label_volume_merge", image, volume, parent, *sizes, connectivity, by_value)
    number_components(parent, labels, count)
    return labels, count


def _sample(rng, size_hw):
    # Near the percolation threshold of voxels: components of all sizes.
    return (rng.random((3, *size_hw)) < 0.2).astype(np.int32) * 5, np.int32(18), np.int32(1)


label_volume = Kernel("label_volume", cpu=_label_volume_cpu, cuda=_label_volume_cuda, sample=_sample, atol=0)
