"""How the outlines of all regions of a label map run: counts of three kinds of outline pixels, in one pass.

An outline pixel of a region has a neighbour to the left, right, above or below that is not of the region, or lies at
the edge of the picture. Its sides and corners are how many of its four, and of its four diagonal, neighbours are
outline pixels of the same region:

    counts(r) = {2 or 3 sides and at most 2 corners,   0 sides and 2 corners or 1 and 3,   1 side and 1 or 2 corners}

An outline is about 1, sqrt(2) and (1 + sqrt(2)) / 2 long in a pixel of each kind (Benkrid and Crookes 2000).
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

KINDS = 3


@cpu_kernel
def _mark_outline(labels, y, outline):
    """outline(x) = 1 where pixel x of row y is an outline pixel, of any label."""
    height, width = labels.shape
    if y == 0 or y == height - 1:
        outline[:] = 1
        return
    above, row, below = labels[y - 1], labels[y], labels[y + 1]
    for x in range(1, width - 1):
        label = row[x]
        outline[x] = (label != row[x - 1]) | (label != row[x + 1]) | (label != above[x]) | (label != below[x])
    outline[0] = outline[width - 1] = 1


@cpu_kernel
def _count_rows(labels, counts):
    """labels: (height, width) int32; counts: (n, 3) int64."""
    height, width = labels.shape
    count = counts.shape[0]
    outlines = np.zeros((3, width), np.uint8)  # of rows y - 1, y and y + 1, at the row modulo 3
    _mark_outline(labels, 0, outlines[0])
    for y in range(height):
        if y + 1 < height:
            _mark_outline(labels, y + 1, outlines[(y + 1) % 3])
        row, outline = labels[y], outlines[y % 3]
        for x in range(width):
            label = row[x]
            if not outline[x] or label <= 0 or label > count:
                continue
            sides = corners = 0
            for v in range(max(y - 1, 0), min(y + 2, height)):
                for u in range(max(x - 1, 0), min(x + 2, width)):
                    if labels[v, u] == label and outlines[v % 3, u]:
                        if u != x and v != y:
                            corners += 1
                        else:
                            sides += 1
            sides -= 1  # the pixel itself
            if (sides == 2 or sides == 3) and corners <= 2:
                counts[label - 1, 0] += 1
            elif (sides == 0 and corners == 2) or (sides == 1 and corners == 3):
                counts[label - 1, 1] += 1
            elif sides == 1 and (corners == 1 or corners == 2):
                counts[label - 1, 2] += 1


def _region_perimeter_cpu(labels, count):
    counts = np.zeros((int(count), KINDS), np.int64)
    if labels.size:
        _count_rows(labels, counts)
    return counts


def _region_perimeter_cuda(labels, count):
    xp = array_module(labels)
    height, width = labels.shape
    counts = xp.zeros((int(count), KINDS), np.uint64)
    sizes = np.int32(height), np.int32(width), np.int32(count)
    _cuda.launch_image("region_perimeter", (height, width), labels, counts, *sizes)
    return counts.view(np.int64)


def _sample(rng, size_hw):
    coarse = rng.integers(-1, 12, (size_hw[0] // 3 + 1, size_hw[1] // 4 + 1), dtype=np.int32)
    labels = np.ascontiguousarray(coarse.repeat(3, 0).repeat(4, 1)[: size_hw[0], : size_hw[1]])
    labels[rng.random(size_hw) < 0.1] = 5
    return labels, np.int32(10)


region_perimeter = Kernel(
    "region_perimeter", cpu=_region_perimeter_cpu, cuda=_region_perimeter_cuda, sample=_sample, atol=0
)
