"""Which regions touch, how long their border is, and how strong.

For each pair i < j of labels of 0 or more, over all pairs of pixels p, q with them that are neighbours along a row or a
column:

    length = number        sum = total of strength(p) + strength(q)
    lowest, highest = least and greatest of max(strength(p), strength(q))

Whole numbers throughout, so that the order cannot matter. Negative labels are no regions.
"""

import numpy as np

from cvseg.arrays import array_module, to_host
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

LENGTH, SUM, LOWEST, HIGHEST = range(4)


@cpu_kernel(forceinline=True)
def _place(keys, key):
    """Where `key` stands in a table, or may stand: the first free place from the one that its bits choose."""
    last = np.uint64(keys.size - 1)
    place = (np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32) & last
    while keys[place] != key and keys[place] >= 0:
        place = (place + np.uint64(1)) & last
    return place


@cpu_kernel
def _doubled(keys, table):
    new_keys, new_table = np.full(4 * keys.size, -1, np.int64), np.empty((4 * keys.size, 4), np.int64)
    for k in range(keys.size):
        if keys[k] >= 0:
            place = _place(new_keys, keys[k])
            new_keys[place] = keys[k]
            new_table[place] = table[k]
    return new_keys, new_table


@cpu_kernel
def _list_pairs(labels, strength):
    """labels: (height, width) int32; strength: (height, width) uint16. Returns keys and their rows, in any order."""
    height, width = labels.shape
    keys, table = np.full(1024, -1, np.int64), np.empty((1024, 4), np.int64)
    count = 0
    recent, place = np.full(2, -1, np.int64), np.zeros(2, np.uint64)
    for y in range(height):
        row, below = labels[y], labels[min(y + 1, height - 1)]
        for x in range(width):
            label = row[x]
            right, under = row[min(x + 1, width - 1)], below[x]
            if right == label and under == label:
                continue  # nearly everywhere
            for d in range(2):
                other = right if d == 0 else under
                if other == label or label < 0 or other < 0:
                    continue
                one = np.int64(strength[y, x])
                two = np.int64(strength[y, x + 1] if d == 0 else strength[y + 1, x])
                key = np.int64(min(label, other)) << 32 | np.int64(max(label, other))
                if key != recent[d]:  # along a border most are the pair of before
                    recent[d], place[d] = key, _place(keys, key)
                    if keys[place[d]] != key:
                        keys[place[d]] = key
                        entry = table[place[d]]
                        entry[0], entry[1], entry[2], entry[3] = 0, 0, 65535, 0
                        count += 1
                        if 2 * count > keys.size:
                            keys, table = _doubled(keys, table)
                            place[d] = _place(keys, key)
                            recent[1 - d] = -1
                entry = table[place[d]]
                entry[0] += 1
                entry[1] += one + two
                entry[2] = min(entry[2], max(one, two))
                entry[3] = max(entry[3], max(one, two))
    taken = keys >= 0
    return keys[taken], table[taken]


def _sorted(keys, table):
    order = np.argsort(keys)
    keys = keys[order]
    pairs = np.stack((keys >> 32, keys & 0xFFFFFFFF), axis=1).astype(np.int32)
    return pairs, np.ascontiguousarray(table[order])


def _region_adjacency_cpu(labels, strength):
    return _sorted(*_list_pairs(labels, strength))


def _region_adjacency_cuda(labels, strength):
    xp = array_module(labels)
    height, width = labels.shape
    sizes = np.int32(height), np.int32(width)
    borders = xp.zeros(1, np.int32)
    _cuda.launch_image("region_adjacency_count", (height, width), labels, borders, *sizes)
    # No more pairs than borders: the table is at least half empty.
    places = 1 << max(10, int(2 * to_host(borders)[0]).bit_length())
    keys = xp.empty(places, np.uint64)
    table = xp.empty((places, 4), np.uint64)
    _cuda.launch_linear("region_adjacency_start", places, keys, table, np.int32(places))
    _cuda.launch_image("region_adjacency", (height, width), labels, strength, keys, table, *sizes, np.int32(places))
    host_keys, host_table = to_host(keys).view(np.int64), to_host(table).view(np.int64)
    taken = host_keys >= 0
    return tuple(xp.asarray(array) for array in _sorted(host_keys[taken], host_table[taken]))


def _sample(rng, size_hw):
    coarse = rng.integers(-1, 40, (size_hw[0] // 5 + 1, size_hw[1] // 7 + 1), dtype=np.int32)
    labels = np.ascontiguousarray(coarse.repeat(5, 0).repeat(7, 1)[: size_hw[0], : size_hw[1]])
    labels[: size_hw[0] // 4] = rng.integers(0, 2**31 - 1, (size_hw[0] // 4, size_hw[1]))  # many pairs
    return labels, rng.integers(0, 2048, size_hw).astype(np.uint16)


region_adjacency = Kernel(
    "region_adjacency", cpu=_region_adjacency_cpu, cuda=_region_adjacency_cuda, sample=_sample, atol=0
)
