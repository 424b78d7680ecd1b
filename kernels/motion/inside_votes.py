"""Inside or outside: a ray from inside a closed boundary enters it an odd number of times on its way out.

Eight rays vote, so that gaps in the boundary do little harm [PapazoglouFerrari2013]_ section 3.1. Each pixel's count
follows from that of the next pixel on its ray, so that a line of pixels is walked once for all of its rays.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _count_planes(first_plane, end_plane, boundary, counts):
    """boundary: (planes, height, width) uint8, 0 or 1; counts: the same, rays of 8 that say inside."""
    _, height, width = boundary.shape
    one = np.uint8(1)
    padded = np.zeros((height + 2, width + 2), np.uint8)
    parity, following = np.zeros(width + 2, np.uint8), np.zeros(width + 2, np.uint8)
    for plane in range(first_plane, end_plane):
        # Not as one assignment of arrays: compiling its check of shapes would take two seconds.
        for y in range(height):
            for x in range(width):
                padded[y + 1, x + 1] = boundary[plane, y, x]
        for y in range(height):
            row, count = padded[y + 1], counts[plane, y]
            odd = np.uint8(0)
            for x in range(width, 0, -1):
                odd ^= row[x + 1] & (row[x] ^ one)
                count[x - 1] = odd
            odd = np.uint8(0)
            for x in range(1, width + 1):
                odd ^= row[x - 1] & (row[x] ^ one)
                count[x - 1] += odd
        for upwards in range(2):
            for dx in range(3):
                following[:] = 0
                for k in range(height):
                    y = k if upwards else height - 1 - k
                    here, count = padded[y + 1, 1 : width + 1], counts[plane, y]
                    next_row = padded[y if upwards else y + 2, dx : dx + width]
                    next_parity, result = following[dx : dx + width], parity[1 : width + 1]
                    for x in range(width):
                        result[x] = next_parity[x] ^ (next_row[x] & (here[x] ^ one))
                    for x in range(width):
                        count[x] += result[x]
                    parity, following = following, parity


@cpu_kernel
def _share_rows(first_row, end_row, counts, votes):
    planes, _, width = counts.shape
    rays = np.float32(8 * planes)
    for y in range(first_row, end_row):
        row = votes[y]
        row[:] = 0
        for plane in range(planes):
            count = counts[plane, y]
            for x in range(width):
                row[x] += np.float32(count[x])
        for x in range(width):
            row[x] /= rays


def _inside_votes_cpu(boundary):
    planes, height, _ = boundary.shape
    counts, votes = np.empty(boundary.shape, np.uint8), np.empty(boundary.shape[1:], np.float32)
    run_bands(_count_planes, planes, boundary, counts, least=1)
    run_bands(_share_rows, height, counts, votes, least=1000)
    return votes


def _inside_votes_cuda(boundary):
    xp = array_module(boundary)
    planes, height, width = boundary.shape
    rays, votes = xp.empty((planes, 8, height, width), np.uint8), xp.empty((height, width), np.float32)
    sizes = np.int32(height), np.int32(width), np.int32(planes)
    _cuda.launch_blocks("inside_votes_rays", (-(-(height + width) // 64), 4 * planes), (64,), boundary, rays, *sizes)
    _cuda.launch_linear("inside_votes", height * width, rays, votes, np.int32(height * width), sizes[2])
    return votes


def _sample(rng, size_hw):
    return ((rng.random((2, *size_hw)) < 0.2).astype(np.uint8),)


inside_votes = Kernel("inside_votes", cpu=_inside_votes_cpu, cuda=_inside_votes_cuda, sample=_sample)
