"""Outlines of a mask as closed chains of corners, along the cracks between pixels."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

# Directions: 0 east, 1 south, 2 west, 3 north. The object lies on the right hand.


@cpu_kernel
def _inside(mask, y, x):
    height, width = mask.shape
    return 0 <= y < height and 0 <= x < width and mask[y, x] != 0


@cpu_kernel
def _turn(mask, y, x, direction):
    """Next direction at the corner (x, y) of pixels: right, straight on or left. Pixels that touch at a corner only
    are apart, so right comes first."""
    # The two pixels in front of a walker who stands at the upper left corner of pixel (y, x).
    if direction == 0:
        left, right = _inside(mask, y - 1, x), _inside(mask, y, x)
    elif direction == 1:
        left, right = _inside(mask, y, x), _inside(mask, y, x - 1)
    elif direction == 2:
        left, right = _inside(mask, y, x - 1), _inside(mask, y - 1, x - 1)
    else:
        left, right = _inside(mask, y - 1, x - 1), _inside(mask, y - 1, x)
    if not right:
        return (direction + 1) & 3
    if left:
        return (direction + 3) & 3
    return direction


@cpu_kernel
def _trace(mask, points, starts):
    """mask: (height, width) uint8; points: (corners, 2), starts: (outlines + 1) int32.

    Fills the arrays as far as they reach and returns (corners, outlines): called first to count, then to fill.
    """
    height, width = mask.shape
    seen = np.zeros((height, width), np.uint8)
    tops = np.zeros((width + 8) // 8 * 8, np.uint8)
    words = tops.view(np.uint64)
    corners = 0
    outlines = 0
    for y in range(height):
        row = mask[y]
        # A run of upper edges begins: inside, outside above, and the run does not come from the left.
        if y == 0:
            tops[0] = row[0] != 0
            for x in range(1, width):
                tops[x] = (row[x] != 0) & (row[x - 1] == 0)
        else:
            above = mask[y - 1]
            tops[0] = (row[0] != 0) & (above[0] == 0)
            for x in range(1, width):
                tops[x] = (row[x] != 0) & (above[x] == 0) & ((row[x - 1] == 0) | (above[x - 1] != 0))
        for k in range(words.size):
            if words[k] == 0:
                continue
            for start in range(8 * k, 8 * k + 8):
                if tops[start] == 0 or seen[y, start] != 0:
                    continue
                # The first upper edge of an outline in raster order: every other one is seen on the way.
                if outlines < starts.shape[0]:
                    starts[outlines] = corners
                outlines += 1
                py, px, direction = y, start, 0
                while True:
                    if direction == 0:
                        seen[py, px] = 1
                    if corners < points.shape[0]:
                        points[corners, 0] = px
                        points[corners, 1] = py
                    corners += 1
                    following = direction
                    while following == direction:
                        if direction == 0:
                            px += 1
                        elif direction == 1:
                            py += 1
                        elif direction == 2:
                            px -= 1
                        else:
                            py -= 1
                        following = _turn(mask, py, px, direction)
                    direction = following
                    if py == y and px == start and direction == 0:
                        break
    if outlines < starts.shape[0]:
        starts[outlines] = corners
    return corners, outlines


def _trace_outlines_cpu(mask):
    # Most masks have few corners: one pass, and a second one if there was no room.
    points, starts = np.empty((4096, 2), np.int32), np.empty(257, np.int32)
    corners, outlines = _trace(mask, points, starts)
    if corners > len(points) or outlines >= len(starts):
        points, starts = np.empty((corners, 2), np.int32), np.empty(outlines + 1, np.int32)
        _trace(mask, points, starts)
    return points[:corners].copy(), starts[: outlines + 1].copy()


def _trace_outlines_cuda(mask):
    height, width = mask.shape
    module = array_module(mask)
    corners = module.empty((height, width), np.int32)
    totals = module.empty((height + 1, 2), np.int32)
    sizes = np.int32(height), np.int32(width)
    _cuda.launch_image("trace_outlines_lead", (height, width), mask, corners, *sizes)
    _cuda.launch_blocks("trace_outlines_sum", (1,), (256,), corners, totals, *sizes)
    count, outlines = module.asnumpy(totals)[-1].tolist()  # synchronises: the sizes of the results
    points, starts = module.empty((count, 2), np.int32), module.empty(outlines + 1, np.int32)
    _cuda.launch_linear("trace_outlines", height, mask, corners, totals, points, starts, *sizes)
    return points, starts


def _sample(rng, size_hw):
    blocks = (rng.random((size_hw[0] // 4 + 1, size_hw[1] // 3 + 1)) < 0.6).astype(np.uint8)
    mask = np.repeat(np.repeat(blocks, 4, axis=0), 3, axis=1)[: size_hw[0], : size_hw[1]]
    return (np.ascontiguousarray(mask),)


trace_outlines = Kernel("trace_outlines", cpu=_trace_outlines_cpu, cuda=_trace_outlines_cuda, sample=_sample)
