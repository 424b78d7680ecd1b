"""First samples of a sample consensus: colours and patterns of random neighbours in the first picture."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.background.pixel_hash import mixed, pixel_hash
from cvseg.kernels.background.texture_bits import BLOCK, EDGE, REACH, texture_bits
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _begin_rows(first_row, end_row, planes, bits, width, colors, patterns):
    """planes, bits: as `texture_bits` gives them; colors: (height, blocks, samples, 3, 32); patterns: without the 3."""
    height, samples = patterns.shape[0], patterns.shape[2]
    key = mixed(np.uint32(0))
    for y in range(first_row, end_row):
        for x in range(width):
            block, lane = x // BLOCK, x % BLOCK
            for sample in range(samples):
                bits_here = pixel_hash((y * width + x) * samples + sample, key)
                # 25 places of a 5x5 window
                place = np.int64((np.uint32(bits_here >> np.uint32(8)) * np.uint64(25)) >> np.uint64(24))
                from_y = min(max(y + place // 5 - 2, 0), height - 1)
                from_x = min(max(x + place % 5 - 2, 0), width - 1)
                for channel in range(3):
                    colors[y, block, sample, channel, lane] = planes[channel, from_y + REACH, from_x + EDGE]
                patterns[y, block, sample, lane] = bits[from_y, from_x]


def _empty_samples(xp, bits, samples):
    height, columns = bits.shape
    colors = xp.zeros((height, columns // BLOCK, int(samples), 3, BLOCK), np.uint8)
    return colors, xp.zeros((height, columns // BLOCK, int(samples), BLOCK), np.int16)


def _sample_begin_cpu(planes, bits, width, samples):
    colors, patterns = _empty_samples(np, bits, samples)
    run_bands(_begin_rows, bits.shape[0], planes, bits, np.int64(width), colors, patterns)
    return colors, patterns


def _sample_begin_cuda(planes, bits, width, samples):
    colors, patterns = _empty_samples(array_module(bits), bits, samples)
    height, pitch = bits.shape[0], planes.shape[2]
    sizes = samples, np.int32(height), width, np.int32(pitch)
    _cuda.launch_image("sample_begin", (height, int(width)), planes, bits, colors, patterns, *sizes)
    return colors, patterns


def _sample(rng, size_hw):
    planes, bits = texture_bits.cpu(rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8), np.int32(3))
    return planes.copy(), bits.copy(), np.int32(size_hw[1]), np.int32(7)


sample_begin = Kernel("sample_begin", cpu=_sample_begin_cpu, cuda=_sample_begin_cuda, sample=_sample)
