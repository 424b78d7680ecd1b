"""Share the pixels of each region among its owners: the nearest owner, its size and last mask considered, takes one."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.labeling.next_labelled import next_labelled

_cuda = CudaSource(__file__)


@cpu_kernel
def _divide_rows(
    first_row, end_row, regions, previous, first_owner, owners, ellipses, shifts_xy, mask_discount, divided
):
    """regions, previous, divided: (height, width) int32; owners of region r: owners[first_owner[r]:first_owner[r + 1]].

    ellipses: (n + 1, 4) float32, centre x, y and 1 / half axes of each owner; shifts_xy: (n + 1, 2) int32, how far an
    owner has moved since `previous`. An owner's distance is multiplied by `mask_discount` where its moved mask lies.
    """
    height, width = regions.shape
    known = first_owner.shape[0] - 1
    for y in range(first_row, end_row):
        row = regions[y]
        divided[y] = 0
        following = next_labelled(row, 0)
        while following < width:
            x = following
            region = row[x]
            following = x + 1
            if following < width and row[following] == 0:
                following = next_labelled(row, following)
            if region <= 0 or region >= known:
                continue
            begin, end = first_owner[region], first_owner[region + 1]
            if end - begin < 2:
                divided[y, x] = owners[begin] if end > begin else 0
                continue
            nearest = owners[begin]
            least = np.float32(3.402823466e38)
            for k in range(begin, end):
                owner = owners[k]
                u = (np.float32(x) - ellipses[owner, 0]) * ellipses[owner, 2]
                v = (np.float32(y) - ellipses[owner, 1]) * ellipses[owner, 3]
                distance = u * u + v * v
                source_x, source_y = x - shifts_xy[owner, 0], y - shifts_xy[owner, 1]
                if 0 <= source_x < width and 0 <= source_y < height and previous[source_y, source_x] == owner:
                    distance = distance * mask_discount
                if distance < least:
                    nearest, least = owner, distance
            divided[y, x] = nearest


def _divide_regions_cpu(regions, previous, first_owner, owners, ellipses, shifts_xy, mask_discount):
    divided = np.empty_like(regions)
    run_bands(
        _divide_rows,
        regions.shape[0],
        regions,
        previous,
        first_owner,
        owners,
        ellipses,
        shifts_xy,
        mask_discount,
        divided,
        least=128,
    )
    return divided


def _divide_regions_cuda(regions, previous, first_owner, owners, ellipses, shifts_xy, mask_discount):
    divided = array_module(regions).empty_like(regions)
    height, width = regions.shape
    _cuda.launch_image(
        "divide_regions",
        (height, width),
        regions,
        previous,
        first_owner,
        owners,
        ellipses,
        shifts_xy,
        divided,
        mask_discount,
        np.int32(height),
        np.int32(width),
        np.int32(first_owner.shape[0] - 1),
    )
    return divided


def _sample(rng, size_hw):
    height, width = size_hw
    coarse = rng.integers(0, 7, (2, height // 9 + 1, width // 11 + 1), dtype=np.int32)
    regions, previous = np.ascontiguousarray(coarse.repeat(9, 1).repeat(11, 2)[:, :height, :width])
    # Region 0 is background, 1 has no owner, 2 has one, 3 to 5 have two or three; 6 is unknown to the table.
    first_owner = np.array([0, 0, 0, 1, 3, 6, 8], np.int32)
    owners = np.array([4, 1, 2, 1, 3, 5, 6, 2], np.int32)
    ellipses = np.empty((7, 4), np.float32)
    ellipses[:, 0] = rng.uniform(0, width, 7)
    ellipses[:, 1] = rng.uniform(0, height, 7)
    ellipses[:, 2:] = 1 / rng.uniform(2, 20, (7, 2))
    shifts_xy = rng.integers(-4, 5, (7, 2), dtype=np.int32)
    return regions, previous, first_owner, owners, ellipses, shifts_xy, np.float32(0.5)


divide_regions = Kernel("divide_regions", cpu=_divide_regions_cpu, cuda=_divide_regions_cuda, sample=_sample, atol=0)
