"""Outliers of the flow: vectors whose components, length or direction lie outside what most of the frame shows.

[GriffinCorso2019]_ section 3.1. The bounds come from the caller: here a vector is only compared with them.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

TABLE_SIZE = 23  # cosine, sine, clear_px, and (low, high, middle, most, share) of u, v, length, direction


@cpu_kernel(forceinline=True)
def angle_of(x, y):
    """Angle of (x, y) in radians, within 2e-4, by basic operations alone: the same bits everywhere."""
    across, up = abs(x), abs(y)
    ratio = min(across, up) / max(max(across, up), np.float32(1e-20))
    squared = ratio * ratio
    angle = (np.float32(-0.0464964749) * squared + np.float32(0.15931422)) * squared - np.float32(0.327622764)
    angle = angle * squared * ratio + ratio
    angle = np.float32(1.57079637) - angle if up > across else angle
    angle = np.float32(3.14159274) - angle if x < np.float32(0) else angle
    return -angle if y < np.float32(0) else angle


@cpu_kernel(forceinline=True)
def _part(value, low, high, middle, most, share):
    part = min(abs(value - middle) / most, np.float32(1)) * share
    return part if (value < low) | (value > high) else np.float32(0)


@cpu_kernel
def _score_row(flow_xy, table, score):
    """flow_xy: (2 width); score: (width)."""
    cosine, sine, clear_px = table[0], table[1], table[2]
    low_u, high_u, middle_u, most_u, share_u = table[3], table[4], table[5], table[6], table[7]
    low_v, high_v, middle_v, most_v, share_v = table[8], table[9], table[10], table[11], table[12]
    low_l, high_l, middle_l, most_l, share_l = table[13], table[14], table[15], table[16], table[17]
    low_d, high_d, middle_d, most_d, share_d = table[18], table[19], table[20], table[21], table[22]
    for x in range(score.size):
        u, v = flow_xy[2 * x], flow_xy[2 * x + 1]
        length = np.sqrt(u * u + v * v)
        parts = _part(u, low_u, high_u, middle_u, most_u, share_u) + _part(v, low_v, high_v, middle_v, most_v, share_v)
        score[x] = parts + _part(length, low_l, high_l, middle_l, most_l, share_l)
    if share_d != np.float32(0):
        for x in range(score.size):
            u, v = flow_xy[2 * x], flow_xy[2 * x + 1]
            length = np.sqrt(u * u + v * v)
            angle = angle_of(u * cosine + v * sine, v * cosine - u * sine)
            part = _part(angle, low_d, high_d, middle_d, most_d, share_d)
            score[x] += part * min(length / clear_px, np.float32(1))


@cpu_kernel
def _outlier_rows(first_row, end_row, forward_xy, backward_xy, tables, scores):
    width = scores.shape[1]
    ahead, back = forward_xy.reshape(-1), backward_xy.reshape(-1)
    behind = np.empty(width, np.float32)
    half = np.float32(0.5)
    for y in range(first_row, end_row):
        row = scores[y]
        _score_row(ahead[2 * y * width : 2 * (y + 1) * width], tables[0], row)
        _score_row(back[2 * y * width : 2 * (y + 1) * width], tables[1], behind)
        for x in range(width):
            row[x] = (row[x] + behind[x]) * half


def _motion_outliers_cpu(forward_xy, backward_xy, tables):
    scores = np.empty(forward_xy.shape[:2], np.float32)
    run_bands(_outlier_rows, scores.shape[0], forward_xy, backward_xy, tables, scores)
    return scores


def _motion_outliers_cuda(forward_xy, backward_xy, tables):
    height, width = forward_xy.shape[:2]
    scores = array_module(forward_xy).empty((height, width), np.float32)
    pixels = height * width
    _cuda.launch_linear("motion_outliers", pixels, forward_xy, backward_xy, tables, scores, np.int32(pixels))
    return scores


def _sample(rng, size_hw):
    forward_xy, backward_xy = rng.normal(0, 2, (2, *size_hw, 2)).astype(np.float32)
    bounds = [[-1, 1.5, 0.2, 5, 0.8], [-2, 1, 0, 4, 0.6], [0.5, 3, 1.5, 6, 0.7], [-1, 1, 0.1, 3, 0.9]]
    table = np.float32([np.cos(0.4), np.sin(0.4), 1.5, *np.ravel(bounds)])
    other = table.copy()
    other[-1] = 0
    return forward_xy, backward_xy, np.stack([table, other])


# The same float32 operations in the same order; only the rounding of sqrtf on some GPUs may differ.
motion_outliers = Kernel(
    "motion_outliers", cpu=_motion_outliers_cpu, cuda=_motion_outliers_cuda, sample=_sample, atol=1e-5
)
