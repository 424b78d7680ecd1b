"""Colour the labelled regions of an image, with a line along their inner edge."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _tint_rows(first_row, end_row, image, labels, fill, line, opacity, width_px, tinted):
    """image, tinted: (height, width, 3) uint8; labels: (height, width) int32; fill, line: (256, 3) uint8.

    Label 0 and below stay as they are. Labels above 255 take the colours 1 to 255 again and again.
    """
    height, width = labels.shape
    for y in range(first_row, end_row):
        for x in range(width):
            label = labels[y, x]
            if label <= 0:
                for c in range(3):
                    tinted[y, x, c] = image[y, x, c]
                continue
            color = (label - 1) % 255 + 1
            edge = False
            for step in range(1, width_px + 1):
                if (
                    labels[y, max(x - step, 0)] != label
                    or labels[y, min(x + step, width - 1)] != label
                    or labels[max(y - step, 0), x] != label
                    or labels[min(y + step, height - 1), x] != label
                ):
                    edge = True
                    break
            for c in range(3):
                if edge:
                    tinted[y, x, c] = line[color, c]
                else:
                    mixed = np.int32(image[y, x, c]) * (256 - opacity) + np.int32(fill[color, c]) * opacity + 128
                    tinted[y, x, c] = mixed >> 8


def _tint_labels_cpu(image, labels, fill, line, opacity, width_px):
    """opacity: int32, 0 to 256 of the fill colour; width_px: int32, how wide the line is, 0 for none."""
    tinted = np.empty_like(image)
    run_bands(_tint_rows, image.shape[0], image, labels, fill, line, opacity, width_px, tinted)
    return tinted


def _tint_labels_cuda(image, labels, fill, line, opacity, width_px):
    tinted = array_module(image).empty_like(image)
    height, width = labels.shape
    _cuda.launch_image(
        "tint_labels",
        (height, width),
        image,
        labels,
        fill,
        line,
        tinted,
        np.int32(opacity),
        np.int32(width_px),
        np.int32(height),
        np.int32(width),
    )
    return tinted


def _sample(rng, size_hw):
    height, width = size_hw
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    # Blocks, so that there are insides and edges; some labels above 255, some below 0.
    blocks = rng.integers(-3, 600, (height // 7 + 1, width // 9 + 1), dtype=np.int32)
    blocks[rng.random(blocks.shape) < 0.4] = 0
    labels = np.ascontiguousarray(np.kron(blocks, np.ones((7, 9), np.int32))[:height, :width])
    fill, line = rng.integers(0, 256, (2, 256, 3), dtype=np.uint8)
    return image, labels, fill, line, np.int32(90), np.int32(2)


tint_labels = Kernel("tint_labels", cpu=_tint_labels_cpu, cuda=_tint_labels_cuda, sample=_sample)
