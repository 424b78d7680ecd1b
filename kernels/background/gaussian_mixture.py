"""Several Gaussians per pixel, as many as the pixel needs: compare a picture with them, then learn from it.

Whether a pixel has one Gaussian or five, and which of them fits, differs from pixel to pixel: code that branches on it
takes four times as long on a moving camera as on a still one (OpenCV). Here 16 pixels go through the model as one
vector. A mode that none of them has ends the loop; what only some need is done under a mask.

State: (blocks, 5 modes, 16) float32 for blocks of 16 pixels in raster order: first the weights of all modes, then
variance, red, green, blue of the first mode, of the second, and so on. What is looked at in every frame lies together.
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
    mask_bits,
    maximum,
    minimum,
    select,
    splat16,
    store16,
    store16_bytes,
    store16_rgb,
)
from cvseg.kernels.recycled import recycled_empty

_cuda = CudaSource(__file__)

BLOCK = 16  # pixels whose numbers lie together
FIELDS = 5  # of each mode: weight, variance, red, green, blue

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
def _judge(i, modes, model, red, green, blue, settings):
    """(probability, is shadow) of 16 pixels as lanes; `i` is where their numbers begin in `model`."""
    share, threshold, darkest = settings[2], settings[3], settings[8]
    # Squared distance, in variances, to the first background mode within the threshold, else to the nearest one
    nearest = splat16(np.float32(1e9))
    before = splat16(ZERO)  # weight of all earlier modes
    last = 0
    for mode in range(modes):
        weight = load16(model, i + 16 * mode)
        counts = (before < share) & (weight > ZERO) & (nearest >= threshold)
        if mask_bits(counts) == 0:
            break
        last = mode + 1
        at = i + 16 * (modes + 4 * mode)
        dr, dg, db = red - load16(model, at + 16), green - load16(model, at + 32), blue - load16(model, at + 48)
        square = dr * dr + dg * dg + db * db
        nearest = select(counts, minimum(nearest, square / load16(model, at)), nearest)
        before = before + weight
    squares = nearest * nearest
    probability = squares / (squares + threshold * threshold)
    shadow = splat16(ZERO)
    if darkest < ONE and mask_bits(nearest >= threshold) != 0:
        before = splat16(ZERO)
        for mode in range(last):
            weight = load16(model, i + 16 * mode)
            at = i + 16 * (modes + 4 * mode)
            mean_r, mean_g, mean_b = load16(model, at + 16), load16(model, at + 32), load16(model, at + 48)
            along = red * mean_r + green * mean_g + blue * mean_b
            whole = mean_r * mean_r + mean_g * mean_g + mean_b * mean_b
            light = along / maximum(whole, ONE)
            er, eg, eb = light * mean_r - red, light * mean_g - green, light * mean_b - blue
            apart = er * er + eg * eg + eb * eb
            is_shadow = (light >= darkest) & (light < ONE) & (nearest >= threshold)
            is_shadow = is_shadow & (before < share) & (weight > ZERO)
            is_shadow = is_shadow & (apart < threshold * load16(model, at) * light * light)
            shadow = select(is_shadow, splat16(ONE), shadow)
            before = before + weight
    return probability, shadow


@cpu_kernel(forceinline=True)
def _swap(i, modes, model, mode, under):
    """Exchange `mode` and the one before it where `under` is set."""
    for field in range(FIELDS):
        one = i + 16 * (mode - 1) if field == 0 else i + 16 * (modes + 4 * (mode - 1) + field - 1)
        other = one + (16 if field == 0 else 64)
        a, b = load16(model, one), load16(model, other)
        store16(model, one, select(under, b, a))
        store16(model, other, select(under, a, b))


@cpu_kernel(forceinline=True)
def _sort_up(i, modes, model, mode, rises):
    """Let `mode` rise past those of less weight, where the lanes `rises` are 1."""
    while mode > 0:
        under = (load16(model, i + 16 * mode) > load16(model, i + 16 * (mode - 1))) & (rises > ZERO)
        if mask_bits(under) == 0:
            break
        _swap(i, modes, model, mode, under)
        # A lane that stays where it is has ended its way up.
        rises = select(under, rises, splat16(ZERO))
        mode -= 1


@cpu_kernel(forceinline=True)
def _learn(i, modes, model, red, green, blue, settings):
    """Take one picture's 16 pixels into the model."""
    rate, least, match = settings[0], settings[1], settings[4]
    first_variance, smallest, largest = settings[5], settings[6], settings[7]
    keep, drop = ONE - rate, rate * least
    fitted = splat16(ZERO)
    total = splat16(ZERO)
    in_use = 0
    for mode in range(modes):
        weight = load16(model, i + 16 * mode)
        present = weight > ZERO
        if mask_bits(present) == 0:
            break
        in_use = mode + 1
        faded = keep * weight - drop
        if mask_bits(fitted < HALF) == 0:  # the rest only fades: its colours need not be read
            faded = select(present & (faded >= drop), faded, splat16(ZERO))
            store16(model, i + 16 * mode, faded)
            total = total + faded
            continue
        at = i + 16 * (modes + 4 * mode)
        variance = load16(model, at)
        mean_r, mean_g, mean_b = load16(model, at + 16), load16(model, at + 32), load16(model, at + 48)
        dr, dg, db = red - mean_r, green - mean_g, blue - mean_b
        square = dr * dr + dg * dg + db * db
        fits = present & (fitted < HALF) & (square < match * variance)
        if mask_bits(fits) != 0:
            grown = faded + rate
            step = select(fits, rate / grown, splat16(ZERO))
            faded = select(fits, grown, faded)
            changed = minimum(maximum(variance + step * (square - variance), smallest), largest)
            store16(model, at, select(fits, changed, variance))
            store16(model, at + 16, mean_r + step * dr)
            store16(model, at + 32, mean_g + step * dg)
            store16(model, at + 48, mean_b + step * db)
            fitted = select(fits, splat16(ONE), fitted)
        # A mode that nobody has seen for long is given up.
        faded = select(present & (faded >= drop), faded, splat16(ZERO))
        store16(model, i + 16 * mode, faded)
        total = total + faded
        if mode > 0 and mask_bits(fits) != 0:
            _sort_up(i, modes, model, mode, select(fits, splat16(ONE), splat16(ZERO)))
    share = ONE / select(total > ZERO, total, splat16(ONE))
    for mode in range(in_use):
        store16(model, i + 16 * mode, load16(model, i + 16 * mode) * share)
    missing = ONE - fitted
    if mask_bits(missing > ZERO) == 0:
        return
    # A new mode in the first free place; in the last one when there is none.
    last = min(in_use + 1, modes)
    for mode in range(last):
        weight = load16(model, i + 16 * mode)
        here = missing > ZERO
        if mode < modes - 1:
            here = here & (weight <= ZERO)
        if mask_bits(here) == 0:
            continue
        at = i + 16 * (modes + 4 * mode)
        if mode == 0:
            store16(model, i, select(here, splat16(ONE), weight))
        else:
            for other in range(mode):
                old = load16(model, i + 16 * other)
                store16(model, i + 16 * other, select(here, old * keep, old))
            store16(model, i + 16 * mode, select(here, splat16(rate), weight))
        store16(model, at, select(here, splat16(first_variance), load16(model, at)))
        store16(model, at + 16, select(here, red, load16(model, at + 16)))
        store16(model, at + 32, select(here, green, load16(model, at + 32)))
        store16(model, at + 48, select(here, blue, load16(model, at + 48)))
        placed = select(here, splat16(ONE), splat16(ZERO))
        missing = missing - placed
        _sort_up(i, modes, model, mode, placed)


