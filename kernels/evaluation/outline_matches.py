"""For all pairs of objects of two label maps: how many outline pixels of one have some of the other near."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

OBJECTS = 32  # bits of a pixel; the same word stands in the .cu file
BAND = 64  # rows that count into one table


@cpu_kernel
def _found_near(other, wanted, x, y, half_widths):
    """Those of the bits `wanted` that a pixel of `other` within the radius has. Rows from the middle outwards."""
    height, width = other.shape
    radius = half_widths.shape[0] - 1
    found = np.uint32(0)
    for step in range(2 * radius + 1):
        dy = (step + 1) // 2 if step % 2 == 1 else -(step // 2)
        if y + dy < 0 or y + dy >= height:
            continue
        row = other[y + dy]
        reach = half_widths[abs(dy)]
        for column in range(np.uint64(max(x - reach, 0)), np.uint64(min(x + reach, width - 1) + 1)):
            found |= row[column]
        if found & wanted == wanted:
            break
    return found & wanted


@cpu_kernel
def _match_bands(first_band, end_band, outlines, other, partners, half_widths, lengths, near):
    """outlines, other: (height, width) uint32; lengths: (bands, OBJECTS), near: (bands, OBJECTS, OBJECTS) int32."""
    height, width = outlines.shape
    for band in range(first_band, end_band):
        length = lengths[band]
        count = near[band]
        for y in range(band * BAND, min((band + 1) * BAND, height)):
            row = outlines[y]
            x = 0
            while x < width:
                # Most words are zero: look at eight at a time.
                while x + 8 <= width and (
                    row[x] | row[x + 1] | row[x + 2] | row[x + 3] | row[x + 4] | row[x + 5] | row[x + 6] | row[x + 7]
                ) == np.uint32(0):
                    x += 8
                while x < width and row[x] == np.uint32(0):
                    x += 1
                if x == width:
                    break
                bits = row[x]
                wanted = np.uint32(0)
                for k in range(OBJECTS):
                    if bits >> np.uint32(k) & np.uint32(1):
                        length[k] += 1
                        wanted |= partners[k]
                if wanted != np.uint32(0):
                    found = _found_near(other, wanted, x, y, half_widths)
                    if found != np.uint32(0):
                        for k in range(OBJECTS):
                            if bits >> np.uint32(k) & np.uint32(1):
                                # `wanted` holds the partners of all objects of this pixel; only its own count.
                                own = found & partners[k]
                                for j in range(OBJECTS):
                                    count[k, j] += np.int32(own >> np.uint32(j) & np.uint32(1))
                x += 1


def _half_widths(radius):
    """Reach of a disk of `radius` in the rows 0 to radius from its middle; (radius + 1,) int64."""
    rows = np.arange(int(radius) + 1, dtype=np.int64)
    reach = np.sqrt(int(radius) ** 2 - rows**2).astype(np.int64)
    reach -= reach**2 + rows**2 > int(radius) ** 2
    return reach + ((reach + 1) ** 2 + rows**2 <= int(radius) ** 2)


def _outline_matches_cpu(outlines, other, partners, radius):
    bands = -(-outlines.shape[0] // BAND)
    lengths = np.zeros((bands, OBJECTS), np.int32)
    near = np.zeros((bands, OBJECTS, OBJECTS), np.int32)
    # A partner that is nowhere would be looked for in vain around every pixel.
    present = np.bitwise_or.reduce(other, axis=None)
    half_widths = _half_widths(radius)
    run_bands(_match_bands, bands, outlines, other, partners & present, half_widths, lengths, near, least=2)
    return lengths.sum(0, dtype=np.int32), near.sum(0, dtype=np.int32)


def _outline_matches_cuda(outlines, other, partners, radius):
    height, width = outlines.shape
    module = array_module(outlines)
    lengths, near = module.zeros(OBJECTS, np.int32), module.zeros((OBJECTS, OBJECTS), np.int32)
    sizes = np.int32(radius), np.int32(height), np.int32(width)
    _cuda.launch_image("outline_matches", (height, width), outlines, other, partners, lengths, near, *sizes)
    return lengths, near


def _sample(rng, size_hw):
    bits = np.uint32(1) << rng.integers(0, 32, (2, *size_hw), dtype=np.uint32)
    bits |= np.uint32(1) << rng.integers(0, 32, (2, *size_hw), dtype=np.uint32)
    outlines, other = np.where(rng.random((2, *size_hw)) < 0.04, bits, np.uint32(0))
    partners = rng.integers(0, 2**32, 32, dtype=np.uint32)
    return np.ascontiguousarray(outlines), np.ascontiguousarray(other), partners, np.int32(4)


outline_matches = Kernel("outline_matches", cpu=_outline_matches_cpu, cuda=_outline_matches_cuda, sample=_sample)
