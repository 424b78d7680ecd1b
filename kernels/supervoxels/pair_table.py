"""A table of pairs with sums, for kernels that meet pairs in any order: open addressing, sorted at the end.

The CUDA halves use the same table with atomics, pair_table.cuh. In what order pairs come in decides only where they
stand in the table; sorted by pair, the result is the same.
"""

import numpy as np

from cvseg.arrays import array_module, to_host
from cvseg.kernels.cpu import cpu_kernel

FREE = -1  # a place of the table that holds no pair
PLACES_PER_NODE = 32  # of a first table; superpixels of a picture touch six others on average


@cpu_kernel(forceinline=True)
def place_of(pairs, pair):
    """Where `pair` stands in a table, or may stand: the first free place from the one that its bits choose."""
    last = np.uint64(pairs.size - 1)
    place = (np.uint64(pair) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32) & last
    while pairs[place] != pair and pairs[place] != FREE:
        place = (place + np.uint64(1)) & last
    return place


@cpu_kernel
def grown(pairs, sums):
    """The same table, four times as large."""
    new_pairs = np.full(4 * pairs.size, FREE, np.int64)
    new_sums = np.zeros((4 * pairs.size, 2), np.int32)
    for k in range(pairs.size):
        if pairs[k] != FREE:
            place = place_of(new_pairs, pairs[k])
            new_pairs[place] = pairs[k]
            new_sums[place] = sums[k]
    return new_pairs, new_sums


def first_places(nodes):
    """Places of a first table for so many nodes: a power of two."""
    return 1 << max(10, int(PLACES_PER_NODE * nodes - 1).bit_length())


def sorted_pairs(pairs, sums):
    """The pairs of a table in rising order, (m,) int64, and their sums (m, 2) int32; on the device they are on."""
    xp = array_module(pairs)
    host_pairs, host_sums = to_host(pairs), to_host(sums)
    taken = np.flatnonzero(host_pairs != FREE)
    order = taken[np.argsort(host_pairs[taken])]
    return xp.asarray(host_pairs[order]), xp.asarray(host_sums[order])


def table_on_gpu(xp, nodes, launch):
    """Fill a table by ``launch(pairs, sums, full)``, larger and larger until all pairs have a place."""
    places = first_places(nodes)
    while True:
        pairs = xp.full(places, np.uint64(2**64 - 1), np.uint64)
        sums, full = xp.zeros((places, 2), np.int32), xp.zeros(1, np.int32)
        launch(pairs, sums, full)
        if int(to_host(full)[0]) == 0:
            return sorted_pairs(pairs.view(np.int64), sums)
        places *= 4