@cpu_kernel
def _mixture_blocks(first, end, pixels, modes, model, settings, foreground, mask, shadow, background):
    """All arrays flat; pixels, background: 48 bytes a block."""
    stride = 16 * FIELDS * modes
    for block in range(first, end):
        i, k = block * stride, 16 * block
        red, green, blue = load16_red(pixels, 3 * k), load16_green(pixels, 3 * k), load16_blue(pixels, 3 * k)
        probability, is_shadow = _judge(i, modes, model, red, green, blue, settings)
        if settings[0] > ZERO:
            _learn(i, modes, model, red, green, blue, settings)
        store16(foreground, k, probability)
        store16_bytes(shadow, k, is_shadow)
        is_foreground = select(probability >= HALF, splat16(ONE), splat16(ZERO))
        store16_bytes(mask, k, select(is_shadow > ZERO, splat16(ZERO), is_foreground))
        at = i + 16 * modes
        mean_r, mean_g, mean_b = load16(model, at + 16), load16(model, at + 32), load16(model, at + 48)
        store16_rgb(background, 3 * k, mean_r + HALF, mean_g + HALF, mean_b + HALF)


def _gaussian_mixture_cpu(image, model, *settings):
    blocks, numbers = model.shape[0], model[0].size
    modes = numbers // (BLOCK * FIELDS)
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
    run_bands(_mixture_blocks, blocks, pixels, np.int64(modes), model.reshape(-1), settings, *outputs, least=512)
    if rest:
        model[-1, :, BLOCK - rest :] = 0  # pixels that do not exist learn nothing, as in CUDA
    size_hw = image.shape[:2]
    foreground, mask, shadow = (plane[:count].reshape(size_hw) for plane in (foreground, mask, shadow))
    return foreground, mask, shadow, background[: 3 * count].reshape(image.shape), model


