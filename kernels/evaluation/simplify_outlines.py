"""Closed chains of points with fewer points: too close ones left out, then Douglas and Peucker."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _square_distance(points, i, first, last):
    """Of point i to the segment from point `first` to `last`; float64, exact but for the division."""
    ax, ay = float(points[first, 0]), float(points[first, 1])
    dx, dy = float(points[last, 0]) - ax, float(points[last, 1]) - ay
    px, py = float(points[i, 0]) - ax, float(points[i, 1]) - ay
    along = px * dx + py * dy
    length = dx * dx + dy * dy
    if along <= 0.0:
        return px * px + py * py
    if along >= length:
        return (px - dx) * (px - dx) + (py - dy) * (py - dy)
    cross = px * dy - py * dx
    return cross * cross / length


@cpu_kernel
def _simplify(points, starts, limit, keep, spans):
    """points: (n, 2) int32; starts: (outlines + 1) int32; limit: square of the tolerance; keep: (n,) uint8, 0 before.

    spans: (n + outlines, 2) int32, room for the ends of pieces that are not done yet.
    """
    for outline in range(starts.shape[0] - 1):
        begin, end = starts[outline], starts[outline + 1]
        if begin == end:
            continue
        # 2: far enough from the last such point. The rest is never looked at again.
        previous = begin
        keep[begin] = 1
        for i in range(begin + 1, end):
            dx = float(points[i, 0]) - float(points[previous, 0])
            dy = float(points[i, 1]) - float(points[previous, 1])
            if dx * dx + dy * dy >= limit:
                keep[i] = 2
                previous = i
        top = begin + outline
        floor = top
        spans[top, 0] = begin
        spans[top, 1] = end
        top += 1
        while top > floor:
            top -= 1
            first, last = spans[top, 0], spans[top, 1]
            # The chain is closed: behind its last point comes the first one again.
            closing = begin if last == end else last
            farthest, square = -1, limit
            for i in range(first + 1, last):
                if keep[i] != 0:
                    distance = _square_distance(points, i, first, closing)
                    if distance > square:
                        farthest, square = i, distance
            if farthest >= 0:
                keep[farthest] = 1
                spans[top, 0] = first
                spans[top, 1] = farthest
                spans[top + 1, 0] = farthest
                spans[top + 1, 1] = last
                top += 2
        for i in range(begin, end):
            keep[i] = keep[i] == 1


def _simplify_outlines_cpu(points, starts, tolerance):
    keep = np.zeros(len(points), np.uint8)
    spans = np.empty((len(points) + len(starts), 2), np.int32)
    _simplify(points, starts, float(tolerance) ** 2, keep, spans)
    return keep


def _simplify_outlines_cuda(points, starts, tolerance):
    module = array_module(points)
    keep = module.zeros(points.shape[0], np.uint8)
    spans = module.empty((points.shape[0] + starts.shape[0], 2), np.int32)
    outlines = starts.shape[0] - 1
    limit = np.float64(float(tolerance) ** 2)
    _cuda.launch_linear("simplify_outlines", outlines, points, starts, keep, spans, limit, np.int32(outlines))
    return keep


def _sample(rng, size_hw):
    count = size_hw[0] + size_hw[1]
    points = rng.integers(0, max(size_hw), (count, 2), dtype=np.int32)
    cuts = np.sort(rng.integers(0, count + 1, 5)).astype(np.int32)
    return points, np.concatenate([[0], cuts, [count]]).astype(np.int32), np.float64(2.5)


simplify_outlines = Kernel(
    "simplify_outlines", cpu=_simplify_outlines_cpu, cuda=_simplify_outlines_cuda, sample=_sample
)
