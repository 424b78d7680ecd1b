"""Samples of what each pixel has shown: does the picture agree with enough of them? Every pixel tunes its own limits.

32 pixels of a row are compared at once, and the samples are gone through only until all of them have found their two.
The reads of one block lie together: colours of sample 0, of sample 1, ...
"""

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.background.pixel_hash import mixed, pixel_hash
from cvseg.kernels.background.sample_begin import sample_begin
from cvseg.kernels.background.texture_bits import BLOCK, EDGE, REACH, texture_bits
from cvseg.kernels.bands import run_bands
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.cuda import CudaSource
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.recycled import recycled_empty
from cvseg.kernels.word_lanes import (
    any_word,
    count_bits,
    distance,
    every_word,
    larger,
    load32_bytes,
    load32_words,
    pick_words,
    smaller,
    store32_words,
)

_cuda = CudaSource(__file__)

# Planes of the state that a pixel tunes itself by, all float32; what they mean stands in the .cu file
MAPS = (
    "apart_long",
    "apart_short",
    "raw_share",
    "final_share",
    "variation",
    "patience",
    "reach",
    "stood",
    "seen",
    "background_red",
    "background_green",
    "background_blue",
)
# Numbers after the arrays; all float32
SETTINGS = (
    "chance",  # of an update; below 0: each pixel's own, 1 / patience; 0 leaves everything as it is
    "color_distance",
    "bit_distance",
    "long_rate",
    "short_rate",
    "least_patience",
    "most_patience",
    "ghost_first",
    "ghost_share",
    "ghost_last",
    "still_levels",
    "flood_count",
    "shadow_darkest",
    "shadow_levels",
    "plate_rate",
)
NEEDED = 2  # samples that must agree
BITS_AS_LEVELS = 11  # what one unequal bit weighs in the joint distance: 255 levels * 3 channels / 16 bits / 4
_FAR = 16384

_0, _HALF, _1, _2, _3 = (np.float32(v) for v in (0, 0.5, 1, 2, 3))
_TENTH, _HUNDREDTH, _QUARTER = np.float32(0.1), np.float32(0.01), np.float32(0.25)
_LEVELS, _BITS, _16BITS = np.float32(1 / 765), np.float32(1 / 16), np.float32(65536)
_STEADY = np.float32(18)  # levels that a steady pixel is stricter by
_NEARLY = np.float32(0.49)


@cpu_kernel
def _limits(reach, raw_share, final_share, color_distance, bit_distance, level_limit, bit_limit):
    for x in range(len(reach)):
        r = reach[x]
        restless = (r > _3) | (raw_share[x] - final_share[x] > _TENTH)
        level_limit[x] = np.int16(np.int32(r * color_distance * _3 - (_0 if restless else _STEADY)))
        power = 2 if r < np.float32(1.5) else (4 if r < np.float32(2.5) else (8 if r < np.float32(3.5) else 16))
        bit_limit[x] = np.int16(power + np.int32(bit_distance) + (3 if restless else 0))


