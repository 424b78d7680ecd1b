"""One Gaussian per pixel, learned from frame to frame: how likely each pixel shows something before the background."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

_ZERO, _HALF, _ONE, _THIRD = np.float32(0), np.float32(0.5), np.float32(1), np.float32(1 / 3)
_CANDIDATE_SHARE, _TWO = np.float32(0.1), np.float32(2)

# Numbers that say how the model sees and learns, in the order of the kernel's arguments after the arrays; all float32.
SETTINGS = (
    "rate",
    "foreground_rate",
    "variance_floor",
    "threshold",
    "steepness",
    "shadow_darkest",
    "shadow_lightest",
    "shadow_chroma",
    "shadow_weight",
    "flicker_rate",
    "flicker_free",
    "flicker_gain",
    "absorb_first",
    "absorb_share",
    "absorb_last",
)


@cpu_kernel
def _soft_step(sigmas, threshold, steepness):
    """0.5 at the threshold, towards 0 below and 1 above; a logistic without an exponential."""
    z = (sigmas - threshold) * steepness
    return _HALF + _HALF * z / np.sqrt(_ONE + z * z)


# Passes over one row. None branches on a pixel: every loop becomes vector code. The .cu file has the formulas in one
# piece, and says what they mean.


@cpu_kernel
def _spread_channels(pixels, red, green, blue):
    """pixels: one row, flat, r g b r g b ...; with two indices this would be scalar code, five times as slow."""
    for x in range(len(red)):
        red[x] = np.float32(pixels[3 * x])
        green[x] = np.float32(pixels[3 * x + 1])
        blue[x] = np.float32(pixels[3 * x + 2])


@cpu_kernel
def _judge(
    red,
    green,
    blue,
    mean_r,
    mean_g,
    mean_b,
    variance,
    flicker,
    settings,
    square,
    spread,
    is_off,
    chance,
    foreground,
    mask,
    shadow,
):
    _, _, floor, threshold, steepness, darkest, lightest, chroma, weight, _, flicker_free, gain, _, _, _ = settings
    for x in range(len(red)):
        r, g, b, mr, mg, mb = red[x], green[x], blue[x], mean_r[x], mean_g[x], mean_b[x]
        dr, dg, db = r - mr, g - mg, b - mb
        total = (dr * dr + dg * dg + db * db) * _THIRD
        plain = max(variance[x], floor)
        restless = flicker[x] - (_TWO if flicker[x] >= _TWO else _ZERO)
        wider = _ONE + gain * max(restless - flicker_free, _ZERO)
        wide = plain * wider * wider
        square[x], spread[x] = total, wide
        is_off[x] = _ONE if total > threshold * threshold * plain else _ZERO
        probability = _soft_step(np.sqrt(total / wide), threshold, steepness)
        chance[x] = probability
        brightness = (r * mr + g * mg + b * mb + _ONE) / (mr * mr + mg * mg + mb * mb + _ONE)
        er, eg, eb = r - brightness * mr, g - brightness * mg, b - brightness * mb
        colored = _soft_step(np.sqrt((er * er + eg * eg + eb * eb) * _THIRD / wide), chroma, steepness)
        shadowed = min(colored + (probability - colored) * weight, probability)
        is_shadow = (brightness >= darkest) & (brightness <= lightest)
        seen = shadowed if is_shadow else probability
        foreground[x] = seen
        mask[x] = np.uint8(1) if seen > _HALF else np.uint8(0)
        shadow[x] = np.uint8(1) if (seen <= _HALF) & (probability > _HALF) else np.uint8(0)


@cpu_kernel
def _learn_gaussian(square, chance, is_off, variance, flicker, settings, step):
    rate, foreground_rate, flicker_rate = settings[0], settings[1], settings[9]
    for x in range(len(square)):
        p = chance[x]
        step[x] = rate + (foreground_rate - rate) * p
        variance[x] += rate * (_ONE - p) * (square[x] - variance[x])
        was_off = _ONE if flicker[x] >= _TWO else _ZERO
        restless = flicker[x] - _TWO * was_off
        changed = abs(is_off[x] - was_off)
        flicker[x] = restless + flicker_rate * (changed - restless) + _TWO * is_off[x]


@cpu_kernel
def _learn_candidate(
    red, green, blue, chance, spread, candidate_r, candidate_g, candidate_b, age, seen, settings, absorbed
):
    threshold, first, share_of_seen, last = settings[3], settings[12], settings[13], settings[14]
    for x in range(len(red)):
        cr, cg, cb = red[x] - candidate_r[x], green[x] - candidate_g[x], blue[x] - candidate_b[x]
        apart = (cr * cr + cg * cg + cb * cb) * _THIRD
        stays = (age[x] > _ZERO) & (apart < threshold * threshold * spread[x])
        gives_way = age[x] <= _ONE
        is_foreground = chance[x] > _HALF
        share = (_CANDIDATE_SHARE if stays else (_ONE if gives_way else _ZERO)) if is_foreground else _ZERO
        candidate_r[x] += share * cr
        candidate_g[x] += share * cg
        candidate_b[x] += share * cb
        older = age[x] + _ONE if stays else max(age[x] - _ONE, _ONE)
        years = older if is_foreground else max(age[x] - _ONE, _ZERO)
        ripe = is_foreground & (years >= min(first + share_of_seen * seen[x], last))
        absorbed[x] = _ONE if ripe else _ZERO
        age[x] = _ZERO if ripe else years
        seen[x] = _ZERO if ripe else (seen[x] if is_foreground else seen[x] + _ONE)


@cpu_kernel
def _learn_mean(values, step, absorbed, candidate, mean):
    for x in range(len(values)):
        moved = mean[x] + step[x] * (values[x] - mean[x])
        mean[x] = candidate[x] if absorbed[x] > _ZERO else moved


@cpu_kernel
def _forget_variance(absorbed, floor, variance):
    for x in range(len(variance)):
        variance[x] = floor if absorbed[x] > _ZERO else variance[x]


@cpu_kernel
def _round_channels(red, green, blue, pixels):
    for x in range(len(red)):
        pixels[3 * x] = np.uint8(np.int32(red[x] + _HALF))
        pixels[3 * x + 1] = np.uint8(np.int32(green[x] + _HALF))
        pixels[3 * x + 2] = np.uint8(np.int32(blue[x] + _HALF))


@cpu_kernel
def _model_rows(
    first_row,
    end_row,
    image,
    mean,
    variance,
    candidate,
    age,
    seen,
    flicker,
    settings,
    foreground,
    mask,
    shadow,
    background,
):
    """image, background: (height, width, 3) uint8; mean, candidate: (3, height, width) float32; others as variance."""
    width = image.shape[1]
    pixels, result = image.reshape(-1), background.reshape(-1)
    rows = np.empty((9, width), np.float32)
    red, green, blue = rows[0], rows[1], rows[2]
    square, spread, is_off, chance, step, absorbed = rows[3], rows[4], rows[5], rows[6], rows[7], rows[8]
    for y in range(first_row, end_row):
        mean_r, mean_g, mean_b = mean[0, y], mean[1, y], mean[2, y]
        candidate_r, candidate_g, candidate_b = candidate[0, y], candidate[1, y], candidate[2, y]
        _spread_channels(pixels[3 * width * y : 3 * width * (y + 1)], red, green, blue)
        _judge(
            red,
            green,
            blue,
            mean_r,
            mean_g,
            mean_b,
            variance[y],
            flicker[y],
            settings,
            square,
            spread,
            is_off,
            chance,
            foreground[y],
            mask[y],
            shadow[y],
        )
        if settings[0] > _ZERO:
            _learn_gaussian(square, chance, is_off, variance[y], flicker[y], settings, step)
            _learn_candidate(
                red,
                green,
                blue,
                chance,
                spread,
                candidate_r,
                candidate_g,
                candidate_b,
                age[y],
                seen[y],
                settings,
                absorbed,
            )
            _learn_mean(red, step, absorbed, candidate_r, mean_r)
            _learn_mean(green, step, absorbed, candidate_g, mean_g)
            _learn_mean(blue, step, absorbed, candidate_b, mean_b)
            _forget_variance(absorbed, settings[2], variance[y])
        _round_channels(mean_r, mean_g, mean_b, result[3 * width * y : 3 * width * (y + 1)])


def _running_gaussian_cpu(image, mean, variance, candidate, age, seen, flicker, *settings):
    foreground, background = recycled_empty(variance.shape), recycled_empty(image.shape, np.uint8)
    mask, shadow = (recycled_empty(variance.shape, np.uint8) for _ in range(2))
    state = mean, variance, candidate, age, seen, flicker
    run_bands(_model_rows, image.shape[0], image, *state, settings, foreground, mask, shadow, background, least=24)
    return foreground, mask, shadow, background, *state


def _running_gaussian_cuda(image, mean, variance, candidate, age, seen, flicker, *settings):
    xp = array_module(image)
    foreground, background = xp.empty(variance.shape, np.float32), xp.empty_like(image)
    mask, shadow = xp.empty(variance.shape, np.uint8), xp.empty(variance.shape, np.uint8)
    count = np.int32(variance.size)
    arrays = image, mean, variance, candidate, age, seen, flicker, *settings, foreground, mask, shadow, background
    _cuda.launch_linear("running_gaussian", variance.size, *arrays, count)
    return foreground, mask, shadow, background, mean, variance, candidate, age, seen, flicker


def _sample(rng, size_hw):
    image = rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    near = np.moveaxis(image, 2, 0).astype(np.float32)
    shade = rng.choice(np.float32([1, 1, 1.3]), size_hw)  # some pixels in shadow
    mean = np.clip((near + rng.normal(0, 12, near.shape)) * shade, 0, 255).astype(np.float32)
    candidate = np.clip(near + rng.normal(0, 12, near.shape), 0, 255).astype(np.float32)
    variance = rng.uniform(4, 100, size_hw).astype(np.float32)
    age = rng.integers(0, 11, size_hw).astype(np.float32)
    flicker = (rng.uniform(0, 0.4, size_hw) + rng.choice([0, 2], size_hw)).astype(np.float32)
    seen = rng.integers(0, 6, size_hw).astype(np.float32)
    settings = 0.05, 0.002, 16.0, 2.8, 2.0, 0.6, 0.95, 1.2, 0.4, 0.05, 0.1, 8.0, 8.0, 0.5, 10.0
    return image, mean, variance, candidate, age, seen, flicker, *map(np.float32, settings)


running_gaussian = Kernel("running_gaussian", cpu=_running_gaussian_cpu, cuda=_running_gaussian_cuda, sample=_sample)
