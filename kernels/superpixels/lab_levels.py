"""CIE L*a*b* from sRGB in whole numbers, sixteenths of a unit: sums of them are the same in any order.

    X, Y, Z = weights (linear red, green, blue), 0 ... 65535 * 2^14, of which the 12 upper bits are kept
    L = 116 f(Y) - 16,   a = 500 (f(X) - f(Y)),   b = 200 (f(Y) - f(Z)),   f from a table of 4096 entries

Three lookups for the light, three for the curve. Against the exact formula L differs by up to 0.15, a and b by up to
0.7 in the dark; greys have a = b = 0.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.color.lab_from_rgb import WEIGHTS
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

UNITS = 16  # levels in one unit of L*, a* or b*


def lab_level_tables():
    """Linear light of the 256 sRGB values, 0 ... 65535; then f of 4096 steps of light, in 1/4096. (4352) int32."""
    value = np.arange(256) / 255
    light = np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)
    step = np.arange(4096) / 4095
    curve = np.where(step > 0.008856, np.cbrt(step), 7.787 * step + 16 / 116)
    return np.concatenate((np.rint(light * 65535), np.rint(curve * 4096))).astype(np.int32)


def _whole_weights():
    """The weights of X, Y and Z as multiples of 2^-14, each row adding up to one."""
    rows = np.rint(np.array(WEIGHTS, np.float64) * 16384).astype(np.int32)
    rows[:, 1] += 16384 - rows.sum(axis=1, dtype=np.int32)
    return tuple(tuple(int(weight) for weight in row) for row in rows)


_X, _Y, _Z = (tuple(np.int32(weight) for weight in row) for row in _whole_weights())


@cpu_kernel
def _level_rows(first_row, end_row, image, tables, levels):
    """image: (height, width, 3) uint8; tables: (4352) int32; levels: (height, width, 4) int16, the last one zero."""
    width = image.shape[1]
    pixels, results = image.reshape(-1), levels.reshape(-1)
    light, curve = tables[:256], tables[256:]
    for i in range(np.uint64(first_row * width), np.uint64(end_row * width)):
        at, to = np.uint64(3) * i, np.uint64(4) * i
        red, green, blue = light[pixels[at]], light[pixels[at + np.uint64(1)]], light[pixels[at + np.uint64(2)]]
        x = (_X[0] * red + _X[1] * green + _X[2] * blue) >> 18
        y = (_Y[0] * red + _Y[1] * green + _Y[2] * blue) >> 18
        z = (_Z[0] * red + _Z[1] * green + _Z[2] * blue) >> 18
        fx, fy, fz = curve[np.uint64(x)], curve[np.uint64(y)], curve[np.uint64(z)]
        results[to] = (1856 * fy - 1046528) >> 12  # 16 * 16 * 4096, less the half step that rounds
        results[to + np.uint64(1)] = (8000 * (fx - fy) + 2048) >> 12
        results[to + np.uint64(2)] = (3200 * (fy - fz) + 2048) >> 12
        results[to + np.uint64(3)] = 0


def _lab_levels_cpu(image, tables):
    levels = recycled_empty((*image.shape[:2], 4), np.int16)
    run_bands(_level_rows, image.shape[0], image, tables, levels, least=24)
    return levels


def _lab_levels_cuda(image, tables):
    levels = array_module(image).empty((*image.shape[:2], 4), np.int16)
    count = image.shape[0] * image.shape[1]
    _cuda.launch_linear("lab_levels", count, image, tables, levels, np.int32(count))
    return levels


def _sample(rng, size_hw):
    return rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8), lab_level_tables()


lab_levels = Kernel("lab_levels", cpu=_lab_levels_cpu, cuda=_lab_levels_cuda, sample=_sample, atol=0)
