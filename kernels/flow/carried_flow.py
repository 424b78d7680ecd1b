"""What the flow between two frames says of the next pair: motion goes on as it was, carried along by itself.

A cell of 16x16 pixels stands for the pixel at its centre. Of the flow onwards from the current frame it expects the
reverse of the flow back; of the flow from the next frame back to the current one, the flow back of the place from which
something came that moves on like this. Both only where the round trip leads home (see forward_backward): after a cut
hardly anything does.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma

CELL = 16  # pixels on a side

_cuda = CudaSource(__file__, {"CELL": str(CELL)})


@cpu_kernel
def _leads_home(backward_xy, forward_xy, x, y):
    height, width = forward_xy.shape[:2]
    half, one = np.float32(0.5), np.float32(1)
    u, v = backward_xy[y, x, 0], backward_xy[y, x, 1]
    to_x, to_y = np.float32(x) + u, np.float32(y) + v
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    if not (to_x >= -half and to_x <= last_x + half and to_y >= -half and to_y <= last_y + half):
        return False
    at_x, at_y = min(max(np.float32(0), to_x), last_x), min(max(np.float32(0), to_y), last_y)
    x0, y0 = int(at_x), int(at_y)
    x1, y1 = min(x0 + 1, width - 1), min(y0 + 1, height - 1)
    fx, fy = at_x - np.float32(x0), at_y - np.float32(y0)
    rx, ry = one - fx, one - fy
    back_u = fma(
        fy,
        fma(fx, forward_xy[y1, x1, 0], rx * forward_xy[y1, x0, 0]),
        ry * fma(fx, forward_xy[y0, x1, 0], rx * forward_xy[y0, x0, 0]),
    )
    back_v = fma(
        fy,
        fma(fx, forward_xy[y1, x1, 1], rx * forward_xy[y1, x0, 1]),
        ry * fma(fx, forward_xy[y0, x1, 1], rx * forward_xy[y0, x0, 1]),
    )
    du, dv = u + back_u, v + back_v
    sizes = fma(back_v, back_v, fma(back_u, back_u, fma(v, v, u * u)))
    return fma(dv, dv, du * du) < fma(np.float32(0.01), sizes, half)


@cpu_kernel
def _carry_rows(first_row, end_row, forward_xy, backward_xy, onward, back):
    """forward_xy, backward_xy: (height, width, 2) float32; onward, back: (rows, columns, 2) float32."""
    height, width = forward_xy.shape[:2]
    half, none = np.float32(0.5), np.float32(np.nan)
    for row in range(first_row, end_row):
        y = min(row * CELL + CELL // 2, height - 1)
        for column in range(onward.shape[1]):
            x = min(column * CELL + CELL // 2, width - 1)
            u, v = backward_xy[y, x, 0], backward_xy[y, x, 1]
            known = _leads_home(backward_xy, forward_xy, x, y)
            onward[row, column, 0], onward[row, column, 1] = -u if known else none, -v if known else none
            from_x = int(min(max(np.float32(0), np.float32(x) + u), np.float32(width - 1)) + half)
            from_y = int(min(max(np.float32(0), np.float32(y) + v), np.float32(height - 1)) + half)
            known = _leads_home(backward_xy, forward_xy, from_x, from_y)
            back[row, column, 0] = backward_xy[from_y, from_x, 0] if known else none
            back[row, column, 1] = backward_xy[from_y, from_x, 1] if known else none


def cell_grid(size_hw):
    """Rows and columns of cells of an image of `size_hw`."""
    return -(-size_hw[0] // CELL), -(-size_hw[1] // CELL)


def _carried_flow_cpu(forward_xy, backward_xy):
    onward, back = (np.empty((*cell_grid(forward_xy.shape[:2]), 2), np.float32) for _ in range(2))
    run_bands(_carry_rows, len(onward), forward_xy, backward_xy, onward, back)
    return onward, back


def _carried_flow_cuda(forward_xy, backward_xy):
    empty = array_module(forward_xy).empty
    grid = cell_grid(forward_xy.shape[:2])
    onward, back = (empty((*grid, 2), np.float32) for _ in range(2))
    numbers = *forward_xy.shape[:2], *grid
    _cuda.launch_image("carried_flow", grid, forward_xy, backward_xy, onward, back, *map(np.int32, numbers))
    return onward, back


def _sample(rng, size_hw):
    forward_xy = (rng.normal(0, 6, 2) + rng.normal(0, 0.4, (*size_hw, 2))).astype(np.float32)
    backward_xy = (rng.normal(0, 0.4, (*size_hw, 2)) - forward_xy.mean((0, 1))).astype(np.float32)
    return forward_xy, backward_xy


carried_flow = Kernel("carried_flow", cpu=_carried_flow_cpu, cuda=_carried_flow_cuda, sample=_sample)
