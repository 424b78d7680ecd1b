"""Which superpixels touch, along how many pixel sides, and how much the colours differ across.

    contrast of a side = |levels(one before) - levels(one behind)|, rounded: pixels two steps apart from each other,
                         as those at an edge itself are mixed

Results: pairs (m,) int64, smaller label * count + larger one, in rising order; sums (m, 2) int32 of sides and contrast.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.supervoxels.pair_table import FREE, first_places, grown, place_of, sorted_pairs, table_on_gpu

_cuda = CudaSource(__file__)


@cpu_kernel(forceinline=True)
def _contrast(one, other):
    i, j, k = (
        np.int32(one[0]) - np.int32(other[0]),
        np.int32(one[1]) - np.int32(other[1]),
        np.int32(one[2]) - np.int32(other[2]),
    )
    return np.int32(np.sqrt(np.float32(np.int32(i * i + j * j + k * k))) + np.float32(0.5))


@cpu_kernel
def _add_sides(labels, levels, count, places):
    """labels: (height, width) int32; levels: (height, width, 4) int16. Returns the table."""
    height, width = labels.shape
    pairs, sums = np.full(places, FREE, np.int64), np.zeros((places, 2), np.int32)
    held = 0
    for y in range(height):
        below = min(y + 1, height - 1)
        row, next_row = labels[y], labels[below]
        for x in range(width):
            label, right = row[x], min(x + 1, width - 1)
            if ((row[right] ^ label) | (next_row[x] ^ label)) == 0:
                continue  # nearly everywhere
            for side in range(2):
                if side == 0:
                    other = row[right]
                else:
                    other = next_row[x]
                if other == label:
                    continue
                if side == 0:
                    contrast = _contrast(levels[y, max(x - 1, 0)], levels[y, min(x + 2, width - 1)])
                else:
                    contrast = _contrast(levels[max(y - 1, 0), x], levels[min(y + 2, height - 1), x])
                pair = np.int64(min(label, other)) * count + max(label, other)
                place = place_of(pairs, pair)
                if pairs[place] != pair:
                    held += 1
                    if 2 * held > pairs.size:
                        pairs, sums = grown(pairs, sums)
                        place = place_of(pairs, pair)
                    pairs[place] = pair
                sums[place, 0] += 1
                sums[place, 1] += contrast
    return pairs, sums


def _node_borders_cpu(labels, levels, count):
    return sorted_pairs(*_add_sides(labels, levels, np.int64(count), first_places(int(count))))


def _node_borders_cuda(labels, levels, count):
    height, width = labels.shape
    sizes = np.int32(height), np.int32(width), np.int64(count)

    def launch(pairs, sums, full):
        table = pairs, sums, full, np.int32(pairs.size)
        _cuda.launch_image("node_borders", (height, width), labels, levels, *table, *sizes)

    return table_on_gpu(array_module(labels), int(count), launch)


def _sample(rng, size_hw):
    coarse = rng.integers(0, 40, (size_hw[0] // 5 + 1, size_hw[1] // 7 + 1), dtype=np.int32)
    labels = np.ascontiguousarray(coarse.repeat(5, 0).repeat(7, 1)[: size_hw[0], : size_hw[1]])
    return labels, rng.integers(-1700, 1700, (*size_hw, 4)).astype(np.int16), np.int32(40)


node_borders = Kernel("node_borders", cpu=_node_borders_cpu, cuda=_node_borders_cuda, sample=_sample, atol=0)