@cpu_kernel
def _match(y, blocks, samples, planes, pitch, size, bits, colors, patterns, limits, found):
    """limits: level_limit, bit_limit; found: good, least joint distance, second least, fewest bits; flat int16."""
    columns = BLOCK * blocks
    needed, one, far = every_word(NEEDED), every_word(1), every_word(_FAR)
    for block in range(blocks):
        x = BLOCK * block
        i = (y + REACH) * pitch + EDGE + x
        red, green, blue = load32_bytes(planes, i), load32_bytes(planes, size + i), load32_bytes(planes, 2 * size + i)
        own_bits = load32_words(bits, y * columns + x)
        level_limit, bit_limit = load32_words(limits, x), load32_words(limits, columns + x)
        channel_limit = level_limit >> one
        good = every_word(0)
        first, second, fewest = far, far, every_word(16)
        k = (y * blocks + block) * samples
        for sample in range(samples):
            active = good < needed
            if not any_word(active):
                break
            c = (k + sample) * 3 * BLOCK
            d_r = distance(red, load32_bytes(colors, c))
            d_g = distance(green, load32_bytes(colors, c + BLOCK))
            d_b = distance(blue, load32_bytes(colors, c + 2 * BLOCK))
            levels = d_r + d_g + d_b
            unequal = count_bits(own_bits ^ load32_words(patterns, (k + sample) * BLOCK))
            joint = levels + unequal * every_word(BITS_AS_LEVELS)
            agrees = (larger(d_r, larger(d_g, d_b)) <= channel_limit) & (joint <= level_limit)
            agrees = agrees & (unequal <= bit_limit) & active
            good = good + (agrees & one)
            fewest = pick_words(agrees, smaller(fewest, unequal), fewest)
            # Of those that are still looking: the nearest sample and the second nearest
            joint = pick_words(active, joint, far)
            second = smaller(second, larger(first, joint))
            first = smaller(first, joint)
        store32_words(found, x, good)
        store32_words(found, columns + x, first)
        store32_words(found, 2 * columns + x, second)
        store32_words(found, 3 * columns + x, fewest)


@cpu_kernel
def _see(good, second, level_limit, red, green, blue, plate_r, plate_g, plate_b, settings, foreground, raw, shadow):
    darkest, shadow_levels = settings[12], settings[13]
    for x in range(len(red)):
        ratio = np.float32(second[x]) / np.float32(max(level_limit[x], np.int16(1)))
        squares = ratio * ratio
        odds = squares / (squares + _1)
        is_off = good[x] < NEEDED
        r, g, b = np.float32(red[x]), np.float32(green[x]), np.float32(blue[x])
        mr, mg, mb = plate_r[x], plate_g[x], plate_b[x]
        light = (r * mr + g * mg + b * mb + _1) / (mr * mr + mg * mg + mb * mb + _1)
        er, eg, eb = r - light * mr, g - light * mg, b - light * mb
        apart = er * er + eg * eg + eb * eb
        dark = is_off & (light >= darkest) & (light < _1) & (apart < shadow_levels * shadow_levels)
        foreground[x] = max(odds, _HALF) if is_off else min(odds, _NEARLY)
        raw[x] = np.uint8(1) if is_off & (not dark) else np.uint8(0)
        shadow[x] = np.uint8(1) if dark else np.uint8(0)


