"""The two equations that each pixel gives to Lucas and Kanade's least squares, with less weight where they do not fit.

With the constraint ``Ix u + Iy v + It = 0`` they are::

    weight [Ix Ix  Ix Iy] [u]              [Ix]
           [Ix Iy  Iy Iy] [v] = -weight It [Iy]

The weight is ``1 / sqrt(1 + (residual / robust)^2)`` at the flow so far: what moves differently from its surroundings,
or is hidden, does not spoil the window. Five planes: xx, xy, yy, and the two right sides (see `window_flow`).
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
def _equation_rows(first_row, end_row, constraint, flow_uv, equations, inverse_robust2):
    """constraint: (3, height, width); flow_uv: (2, height, width); equations: (5, height, width), all float32."""
    width = flow_uv.shape[2]
    one = np.float32(1)
    weight = np.empty(width, np.float32)
    for y in range(first_row, end_row):
        ix, iy, it = constraint[0, y], constraint[1, y], constraint[2, y]
        u, v = flow_uv[0, y], flow_uv[1, y]
        xx, xy, yy, right1, right2 = equations[0, y], equations[1, y], equations[2, y], equations[3, y], equations[4, y]
        for x in range(width):
            residual = fma(iy[x], v[x], fma(ix[x], u[x], it[x]))
            weight[x] = one / np.sqrt(fma(residual * residual, inverse_robust2, one))
        for x in range(width):
            along_x, along_y = weight[x] * ix[x], weight[x] * iy[x]
            xx[x], xy[x], yy[x] = along_x * ix[x], along_x * iy[x], along_y * iy[x]
            right1[x], right2[x] = -along_x * it[x], -along_y * it[x]


def _lucas_kanade_equations_cpu(constraint, flow_uv, robust):
    equations = recycled_empty((5, *flow_uv.shape[1:]))
    inverse = np.float32(1) / (robust * robust)
    run_bands(_equation_rows, flow_uv.shape[1], constraint, flow_uv, equations, inverse)
    return equations


def _lucas_kanade_equations_cuda(constraint, flow_uv, robust):
    _, height, width = flow_uv.shape
    equations = array_module(flow_uv).empty((5, height, width), np.float32)
    inverse = np.float32(1) / (robust * robust)
    numbers = np.int32(height * width), inverse
    _cuda.launch_linear("lucas_kanade_equations", height * width, constraint, flow_uv, equations, *numbers)
    return equations


def _sample(rng, size_hw):
    constraint = rng.uniform(-0.7, 0.7, (3, *size_hw)).astype(np.float32)
    return constraint, rng.normal(0, 2, (2, *size_hw)).astype(np.float32), np.float32(0.3)


lucas_kanade_equations = Kernel(
    "lucas_kanade_equations", cpu=_lucas_kanade_equations_cpu, cuda=_lucas_kanade_equations_cuda, sample=_sample
)
