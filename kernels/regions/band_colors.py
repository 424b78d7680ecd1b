"""Colour sums of every region, of the upper, middle and lower third of its box. Integers: the order cannot matter."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.labeling.next_labelled import next_labelled

_cuda = CudaSource(__file__)

BANDS = 3
SUMS = 7  # n, sums of R, G, B and of their squares


@cpu_kernel
def _add_colors(labels, image, boxes_xyxy, sums):
    """labels: (height, width) int32; image: (height, width, 3) uint8; boxes, sums: as in the wrapper."""
    height, width = labels.shape
    regions = sums.shape[0]
    for y in range(height):
        row = labels[y]
        x = next_labelled(row, 0)
        while x < width:
            begin, label = x, row[x]
            n = reds = greens = blues = reds2 = greens2 = blues2 = 0
            known = label > 0 and label <= regions
            while x < width and row[x] == label:
                if known:
                    red, green, blue = int(image[y, x, 0]), int(image[y, x, 1]), int(image[y, x, 2])
                    reds += red
                    greens += green
                    blues += blue
                    reds2 += red * red
                    greens2 += green * green
                    blues2 += blue * blue
                x += 1
            if known:
                n = x - begin
                r = label - 1
                top, bottom = boxes_xyxy[r, 1], boxes_xyxy[r, 3]
                band = min(max(y - top, 0) * BANDS // max(bottom - top, 1), BANDS - 1)
                sums[r, band, 0] += n
                sums[r, band, 1] += reds
                sums[r, band, 2] += greens
                sums[r, band, 3] += blues
                sums[r, band, 4] += reds2
                sums[r, band, 5] += greens2
                sums[r, band, 6] += blues2
            if x < width and row[x] == 0:
                x = next_labelled(row, x)


def _band_colors_cpu(labels, image, boxes_xyxy):
    sums = np.zeros((len(boxes_xyxy), BANDS, SUMS), np.int64)
    _add_colors(labels, image, boxes_xyxy, sums)
    return sums


def _band_colors_cuda(labels, image, boxes_xyxy):
    height, width = labels.shape
    regions = len(boxes_xyxy)
    # Unsigned, because CUDA adds 64-bit atomically only without a sign; no sum is negative.
    sums = array_module(labels).zeros((regions, BANDS, SUMS), np.uint64)
    sizes = np.int32(height), np.int32(width), np.int32(regions)
    _cuda.launch_image("band_colors", (height, width), labels, image, boxes_xyxy, sums, *sizes)
    return sums.view(np.int64)


def _sample(rng, size_hw):
    coarse = rng.integers(0, 12, (size_hw[0] // 5 + 1, size_hw[1] // 7 + 1), dtype=np.int32)
    labels = np.ascontiguousarray(coarse.repeat(5, 0).repeat(7, 1)[: size_hw[0], : size_hw[1]])
    boxes = np.sort(rng.integers(0, size_hw[0] + 1, (10, 4), dtype=np.int32), axis=1)
    return labels, rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8), boxes


band_colors = Kernel("band_colors", cpu=_band_colors_cpu, cuda=_band_colors_cuda, sample=_sample, atol=0)
