"""One Gaussian per pixel, learned from frame to frame: how likely each pixel shows something before the background."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

_ZERO, _HALF, _ONE, _THIRD = np.float32(0), np.float32(0.5), np.float32(1), np.float32(1 / 3)


@cpu_kernel
def _soft_step(sigmas, threshold, steepness):
    """0.5 at the threshold, towards 0 below and 1 above; a logistic without an exponential."""
    z = (sigmas - threshold) * steepness
    return _HALF + _HALF * z / np.sqrt(_ONE + z * z)


@cpu_kernel
def _model_rows(
    first_row,
    end_row,
    image,
    mean,
    variance,
    candidate,
    age,
    rate,
    foreground_rate,
    absorb_after,
    variance_floor,
    threshold,
    steepness,
    shadow_darkest,
    shadow_lightest,
    shadow_weight,
    foreground,
    background,
):
    """image, background: (height, width, 3) uint8; mean, candidate: (height, width, 3) float32; others (height, width).

    The .cu file says what happens.
    """
    for y in range(first_row, end_row):
        for x in range(image.shape[1]):
            r, g, b = np.float32(image[y, x, 0]), np.float32(image[y, x, 1]), np.float32(image[y, x, 2])
            mean_r, mean_g, mean_b = mean[y, x, 0], mean[y, x, 1], mean[y, x, 2]
            dr, dg, db = r - mean_r, g - mean_g, b - mean_b
            square = (dr * dr + dg * dg + db * db) * _THIRD
            spread = max(variance[y, x], variance_floor)
            probability = _soft_step(np.sqrt(square / spread), threshold, steepness)

            brightness = (r * mean_r + g * mean_g + b * mean_b + _ONE) / (
                mean_r * mean_r + mean_g * mean_g + mean_b * mean_b + _ONE
            )
            er, eg, eb = r - brightness * mean_r, g - brightness * mean_g, b - brightness * mean_b
            chroma = (er * er + eg * eg + eb * eb) * _THIRD
            colored = _soft_step(np.sqrt(chroma / spread), threshold, steepness)
            shadowed = colored + (probability - colored) * shadow_weight
            is_shadow = brightness >= shadow_darkest and brightness <= shadow_lightest
            foreground[y, x] = min(shadowed, probability) if is_shadow else probability

            if rate > _ZERO:
                step = rate + (foreground_rate - rate) * probability
                mean_r, mean_g, mean_b = mean_r + step * dr, mean_g + step * dg, mean_b + step * db
                var = variance[y, x] + rate * (_ONE - probability) * (square - variance[y, x])
                if probability > _HALF:
                    cr, cg, cb = r - candidate[y, x, 0], g - candidate[y, x, 1], b - candidate[y, x, 2]
                    apart = (cr * cr + cg * cg + cb * cb) * _THIRD
                    stays = age[y, x] > _ZERO and apart < threshold * threshold * spread
                    share = np.float32(0.1) if stays else _ONE
                    candidate[y, x, 0] += share * cr
                    candidate[y, x, 1] += share * cg
                    candidate[y, x, 2] += share * cb
                    years = age[y, x] + _ONE if stays else _ONE
                    if years >= absorb_after:
                        mean_r, mean_g, mean_b = candidate[y, x, 0], candidate[y, x, 1], candidate[y, x, 2]
                        var = variance_floor
                        years = _ZERO
                    age[y, x] = years
                else:
                    age[y, x] = max(age[y, x] - _ONE, _ZERO)
                mean[y, x, 0], mean[y, x, 1], mean[y, x, 2] = mean_r, mean_g, mean_b
                variance[y, x] = var
            background[y, x, 0] = np.uint8(np.int32(mean_r + _HALF))
            background[y, x, 1] = np.uint8(np.int32(mean_g + _HALF))
            background[y, x, 2] = np.uint8(np.int32(mean_b + _HALF))


def _running_gaussian_cpu(image, mean, variance, candidate, age, *settings):
    foreground, background = np.empty(variance.shape, np.float32), np.empty_like(image)
    run_bands(
        _model_rows, image.shape[0], image, mean, variance, candidate, age, *settings, foreground, background, least=24
    )
    return foreground, background, mean, variance, candidate, age


def _running_gaussian_cuda(image, mean, variance, candidate, age, *settings):
    xp = array_module(image)
    foreground, background = xp.empty(variance.shape, np.float32), xp.empty_like(image)
    count = np.int32(variance.size)
    state = mean, variance, candidate, age
    _cuda.launch_linear("running_gaussian", variance.size, image, *state, *settings, foreground, background, count)
    return foreground, background, mean, variance, candidate, age


def _sample(rng, size_hw):
    image = rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    mean = np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.float32)
    mean[..., :] *= rng.choice(np.float32([1, 1, 1.3]), size_hw)[..., None]  # some pixels in shadow
    variance = rng.uniform(4, 100, size_hw).astype(np.float32)
    candidate = np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.float32)
    age = rng.integers(0, 11, size_hw).astype(np.float32)
    settings = 0.05, 0.002, 10.0, 16.0, 2.8, 2.0, 0.5, 0.95, 0.4
    return image, np.minimum(mean, np.float32(255)), variance, candidate, age, *map(np.float32, settings)


running_gaussian = Kernel("running_gaussian", cpu=_running_gaussian_cpu, cuda=_running_gaussian_cuda, sample=_sample)
