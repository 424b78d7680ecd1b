"""Where the search of each patch begins: twice the flow of the coarser level at the patch's centre."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.flow.patch_grid import PATCH, patch_grid
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def start_rows(first_row, end_row, coarse, coarse_height, coarse_width, coarse_pitch, start, height, width, stride):
    """coarse: flat planes u, v of coarse height x coarse pitch; start: (rows, columns, 2) float32."""
    plane = coarse_height * coarse_pitch
    one, two = np.float32(1), np.float32(2)
    half, centre = np.float32(0.5), np.float32(1.5)
    for row in range(first_row, end_row):
        y = min(np.float32(min(row * stride, height - PATCH)) * half + centre, np.float32(coarse_height - 1))
        y0 = int(y)
        y1 = min(y0 + 1, coarse_height - 1)
        fy = y - np.float32(y0)
        for column in range(start.shape[1]):
            # The centre of fine pixels corner .. corner + 7 is fine corner + 3.5, coarse corner / 2 + 1.5.
            x = min(np.float32(min(column * stride, width - PATCH)) * half + centre, np.float32(coarse_width - 1))
            x0 = int(x)
            x1 = min(x0 + 1, coarse_width - 1)
            fx = x - np.float32(x0)
            for c in range(2):
                i, j = c * plane + y0 * coarse_pitch, c * plane + y1 * coarse_pitch
                top = coarse[i + x0] * (one - fx) + coarse[i + x1] * fx
                bottom = coarse[j + x0] * (one - fx) + coarse[j + x1] * fx
                start[row, column, c] = two * (top * (one - fy) + bottom * fy)


def _patch_start_cpu(coarse_uv, height, width, stride):
    start = np.empty((*patch_grid((int(height), int(width)), int(stride)), 2), np.float32)
    coarse_size = coarse_uv.shape[1:]
    coarse = coarse_uv.reshape(-1), *coarse_size, coarse_size[1]
    start_rows(0, len(start), *coarse, start, int(height), int(width), int(stride))
    return start


def _patch_start_cuda(coarse_uv, height, width, stride):
    rows, columns = patch_grid((int(height), int(width)), int(stride))
    start = array_module(coarse_uv).empty((rows, columns, 2), np.float32)
    coarse_height, coarse_width = coarse_uv.shape[1:]
    _cuda.launch_image(
        "patch_start",
        (rows, columns),
        coarse_uv,
        start,
        np.int32(coarse_height),
        np.int32(coarse_width),
        np.int32(height),
        np.int32(width),
        np.int32(stride),
    )
    return start


def _sample(rng, size_hw):
    height, width = max(size_hw[0], PATCH), max(size_hw[1], PATCH)
    coarse_uv = rng.normal(0, 3, (2, (height + 1) // 2, (width + 1) // 2)).astype(np.float32)
    return coarse_uv, np.int32(height), np.int32(width), np.int32(3)


patch_start = Kernel("patch_start", cpu=_patch_start_cpu, cuda=_patch_start_cuda, sample=_sample)
