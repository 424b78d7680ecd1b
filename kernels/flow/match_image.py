"""What patch matching compares: grey levels less the mean of their surroundings, as bytes, with a frame of edge pixels.

``matched = 128 + grey - mean of 9x9``, cut off at 0 and 255: a slow change of light drops out, and a patch of 8x8
bytes fits in one vector. Whole numbers only, so that both devices have the same bits.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

REACH = 4  # the surroundings are the 9x9 pixels up to 4 away
FRAME = 8  # pixels added on each side: a patch whose centre is in the image fits in it

_cuda = CudaSource(__file__, {"REACH": str(REACH), "FRAME": str(FRAME)})


@cpu_kernel
def _match_rows(first_row, end_row, image, matched):
    """image: (height, width) float32 in [0, 1]; matched: (height + 2 FRAME, width + 2 FRAME) uint8."""
    height, width = image.shape
    reach, half, levels = REACH, np.float32(0.5), np.float32(255)
    columns = np.zeros(width, np.int32)  # sums over the rows that the window covers
    grey = np.empty(width, np.int32)
    size = (2 * reach + 1) * (2 * reach + 1)
    for y in range(first_row, end_row):
        if y == first_row:
            for k in range(-reach, reach + 1):
                row = image[min(max(y + k, 0), height - 1)]
                for x in range(width):
                    columns[x] += np.int32(min(max(row[x], np.float32(0)), np.float32(1)) * levels + half)
        else:
            low, high = image[max(y - reach - 1, 0)], image[min(y + reach, height - 1)]
            for x in range(width):
                columns[x] += np.int32(min(max(high[x], np.float32(0)), np.float32(1)) * levels + half)
            for x in range(width):
                columns[x] -= np.int32(min(max(low[x], np.float32(0)), np.float32(1)) * levels + half)
        row, to = image[y], matched[y + FRAME]
        for x in range(width):
            grey[x] = np.int32(min(max(row[x], np.float32(0)), np.float32(1)) * levels + half)
        total = np.int32(0)
        for k in range(-reach, reach + 1):
            total += columns[min(max(k, 0), width - 1)]
        for x in range(width):
            # Rounded: all terms are positive.
            mean = (2 * total + size) // (2 * size)
            to[x + FRAME] = min(max(128 + grey[x] - mean, 0), 255)
            total += columns[min(x + reach + 1, width - 1)] - columns[max(x - reach, 0)]
        for x in range(FRAME):
            to[x], to[FRAME + width + x] = to[FRAME], to[FRAME + width - 1]
        if y == 0:
            for k in range(FRAME):
                for x in range(width + 2 * FRAME):
                    matched[k, x] = to[x]
        if y == height - 1:
            for k in range(FRAME):
                for x in range(width + 2 * FRAME):
                    matched[height + FRAME + k, x] = to[x]


def _match_image_cpu(image):
    height, width = image.shape
    matched = np.empty((height + 2 * FRAME, width + 2 * FRAME), np.uint8)
    run_bands(_match_rows, height, image, matched)
    return matched


def _match_image_cuda(image):
    height, width = image.shape
    matched = array_module(image).empty((height + 2 * FRAME, width + 2 * FRAME), np.uint8)
    _cuda.launch_image("match_image", matched.shape, image, matched, np.int32(height), np.int32(width))
    return matched


def _sample(rng, size_hw):
    return (rng.random(size_hw, dtype=np.float32),)


match_image = Kernel("match_image", cpu=_match_image_cpu, cuda=_match_image_cuda, sample=_sample)
