"""What speaks for motion at a pixel: how badly it fits if it stands still, how well if it moves with the flow."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

_ZERO, _ONE = np.float32(0), np.float32(1)


@cpu_kernel
def _place(x, y, height, width):
    """Corner and weights of a bilinear look-up; NaN becomes 0 as in CUDA."""
    source_x = min(max(_ZERO, x), np.float32(width - 1))
    source_y = min(max(_ZERO, y), np.float32(height - 1))
    x0, y0 = int(source_x), int(source_y)
    return x0, y0, min(x0 + 1, width - 1), min(y0 + 1, height - 1), source_x - np.float32(x0), source_y - np.float32(y0)


@cpu_kernel
def _look_up(plane, x, y):
    x0, y0, x1, y1, fx, fy = _place(x, y, plane.shape[0], plane.shape[1])
    top = plane[y0, x0] * (_ONE - fx) + plane[y0, x1] * fx
    bottom = plane[y1, x0] * (_ONE - fx) + plane[y1, x1] * fx
    return top * (_ONE - fy) + bottom * fy


@cpu_kernel
def _error_rows(first_row, end_row, now, before, flow_xy, return_xy, camera, errors, away_xy, round_trip):
    height, width = now.shape
    for row in range(first_row, end_row):
        y = np.float32(row)
        for column in range(width):
            x = np.float32(column)
            depth = camera[2, 0] * x + camera[2, 1] * y + camera[2, 2]
            still_x = (camera[0, 0] * x + camera[0, 1] * y + camera[0, 2]) / depth
            still_y = (camera[1, 0] * x + camera[1, 1] * y + camera[1, 2]) / depth
            to_x, to_y = x + flow_xy[row, column, 0], y + flow_xy[row, column, 1]
            errors[0, row, column] = abs(now[row, column] - _look_up(before, still_x, still_y))
            errors[1, row, column] = abs(now[row, column] - _look_up(before, to_x, to_y))
            away_xy[row, column, 0], away_xy[row, column, 1] = to_x - still_x, to_y - still_y
            x0, y0, x1, y1, fx, fy = _place(to_x, to_y, height, width)
            top_x = return_xy[y0, x0, 0] * (_ONE - fx) + return_xy[y0, x1, 0] * fx
            low_x = return_xy[y1, x0, 0] * (_ONE - fx) + return_xy[y1, x1, 0] * fx
            top_y = return_xy[y0, x0, 1] * (_ONE - fx) + return_xy[y0, x1, 1] * fx
            low_y = return_xy[y1, x0, 1] * (_ONE - fx) + return_xy[y1, x1, 1] * fx
            back_x = flow_xy[row, column, 0] + (top_x * (_ONE - fy) + low_x * fy)
            back_y = flow_xy[row, column, 1] + (top_y * (_ONE - fy) + low_y * fy)
            round_trip[row, column] = np.sqrt(back_x * back_x + back_y * back_y)


def _motion_errors_cpu(now, before, flow_xy, return_xy, camera):
    errors = np.empty((2, *now.shape), np.float32)
    away_xy, round_trip = np.empty_like(flow_xy), np.empty_like(now)
    run_bands(_error_rows, now.shape[0], now, before, flow_xy, return_xy, camera, errors, away_xy, round_trip, least=24)
    return errors, away_xy, round_trip


def _motion_errors_cuda(now, before, flow_xy, return_xy, camera):
    xp = array_module(now)
    height, width = now.shape
    errors = xp.empty((2, height, width), np.float32)
    away_xy, round_trip = xp.empty_like(flow_xy), xp.empty_like(now)
    _cuda.launch_image(
        "motion_errors",
        (height, width),
        now,
        before,
        flow_xy,
        return_xy,
        camera,
        errors,
        away_xy,
        round_trip,
        np.int32(height),
        np.int32(width),
    )
    return errors, away_xy, round_trip


def _sample(rng, size_hw):
    now, before = (rng.random(size_hw, dtype=np.float32) for _ in range(2))
    flow_xy, return_xy = (rng.normal(0, 4, (*size_hw, 2)).astype(np.float32) for _ in range(2))
    size = np.float32([[1e-3, 1e-3, 2], [1e-3, 1e-3, 2], [1e-5, 1e-5, 0]])
    camera = np.eye(3, dtype=np.float32) + rng.normal(0, 1, (3, 3)).astype(np.float32) * size
    return now, before, flow_xy, return_xy, camera


# The same float32 operations in the same order; a division may round differently on some GPUs.
motion_errors = Kernel("motion_errors", cpu=_motion_errors_cpu, cuda=_motion_errors_cuda, sample=_sample, atol=1e-4)