@cpu_kernel
def _tune(good, first, fewest, raw, last_mask, blink, maps, light, last_light, hashes, flood, settings, now):
    """maps: rows of MAPS without the colours; now: 0, or bits: 1 own sample, 2 a neighbour's."""
    apart_long, apart_short, raw_share, final_share, variation, patience, reach, stood, seen = maps
    chance, long_rate, short_rate, least, most = settings[0], settings[3], settings[4], settings[5], settings[6]
    ghost_first, ghost_share, ghost_last, still = settings[7], settings[8], settings[9], settings[10]
    for x in range(len(good)):
        is_raw = np.float32(raw[x])
        missing = np.float32(max(NEEDED - good[x], 0)) * _HALF
        levels = np.float32(min(first[x], np.int16(765))) * _LEVELS
        apart = min((levels + np.float32(fewest[x]) * _BITS) * _HALF + missing, _1)
        long = apart_long[x] + long_rate * (apart - apart_long[x])
        short = apart_short[x] + short_rate * (apart - apart_short[x])
        was_final = last_mask[x] != 0
        raw_average = raw_share[x] + long_rate * (is_raw - raw_share[x])
        final_average = final_share[x] + long_rate * ((_1 if was_final else _0) - final_share[x])
        small, large = min(long, short), max(long, short)
        restless = (reach[x] > _3) | (raw_average - final_average > _TENTH)

        v = variation[x]
        calmer = _TENTH * (_QUARTER if was_final else (_HALF if restless else _1))
        v = v + _1 if (blink[x] != 0) & (large > _TENTH) else max(v - calmer, _TENTH)
        holds = was_final | ((small < _TENTH) & (is_raw > _0))
        safe = max(large, _HUNDREDTH)
        t = patience[x] + _HALF / (safe * v) if holds else patience[x] - _QUARTER * v / safe
        t = min(max(t, least), most)
        wanted = (_1 + _2 * small) * (_1 + _2 * small)
        d = reach[x] + _HUNDREDTH * (v - _TENTH) if reach[x] < wanted else max(reach[x] - _HUNDREDTH / v, _1)

        quiet = abs(np.float32(light[x]) - np.float32(last_light[x])) <= still
        stays = stood[x] + _1 if (is_raw > _0) & quiet else max(stood[x] - _1, _0)
        agrees = good[x] >= NEEDED
        is_ghost = (is_raw > _0) & ((stays >= min(ghost_first + ghost_share * seen[x], ghost_last)) | flood)
        seen[x] = _0 if is_ghost else min(seen[x] + (_1 if agrees else _0), np.float32(65535))
        odds = (_1 if is_ghost else _1 / t) if chance < _0 else chance
        odds = odds if agrees | is_ghost else _0
        low, high = np.float32(hashes[x] & np.uint32(65535)), np.float32(hashes[x] >> np.uint32(16))
        both = np.uint8(1) if low < odds * _16BITS else np.uint8(0)
        wider = odds * (_2 if restless else _1)
        now[x] = (
            both | (np.uint8(2) if high < wider * _16BITS else np.uint8(0)) | (np.uint8(4) if restless else np.uint8(0))
        )
        apart_long[x], apart_short[x], raw_share[x], final_share[x] = long, short, raw_average, final_average
        variation[x], patience[x], reach[x], stood[x] = v, t, min(d, np.float32(8)), min(stays, np.float32(65535))


@cpu_kernel
def _learn_plate(values, good, raw, is_learning, rate, plate):
    for x in range(len(plate)):
        step = rate if good[x] >= NEEDED else (_HALF if is_learning[x] & np.uint8(1) else _0)
        plate[x] = plate[x] + step * (np.float32(values[x]) - plate[x])


@cpu_kernel
def _round_plate(plate_r, plate_g, plate_b, pixels):
    for x in range(len(plate_r)):
        pixels[3 * x] = np.uint8(np.int32(plate_r[x] + _HALF))
        pixels[3 * x + 1] = np.uint8(np.int32(plate_g[x] + _HALF))
        pixels[3 * x + 2] = np.uint8(np.int32(plate_b[x] + _HALF))


@cpu_kernel
def _hash_row(first, key, hashes):
    for x in range(len(hashes)):
        hashes[x] = pixel_hash(first + x, key)


@cpu_kernel(forceinline=True)
def push_code(number, restless):
    """Which of the neighbours gets a copy: 1 to 24, places of a 5x5 window without the middle, in raster order."""
    if restless:
        place = np.int64((np.uint32(number >> np.uint32(16)) * np.uint32(24)) >> np.uint32(16))
        return place + 1
    place = np.int64(np.uint32(number >> np.uint32(16)) >> np.uint32(13))  # 0 to 7: the 3x3 ring
    row, column = (place + (1 if place >= 4 else 0)) // 3, (place + (1 if place >= 4 else 0)) % 3
    inside = (row + 1) * 5 + column + 1
    return inside + 1 if inside < 12 else inside


@cpu_kernel(forceinline=True)
def slot_of(number, samples):
    return np.int64((np.uint32(number & np.uint32(65535)) * np.uint32(samples)) >> np.uint32(16))


