"""The merging of `merge_pixels` on a list of regions, for several scales; then the small ones join a neighbour.

    parents(s, i) = the first region of what region i belongs to, at scale s        counts(s) = how many are left

The CPU half goes through the edges one by one. The CUDA half works in rounds, a block for each scale; in a round every
component finds its lightest edge (Boruvka). Where it is the lightest one for both components, the sequential method
finds both as they are now when it comes to that edge: they are joined, if both accept it. A component that does not
accept its lightest edge never changes again, and its edges are struck out. Others wait. The small ones then join along
their lightest edges in the same way, but for those that lead to a large region: that is large whenever it comes, so it
is joined at once. Thus both halves give the partition of the sequential method.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.find_root import find_root
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

BLOCK = 512
MOST_WEIGHT = 1 << 30  # above all weights: what the smallest components accept


@cpu_kernel
def _merge(first, second, weights, sizes, internal, scale, smallest, parent, areas, limits, refused):
    """limits: the heaviest weight that a component accepts; refused: numbers of edges that were not accepted."""
    count = sizes.size
    for i in range(count):
        parent[i] = i
        areas[i] = sizes[i]
        limits[i] = internal[i] + min(scale // sizes[i], MOST_WEIGHT)
    left = 0
    for j in range(first.size):
        a, b = find_root(parent, first[j]), find_root(parent, second[j])
        if a == b:
            continue
        weight = np.int32(weights[j])
        if weight <= limits[a] and weight <= limits[b]:
            low, high = min(a, b), max(a, b)
            parent[high] = low
            areas[low] += areas[high]
            limits[low] = weight + min(scale // areas[low], MOST_WEIGHT)
            count -= 1
        else:
            refused[left] = j
            left += 1
    for k in range(left):
        j = refused[k]
        a, b = find_root(parent, first[j]), find_root(parent, second[j])
        if a != b and (areas[a] < smallest or areas[b] < smallest):
            low, high = min(a, b), max(a, b)
            parent[high] = low
            areas[low] += areas[high]
            count -= 1
    for i in range(parent.size):
        parent[i] = parent[parent[i]]
    return count


def _merge_regions_cpu(first, second, weights, sizes, internal, scales, smallest):
    regions = sizes.size
    parents, counts = np.empty((scales.size, regions), np.int32), np.empty(scales.size, np.int32)
    areas, limits, refused = np.empty(regions, np.int32), np.empty(regions, np.int64), np.empty(first.size, np.int32)
    for s in range(scales.size):
        lists = first, second, weights, sizes, internal, scales[s], smallest, parents[s], areas, limits, refused
        counts[s] = _merge(*lists)
    return parents, counts


def _merge_regions_cuda(first, second, weights, sizes, internal, scales, smallest):
    xp = array_module(first)
    regions, edges, tried = sizes.size, first.size, scales.size
    parents, counts = xp.empty((tried, regions), np.int32), xp.empty(tried, np.int32)
    areas, heaviest, lightest, finished, firsts = (xp.empty((tried, regions), np.int32) for _ in range(5))
    live = xp.empty((tried, max(edges, 1)), np.int32)
    _cuda.launch_blocks(
        "merge_regions",
        (tried,),
        (BLOCK,),
        *(first, second, weights, sizes, internal, scales),
        *(firsts, areas, heaviest, lightest, finished, live, parents, counts),
        *(np.int32(regions), np.int32(edges), smallest),
    )
    return parents, counts


def _sample(rng, size_hw):
    regions = size_hw[0] * size_hw[1] // 8 + 1
    # Every region touches about three that are near it in number.
    first = rng.integers(0, regions, 3 * regions)
    second = np.clip(first + rng.integers(1, 9, first.size), 0, regions - 1)
    first, second = (end[first != second].astype(np.int32) for end in (first, second))
    weights = np.sort(rng.integers(0, 60, first.size)).astype(np.uint16)
    sizes, internal = (rng.integers(low, 40, regions).astype(np.int32) for low in (1, 0))
    scales = np.array([0, 300, 900, 4000], np.int64)
    return first, second, weights, sizes, internal // 4, scales, np.int64(25)


merge_regions = Kernel("merge_regions", cpu=_merge_regions_cpu, cuda=_merge_regions_cuda, sample=_sample, atol=0)
