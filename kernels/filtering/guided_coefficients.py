"""The line through every window of the guided filter: values = a * guide + b, by least squares with a weight on a."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)


@cpu_kernel
def _coefficient_rows(first_row, end_row, means, coefficients, epsilon):
    """means: (4, height, width) float32 of guide, values, squares, products; coefficients: (2, height, width)."""
    zero = np.float32(0)
    for y in range(first_row, end_row):
        guide, values, squares, products = means[0, y], means[1, y], means[2, y], means[3, y]
        slope, offset = coefficients[0, y], coefficients[1, y]
        for x in range(len(guide)):
            # Rounding can leave a variance just below zero.
            variance = max(squares[x] - guide[x] * guide[x], zero)
            slope[x] = (products[x] - guide[x] * values[x]) / (variance + epsilon)
        for x in range(len(guide)):
            offset[x] = values[x] - slope[x] * guide[x]


def _guided_coefficients_cpu(means, epsilon):
    coefficients = np.empty((2, *means.shape[1:]), np.float32)
    run_bands(_coefficient_rows, means.shape[1], means, coefficients, np.float32(epsilon), least=120)
    return coefficients


def _guided_coefficients_cuda(means, epsilon):
    coefficients = array_module(means).empty((2, *means.shape[1:]), np.float32)
    count = means.shape[1] * means.shape[2]
    _cuda.launch_linear("guided_coefficients", count, means, coefficients, np.float32(epsilon), np.int32(count))
    return coefficients


def _sample(rng, size_hw):
    guide, values = rng.random(size_hw, dtype=np.float32), rng.random(size_hw, dtype=np.float32)
    spread = rng.random(size_hw, dtype=np.float32)
    return np.stack([guide, values, guide * guide + spread, guide * values + spread]), np.float32(1e-3)


guided_coefficients = Kernel(
    "guided_coefficients", cpu=_guided_coefficients_cpu, cuda=_guided_coefficients_cuda, sample=_sample
)
