"""Where the pixels of each superpixel go along the flow: pairs of a label before and a label now, with pixel counts.

Every second pixel of every second row of the frame before is looked at. The end of the flow is rounded to the nearest
pixel; what leaves the picture, or has no finite flow, is left out.

Results: pairs (m,) int64, label before * count now + label now, in rising order; pixels (m, 2) int32, the second zero.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.supervoxels.pair_table import FREE, first_places, grown, place_of, sorted_pairs, table_on_gpu

_cuda = CudaSource(__file__)

STEP = 2


@cpu_kernel
def _add_pixels(before, now, flow_xy, count, places):
    """before, now: (height, width) int32; flow_xy: (height, width, 2) float32. Returns the table."""
    height, width = before.shape
    pairs, sums = np.full(places, FREE, np.int64), np.zeros((places, 2), np.int32)
    held = 0
    half = np.float32(0.5)
    recent, recent_place = np.int64(FREE), np.uint64(0)
    for y in range(0, height, STEP):
        for x in range(0, width, STEP):
            # Compared as floats before they become indices: NaN and far-away targets fail.
            to_x = np.floor(np.float32(x) + flow_xy[y, x, 0] + half)
            to_y = np.floor(np.float32(y) + flow_xy[y, x, 1] + half)
            if not (to_x >= 0 and to_y >= 0 and to_x < np.float32(width) and to_y < np.float32(height)):
                continue
            pair = np.int64(before[y, x]) * count + now[int(to_y), int(to_x)]
            if pair != recent:
                place = place_of(pairs, pair)
                if pairs[place] != pair:
                    held += 1
                    if 2 * held > pairs.size:
                        pairs, sums = grown(pairs, sums)
                        place = place_of(pairs, pair)
                    pairs[place] = pair
                recent, recent_place = pair, place
            sums[recent_place, 0] += 1
    return pairs, sums


def _node_links_cpu(before, now, flow_xy, count):
    return sorted_pairs(*_add_pixels(before, now, flow_xy, np.int64(count), first_places(int(count))))


def _node_links_cuda(before, now, flow_xy, count):
    height, width = before.shape
    looked_at = -(-height // STEP), -(-width // STEP)
    sizes = np.int32(height), np.int32(width), np.int64(count)

    def launch(pairs, sums, full):
        table = pairs, sums, full, np.int32(pairs.size)
        _cuda.launch_image("node_links", looked_at, before, now, flow_xy, *table, *sizes)

    return table_on_gpu(array_module(before), int(count), launch)


def _sample(rng, size_hw):
    coarse = rng.integers(0, 40, (2, size_hw[0] // 5 + 1, size_hw[1] // 7 + 1), dtype=np.int32)
    before, now = np.ascontiguousarray(coarse.repeat(5, 1).repeat(7, 2)[:, : size_hw[0], : size_hw[1]])
    flow_xy = rng.normal(0, 4, (*size_hw, 2)).astype(np.float32)
    flow_xy[::11, ::13], flow_xy[::10, 4::7, 1] = np.nan, np.inf
    return before, now, flow_xy, np.int32(40)


node_links = Kernel("node_links", cpu=_node_links_cpu, cuda=_node_links_cuda, sample=_sample, atol=0)
