"""Distance of each pixel from the colours that its background has, and how much it looks like a shadow on it."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

_ZERO, _ONE, _TWO, _THIRD, _FAR = (np.float32(value) for value in (0, 1, 2, 1 / 3, 1e9))
_NEAR = np.float32(4.0)  # squared sigmas within which neighbours need not be asked

# Numbers in the order of the kernel's arguments after the arrays; all float32.
SETTINGS = (
    "variance_floor",
    "established_first",
    "established_share",
    "neighbour_share",
    "flicker_free",
    "flicker_gain",
    "shadow_darkest",
    "shadow_lightest",
    "shadow_chroma",
)


@cpu_kernel
def _square(r, g, b, mean, k, y, x):
    dr, dg, db = r - mean[k, 0, y, x], g - mean[k, 1, y, x], b - mean[k, 2, y, x]
    return (dr * dr + dg * dg + db * db) * _THIRD


@cpu_kernel
def _distance_rows(first_row, end_row, image, mean, variance, age, flicker, settings, distance, own, shade):
    floor, first, share, neighbour_share, flicker_free, gain, darkest, lightest, chroma = settings
    modes, _, height, width = mean.shape
    for y in range(first_row, end_row):
        for x in range(width):
            r, g, b = np.float32(image[y, x, 0]), np.float32(image[y, x, 1]), np.float32(image[y, x, 2])
            nearest = _square(r, g, b, mean, 0, y, x) / max(variance[0, y, x], floor)
            needed = first + share * age[0, y, x]
            for k in range(1, modes):
                if age[k, y, x] >= needed:
                    nearest = min(nearest, _square(r, g, b, mean, k, y, x) / max(variance[k, y, x], floor))
            own[y, x] = nearest

            restless = flicker[y, x] - (_TWO if flicker[y, x] >= _TWO else _ZERO)
            restless = max(restless - flicker_free, _ZERO)
            around = nearest
            if nearest > _NEAR:
                for ny in range(max(y - 1, 0), min(y + 2, height)):
                    for nx in range(max(x - 1, 0), min(x + 2, width)):
                        around = min(around, _square(r, g, b, mean, 0, ny, nx) / max(variance[0, ny, nx], floor))
            part = min(neighbour_share + _NEAR * restless, _ONE)
            wider = _ONE + gain * restless
            distance[y, x] = np.sqrt(nearest + (around - nearest) * part) / wider

            mr, mg, mb = mean[0, 0, y, x], mean[0, 1, y, x], mean[0, 2, y, x]
            brightness = (r * mr + g * mg + b * mb + _ONE) / (mr * mr + mg * mg + mb * mb + _ONE)
            er, eg, eb = r - brightness * mr, g - brightness * mg, b - brightness * mb
            left = np.sqrt((er * er + eg * eg + eb * eb) * _THIRD / max(variance[0, y, x], floor)) / wider
            possible = brightness >= darkest and brightness <= lightest
            shade[y, x] = max(_ONE - left / chroma, _ZERO) if possible else _ZERO


def _mode_distance_cpu(image, mean, variance, age, flicker, *settings):
    distance, own, shade = (np.empty(flicker.shape, np.float32) for _ in range(3))
    run_bands(
        _distance_rows, image.shape[0], image, mean, variance, age, flicker, settings, distance, own, shade, least=16
    )
    return distance, own, shade


def _mode_distance_cuda(image, mean, variance, age, flicker, *settings):
    xp = array_module(image)
    height, width = flicker.shape
    distance, own, shade = (xp.empty(flicker.shape, np.float32) for _ in range(3))
    _cuda.launch_image(
        "mode_distance",
        (height, width),
        image,
        mean,
        variance,
        age,
        flicker,
        *settings,
        distance,
        own,
        shade,
        np.int32(mean.shape[0]),
        np.int32(height),
        np.int32(width),
    )
    return distance, own, shade


def sample_modes(rng, size_hw):
    """A picture and three colours per pixel, some near the picture: also for the kernel that learns them."""
    image = rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    near = np.moveaxis(image, 2, 0).astype(np.float32)
    shade = rng.choice(np.float32([1, 1, 1.4]), (3, 1, *size_hw))  # some pixels in shadow
    apart = rng.choice(np.float32([3, 12, 60]), (3, 1, *size_hw))
    mean = np.clip((near + rng.normal(0, 1, (3, 3, *size_hw)) * apart) * shade, 0, 255).astype(np.float32)
    variance = rng.uniform(4, 100, (3, *size_hw)).astype(np.float32)
    age = (rng.integers(0, 12, (3, *size_hw)) * rng.choice([0, 1, 1], (3, *size_hw))).astype(np.float32)
    flicker = (rng.uniform(0, 0.4, size_hw) + rng.choice([0, 2], size_hw)).astype(np.float32)
    return image, mean, variance, age, flicker


def _sample(rng, size_hw):
    settings = 16.0, 4.0, 0.3, 0.5, 0.1, 8.0, 0.5, 0.95, 1.5
    return *sample_modes(rng, size_hw), *map(np.float32, settings)


mode_distance = Kernel("mode_distance", cpu=_mode_distance_cpu, cuda=_mode_distance_cuda, sample=_sample)