@cpu_kernel
def _replace(y, width, blocks, samples, planes, pitch, size, bits, hashes, now, colors, patterns, pushes):
    """Own samples are replaced at once; copies for neighbours are only announced."""
    for x in range(width):
        pushes[x] = np.uint8(0)
        if now[x] & np.uint8(3):
            if now[x] & np.uint8(1):
                number = mixed(np.uint32(hashes[x] ^ np.uint32(0x5BD1E995)))
                k = (y * blocks + x // BLOCK) * samples + slot_of(number, samples)
                lane, i = x % BLOCK, (y + REACH) * pitch + EDGE + x
                for channel in range(3):
                    colors[(k * 3 + channel) * BLOCK + lane] = planes[channel * size + i]
                patterns[k * BLOCK + lane] = bits[y * BLOCK * blocks + x]
            if now[x] & np.uint8(2):
                number = mixed(np.uint32(hashes[x] ^ np.uint32(0x27D4EB2F)))
                pushes[x] = np.uint8(push_code(number, now[x] & np.uint8(4)))


@cpu_kernel
def _consensus_rows(
    first_row, end_row, planes, bits, colors, patterns, maps, last_mask, blink, last_light, flood, key, settings,
    samples, outputs,
):  # fmt: skip
    """planes, bits, colors, patterns: flat."""
    foreground, raw, shadow, background, pushes, counts = outputs
    height, width = last_mask.shape
    blocks = -(-width // BLOCK)
    columns, pitch = BLOCK * blocks, BLOCK * (blocks + 1)
    size = (height + 2 * REACH) * pitch
    limits, found = np.zeros(2 * columns, np.int16), np.empty(4 * columns, np.int16)
    hashes, now = np.empty(width, np.uint32), np.zeros(width, np.uint8)
    level_limit, bit_limit = limits[:width], limits[columns : columns + width]
    good, first = found[:width], found[columns : columns + width]
    second, fewest = found[2 * columns : 2 * columns + width], found[3 * columns : 3 * columns + width]
    result = background.reshape(-1)
    for y in range(first_row, end_row):
        _limits(maps[6, y], maps[2, y], maps[3, y], settings[1], settings[2], level_limit, bit_limit)
        _match(y, blocks, samples, planes, pitch, size, bits, colors, patterns, limits, found)
        i = (y + REACH) * pitch + EDGE
        red, green = planes[i : i + width], planes[size + i : size + i + width]
        blue, light = planes[2 * size + i : 2 * size + i + width], planes[3 * size + i : 3 * size + i + width]
        plate_r, plate_g, plate_b = maps[9, y], maps[10, y], maps[11, y]
        _see(
            good, second, level_limit, red, green, blue, plate_r, plate_g, plate_b, settings,
            foreground[y], raw[y], shadow[y],
        )  # fmt: skip
        total = 0
        for x in range(width):
            total += raw[y, x]
        counts[y] = total
        if settings[0] != _0:
            _hash_row(y * width, key, hashes)
            tuned = (maps[0, y], maps[1, y], maps[2, y], maps[3, y], maps[4, y])
            rows = (*tuned, maps[5, y], maps[6, y], maps[7, y], maps[8, y])
            _tune(
                good, first, fewest, raw[y], last_mask[y], blink[y], rows, light, last_light[y], hashes,
                flood, settings, now,
            )  # fmt: skip
            _learn_plate(red, good, raw[y], now, settings[14], plate_r)
            _learn_plate(green, good, raw[y], now, settings[14], plate_g)
            _learn_plate(blue, good, raw[y], now, settings[14], plate_b)
            _replace(y, width, blocks, samples, planes, pitch, size, bits, hashes, now, colors, patterns, pushes[y])
            for x in range(width):
                last_light[y, x] = light[x]
        _round_plate(plate_r, plate_g, plate_b, result[3 * width * y : 3 * width * (y + 1)])


def _sample_consensus_cpu(planes, bits, colors, patterns, maps, last_mask, blink, last_light, crowd, frame, *settings):
    height, width = last_mask.shape
    samples = patterns.shape[2]
    foreground, background = recycled_empty((height, width)), recycled_empty((height, width, 3), np.uint8)
    raw, shadow = (recycled_empty((height, width), np.uint8) for _ in range(2))
    pushes, counts = np.zeros((height, width), np.uint8), np.empty(height, np.int64)
    outputs = foreground, raw, shadow, background, pushes, counts
    state = colors.reshape(-1), patterns.reshape(-1), maps, last_mask, blink, last_light
    flood = bool(np.float32(crowd[0]) > settings[11])
    # The key of frame n is the avalanche of n: neighbouring frames have nothing in common.
    key = np.uint32(mixed_number(int(frame)))
    arguments = planes.reshape(-1), bits.reshape(-1), *state, flood, key, settings, np.int64(samples), outputs
    run_bands(_consensus_rows, height, *arguments)
    if settings[0] != 0:
        crowd[0] = counts.sum()
    return foreground, raw, shadow, background, pushes, colors, patterns, maps, last_light, crowd


def mixed_number(number):
    """`mixed` for a plain number."""
    number ^= number >> 16
    number = number * 0x7FEB352D & 0xFFFFFFFF
    number ^= number >> 15
    number = number * 0x846CA68B & 0xFFFFFFFF
    return number ^ number >> 16


def _sample_consensus_cuda(planes, bits, colors, patterns, maps, last_mask, blink, last_light, crowd, frame, *settings):
    xp = array_module(bits)
    height, width = last_mask.shape
    foreground, background = xp.empty((height, width), np.float32), xp.empty((height, width, 3), np.uint8)
    raw, shadow, pushes = (xp.zeros((height, width), np.uint8) for _ in range(3))
    before = crowd.copy()
    if settings[0] != 0:
        crowd[...] = 0
    sizes = np.int32(patterns.shape[2]), np.int32(height), np.int32(width), np.int32(planes.shape[2])
    state = planes, bits, colors, patterns, maps, last_mask, blink, last_light, before, crowd
    outputs = foreground, raw, shadow, background, pushes
    _cuda.launch_image("sample_consensus", (height, width), *state, np.uint32(frame), *settings, *outputs, *sizes)
    return foreground, raw, shadow, background, pushes, colors, patterns, maps, last_light, crowd


def first_maps(xp, image, least_patience):
    """State of pixels that have seen only `image`."""
    maps = xp.zeros((len(MAPS), *image.shape[:2]), np.float32)
    maps[4:5] = np.float32(10)
    maps[5:6] = np.float32(least_patience)
    maps[6:7] = np.float32(1)
    maps[9:] = xp.moveaxis(image, 2, 0)
    return maps


def _sample(rng, size_hw):
    first = rng.integers(40, 220, (*size_hw, 3), dtype=np.uint8)
    second = np.where(rng.random((*size_hw, 1)) < 0.7, first, rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8))
    planes, bits = (array.copy() for array in texture_bits.cpu(first, np.int32(3)))
    colors, patterns = sample_begin.cpu(planes, bits, np.int32(size_hw[1]), np.int32(6))
    planes, bits = (array.copy() for array in texture_bits.cpu(second, np.int32(3)))
    maps = first_maps(np, first, 2)
    maps[:4] = rng.random((4, *size_hw), dtype=np.float32)
    maps[4], maps[6] = rng.uniform(0.1, 4, size_hw), rng.uniform(1, 5, size_hw)
    maps[5], maps[7] = rng.uniform(2, 20, size_hw), rng.integers(0, 12, size_hw)
    maps[8] = rng.integers(0, 12, size_hw)
    masks = ((rng.random((2, *size_hw)) < 0.3) * 1).astype(np.uint8)
    light = rng.integers(0, 256, size_hw, dtype=np.uint8)
    settings = -1, 30, 3, 0.01, 0.04, 2, 256, 6, 0.5, 10, 60, 0.6 * light.size, 0.6, 12, 0.05
    crowd = np.array([light.size // 3], np.int32)
    state = colors, patterns, maps, *masks, light, crowd
    return planes, bits, *state, np.uint32(5), *map(np.float32, settings)


sample_consensus = Kernel("sample_consensus", cpu=_sample_consensus_cpu, cuda=_sample_consensus_cuda, sample=_sample)
