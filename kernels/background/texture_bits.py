"""Channels and local binary similarity patterns of a picture: a bit per neighbour that differs from the middle.

Sixteen neighbours, of the 3x3 ring and of every second place of the 5x5 ring; a neighbour differs when its brightness
is farther away than 5/16 of the middle's. A change of light leaves them as they are; equal textures have few unequal
bits.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty
from cvseg.kernels.word_lanes import distance, every_word, load32_bytes, store32_words

_cuda = CudaSource(__file__)

BLOCK = 32  # pixels of a row that are looked at together
EDGE, REACH = 16, 2  # spare columns before a row, spare rows above and below: copies of the edge pixels

# x and y of the neighbours, in the order of the bits; also in texture_bits.cu
NEIGHBOR_X = (-1, 0, 1, -1, 1, -1, 0, 1, -2, 0, 2, -2, 2, -2, 0, 2)
NEIGHBOR_Y = (-1, -1, -1, 0, 0, 1, 1, 1, -2, -2, -2, 0, 0, 2, 2, 2)


def pitch_of(width):
    """Columns of a row of `planes`: whole blocks, and a spare half block on both sides."""
    return BLOCK * (-(-width // BLOCK) + 1)


@cpu_kernel
def _split_row(pixels, red, green, blue, light):
    for x in range(len(red)):
        r, g, b = np.int32(pixels[3 * x]), np.int32(pixels[3 * x + 1]), np.int32(pixels[3 * x + 2])
        red[x] = np.uint8(r)
        green[x] = np.uint8(g)
        blue[x] = np.uint8(b)
        light[x] = np.uint8((r + g + g + b) >> 2)


@cpu_kernel
def _plane_rows(first_row, end_row, image, planes):
    """image: (height, width, 3) uint8; planes: (4, height + 4, pitch) uint8; rows are those of planes."""
    height, width = image.shape[:2]
    flat, pitch = image.reshape(-1), planes.shape[2]
    for row in range(first_row, end_row):
        y = min(max(row - REACH, 0), height - 1)
        _split_row(
            flat[3 * width * y : 3 * width * (y + 1)],
            planes[0, row, EDGE : EDGE + width],
            planes[1, row, EDGE : EDGE + width],
            planes[2, row, EDGE : EDGE + width],
            planes[3, row, EDGE : EDGE + width],
        )
        for plane in range(4):
            for x in range(EDGE):
                planes[plane, row, x] = planes[plane, row, EDGE]
            for x in range(EDGE + width, pitch):
                planes[plane, row, x] = planes[plane, row, EDGE + width - 1]


@cpu_kernel(forceinline=True)
def _bit(planes, i, middle, limit, bit):
    return (distance(load32_bytes(planes, i), middle) > limit) & every_word(bit)


@cpu_kernel
def _bit_rows(first_row, end_row, planes, height, pitch, least, bits):
    """planes, bits: flat."""
    blocks = pitch // BLOCK - 1
    for y in range(first_row, end_row):
        for block in range(blocks):
            i = (3 * (height + 2 * REACH) + y + REACH) * pitch + EDGE + BLOCK * block
            middle = load32_bytes(planes, i)
            limit = (middle >> every_word(2)) + (middle >> every_word(4)) + every_word(least)
            found = every_word(0)
            found = found | _bit(planes, i - pitch - 1, middle, limit, 1)
            found = found | _bit(planes, i - pitch, middle, limit, 2)
            found = found | _bit(planes, i - pitch + 1, middle, limit, 4)
            found = found | _bit(planes, i - 1, middle, limit, 8)
            found = found | _bit(planes, i + 1, middle, limit, 16)
            found = found | _bit(planes, i + pitch - 1, middle, limit, 32)
            found = found | _bit(planes, i + pitch, middle, limit, 64)
            found = found | _bit(planes, i + pitch + 1, middle, limit, 128)
            j = i - 2 * pitch
            found = found | _bit(planes, j - 2, middle, limit, 256)
            found = found | _bit(planes, j, middle, limit, 512)
            found = found | _bit(planes, j + 2, middle, limit, 1024)
            found = found | _bit(planes, i - 2, middle, limit, 2048)
            found = found | _bit(planes, i + 2, middle, limit, 4096)
            j = i + 2 * pitch
            found = found | _bit(planes, j - 2, middle, limit, 8192)
            found = found | _bit(planes, j, middle, limit, 16384)
            found = found | _bit(planes, j + 2, middle, limit, -32768)
            store32_words(bits, BLOCK * (y * blocks + block), found)


def _texture_bits_cpu(image, least):
    height, width = image.shape[:2]
    pitch = pitch_of(width)
    planes = recycled_empty((4, height + 2 * REACH, pitch), np.uint8)
    bits = recycled_empty((height, pitch - BLOCK), np.int16)
    run_bands(_plane_rows, height + 2 * REACH, image, planes)
    flat = planes.reshape(-1), np.int64(height), np.int64(pitch), np.int64(least), bits.reshape(-1)
    run_bands(_bit_rows, height, *flat)
    return planes, bits


def _texture_bits_cuda(image, least):
    xp = array_module(image)
    height, width = image.shape[:2]
    pitch = pitch_of(width)
    planes = xp.empty((4, height + 2 * REACH, pitch), np.uint8)
    bits = xp.empty((height, pitch - BLOCK), np.int16)
    sizes = np.int32(height), np.int32(width), np.int32(pitch)
    _cuda.launch_image("texture_bits_planes", planes.shape[1:], image, planes, *sizes)
    _cuda.launch_image("texture_bits", bits.shape, planes, least, bits, *sizes)
    return planes, bits


def _sample(rng, size_hw):
    return rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8), np.int32(3)


texture_bits = Kernel("texture_bits", cpu=_texture_bits_cpu, cuda=_texture_bits_cuda, sample=_sample)
