"""How well each of many boxes shows the colours of a target: bands of the box against histograms, and its ring."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

BLOCK = 128
MOST_DIFFERENCE = 160  # of a point, summed over R, G, B: an outlier says no more than "another colour"


@cpu_kernel
def _score_boxes(first, end, image, boxes, points, bands, weights, colors, root_target, known, scales, scores):
    """Shapes as in the .cu file; colors and known flat."""
    height, width = image.shape[0], image.shape[1]
    parts, bins = root_target.shape
    pixels, cells = image.reshape(-1), np.uint32(parts * bins)
    last_x, last_y, zero = np.float32(width), np.float32(height), np.float32(0)
    sums, roots = np.empty(parts * bins + 1, np.int32), np.empty(parts * bins, np.float32)
    target, most = root_target.reshape(-1), np.int32(MOST_DIFFERENCE)
    # The colours of the ring fall into a cell of their own, that nobody reads: no branch in the loop.
    start = np.empty(len(bands), np.uint32)
    mask = np.empty(len(bands), np.uint32)
    for i in range(len(bands)):
        inside = bands[i] < parts
        start[i] = np.uint32(bands[i] * bins) if inside else cells
        mask[i] = np.uint32(0xFFFF) if inside else np.uint32(0)
    for n in range(first, end):
        center_x, center_y, half_width, half_height = boxes[n, 0], boxes[n, 1], boxes[n, 2], boxes[n, 3]
        for i in range(len(sums)):
            sums[i] = 0
        foreground, ring, differences = np.int32(0), np.int32(0), np.int32(0)
        for i in range(len(bands)):
            x, y = center_x + points[i, 0] * half_width, center_y + points[i, 1] * half_height
            if not (x >= zero and y >= zero and x < last_x and y < last_y):
                differences += most * np.int32(known[4 * i + 3])
                continue
            place = np.uint32(3) * (np.uint32(y) * np.uint32(width) + np.uint32(x))
            red, green, blue = pixels[place], pixels[place + np.uint32(1)], pixels[place + np.uint32(2)]
            color = (
                (np.uint32(red >> 3) << np.uint32(10)) | (np.uint32(green >> 3) << np.uint32(5)) | np.uint32(blue >> 3)
            )
            color = color + color
            sums[start[i] + (np.uint32(colors[color]) & mask[i])] += weights[i]
            amount = weights[i] * np.int32(colors[color + np.uint32(1)])
            off = abs(np.int32(red) - np.int32(known[4 * i])) + abs(np.int32(green) - np.int32(known[4 * i + 1]))
            off += abs(np.int32(blue) - np.int32(known[4 * i + 2]))
            differences += min(off, most) * np.int32(known[4 * i + 3])
            if mask[i]:
                foreground += amount
            else:
                ring += amount
        for i in range(len(roots)):
            roots[i] = np.sqrt(np.float32(sums[i])) * target[i]
        for part in range(parts):
            total = zero
            for i in range(part * bins, (part + 1) * bins):
                total = total + roots[i]
            scores[n, part] = total * scales[part]
        scores[n, parts] = np.float32(foreground) * scales[parts]
        scores[n, parts + 1] = np.float32(ring) * scales[parts + 1]
        scores[n, parts + 2] = np.float32(differences) * scales[parts + 2]


def _particle_scores_cpu(image, boxes, points, bands, weights, colors, root_target, known, scales):
    scores = np.empty((len(boxes), len(root_target) + 3), np.float32)
    tables = points, bands, weights, colors.reshape(-1), root_target, known.reshape(-1), scales
    run_bands(_score_boxes, len(boxes), image, boxes, *tables, scores, least=64)
    return scores


def _particle_scores_cuda(image, boxes, points, bands, weights, colors, root_target, known, scales):
    parts, bins = root_target.shape
    scores = array_module(image).empty((len(boxes), parts + 3), np.float32)
    sizes = np.int32(image.shape[0]), np.int32(image.shape[1]), np.int32(len(bands)), np.int32(parts), np.int32(bins)
    arguments = image, boxes, points, bands, weights, colors, root_target, known, scales, scores
    shared_bytes = 4 * (parts * bins + 3)
    _cuda.launch_blocks("particle_scores", (len(boxes),), (BLOCK,), *arguments, *sizes, shared_bytes=shared_bytes)
    return scores


def _sample(rng, size_hw):
    height, width = size_hw
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    # One particle a row of the picture; some leave it.
    centers = rng.random((height, 2), dtype=np.float32) * np.float32([width, height])
    sides = np.float32(1) + rng.random((height, 2), dtype=np.float32) * np.float32([width / 3, height / 3])
    boxes = np.concatenate([centers, sides], axis=1)
    parts, bins = 3, 110
    points = (rng.random((203, 2), dtype=np.float32) * np.float32(3)) - np.float32(1.5)
    bands = rng.integers(0, parts + 1, 203, dtype=np.int32)
    weights = rng.integers(1, 17, 203, dtype=np.int32)
    colors = np.stack([rng.integers(0, bins, 32768), rng.integers(0, 256, 32768)], axis=1).astype(np.uint8)
    target = rng.random((parts, bins), dtype=np.float32)
    known = rng.integers(0, 256, (203, 4), dtype=np.uint8)
    totals = np.maximum(np.bincount(bands, weights, parts + 1), 1.0)
    scales = np.concatenate(
        [1 / np.sqrt(totals[:parts]), [1 / totals[:parts].sum() / 255, 1 / totals[parts] / 255, 1e-7]]
    )
    root_target = np.sqrt(target / target.sum(1, keepdims=True))
    return (
        image,
        boxes,
        points,
        bands,
        weights,
        colors,
        root_target.astype(np.float32),
        known,
        scales.astype(np.float32),
    )


# Whole numbers until the sums are complete, then the same float32 operations in the same order: no tolerance.
particle_scores = Kernel("particle_scores", cpu=_particle_scores_cpu, cuda=_particle_scores_cuda, sample=_sample)
