"""What the variational refinement needs to know of two images around a flow: its linearised data terms.

Brightness and gradient constancy, each divided by the gradients it multiplies (so that strong edges do not outweigh
weak ones). With ``mean = (image0 + warped1) / 2`` and ``change = warped1 - image0`` in grey levels (0 to 255)::

    terms[0:3] = (Ix, Iy, Iz) / sqrt(Ix^2 + Iy^2 + zeta^2)
    terms[3:9] = g11 g12 g22 g13 g23 g33,  g = sum of r r^T / (r1^2 + r2^2 + zeta^2)
                 over the rows r = (Ixx, Ixy, Ixz) and (Ixy, Iyy, Iyz)

All are zero where the flow leaves image1: there the smoothness alone decides.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma

ZETA2 = np.float32(0.01)  # squared grey levels per pixel: gradients below 0.1 do not count as structure

_cuda = CudaSource(__file__, {"MARGIN": str(MARGIN), "ZETA2": f"{ZETA2!s}f"})


@cpu_kernel
def _warp_rows(first_row, end_row, image0, padded1, flow_uv, mean, change):
    """mean, change: (height + 4, width + 4) float32 with two repeated pixels all around."""
    height, width = image0.shape
    zero, half, one, levels = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    margin, next_one = np.uint64(MARGIN), np.uint64(1)
    for y in range(first_row, end_row):
        mean_row, change_row = mean[y + 2], change[y + 2]
        for x in range(width):
            at_x = min(max(zero, np.float32(x) + flow_uv[0, y, x]), last_x)
            at_y = min(max(zero, np.float32(y) + flow_uv[1, y, x]), last_y)
            x0, y0 = np.uint64(at_x), np.uint64(at_y)
            fx, fy = at_x - np.float32(x0), at_y - np.float32(y0)
            rx, ry = one - fx, one - fy
            i, j = y0 + margin, x0 + margin
            top = fma(fx, padded1[i, j + next_one], rx * padded1[i, j])
            bottom = fma(fx, padded1[i + next_one, j + next_one], rx * padded1[i + next_one, j])
            there, here = levels * fma(fy, bottom, ry * top), levels * image0[y, x]
            mean_row[x + 2] = (here + there) * half
            change_row[x + 2] = there - here
        mean_row[:2], mean_row[width + 2 :] = mean_row[2], mean_row[width + 1]
        change_row[:2], change_row[width + 2 :] = change_row[2], change_row[width + 1]
        if y == 0:
            mean[0], mean[1], change[0], change[1] = mean_row, mean_row, change_row, change_row
        if y == height - 1:
            mean[height + 2], mean[height + 3] = mean_row, mean_row
            change[height + 2], change[height + 3] = change_row, change_row


@cpu_kernel
def _terms_rows(first_row, end_row, mean, change, flow_uv, terms):
    """mean, change: with two repeated pixels all around; flow_uv: (2, height, width); terms: (9, height, width)."""
    height, width = terms.shape[1:]
    zero, half, quarter, one = np.float32(0), np.float32(0.5), np.float32(0.25), np.float32(1)
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    for y in range(first_row, end_row):
        far_above, above, row, below, far_below = mean[y], mean[y + 1], mean[y + 2], mean[y + 3], mean[y + 4]
        change_above, change_row, change_below = change[y + 1], change[y + 2], change[y + 3]
        for x in range(width):
            to_x, to_y = np.float32(x) + flow_uv[0, y, x], np.float32(y) + flow_uv[1, y, x]
            inside = one if (to_x >= zero) & (to_x <= last_x) & (to_y >= zero) & (to_y <= last_y) else zero
            ix = (row[x + 3] - row[x + 1]) * half
            iy = (below[x + 2] - above[x + 2]) * half
            iz = change_row[x + 2]
            twice = row[x + 2] + row[x + 2]
            ixx = (row[x + 4] - twice + row[x]) * quarter
            iyy = (far_below[x + 2] - twice + far_above[x + 2]) * quarter
            ixy = ((below[x + 3] - below[x + 1]) - (above[x + 3] - above[x + 1])) * quarter
            ixz = (change_row[x + 3] - change_row[x + 1]) * half
            iyz = (change_below[x + 2] - change_above[x + 2]) * half
            brightness = inside / np.sqrt(fma(iy, iy, fma(ix, ix, ZETA2)))
            first = inside / fma(ixy, ixy, fma(ixx, ixx, ZETA2))
            second = inside / fma(iyy, iyy, fma(ixy, ixy, ZETA2))
            terms[0, y, x] = brightness * ix
            terms[1, y, x] = brightness * iy
            terms[2, y, x] = brightness * iz
            terms[3, y, x] = fma(second * ixy, ixy, first * ixx * ixx)
            terms[4, y, x] = fma(second * ixy, iyy, first * ixx * ixy)
            terms[5, y, x] = fma(second * iyy, iyy, first * ixy * ixy)
            terms[6, y, x] = fma(second * ixy, iyz, first * ixx * ixz)
            terms[7, y, x] = fma(second * iyy, iyz, first * ixy * ixz)
            terms[8, y, x] = fma(second * iyz, iyz, first * ixz * ixz)


def _variational_terms_cpu(image0, padded1, flow_uv):
    height, width = image0.shape
    mean, change = (np.empty((height + 4, width + 4), np.float32) for _ in range(2))
    run_bands(_warp_rows, height, image0, padded1, flow_uv, mean, change)
    terms = np.empty((9, height, width), np.float32)
    run_bands(_terms_rows, height, mean, change, flow_uv, terms)
    return terms


def _variational_terms_cuda(image0, padded1, flow_uv):
    xp = array_module(image0)
    height, width = image0.shape
    mean, change = xp.empty_like(image0), xp.empty_like(image0)
    size = np.int32(height), np.int32(width)
    _cuda.launch_image("variational_terms_warp", (height, width), image0, padded1, flow_uv, mean, change, *size)
    terms = xp.empty((9, height, width), np.float32)
    _cuda.launch_image("variational_terms", (height, width), mean, change, flow_uv, terms, *size)
    return terms


def _sample(rng, size_hw):
    height, width = size_hw
    image0 = rng.random(size_hw, dtype=np.float32)
    padded1 = rng.random((height + 2 * MARGIN, width + 2 * MARGIN), dtype=np.float32)
    return image0, padded1, rng.normal(0, 2, (2, height, width)).astype(np.float32)


variational_terms = Kernel(
    "variational_terms", cpu=_variational_terms_cpu, cuda=_variational_terms_cuda, sample=_sample
)
