"""Look: running statistics of sizes and colours, and when two sights are alike."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cvseg.tracking.look import COLORS, LONGEST, Look, Running, color_features, color_unlikeness, unlikeness


def look_of(width, height, color, frames=20, noise=0.0, seed=0):
    rng = np.random.default_rng(seed)
    result = Look.unknown()
    for _ in range(frames):
        result.sizes.learn(np.log([width, height, 0.8]) + 0.02 * rng.standard_normal(3))
        colors = np.concatenate([np.tile(color, 3), np.full(3, 10.0)])
        result.colors.learn(colors + noise * rng.standard_normal(COLORS))
    return result


def test_mean_and_variance_are_those_of_all_frames_while_they_are_few():
    values = np.random.default_rng(1).normal(5, 2, (LONGEST, 4))
    running = Running.empty(4)
    for row in values:
        running.learn(row)
    assert_allclose(running.mean, values.mean(0))
    assert_allclose(running.variance, values.var(0))


def test_two_halves_together_are_the_whole():
    values = np.random.default_rng(2).normal(0, 1, (20, 3))
    parts = [Running.empty(3), Running.empty(3)]
    for t, row in enumerate(values):
        parts[t // 10].learn(row)
    both = parts[0].merged(parts[1])
    assert_allclose(both.mean, values.mean(0))
    assert_allclose(both.variance, values.var(0))
    assert both.n == 20


def test_nothing_and_something_together_are_something():
    some = Running(3.0, np.ones(2), np.zeros(2))
    assert Running.empty(2).merged(some) is some
    assert some.merged(Running.empty(2)) is some


def test_the_same_object_fits_and_another_colour_or_size_does_not():
    red, again = look_of(20, 40, (200, 40, 40)), look_of(20, 40, (201, 40, 41), seed=5)
    assert unlikeness(red, again, partial=False) < 1
    assert unlikeness(red, look_of(20, 40, (40, 40, 200)), partial=False) > 10
    assert unlikeness(red, look_of(30, 40, (200, 40, 40)), partial=False) > 3


def test_what_flickers_on_an_object_says_little():
    steady, restless = look_of(20, 40, (100, 100, 100)), look_of(20, 40, (100, 100, 100), noise=25.0)
    other = look_of(20, 40, (125, 125, 125), seed=3)
    assert unlikeness(steady, other, partial=False) > 3 * unlikeness(restless, other, partial=False)


def test_a_part_may_be_smaller_but_not_larger():
    whole = look_of(20, 40, (100, 100, 100))
    assert unlikeness(whole, look_of(8, 40, (100, 100, 100)), partial=True) < 1
    assert unlikeness(whole, look_of(8, 40, (100, 100, 100)), partial=False) > 5
    assert unlikeness(whole, look_of(45, 40, (100, 100, 100)), partial=True) > 4


def test_without_colours_only_sizes_count():
    plain = look_of(20, 40, (9, 9, 9))
    plain.colors = Running.empty(COLORS)
    assert unlikeness(plain, look_of(20, 40, (200, 0, 0)), partial=False) < 1
    assert color_unlikeness(plain.colors, np.full(COLORS, 200.0)) == 0


def test_a_third_without_pixels_has_the_colour_of_the_whole():
    sums = np.zeros((1, 3, 7), np.int64)
    sums[0, 0] = 4, 40, 80, 120, 400, 1600, 3600
    assert_allclose(color_features(sums)[0], [10, 20, 30] * 3 + [0, 0, 0], atol=1e-9)


@pytest.mark.parametrize("frames", [0, 7])
def test_a_look_comes_back_from_its_state(frames):
    look = look_of(20, 40, (1, 2, 3), frames=frames)
    other = Look.from_state_dict(look.state_dict())
    assert other.sizes.n == look.sizes.n
    assert_allclose(other.colors.variance, look.colors.variance)