def _gaussian_mixture_cuda(image, model, *settings):
    xp = array_module(image)
    size_hw = image.shape[:2]
    foreground = xp.empty(size_hw, np.float32)
    mask, shadow, background = xp.empty(size_hw, np.uint8), xp.empty(size_hw, np.uint8), xp.empty_like(image)
    count = size_hw[0] * size_hw[1]
    modes = np.int32(model.shape[1] // FIELDS)
    _cuda.launch_linear(
        "gaussian_mixture", count, image, model, *settings, foreground, mask, shadow, background, modes, np.int32(count)
    )
    return foreground, mask, shadow, background, model


def mixture_state(xp, size_hw, modes):
    """State of a model that has seen nothing."""
    return xp.zeros((-(-size_hw[0] * size_hw[1] // BLOCK), FIELDS * modes, BLOCK), np.float32)


def _sample(rng, size_hw):
    modes, (height, width) = 4, size_hw
    image = rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    model = mixture_state(np, size_hw, modes)
    count = height * width
    flat = image.reshape(-1, 3).astype(np.float32)
    # 0 to 4 modes, heaviest first; some near the picture, some a shaded copy of it
    in_use = rng.integers(0, modes + 1, count)
    weights = -np.sort(-rng.uniform(0.001, 1, (modes, count)), axis=0) * (np.arange(modes)[:, None] < in_use)
    weights = (weights / np.maximum(weights.sum(0), 1e-9)).astype(np.float32)
    fields = np.zeros((FIELDS * modes, model.shape[0] * BLOCK), np.float32)
    fields[:modes, :count] = weights
    for mode in range(modes):
        shade = rng.choice([1, 1.3, 2], count)[:, None]
        mean = np.clip(flat * shade + rng.normal(0, 9, flat.shape), 0, 255)
        present = mode < in_use
        fields[modes + 4 * mode, :count] = rng.uniform(4, 75, count) * present
        fields[modes + 4 * mode + 1 : modes + 4 * mode + 4, :count] = mean.T * present
    model[:] = np.moveaxis(fields.reshape(FIELDS * modes, -1, BLOCK), 1, 0)
    settings = 0.05, 0.05, 0.9, 16.0, 9.0, 15.0, 4.0, 75.0, 0.5
    return image, model, *map(np.float32, settings)


gaussian_mixture = Kernel("gaussian_mixture", cpu=_gaussian_mixture_cpu, cuda=_gaussian_mixture_cuda, sample=_sample)
