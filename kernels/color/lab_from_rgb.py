"""CIE L*a*b* from sRGB, white point D65: distances in it are close to what people see."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

# Linear RGB to XYZ (BT.709 primaries), every row divided by its sum: white becomes (1, 1, 1), greys get a = b = 0.
# The same digits stand in the .cu file.
WEIGHTS = tuple(
    tuple(np.float32(weight) for weight in row)
    for row in (
        (0.43395275, 0.37621942, 0.18982783),
        (0.212671, 0.71516, 0.072169),
        (0.017757914, 0.10947652, 0.87276556),
    )
)
_THIRD = np.float32(1 / 3)
_LINEAR_BELOW, _SLOPE, _OFFSET = np.float32(0.008856), np.float32(7.787), np.float32(16 / 116)


@cpu_kernel
def _compress(values, bits, roots, root_bits):
    """roots = the lightness curve of values: a cube root, and a straight line near zero.

    bits, root_bits: the same memory as values and roots, seen as int32. Dividing the bits by three divides the
    exponent by three; two Halley steps bring that guess to float32 precision.
    """
    for x in range(len(values)):
        root_bits[x] = np.int32(np.float32(bits[x]) * _THIRD) + np.int32(709921077)
    for x in range(len(values)):
        v, g = values[x], roots[x]
        cube = g * g * g
        g = g * (cube + v + v) / (cube + cube + v)
        cube = g * g * g
        g = g * (cube + v + v) / (cube + cube + v)
        roots[x] = g if v > _LINEAR_BELOW else _SLOPE * v + _OFFSET


@cpu_kernel
def _look_up(pixels, table, red, green, blue):
    for x in range(len(red)):
        red[x], green[x], blue[x] = table[pixels[3 * x]], table[pixels[3 * x + 1]], table[pixels[3 * x + 2]]


@cpu_kernel
def _weigh(red, green, blue, weights, values):
    weight_red, weight_green, weight_blue = weights
    for x in range(len(values)):
        values[x] = weight_red * red[x] + weight_green * green[x] + weight_blue * blue[x]


@cpu_kernel
def _to_lab(fx, fy, fz, lab):
    for x in range(len(fx)):
        lab[3 * x] = np.float32(116) * fy[x] - np.float32(16)
        lab[3 * x + 1] = np.float32(500) * (fx[x] - fy[x])
        lab[3 * x + 2] = np.float32(200) * (fy[x] - fz[x])


@cpu_kernel
def _lab_rows(first_row, end_row, image, table, weights, lab):
    """image: (height, width, 3) uint8; table: (256) float32, linear light; lab: (height, width, 3) float32."""
    width = image.shape[1]
    pixels, result = image.reshape(-1), lab.reshape(-1)
    rows, curves = np.empty((4, width), np.float32), np.empty((3, width), np.float32)
    red, green, blue, values = rows[0], rows[1], rows[2], rows[3]
    value_bits, curve_bits = rows.view(np.int32)[3], curves.view(np.int32)
    for y in range(first_row, end_row):
        _look_up(pixels[3 * width * y : 3 * width * (y + 1)], table, red, green, blue)
        for i in range(3):
            _weigh(red, green, blue, weights[i], values)
            _compress(values, value_bits, curves[i], curve_bits[i])
        _to_lab(curves[0], curves[1], curves[2], result[3 * width * y : 3 * width * (y + 1)])


def _lab_from_rgb_cpu(image, table):
    lab = np.empty(image.shape, np.float32)
    run_bands(_lab_rows, image.shape[0], image, table, WEIGHTS, lab, least=24)
    return lab


def _lab_from_rgb_cuda(image, table):
    lab = array_module(image).empty(image.shape, np.float32)
    count = image.shape[0] * image.shape[1]
    _cuda.launch_linear("lab_from_rgb", count, image, table, lab, np.int32(count))
    return lab


def linear_light_table():
    """Linear light of the 256 sRGB values, (256) float32 in [0, 1]: IEC 61966-2-1."""
    value = np.arange(256) / 255
    return np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92).astype(np.float32)


def _sample(rng, size_hw):
    return rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8), linear_light_table()


lab_from_rgb = Kernel("lab_from_rgb", cpu=_lab_from_rgb_cpu, cuda=_lab_from_rgb_cuda, sample=_sample)
