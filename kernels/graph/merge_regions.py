"""The merging of `merge_pixels` on a list of regions; then the small ones join a neighbour.

Sequential, and on the host wherever the pixels are: the lists are short, and a search goes through them several times.
"""

import numpy as np

from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.graph.edge_weights import NO_EDGE


@cpu_kernel(forceinline=True)
def _find_root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@cpu_kernel
def merge_regions(first, second, weights, sizes, internal, scale, smallest, parent, areas, heaviest):
    """Join regions that accept the edge between them, then those below `smallest` along their lightest edge.

    first, second: (n,) int32, the ends of edges in the order in which they are looked at.   weights: (n,) uint16.
    sizes, internal: (regions,) int32.   scale, smallest: int64.
    parent: (regions,) int32, written: the first region of what each belongs to.   areas, heaviest: the same, scratch.
    Returns how many are left.
    """
    count = sizes.size
    for i in range(count):
        parent[i] = i
        areas[i] = sizes[i]
        heaviest[i] = internal[i]
    for absorbing in range(2):
        for j in range(first.size):
            a, b = _find_root(parent, first[j]), _find_root(parent, second[j])
            if a == b:
                continue
            if absorbing == 1:
                joins = areas[a] < smallest or areas[b] < smallest
            else:
                weight = np.int64(weights[j])
                joins = (weight - heaviest[a]) * areas[a] <= scale and (weight - heaviest[b]) * areas[b] <= scale
            if joins:
                low, high = min(a, b), max(a, b)
                parent[high] = low
                areas[low] += areas[high]
                heaviest[low] = weights[j]
                count -= 1
    for i in range(parent.size):
        parent[i] = parent[parent[i]]
    return count


@cpu_kernel(forceinline=True)
def _place(pairs, pair):
    """Where `pair` stands in a table, or may stand: the first free place from the one that its bits choose."""
    last = np.uint64(pairs.size - 1)
    place = (np.uint64(pair) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32) & last
    while pairs[place] != pair and pairs[place] >= 0:
        place = (place + np.uint64(1)) & last
    return place


@cpu_kernel
def lightest_edges(weights, roots, numbers, regions):
    """For each pair of regions that touch, the lightest edge between them, and of equal ones the first.

    Heavier ones between the same two are never needed: where the lightest is refused, one of the two never grows again
    by the criterion; where it is passed over as both are large enough, they stay so.

    weights: (height, width, directions) uint16.   roots: (height, width) int32.   numbers: (height width) int32: that
    of the region at its root, from 0 to `regions` - 1.
    Returns pairs (int64, first * regions + second) and keys (int64, weight * 2^32 + number of the edge), in any order.
    """
    height, width, directions = weights.shape
    regions = np.int64(regions)
    size = 1024
    pairs, keys = np.full(size, -1, np.int64), np.empty(size, np.int64)
    count = 0
    others = np.empty(4, np.int32)
    recent_pairs, recent_keys = np.full(4, -1, np.int64), np.zeros(4, np.int64)
    for y in range(height):
        row, below = roots[y], roots[min(y + 1, height - 1)]
        row_weights = weights[y].reshape(-1)
        for x in range(width):
            root = row[x]
            right, left = min(x + 1, width - 1), max(x - 1, 0)
            others[0], others[1], others[2], others[3] = row[right], below[x], below[right], below[left]
            if ((others[0] ^ root) | (others[1] ^ root) | (others[2] ^ root) | (others[3] ^ root)) == 0:
                continue  # nearly everywhere
            one = np.int64(numbers[root])
            for d in range(directions):
                other = others[d]
                if other == root:
                    continue
                weight = np.int64(row_weights[x * directions + d])
                if weight == NO_EDGE:
                    continue
                key = (weight << 32) + (y * width + x) * directions + d
                two = np.int64(numbers[other])
                pair = min(one, two) * regions + max(one, two)
                if pair == recent_pairs[d] and key >= recent_keys[d]:
                    continue  # along a boundary most are the pair of before
                recent_pairs[d], recent_keys[d] = pair, key
                place = _place(pairs, pair)
                if pairs[place] == pair:
                    keys[place] = min(keys[place], key)
                    continue
                pairs[place], keys[place] = pair, key
                count += 1
                if 2 * count > size:
                    size *= 4
                    old_pairs, old_keys = pairs, keys
                    pairs, keys = np.full(size, -1, np.int64), np.empty(size, np.int64)
                    for k in range(old_pairs.size):
                        if old_pairs[k] >= 0:
                            place = _place(pairs, old_pairs[k])
                            pairs[place], keys[place] = old_pairs[k], old_keys[k]
    taken = pairs >= 0
    return pairs[taken], keys[taken]
