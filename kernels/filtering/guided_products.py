"""The four planes whose window means the guided filter needs: guide, values, guide squared, guide times values."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _product_rows(first_row, end_row, values, guide, planes):
    """values, guide: (height, width) float32; planes: (4, height, width) float32."""
    width = values.shape[1]
    for y in range(first_row, end_row):
        p, g = values[y], guide[y]
        own_guide, own_values, square, product = planes[0, y], planes[1, y], planes[2, y], planes[3, y]
        for x in range(width):
            own_guide[x] = g[x]
        for x in range(width):
            own_values[x] = p[x]
        for x in range(width):
            square[x] = g[x] * g[x]
        for x in range(width):
            product[x] = g[x] * p[x]


def _guided_products_cpu(values, guide):
    planes = np.empty((4, *values.shape), np.float32)
    run_bands(_product_rows, values.shape[0], values, guide, planes, least=120)
    return planes


def _guided_products_cuda(values, guide):
    planes = array_module(values).empty((4, *values.shape), np.float32)
    _cuda.launch_linear("guided_products", values.size, values, guide, planes, np.int32(values.size))
    return planes


def _sample(rng, size_hw):
    return rng.random(size_hw, dtype=np.float32), rng.random(size_hw, dtype=np.float32)


guided_products = Kernel("guided_products", cpu=_guided_products_cpu, cuda=_guided_products_cuda, sample=_sample)
