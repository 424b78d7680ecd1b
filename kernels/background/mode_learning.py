"""Learning of the colours that the background of each pixel has, and of when a new colour takes over."""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.background.mode_distance import sample_modes
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel

_cuda = CudaSource(__file__)

_ZERO, _HALF, _ONE, _TWO, _THREE, _THIRD, _FAR = (np.float32(value) for value in (0, 0.5, 1, 2, 3, 1 / 3, 1e9))
_LEAST_AGE, _WANE, _FADE, _FAST = (np.float32(value) for value in (0.01, 0.3, 0.997, 0.1))
_DOUBT = np.float32(0.25)  # share of its age that a background loses where something moves that looks like it
_KEEP = np.float32(0.98)  # share of the learning that foreground takes away from the background

# Numbers in the order of the kernel's arguments after the arrays; all float32.
SETTINGS = (
    "rate",
    "variance_floor",
    "match",
    "established_first",
    "established_share",
    "takeover_first",
    "age_last",
    "flicker_rate",
)


@cpu_kernel
def _learn_rows(
    first_row,
    end_row,
    image,
    seen,
    mean,
    variance,
    age,
    flicker,
    own,
    probability,
    motion,
    factor,
    settings,
    background,
):
    rate, floor, match, established_first, share, takeover, last, flicker_rate = settings
    modes, _, _, width = mean.shape
    for y in range(first_row, end_row):
        for x in range(width):
            if rate > _ZERO and seen[y, x]:
                r, g, b = np.float32(image[y, x, 0]), np.float32(image[y, x, 1]), np.float32(image[y, x, 2])
                p, m = probability[y, x], motion[y // factor, x // factor]
                was_off = _ONE if flicker[y, x] >= _TWO else _ZERO
                restless = flicker[y, x] - _TWO * was_off
                is_off = _ONE if own[y, x] > match else _ZERO
                if p > _HALF and m > _HALF:
                    is_off = was_off  # something that moves on its own is no flicker of the background
                flicker[y, x] = restless + flicker_rate * (abs(is_off - was_off) - restless) + _TWO * is_off

                nearest, best = _FAR, 0
                for k in range(modes):
                    if age[k, y, x] > _ZERO:
                        dr, dg, db = r - mean[k, 0, y, x], g - mean[k, 1, y, x], b - mean[k, 2, y, x]
                        away = (dr * dr + dg * dg + db * db) * _THIRD / max(variance[k, y, x], floor)
                        if away < nearest:
                            nearest, best = away, k
                if nearest < match:
                    step = max(rate, _ONE / (age[best, y, x] + _ONE))
                    if best == 0:
                        step *= _ONE - _KEEP * p
                    square = nearest * max(variance[best, y, x], floor)
                    mean[best, 0, y, x] += step * (r - mean[best, 0, y, x])
                    mean[best, 1, y, x] += step * (g - mean[best, 1, y, x])
                    mean[best, 2, y, x] += step * (b - mean[best, 2, y, x])
                    variance[best, y, x] += min(step, _FAST) * (square - variance[best, y, x])
                    kept = age[best, y, x]
                    if best == 0:
                        kept *= _ONE - _DOUBT * m
                    older = kept + (_ONE - m * (_THREE if best == 0 else _ONE))
                    age[best, y, x] = min(max(older, _LEAST_AGE), last)
                    needed = established_first + share * age[0, y, x]
                    for k in range(1, modes):
                        if k != best:
                            years = age[k, y, x]
                            age[k, y, x] = max(years - _WANE, _ZERO) if years < needed else years * _FADE
                else:
                    weakest = 1
                    for k in range(2, modes):
                        if age[k, y, x] < age[weakest, y, x]:
                            weakest = k
                    if age[weakest, y, x] <= _ONE:
                        mean[weakest, 0, y, x], mean[weakest, 1, y, x], mean[weakest, 2, y, x] = r, g, b
                        variance[weakest, y, x], age[weakest, y, x] = floor * _TWO, _ONE
                    else:
                        age[weakest, y, x] -= _ONE
                for k in range(1, modes):
                    if age[k, y, x] >= min(takeover + age[0, y, x], last):
                        for c in range(3):
                            mean[0, c, y, x], mean[k, c, y, x] = mean[k, c, y, x], mean[0, c, y, x]
                        variance[0, y, x], variance[k, y, x] = variance[k, y, x], variance[0, y, x]
                        age[0, y, x], age[k, y, x] = age[k, y, x], min(age[0, y, x], _ONE)
            for c in range(3):
                background[y, x, c] = np.uint8(np.int32(mean[0, c, y, x] + _HALF))


def _mode_learning_cpu(image, seen, mean, variance, age, flicker, own, probability, motion, factor, *settings):
    background = np.empty_like(image)
    state = mean, variance, age, flicker
    run_bands(
        _learn_rows,
        image.shape[0],
        image,
        seen,
        *state,
        own,
        probability,
        motion,
        factor,
        settings,
        background,
        least=16,
    )
    return background, *state


def _mode_learning_cuda(image, seen, mean, variance, age, flicker, own, probability, motion, factor, *settings):
    background = array_module(image).empty_like(image)
    state = mean, variance, age, flicker
    _cuda.launch_linear(
        "mode_learning",
        flicker.size,
        image,
        seen,
        *state,
        own,
        probability,
        motion,
        factor,
        *settings,
        background,
        np.int32(mean.shape[0]),
        np.int32(flicker.size),
        np.int32(flicker.shape[1]),
        np.int32(motion.shape[1]),
    )
    return background, *state


def _sample(rng, size_hw):
    image, mean, variance, age, flicker = sample_modes(rng, size_hw)
    seen = (rng.random(size_hw) < 0.9).astype(np.uint8)
    own = rng.uniform(0, 30, size_hw).astype(np.float32)
    probability = rng.random(size_hw).astype(np.float32)
    motion = rng.random((-(-size_hw[0] // 2), -(-size_hw[1] // 2))).astype(np.float32)
    settings = 0.02, 16.0, 9.0, 8.0, 0.3, 2.0, 300.0, 0.05
    return image, seen, mean, variance, age, flicker, own, probability, motion, np.int32(2), *map(np.float32, settings)


mode_learning = Kernel("mode_learning", cpu=_mode_learning_cpu, cuda=_mode_learning_cuda, sample=_sample)
