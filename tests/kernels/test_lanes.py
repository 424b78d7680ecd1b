"""Lanes: what a vector computes is what NumPy computes element by element."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.kernels import lanes
from cvseg.kernels.lanes import (
    absolute,
    even_lanes,
    exponential,
    fma,
    hmin,
    hsum,
    inverse_root,
    left_neighbors,
    load4,
    load8,
    load16,
    load16_blue,
    load16_bytes,
    load16_green,
    load16_red,
    mask_bits,
    maximum,
    minimum,
    odd_lanes,
    round_down,
    select,
    splat8,
    splat16,
    square_root,
    store8,
    store16,
    zip_high,
    zip_low,
    zip_pairs_high,
    zip_pairs_low,
    zip_quads_high,
    zip_quads_low,
)

NUMBERS = np.random.default_rng(0).normal(0, 5, 64).astype(np.float32)
OTHERS = np.random.default_rng(1).normal(0, 5, 64).astype(np.float32)


@numba.njit
def _arithmetic(a, b, out):
    x, y = load16(a, 3), load16(b, 5)
    store16(out, 0, x + y)
    store16(out, 16, x - y)
    store16(out, 32, x * y)
    store16(out, 48, x / y)
    store16(out, 64, x * np.float32(3))
    store16(out, 80, np.float32(3) - x)
    store16(out, 96, absolute(x))
    store16(out, 112, square_root(absolute(x)))
    store16(out, 128, round_down(x))
    store16(out, 144, minimum(x, y))
    store16(out, 160, maximum(x, np.float32(1)))
    store16(out, 176, splat16(np.float32(7)))


def test_arithmetic_equals_numpy_to_the_last_bit():
    out = np.zeros(192, np.float32)
    _arithmetic(NUMBERS, OTHERS, out)
    x, y = NUMBERS[3:19], OTHERS[5:21]
    three, one = np.float32(3), np.float32(1)
    expected = [x + y, x - y, x * y, x / y, x * three, three - x, abs(x), np.sqrt(abs(x)), np.floor(x)]
    expected += [np.minimum(x, y), np.maximum(x, one), np.full(16, 7, np.float32)]
    assert_array_equal(out.reshape(12, 16), np.array(expected))


@numba.njit
def _masks(a, b, out):
    x, y = load8(a, 0), load8(b, 0)
    store8(out, 0, select((x > y) & (x >= np.float32(0)), x, splat8(np.float32(-1))))
    store8(out, 8, select((x < y) | (x <= np.float32(0)), x, y))
    return mask_bits(x > y), mask_bits((x > y) ^ (x > y))


def test_masks_choose_lane_by_lane():
    out = np.zeros(16, np.float32)
    bits, none = _masks(NUMBERS, OTHERS, out)
    x, y = NUMBERS[:8], OTHERS[:8]
    assert_array_equal(out[:8], np.where((x > y) & (x >= 0), x, -1))
    assert_array_equal(out[8:], np.where((x < y) | (x <= 0), x, y))
    assert bits == sum(1 << i for i in range(8) if x[i] > y[i])
    assert none == 0


@numba.njit
def _orders(a, out):
    x, y = load8(a, 0), load8(a, 8)
    even, odd = even_lanes(x, y), odd_lanes(x, y)
    store8(out, 0, even)
    store8(out, 8, odd)
    store8(out, 16, zip_low(even, odd))
    store8(out, 24, zip_high(even, odd))


def test_even_and_odd_lanes_take_a_row_apart_and_zip_puts_it_together():
    out = np.zeros(32, np.float32)
    _orders(NUMBERS, out)
    assert_array_equal(out[:8], NUMBERS[:16:2])
    assert_array_equal(out[8:16], NUMBERS[1:16:2])
    assert_array_equal(out[16:], NUMBERS[:16])


@numba.njit
def _pairs(a, out):
    x, y = load8(a, 0), load8(a, 8)
    store8(out, 0, zip_pairs_low(x, y))
    store8(out, 8, zip_pairs_high(x, y))


def test_zip_pairs_takes_two_lanes_from_each_in_turn():
    out = np.zeros(16, np.float32)
    _pairs(NUMBERS, out)
    assert_array_equal(out.reshape(4, 2, 2), NUMBERS[:16].reshape(2, 4, 2).transpose(1, 0, 2))


@numba.njit
def _sums(a):
    return hsum(load8(a, 0)), hsum(load16(a, 0))


def test_hsum_adds_halves_of_halves():
    halves = NUMBERS[:16].copy()
    sums = {}
    while len(halves) > 1:
        halves = halves[: len(halves) // 2] + halves[len(halves) // 2 :]
        sums[len(halves)] = halves
    eight = NUMBERS[:4] + NUMBERS[4:8]
    eight = eight[:2] + eight[2:]
    assert _sums(NUMBERS) == (eight[0] + eight[1], sums[1][0])


@numba.njit
def _fused(a, b, out):
    store8(out, 0, fma(load8(a, 0), load8(b, 0), load8(a, 8)))
    store8(out, 8, fma(load8(a, 0), np.float32(1.1), np.float32(0.3)))
    for i in range(8):
        out[16 + i] = fma(a[i], b[i], a[8 + i])


def test_fma_rounds_once_in_lanes_and_alone():
    out = np.zeros(24, np.float32)
    _fused(NUMBERS, OTHERS, out)
    # The product of two float32 is exact in float64, and the sum is rounded far below float32's last bit.
    exact = NUMBERS[:8].astype(np.float64) * OTHERS[:8] + NUMBERS[8:16]
    assert_array_equal(out[:8], exact.astype(np.float32))
    assert_array_equal(out[16:], out[:8])
    constant = NUMBERS[:8].astype(np.float64) * np.float32(1.1) + np.float32(0.3)
    assert_array_equal(out[8:16], constant.astype(np.float32))


@numba.njit
def _roots(a, out):
    for i in range(0, len(a), 8):
        store8(out, i, inverse_root(load8(a, i)))


@numba.njit
def _root(x):
    return inverse_root(x)


def test_inverse_root_is_near_over_the_whole_range_and_the_same_in_lanes_and_alone():
    values = np.logspace(-30, 30, 4096).astype(np.float32)
    roots = np.zeros_like(values)
    _roots(values, roots)
    assert_allclose(roots, 1 / np.sqrt(values.astype(np.float64)), rtol=5e-6)
    assert_array_equal(roots[::512], [_root(x) for x in values[::512]])


@numba.njit
def _bytes(a, out):
    store16(out, 0, load16_bytes(a, 1))


def test_bytes_become_floats():
    pixels = np.array([7, 0, 1, 127, 128, 255] * 3, np.uint8)
    out = np.zeros(16, np.float32)
    _bytes(pixels, out)
    assert_array_equal(out, pixels[1:17])


@numba.njit
def _double(a):
    return load8(a, 0) + 1.5


def test_a_bare_python_number_does_not_compile_because_it_is_float64():
    with pytest.raises(numba.TypingError):
        _double(NUMBERS)


def test_strided_arrays_do_not_compile():
    with pytest.raises(numba.TypingError):
        _sums(NUMBERS[::2])


def test_constants_are_float32():
    assert {type(value) for value in (lanes.ZERO, lanes.HALF, lanes.ONE)} == {np.float32}


@numba.njit
def _left_neighbors(a, out):
    store16(out, 0, left_neighbors(load16(a, 3), load16(a, 19)))


def test_left_neighbors_are_the_row_one_pixel_earlier():
    out = np.zeros(16, np.float32)
    _left_neighbors(NUMBERS, out)
    assert_array_equal(out, NUMBERS[18:34])


@numba.njit
def _sum_of_four(a, i):
    return hsum(load4(a, i))


def test_four_lanes_are_summed_as_two_pairs():
    a, b, c, d = NUMBERS[5:9]
    assert _sum_of_four(NUMBERS, 5) == (a + c) + (b + d)


@numba.njit
def _smallest(a):
    return hmin(load16(a, 3))


def test_hmin_is_the_smallest_lane():
    assert _smallest(NUMBERS) == NUMBERS[3:19].min()


@numba.njit
def _quads(out):
    x, y = load8(out, 0), load8(out, 8)
    store8(out, 16, zip_quads_low(x, y))
    store8(out, 24, zip_quads_high(x, y))


def test_zip_quads_takes_four_lanes_from_each_in_turn():
    out = np.arange(32, dtype=np.float32)
    _quads(out)
    assert out[16:].tolist() == [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15]


@numba.njit
def _channels(rgb, out):
    store16(out, 0, load16_red(rgb, 3))
    store16(out, 16, load16_green(rgb, 3))
    store16(out, 32, load16_blue(rgb, 3))


def test_channels_are_every_third_byte():
    rgb = np.random.default_rng(0).integers(0, 256, 60, dtype=np.uint8)
    out = np.zeros(48, np.float32)
    _channels(rgb, out)
    assert_array_equal(out.reshape(3, 16), rgb[3:51].reshape(16, 3).T.astype(np.float32))


@numba.njit
def _powers(a, out):
    for i in range(0, a.size, 8):
        store8(out, i, exponential(load8(a, i)))


def test_exponential_is_right_to_the_last_digits_and_zero_where_nothing_is_left():
    powers = np.concatenate([np.linspace(-87, 88, 100_000), [0, -0.0, 1, -1e-30, -87.5, -200, -1e30, -np.inf]])
    powers = powers.astype(np.float32)
    out = np.empty_like(powers)
    _powers(powers, out)
    expected = np.exp(powers.astype(np.float64))
    assert (np.abs(out - expected)[powers >= -87] <= 2.0**-22 * expected[powers >= -87]).all()
    assert not out[powers < -87].any()
    assert out[100_000] == out[100_001] == 1
