"""Connected components: pixels of a mask that touch get one number, counted in raster order of their first pixels."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.morphology.blocks import nonzero_bits, trailing_zeros
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

TILE = 1024  # pixels that one CUDA block numbers; the same word stands in the .cu file


@cpu_kernel(forceinline=True)
def find_root(parent, i):
    """Number of the run that stands for all runs joined with run `i`."""
    # Path halving: every second step is shortened, which keeps later walks short without recursion.
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@cpu_kernel
def _number_runs(mask, reach, starts, ends, parent, first_run):
    """Find the runs of all rows, join those that touch, number the roots.

    mask: (height, width) uint8.   reach: 1 for 8 neighbours, 0 for 4.
    starts, ends, parent: one entry a run; afterwards `parent` holds the component's number.
    first_run: (height + 1) index of each row's first run.   Returns the number of components.
    """
    height, width = mask.shape
    # Ends of runs are the bits in which a row differs from itself moved by one pixel: 64 pixels are one number.
    flat = mask.reshape(-1)
    one, last = np.uint64(1), np.uint64(63)
    runs = 0
    first_run[0] = 0
    for y in range(height):
        inside = False
        carry = np.uint64(0)
        for x in range(0, width, 64):
            if x + 64 <= width:
                bits = nonzero_bits(flat, y * width + x)
            else:
                bits = np.uint64(0)
                for k in range(width - x):
                    bits |= np.uint64(flat[y * width + x + k] != 0) << np.uint64(k)
            changes = bits ^ ((bits << one) | carry)
            carry = bits >> last
            while changes != 0:
                place = x + trailing_zeros(changes)
                changes &= changes - one
                if inside:
                    ends[runs] = place
                    runs += 1
                else:
                    starts[runs] = place
                    parent[runs] = runs
                inside = not inside
        if inside:
            ends[runs] = width
            runs += 1
        first_run[y + 1] = runs
        if y == 0:
            continue
        above, above_end = first_run[y - 1], first_run[y]
        for run in range(first_run[y], runs):
            low, high = starts[run] - reach, ends[run] + reach
            while above < above_end and ends[above] <= low:
                above += 1
            other = above
            while other < above_end and starts[other] < high:
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
def _fill_rows(first_row, end_row, starts, ends, numbers, first_run, labels):
    for y in range(first_row, end_row):
        row = labels[y]
        row[:] = 0
        for run in range(first_run[y], first_run[y + 1]):
            number = numbers[run]
            for x in range(starts[run], ends[run]):
                row[x] = number


def _label_components_cpu(mask, connectivity):
    height, width = mask.shape
    labels = recycled_empty((height, width), np.int32)
    if mask.size == 0:
        return labels, np.zeros(1, np.int32)
    most = height * ((width + 1) // 2)
    starts, ends, parent = (recycled_empty((most,), np.int32) for _ in range(3))
    first_run = np.empty(height + 1, np.int32)
    count = _number_runs(mask, np.int32(connectivity == 8), starts, ends, parent, first_run)
    run_bands(_fill_rows, height, starts, ends, parent, first_run, labels, least=128)
    return labels, np.array([count], np.int32)


def _label_components_cuda(mask, connectivity):
    xp = array_module(mask)
    height, width = mask.shape
    labels = xp.empty((height, width), np.int32)
    count = xp.zeros(1, np.int32)
    if mask.size == 0:
        return labels, count
    parent = xp.empty((height, width), np.int32)
    sizes = np.int32(height), np.int32(width)
    _cuda.launch_image("label_components", (height, width), mask, parent, *sizes)
    eight = np.int32(connectivity == 8)
    _cuda.launch_image("label_components_merge", (height, width), mask, parent, *sizes, eight)
    number_components(parent, labels, count)
    return labels, count


def number_components(parent, labels, count):
    """On a GPU: number the trees of `parent` in raster order of their roots, and write the numbers of all pixels.

    parent: (height, width) int32, towards each pixel's root, -1 outside; labels: the same, written; count: (1) int32.
    """
    xp = array_module(parent)
    pixels = np.int32(parent.size)
    tiles = -(-parent.size // TILE)
    numbers = xp.empty(parent.shape, np.int32)
    tile_counts = xp.empty(tiles, np.int32)
    _cuda.launch_blocks("label_components_count", (tiles,), (TILE,), parent, tile_counts, pixels)
    _cuda.launch_blocks("label_components_scan", (1,), (TILE,), tile_counts, count, np.int32(tiles))
    _cuda.launch_blocks("label_components_number", (tiles,), (TILE,), parent, tile_counts, numbers, pixels)
    _cuda.launch_linear("label_components_write", int(pixels), parent, numbers, labels, pixels)


def _sample(rng, size_hw):
    # Near the percolation threshold: components of all sizes, with holes and spirals.
    return (rng.random(size_hw) < 0.45).astype(np.uint8), np.int32(8)


label_components = Kernel(
    "label_components", cpu=_label_components_cpu, cuda=_label_components_cuda, sample=_sample, atol=0
)
