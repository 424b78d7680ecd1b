"""The two most similar cells of another frame, for every cell: exhaustive, exact, the same on both devices."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.consensus.cell_descriptors import DESCRIPTOR_CHANNELS
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import ZERO, fma, load16, select, splat16, store16

_cuda = CudaSource(__file__)


@cpu_kernel
def _into_tiles(reference, tiles):
    """reference: (channels, cells); tiles: flat (blocks, channels, 16), so that a block of 16 cells lies together."""
    channels, cells = reference.shape
    for k in range(channels):
        for j in range(-(-cells // 16) * 16):
            # Beyond the last cell: infinitely far.
            tiles[(j // 16 * channels + k) * 16 + j % 16] = reference[k, j] if j < cells else np.float32(np.inf)


@cpu_kernel
def _keep_two(found, block, best, best_block, second, second_block):
    """Put `found` of this `block` among the two smallest of each lane; an equal one comes after."""
    nearer, near = found < best, found < second
    loser, loser_block = select(near, found, second), select(near, block, second_block)
    second, second_block = select(nearer, best, loser), select(nearer, best_block, loser_block)
    return select(nearer, found, best), select(nearer, block, best_block), second, second_block


@cpu_kernel
def _store_pairs(to, index, a, b, c, d):
    store16(to, index, a)
    store16(to, index + 16, b)
    store16(to, index + 32, c)
    store16(to, index + 48, d)


@cpu_kernel
def _two_nearest(lane_distances, lane_blocks, nearest, distances):
    """The two smallest of 16 lanes that hold two each, lanes in (2, 16) flat; of equals, the lower cell."""
    best = second = np.float32(np.inf)
    best_cell = second_cell = 0
    for n in range(32):
        distance = lane_distances[n]
        if distance > second or not distance < np.inf:
            continue
        cell = int(lane_blocks[n]) * 16 + n % 16
        if distance < best or (distance == best and cell < best_cell):
            best, second, best_cell, second_cell = distance, best, cell, best_cell
        elif distance < second or cell < second_cell:
            second, second_cell = distance, cell
    nearest[0], nearest[1], distances[0], distances[1] = best_cell, second_cell, best, second


@cpu_kernel
def _nearest_rows(first_row, end_row, descriptors, pairs, nearest, distances):
    """A row is one (pair, query cell). Four queries at a time against 16 cells: a load serves four sums."""
    channels, cells = descriptors.shape[1:]
    blocks = -(-cells // 16)
    tiles, own = np.empty(blocks * channels * 16, np.float32), np.empty(4 * channels, np.float32)
    own_cells, unlike = np.empty(4, np.int64), np.empty(64, np.float32)
    lane_distances, lane_blocks = np.empty((4, 32), np.float32), np.empty((4, 32), np.float32)
    row = first_row
    while row < end_row:
        pair, first = row // cells, row % cells
        end = min(cells, first + end_row - row)
        row += end - first
        query, same_frame = descriptors[pairs[pair, 0]], pairs[pair, 0] == pairs[pair, 1]
        _into_tiles(descriptors[pairs[pair, 1]], tiles)
        for i in range(first, end, 4):
            for n in range(4):
                own_cells[n] = min(i + n, end - 1)  # at the end of the band the last query is repeated
                for k in range(channels):
                    own[4 * k + n] = query[k, own_cells[n]]
            # Each lane keeps its two nearest: b before c, and the blocks they lie in.
            none = splat16(np.float32(np.inf))
            b0, b1, b2, b3, c0, c1, c2, c3 = none, none, none, none, none, none, none, none
            zero = splat16(ZERO)
            p0, p1, p2, p3, q0, q1, q2, q3 = zero, zero, zero, zero, zero, zero, zero, zero
            for block in range(blocks):
                s0, s1, s2, s3 = zero, zero, zero, zero
                for k in range(channels):
                    # Unsigned: an index that may be negative costs three instructions.
                    there, at = load16(tiles, (block * channels + k) * 16), np.uint64(4 * k)
                    d0, d1 = there - own[at], there - own[at + np.uint64(1)]
                    d2, d3 = there - own[at + np.uint64(2)], there - own[at + np.uint64(3)]
                    s0, s1, s2, s3 = fma(d0, d0, s0), fma(d1, d1, s1), fma(d2, d2, s2), fma(d3, d3, s3)
                if same_frame and own_cells[0] // 16 <= block <= own_cells[3] // 16:
                    store16(unlike, 0, s0)
                    store16(unlike, 16, s1)
                    store16(unlike, 32, s2)
                    store16(unlike, 48, s3)
                    for n in range(4):
                        if own_cells[n] // 16 == block:
                            unlike[16 * n + own_cells[n] % 16] = np.float32(np.inf)
                    s0, s1, s2, s3 = load16(unlike, 0), load16(unlike, 16), load16(unlike, 32), load16(unlike, 48)
                here = splat16(np.float32(block))
                b0, p0, c0, q0 = _keep_two(s0, here, b0, p0, c0, q0)
                b1, p1, c1, q1 = _keep_two(s1, here, b1, p1, c1, q1)
                b2, p2, c2, q2 = _keep_two(s2, here, b2, p2, c2, q2)
                b3, p3, c3, q3 = _keep_two(s3, here, b3, p3, c3, q3)
            flat, flat_blocks = lane_distances.reshape(-1), lane_blocks.reshape(-1)
            _store_pairs(flat, 0, b0, c0, b1, c1)
            _store_pairs(flat, 64, b2, c2, b3, c3)
            _store_pairs(flat_blocks, 0, p0, q0, p1, q1)
            _store_pairs(flat_blocks, 64, p2, q2, p3, q3)
            for n in range(min(4, end - i)):
                _two_nearest(lane_distances[n], lane_blocks[n], nearest[pair, i + n], distances[pair, i + n])


def _nearest_cells_cpu(descriptors, pairs):
    cells = descriptors.shape[2]
    nearest = np.empty((len(pairs), cells, 2), np.int32)
    distances = np.empty((len(pairs), cells, 2), np.float32)
    run_bands(_nearest_rows, len(pairs) * cells, descriptors, pairs, nearest, distances)
    return nearest, distances


def _nearest_cells_cuda(descriptors, pairs):
    cells = descriptors.shape[2]
    module = array_module(descriptors)
    nearest = module.empty((len(pairs), cells, 2), np.int32)
    distances = module.empty((len(pairs), cells, 2), np.float32)
    _cuda.launch_blocks(
        "nearest_cells",
        (-(-cells // 64), len(pairs)),
        (64,),
        descriptors,
        pairs,
        nearest,
        distances,
        np.int32(cells),
    )
    return nearest, distances


def _sample(rng, size_hw):
    cells = -(-size_hw[0] // 20) * -(-size_hw[1] // 20)
    descriptors = rng.random((5, DESCRIPTOR_CHANNELS, cells), dtype=np.float32)
    pairs = np.int32([[4, 4], [4, 1], [1, 4], [4, 0], [0, 4]])
    return descriptors, pairs


nearest_cells = Kernel("nearest_cells", cpu=_nearest_cells_cpu, cuda=_nearest_cells_cuda, sample=_sample)
