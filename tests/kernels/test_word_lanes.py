"""Vectors of 32 whole numbers of 16 bits, against NumPy."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal

from cvseg.kernels.cpu import cpu_kernel
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


@cpu_kernel
def _everything(a, b, words, result):
    x, y, w = load32_bytes(a, 0), load32_bytes(b, 0), load32_words(words, 0)
    store32_words(result, 0, distance(x, y))
    store32_words(result, 32, count_bits(w))
    store32_words(result, 64, pick_words(x < y, every_word(7), w))
    store32_words(result, 96, smaller(x, y) + larger(x, y) * every_word(3) - (x >> every_word(2)))
    store32_words(result, 128, ((x <= y) & every_word(5)) | ((x > y) & every_word(2)))
    return any_word(x > x), any_word(w)


def test_arithmetic_comparison_and_choice_agree_with_numpy():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 256, (2, 32), dtype=np.uint8)
    a[:4] = b[:4]
    words = rng.integers(-32768, 32768, 32).astype(np.int16)
    result = np.zeros(160, np.int16)
    assert _everything(a, b, words, result) == (False, True)
    x, y = a.astype(int), b.astype(int)
    assert_array_equal(result[:32], abs(x - y))
    assert_array_equal(result[32:64], [bin(int(word) & 0xFFFF).count("1") for word in words])
    assert_array_equal(result[64:96], np.where(x < y, 7, words))
    assert_array_equal(result[96:128], np.minimum(x, y) + 3 * np.maximum(x, y) - (x >> 2))
    assert_array_equal(result[128:], np.where(x <= y, 5, 2))
