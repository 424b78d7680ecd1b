"""Several Gaussians per pixel, as many as the pixel needs: compare a picture with them, then learn from it.

Whether a pixel has one Gaussian or five, and which of them fits, differs from pixel to pixel: code that branches on it
takes four times as long on a moving camera as on a still one (OpenCV). Here 16 pixels go through the model as one
vector. A mode that none of them has ends the loop; what only some need is done under a mask.

State, for blocks of 16 pixels in raster order: weights (blocks, modes, 16) float32; fields (blocks, modes, 4, 16)
int16: variance in 64ths, red, green, blue in 128ths. On a moving camera the time is that of reading all of it: with
float32 it would be nearly twice as many bytes.
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.lanes import (
    HALF,
    ONE,
    ZERO,
    load16,
    load16_blue,
    load16_green,
    load16_red,
    load16_shorts,
    mask_bits,
    maximum,
    minimum,
    select,
    splat16,
    store16,
    store16_bytes,
    store16_rgb,
    store16_shorts,
)
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

BLOCK = 16  # pixels whose numbers lie together
FIELDS = 4  # of each mode beside its weight: variance, red, green, blue
_FINE = np.float32(64)  # of a variance
_FINE_COLOR = np.float32(128)
_FINE_SQUARE = _FINE_COLOR * _FINE_COLOR / _FINE  # a squared difference of stored colours, in stored variances

# Numbers after the arrays, all float32. `rate` 0 leaves the state untouched.
SETTINGS = (
    "rate",
    "least_weight",
    "background_share",
    "threshold_squared",
    "match_squared",
    "first_variance",
    "smallest_variance",
    "largest_variance",
    "shadow_darkest",
)


@cpu_kernel(forceinline=True)
def _shadow(red, green, blue, energy, mean_r, mean_g, mean_b, variance, settings):
    """Where a picture is a darker copy of a mode; 1 or 0. All in stored units.

    With `light` = along / whole, what is left of the picture is energy - along^2 / whole. Multiplied by whole^2 no lane
    needs a division.
    """
    threshold, darkest = settings[3], settings[8]
    along = red * mean_r + green * mean_g + blue * mean_b
    whole = mean_r * mean_r + mean_g * mean_g + mean_b * mean_b
    squared = along * along
    left = (energy * whole - squared) * whole
    is_shadow = (along >= darkest * whole) & (along < whole)
    is_shadow = is_shadow & (left < (threshold * _FINE_SQUARE) * variance * squared)
    return select(is_shadow, splat16(ONE), splat16(ZERO))


@cpu_kernel(forceinline=True)
def _swap(i, modes, weights, fields, mode, under):
    """Exchange `mode` and the one before it where `under` is set."""
    one = i + 16 * (mode - 1)
    a, b = load16(weights, one), load16(weights, one + 16)
    store16(weights, one, select(under, b, a))
    store16(weights, one + 16, select(under, a, b))
    for field in range(FIELDS):
        one = 4 * i + 64 * (mode - 1) + 16 * field
        a, b = load16_shorts(fields, one), load16_shorts(fields, one + 64)
        store16_shorts(fields, one, select(under, b, a))
        store16_shorts(fields, one + 64, select(under, a, b))


@cpu_kernel(forceinline=True)
def _sort_up(i, modes, weights, fields, mode, rises):
    """Let `mode` rise past those of less weight, where the lanes `rises` are 1."""
    while mode > 0:
        under = (load16(weights, i + 16 * mode) > load16(weights, i + 16 * (mode - 1))) & (rises > ZERO)
        if mask_bits(under) == 0:
            break
        _swap(i, modes, weights, fields, mode, under)
        # A lane that stays where it is has ended its way up.
        rises = select(under, rises, splat16(ZERO))
        mode -= 1


@cpu_kernel(forceinline=True)
def _judge_and_learn(i, modes, weights, fields, red, green, blue, settings):
    """(probability, is foreground, is shadow) of 16 pixels; their weights begin at `i`, their fields at 4 i.

    Modes are read once: what is judged is what they were before they learn. Colours are in 128ths, as they are stored:
    powers of two, so that nothing is rounded otherwise.
    """
    rate, least, share, threshold = settings[0], settings[1], settings[2], settings[3]
    match, darkest = settings[4] * _FINE_SQUARE, settings[8]
    smallest, largest = settings[6] * _FINE, settings[7] * _FINE
    keep, drop = ONE - rate, rate * least
    energy = red * red + green * green + blue * blue
    # Squared distance, in variances, to the first background mode within the threshold, else to the nearest one
    nearest = splat16(np.float32(1e9))
    before = splat16(ZERO)  # weight of all earlier modes
    shadow, fitted, total = splat16(ZERO), splat16(ZERO), splat16(ZERO)
    in_use = 0
    for mode in range(modes):
        weight = load16(weights, i + 16 * mode)
        present = weight > ZERO
        if mask_bits(present) == 0:
            break
        in_use = mode + 1
        counts = present & (before < share) & (nearest >= threshold)
        asked = mask_bits(counts) != 0
        open_lanes = rate > ZERO and mask_bits(fitted < HALF) != 0
        faded = keep * weight - drop
        if not (asked or open_lanes):  # the rest only fades: its colours need not be read
            faded = select(present & (faded >= drop), faded, splat16(ZERO))
            if rate > ZERO:
                store16(weights, i + 16 * mode, faded)
            total = total + faded
            continue
        at = 4 * i + 64 * mode
        variance = load16_shorts(fields, at)
        mean_r, mean_g = load16_shorts(fields, at + 16), load16_shorts(fields, at + 32)
        mean_b = load16_shorts(fields, at + 48)
        dr, dg, db = red - mean_r, green - mean_g, blue - mean_b
        square = dr * dr + dg * dg + db * db
        if asked:
            nearest = select(counts, minimum(nearest, square / (_FINE_SQUARE * variance)), nearest)
            if darkest < ONE:
                counts = counts & (nearest >= threshold)
                if mask_bits(counts) != 0:
                    shade = _shadow(red, green, blue, energy, mean_r, mean_g, mean_b, variance, settings)
                    shadow = select(counts, maximum(shadow, shade), shadow)
            before = before + weight
        if rate > ZERO:
            fits = present & (fitted < HALF) & (square < match * variance)
            if mask_bits(fits) != 0:
                grown = faded + rate
                step = select(fits, rate / grown, splat16(ZERO))
                faded = select(fits, grown, faded)
                changed = variance + step * (square * (ONE / _FINE_SQUARE) - variance)
                changed = minimum(maximum(changed, smallest), largest)
                store16_shorts(fields, at, select(fits, changed, variance) + HALF)
                store16_shorts(fields, at + 16, mean_r + step * dr + HALF)
                store16_shorts(fields, at + 32, mean_g + step * dg + HALF)
                store16_shorts(fields, at + 48, mean_b + step * db + HALF)
                fitted = select(fits, splat16(ONE), fitted)
            # A mode that nobody has seen for long is given up.
            faded = select(present & (faded >= drop), faded, splat16(ZERO))
            store16(weights, i + 16 * mode, faded)
            total = total + faded
            if mode > 0 and mask_bits(fits) != 0:
                _sort_up(i, modes, weights, fields, mode, select(fits, splat16(ONE), splat16(ZERO)))
    if rate > ZERO:
        portion = ONE / select(total > ZERO, total, splat16(ONE))
        for mode in range(in_use):
            store16(weights, i + 16 * mode, load16(weights, i + 16 * mode) * portion)
        if mask_bits(fitted < HALF) != 0:
            _add_mode(i, modes, weights, fields, red, green, blue, ONE - fitted, in_use, settings)
    squares = nearest * nearest
    probability = squares / (squares + threshold * threshold)
    is_foreground = select(nearest >= threshold, splat16(ONE), splat16(ZERO))
    return probability, is_foreground, select(nearest >= threshold, shadow, splat16(ZERO))


@cpu_kernel(forceinline=True)
def _add_mode(i, modes, weights, fields, red, green, blue, missing, in_use, settings):
    """A new mode in the first free place where `missing` is 1; in the last one when there is none."""
    rate, first_variance = settings[0], settings[5] * _FINE
    keep = ONE - rate
    for mode in range(min(in_use + 1, modes)):
        weight = load16(weights, i + 16 * mode)
        here = missing > ZERO
        if mode < modes - 1:
            here = here & (weight <= ZERO)
        if mask_bits(here) == 0:
            continue
        at = 4 * i + 64 * mode
        if mode == 0:
            store16(weights, i, select(here, splat16(ONE), weight))
        else:
            for other in range(mode):
                old = load16(weights, i + 16 * other)
                store16(weights, i + 16 * other, select(here, old * keep, old))
            store16(weights, i + 16 * mode, select(here, splat16(rate), weight))
        store16_shorts(fields, at, select(here, splat16(first_variance), load16_shorts(fields, at)) + HALF)
        store16_shorts(fields, at + 16, select(here, red, load16_shorts(fields, at + 16)) + HALF)
        store16_shorts(fields, at + 32, select(here, green, load16_shorts(fields, at + 32)) + HALF)
        store16_shorts(fields, at + 48, select(here, blue, load16_shorts(fields, at + 48)) + HALF)
        placed = select(here, splat16(ONE), splat16(ZERO))
        missing = missing - placed
        _sort_up(i, modes, weights, fields, mode, placed)


@cpu_kernel
def _mixture_blocks(first, end, pixels, modes, weights, fields, settings, foreground, mask, shadow, background):
    """All arrays flat; pixels, background: 48 bytes a block."""
    for block in range(first, end):
        i, k = 16 * modes * block, 16 * block
        red, green = load16_red(pixels, 3 * k) * _FINE_COLOR, load16_green(pixels, 3 * k) * _FINE_COLOR
        blue = load16_blue(pixels, 3 * k) * _FINE_COLOR
        probability, is_foreground, is_shadow = _judge_and_learn(i, modes, weights, fields, red, green, blue, settings)
        store16(foreground, k, probability)
        store16_bytes(shadow, k, is_shadow)
        store16_bytes(mask, k, select(is_shadow > ZERO, splat16(ZERO), is_foreground))
        mean_r, mean_g = load16_shorts(fields, 4 * i + 16), load16_shorts(fields, 4 * i + 32)
        mean_b, level = load16_shorts(fields, 4 * i + 48), ONE / _FINE_COLOR
        store16_rgb(background, 3 * k, mean_r * level + HALF, mean_g * level + HALF, mean_b * level + HALF)


def _gaussian_mixture_cpu(image, weights, fields, *settings):
    blocks, modes = weights.shape[:2]
    count = image.shape[0] * image.shape[1]
    pixels, rest = image.reshape(-1), BLOCK * blocks - count
    if rest:  # the last vector would reach beyond the picture
        padded = recycled_empty((3 * BLOCK * blocks,), np.uint8)
        padded[: pixels.size] = pixels
        padded[pixels.size :] = 0
        pixels = padded
    foreground = recycled_empty((BLOCK * blocks,), np.float32)
    mask, shadow = (recycled_empty((BLOCK * blocks,), np.uint8) for _ in range(2))
    background = recycled_empty((3 * BLOCK * blocks,), np.uint8)
    outputs = foreground, mask, shadow, background
    state = weights.reshape(-1), fields.reshape(-1)
    run_bands(_mixture_blocks, blocks, pixels, np.int64(modes), *state, settings, *outputs, least=512)
    if rest:  # pixels that do not exist learn nothing, as in CUDA
        weights[-1, :, BLOCK - rest :] = 0
        fields[-1, :, :, BLOCK - rest :] = 0
    size_hw = image.shape[:2]
    foreground, mask, shadow = (plane[:count].reshape(size_hw) for plane in (foreground, mask, shadow))
    return foreground, mask, shadow, background[: 3 * count].reshape(image.shape), weights, fields


def _gaussian_mixture_cuda(image, weights, fields, *settings):
    xp = array_module(image)
    size_hw = image.shape[:2]
    foreground = xp.empty(size_hw, np.float32)
    mask, shadow, background = xp.empty(size_hw, np.uint8), xp.empty(size_hw, np.uint8), xp.empty_like(image)
    count = size_hw[0] * size_hw[1]
    modes = np.int32(weights.shape[1])
    arrays = image, weights, fields, *settings, foreground, mask, shadow, background
    _cuda.launch_linear("gaussian_mixture", count, *arrays, modes, np.int32(count))
    return foreground, mask, shadow, background, weights, fields


def mixture_state(xp, size_hw, modes):
    """State of a model that has seen nothing: weights, fields."""
    blocks = -(-size_hw[0] * size_hw[1] // BLOCK)
    return xp.zeros((blocks, modes, BLOCK), np.float32), xp.zeros((blocks, modes, FIELDS, BLOCK), np.int16)


def _sample(rng, size_hw):
    modes, (height, width) = 4, size_hw
    image = rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    weights, fields = mixture_state(np, size_hw, modes)
    count = height * width
    flat = image.reshape(-1, 3).astype(np.float32)
    # 0 to 4 modes, heaviest first; some near the picture, some a shaded copy of it
    in_use = rng.integers(0, modes + 1, count)
    shares = -np.sort(-rng.uniform(0.001, 1, (modes, count)), axis=0) * (np.arange(modes)[:, None] < in_use)
    planes = np.zeros((modes, 1 + FIELDS, weights.shape[0] * BLOCK), np.float32)
    planes[:, 0, :count] = shares / np.maximum(shares.sum(0), 1e-9)
    for mode in range(modes):
        shade = rng.choice([1, 1.3, 2], count)[:, None]
        mean = np.clip(flat * shade + rng.normal(0, 9, flat.shape), 0, 255)
        planes[mode, 1, :count] = np.round(64 * rng.uniform(4, 75, count)) * (mode < in_use)
        planes[mode, 2:, :count] = np.round(128 * mean.T) * (mode < in_use)
    blocks = np.moveaxis(planes.reshape(modes, 1 + FIELDS, -1, BLOCK), 2, 0)
    weights[:], fields[:] = blocks[:, :, 0], blocks[:, :, 1:].astype(np.int16)
    settings = 0.05, 0.05, 0.9, 16.0, 9.0, 15.0, 4.0, 75.0, 0.5
    return image, weights, fields, *map(np.float32, settings)


gaussian_mixture = Kernel("gaussian_mixture", cpu=_gaussian_mixture_cpu, cuda=_gaussian_mixture_cuda, sample=_sample)
