"""Samples handed to neighbours: every pixel takes what its neighbours have announced for it, in raster order.

Writing into a neighbour's samples would race. Here each pixel looks around and copies: the same bits on any device.
"""

import numpy as np

from cvseg.kernels.background.pixel_hash import mixed, pixel_hash
from cvseg.kernels.background.sample_begin import sample_begin
from cvseg.kernels.background.sample_consensus import mixed_number, slot_of
from cvseg.kernels.background.texture_bits import BLOCK, EDGE, REACH, texture_bits
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _spread_rows(first_row, end_row, pushes, planes, bits, key, colors, patterns):
    """Arrays as `sample_consensus` has them; pushes: (height, width) uint8."""
    height, width = pushes.shape
    samples = patterns.shape[2]
    for y in range(first_row, end_row):
        for from_y in range(max(y - REACH, 0), min(y + REACH + 1, height)):
            wanted = y - from_y + REACH  # the row of a 5x5 window that points here
            # Codes 1 to 24 number the window without its middle, 12.
            low, high = 5 * wanted + 1, 5 * wanted + 5
            if wanted == 2:
                high = 14
            elif wanted > 2:
                low, high = low - 1, high - 1
            row = pushes[from_y]
            for from_x in range(width):
                code = np.int64(row[from_x])
                if low <= code <= high:
                    place = code - 1 if code <= 12 else code
                    x = from_x + place % 5 - 2
                    if 0 <= x < width:
                        own = pixel_hash(from_y * width + from_x, key)
                        number = mixed(np.uint32(mixed(np.uint32(own ^ np.uint32(0x27D4EB2F))) ^ np.uint32(0x165667B1)))
                        slot = slot_of(number, samples)
                        for channel in range(3):
                            value = planes[channel, from_y + REACH, from_x + EDGE]
                            colors[y, x // BLOCK, slot, channel, x % BLOCK] = value
                        patterns[y, x // BLOCK, slot, x % BLOCK] = bits[from_y, from_x]


def _sample_spread_cpu(pushes, planes, bits, colors, patterns, frame):
    key = np.uint32(mixed_number(int(frame)))
    run_bands(_spread_rows, pushes.shape[0], pushes, planes, bits, key, colors, patterns)
    return colors, patterns


def _sample_spread_cuda(pushes, planes, bits, colors, patterns, frame):
    height, width = pushes.shape
    sizes = np.int32(patterns.shape[2]), np.int32(height), np.int32(width), np.int32(planes.shape[2])
    arrays = pushes, planes, bits, colors, patterns
    _cuda.launch_image("sample_spread", (height, width), *arrays, np.uint32(frame), *sizes)
    return colors, patterns


def _sample(rng, size_hw):
    planes, bits = (a.copy() for a in texture_bits.cpu(rng.integers(0, 256, (*size_hw, 3), np.uint8), np.int32(3)))
    colors, patterns = sample_begin.cpu(planes, bits, np.int32(size_hw[1]), np.int32(6))
    pushes = rng.integers(0, 25, size_hw).astype(np.uint8) * (rng.random(size_hw) < 0.4)
    return pushes.astype(np.uint8), planes, bits, colors, patterns, np.uint32(9)


sample_spread = Kernel("sample_spread", cpu=_sample_spread_cpu, cuda=_sample_spread_cuda, sample=_sample)
