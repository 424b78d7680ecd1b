"""Flow of a pyramid level at a finer one: bilinear, times the factor; as two planes, or joined to (H, W, 2)."""

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
def _upsample_rows(first_row, end_row, coarse_uv, flow, width, factor, step, to_v):
    """coarse_uv: (2, coarse height, coarse width); flow: flat, u of pixel i at step * i, v at step * i + to_v."""
    coarse_height, coarse_width = coarse_uv.shape[1:]
    zero, half, one = np.float32(0), np.float32(0.5), np.float32(1)
    scale, times = one / np.float32(factor), np.float32(factor)
    # Where each output column reads: the same in every row.
    left, fraction = np.empty(width, np.int32), np.empty(width, np.float32)
    for x in range(width):
        position = min(max(zero, (np.float32(x) + half) * scale - half), np.float32(coarse_width - 1))
        left[x] = int(position)
        fraction[x] = position - np.float32(left[x])
    row_u, row_v = np.empty(coarse_width + 1, np.float32), np.empty(coarse_width + 1, np.float32)
    for y in range(first_row, end_row):
        position = min(max(zero, (np.float32(y) + half) * scale - half), np.float32(coarse_height - 1))
        y0 = int(position)
        y1 = min(y0 + 1, coarse_height - 1)
        fy = position - np.float32(y0)
        ry = one - fy
        u0, u1, v0, v1 = coarse_uv[0, y0], coarse_uv[0, y1], coarse_uv[1, y0], coarse_uv[1, y1]
        for x in range(coarse_width):
            row_u[x] = fma(fy, u1[x], ry * u0[x])
            row_v[x] = fma(fy, v1[x], ry * v0[x])
        row_u[coarse_width], row_v[coarse_width] = row_u[coarse_width - 1], row_v[coarse_width - 1]
        target_u, target_v = flow[y * width * step :], flow[y * width * step + to_v :]
        for x in range(width):
            i, fx = np.uint32(left[x]), fraction[x]
            target_u[x * step] = times * fma(fx, row_u[i + np.uint32(1)], (one - fx) * row_u[i])
            target_v[x * step] = times * fma(fx, row_v[i + np.uint32(1)], (one - fx) * row_v[i])


def _flow_upsample_cpu(coarse_uv, height, width, factor, planar):
    height, width = int(height), int(width)
    flow = recycled_empty((2, height, width) if planar else (height, width, 2))
    step, to_v = (1, height * width) if planar else (2, 1)
    run_bands(_upsample_rows, height, coarse_uv, flow.reshape(-1), width, int(factor), step, to_v)
    return flow


def _flow_upsample_cuda(coarse_uv, height, width, factor, planar):
    height, width = int(height), int(width)
    flow = array_module(coarse_uv).empty((2, height, width) if planar else (height, width, 2), np.float32)
    step, to_v = (1, height * width) if planar else (2, 1)
    numbers = (*coarse_uv.shape[1:], height, width, factor, step, to_v)
    _cuda.launch_image("flow_upsample", (height, width), coarse_uv, flow, *map(np.int32, numbers))
    return flow


def _sample(rng, size_hw):
    coarse_size = (size_hw[0] + 1) // 2, (size_hw[1] + 1) // 2
    coarse_uv = rng.normal(0, 3, (2, *coarse_size)).astype(np.float32)
    return coarse_uv, np.int32(size_hw[0]), np.int32(size_hw[1]), np.int32(2), np.int32(size_hw[1] % 2)


flow_upsample = Kernel("flow_upsample", cpu=_flow_upsample_cpu, cuda=_flow_upsample_cuda, sample=_sample)
