"""Forward-backward consistency: where does following the flow there and back again not lead home?

A pixel is occluded when the round trip misses it by more than a bound that grows with the motion::

    |wf(x) + wb(x + wf)|^2 >= 0.01 (|wf|^2 + |wb|^2) + 0.5

or when it leaves the image. The confidence is 1 for a perfect round trip, 1/16 at the bound and 0 where occluded.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _consistency_rows(first_row, end_row, forward_xy, backward_xy, occluded, confidence):
    """forward_xy, backward_xy: (height, width, 2) float32; occluded: (height, width) bool; confidence: float32."""
    height, width = occluded.shape
    zero, half, one, three = np.float32(0), np.float32(0.5), np.float32(1), np.float32(3)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    back_u, back_v = np.empty(width, np.float32), np.empty(width, np.float32)
    for y in range(first_row, end_row):
        # Reading at scattered places first, arithmetic after: the second loop runs on whole vectors.
        for x in range(width):
            at_x = min(max(zero, np.float32(x) + forward_xy[y, x, 0]), last_x)
            at_y = min(max(zero, np.float32(y) + forward_xy[y, x, 1]), last_y)
            x0, y0 = np.uint64(at_x), np.uint64(at_y)
            x1, y1 = min(x0 + np.uint64(1), np.uint64(width - 1)), min(y0 + np.uint64(1), np.uint64(height - 1))
            fx, fy = at_x - np.float32(x0), at_y - np.float32(y0)
            rx, ry = one - fx, one - fy
            back_u[x] = fma(
                fy,
                fma(fx, backward_xy[y1, x1, 0], rx * backward_xy[y1, x0, 0]),
                ry * fma(fx, backward_xy[y0, x1, 0], rx * backward_xy[y0, x0, 0]),
            )
            back_v[x] = fma(
                fy,
                fma(fx, backward_xy[y1, x1, 1], rx * backward_xy[y1, x0, 1]),
                ry * fma(fx, backward_xy[y0, x1, 1], rx * backward_xy[y0, x0, 1]),
            )
        for x in range(width):
            u, v = forward_xy[y, x, 0], forward_xy[y, x, 1]
            to_x, to_y = np.float32(x) + u, np.float32(y) + v
            inside = (to_x >= -half) & (to_x <= last_x + half) & (to_y >= -half) & (to_y <= last_y + half)
            du, dv = u + back_u[x], v + back_v[x]
            mismatch = fma(dv, dv, du * du)
            sizes = fma(back_v[x], back_v[x], fma(back_u[x], back_u[x], fma(v, v, u * u)))
            bound = fma(np.float32(0.01), sizes, half)
            visible = inside & (mismatch < bound)
            occluded[y, x] = not visible
            # 1 / (1 + 3 r)^2 falls like exp(-r) from 1, to 1/16 at the bound, without a library's rounding.
            fall = one / (one + three * (mismatch / bound))
            confidence[y, x] = fall * fall if visible else zero


def _forward_backward_cpu(forward_xy, backward_xy):
    occluded = recycled_empty(forward_xy.shape[:2], np.bool_)
    confidence = recycled_empty(forward_xy.shape[:2])
    run_bands(_consistency_rows, occluded.shape[0], forward_xy, backward_xy, occluded, confidence)
    return occluded, confidence


def _forward_backward_cuda(forward_xy, backward_xy):
    xp = array_module(forward_xy)
    # Read in pairs: a view that begins at an odd number would be refused by the GPU.
    forward_xy, backward_xy = (xy if xy.data.ptr % 8 == 0 else xy.copy() for xy in (forward_xy, backward_xy))
    height, width = forward_xy.shape[:2]
    occluded, confidence = xp.empty((height, width), np.bool_), xp.empty((height, width), np.float32)
    _cuda.launch_image(
        "forward_backward",
        (height, width),
        forward_xy,
        backward_xy,
        occluded,
        confidence,
        np.int32(height),
        np.int32(width),
    )
    return occluded, confidence


def _sample(rng, size_hw):
    forward_xy = (rng.normal(0, 6, 2) + rng.normal(0, 0.4, (*size_hw, 2))).astype(np.float32)
    backward_xy = (rng.normal(0, 0.4, (*size_hw, 2)) - forward_xy.mean((0, 1))).astype(np.float32)
    return forward_xy, backward_xy


forward_backward = Kernel("forward_backward", cpu=_forward_backward_cpu, cuda=_forward_backward_cuda, sample=_sample)
