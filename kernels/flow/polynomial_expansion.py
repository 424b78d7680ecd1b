"""Polynomial expansion: around every pixel the image is approximated by ``c + b . x + x . A x``, with Gaussian weights.

Weighted least squares on the basis 1, x, y, x^2, y^2, xy. As the weight is a product of one along x and one along y, so
is everything else: three sums along columns, then five along rows, with three rows of weights (see
`farneback_2003.expansion_weights`)::

    smooth(f) = g0 f(0) + sum of g_k (f(k) + f(-k))
    slope(f) = sum of d_k (f(k) - f(-k))
    bend(f) = sum of c_k (f(k) + f(-k) - 2 f(0))

The five planes are b1, b2, a11, a12, a22; c is not needed. Beyond the edges the edge pixel repeats.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import fma, load16, splat16, store16
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)


@cpu_kernel
def _expand_rows(first_row, end_row, image, expansion, weights, height, width, pitch):
    """image: flat, height x pitch, in [0, 1]; expansion: 5 such planes; weights: (3, radius + 1)."""
    plane, radius = height * pitch, weights.shape[1] - 1
    margin = (radius + 15) // 16 * 16
    length = pitch + 2 * margin
    lines = np.zeros(3 * length, np.float32)  # a row smoothed along y, its slope and its bend along y
    zero, levels, half = splat16(np.float32(0)), np.float32(255), np.float32(0.5)
    for y in range(first_row, end_row):
        for x in range(0, pitch, 16):
            x = min(x, pitch - 16)
            here = levels * load16(image, y * pitch + x)
            smooth, slope, bend = weights[0, 0] * here, zero, zero
            for k in range(1, radius + 1):
                above = levels * load16(image, max(y - k, 0) * pitch + x)
                below = levels * load16(image, min(y + k, height - 1) * pitch + x)
                both = below + above
                smooth = fma(weights[0, k], both, smooth)
                slope = fma(weights[1, k], below - above, slope)
                bend = fma(weights[2, k], both - (here + here), bend)
            store16(lines, margin + x, smooth)
            store16(lines, length + margin + x, slope)
            store16(lines, 2 * length + margin + x, bend)
        for line in range(3):
            start = line * length + margin
            for k in range(radius):
                lines[start - 1 - k], lines[start + width + k] = lines[start], lines[start + width - 1]
        for x in range(0, pitch, 16):
            x = min(x, pitch - 16)
            i = margin + x
            here = load16(lines, i)
            b1, a11, a12 = zero, zero, zero
            b2, a22 = weights[0, 0] * load16(lines, length + i), weights[0, 0] * load16(lines, 2 * length + i)
            for k in range(1, radius + 1):
                left, right = load16(lines, i - k), load16(lines, i + k)
                b1 = fma(weights[1, k], right - left, b1)
                a11 = fma(weights[2, k], (right + left) - (here + here), a11)
                left, right = load16(lines, length + i - k), load16(lines, length + i + k)
                b2 = fma(weights[0, k], right + left, b2)
                a12 = fma(weights[1, k], right - left, a12)
                left, right = load16(lines, 2 * length + i - k), load16(lines, 2 * length + i + k)
                a22 = fma(weights[0, k], right + left, a22)
            to = y * pitch + x
            store16(expansion, to, b1)
            store16(expansion, plane + to, b2)
            store16(expansion, 2 * plane + to, a11)
            store16(expansion, 3 * plane + to, half * a12)
            store16(expansion, 4 * plane + to, a22)


def _polynomial_expansion_cpu(image, weights):
    height, width = image.shape
    pitch = max(width, 16)
    if width < 16:  # whole vectors need 16 columns; the added ones are never used
        image = np.pad(image, ((0, 0), (0, 16 - width)))
    expansion = recycled_empty((5, height, pitch))
    arrays = image.reshape(-1), expansion.reshape(-1), weights
    run_bands(_expand_rows, height, *arrays, height, width, pitch)
    return expansion if width == pitch else np.ascontiguousarray(expansion[:, :, :width])


def _polynomial_expansion_cuda(image, weights):
    xp = array_module(image)
    height, width = image.shape
    columns, expansion = xp.empty((3, height, width), np.float32), xp.empty((5, height, width), np.float32)
    sizes = np.int32(height), np.int32(width), np.int32(weights.shape[1] - 1)
    _cuda.launch_image("polynomial_expansion_columns", (height, width), image, weights, columns, *sizes)
    _cuda.launch_image("polynomial_expansion", (height, width), columns, weights, expansion, *sizes)
    return expansion


def _sample(rng, size_hw):
    weights = np.float32([[0.4, 0.25, 0.05], [0, 0.2, 0.1], [0, 0.1, 0.12]])
    return rng.random(size_hw, dtype=np.float32), weights


polynomial_expansion = Kernel(
    "polynomial_expansion", cpu=_polynomial_expansion_cpu, cuda=_polynomial_expansion_cuda, sample=_sample
)
