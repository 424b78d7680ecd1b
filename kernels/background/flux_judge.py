"""Motion energy as probability and mask, and a background picture that learns where nothing moves."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

_0, _HALF = np.float32(0), np.float32(0.5)


@cpu_kernel
def _probabilities(energy, limit, foreground, mask):
    for x in range(len(energy)):
        squares = energy[x] * energy[x]
        foreground[x] = squares / (squares + limit)
        mask[x] = np.uint8(1) if squares >= limit else np.uint8(0)


@cpu_kernel
def _learn(pixels, mask, rate, plate, result):
    """pixels, plate, result: rows of 3 numbers a pixel; mask: the same pixel's, once."""
    for x in range(len(mask)):
        step = _0 if mask[x] else rate
        for channel in range(3):
            k = 3 * x + channel
            value = plate[k] + step * (np.float32(pixels[k]) - plate[k])
            plate[k] = value
            result[k] = np.uint8(np.int32(value + _HALF))


@cpu_kernel
def _judge_rows(first_row, end_row, image, energy, plate, limit, rate, foreground, mask, background):
    """image, background: (height, width, 3) uint8; plate: the same in float32; energy, foreground: (height, width)."""
    width = energy.shape[1]
    pixels, flat_plate, result = image.reshape(-1), plate.reshape(-1), background.reshape(-1)
    for y in range(first_row, end_row):
        first, end = 3 * width * y, 3 * width * (y + 1)
        _probabilities(energy[y], limit, foreground[y], mask[y])
        _learn(pixels[first:end], mask[y], rate, flat_plate[first:end], result[first:end])


def _flux_judge_cpu(image, energy, plate, limit, rate):
    foreground, mask = recycled_empty(energy.shape), recycled_empty(energy.shape, np.uint8)
    background = recycled_empty(image.shape, np.uint8)
    run_bands(_judge_rows, energy.shape[0], image, energy, plate, limit, rate, foreground, mask, background)
    return foreground, mask, background, plate


def _flux_judge_cuda(image, energy, plate, limit, rate):
    xp = array_module(image)
    foreground, mask = xp.empty(energy.shape, np.float32), xp.empty(energy.shape, np.uint8)
    background = xp.empty_like(image)
    arrays = image, energy, plate, limit, rate, foreground, mask, background
    _cuda.launch_linear("flux_judge", energy.size, *arrays, np.int32(energy.size))
    return foreground, mask, background, plate


def _sample(rng, size_hw):
    image = rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    energy = rng.exponential(4, size_hw).astype(np.float32)
    plate = rng.uniform(0, 255, (*size_hw, 3)).astype(np.float32)
    return image, energy, plate, np.float32(16), np.float32(0.05)


flux_judge = Kernel("flux_judge", cpu=_flux_judge_cpu, cuda=_flux_judge_cuda, sample=_sample)
