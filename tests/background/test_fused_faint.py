"""Camouflage: things of little contrast are found by a whole window of small differences; noise and light are not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.background import FusedBackground, FusedBackgroundOptions
from cvseg.background.fused_faint import enlarged, faint_distance, learn_calm, sampled, squared_differences
from tests.background.scenes import HEIGHT, WIDTH, f_measure, play, put, texture

NOTHING = np.zeros((HEIGHT, WIDTH), bool)
# By what a thing differs from the ground under it, in grey levels of contrast 1
KINDS = {
    "brighter": np.ones((32, 20, 3), np.float32),
    "of another colour": np.broadcast_to(np.float32([1.1, -0.7, -1.1]), (32, 20, 3)),
    "of another texture": (lambda t: (t - t.mean((0, 1))) / t.std())(texture(50, -1, 1, size_hw=(32, 20))),
}


def crossing(contrast, kind, frames=60, first=20):
    """A thing that is its ground plus `contrast` crosses from frame `first` on."""
    ground = texture(3, 90, 150, radius=3)
    for t in range(frames):
        added, truth = put(np.zeros_like(ground), np.float32(contrast) * KINDS[kind], -20 + 3 * (t - first), 20)
        yield ground + added, truth if t >= first else NOTHING


# Floors a tenth below what was measured. Without windows of differences all of these are below 0.1.
@pytest.mark.parametrize("motion", [False, True])
@pytest.mark.parametrize(
    ("kind", "contrast", "floor"),
    [
        ("brighter", 8, 0.7),
        ("brighter", 12, 0.85),
        ("of another colour", 8, 0.65),
        ("of another texture", 8, 0.6),
        ("of another texture", 12, 0.8),
    ],
)
def test_a_thing_of_little_contrast_is_found_and_only_by_windows_of_differences(kind, contrast, floor, motion):
    found = play(FusedBackground(FusedBackgroundOptions(motion=motion, faint=2.3)), crossing(contrast, kind))
    without = play(FusedBackground(FusedBackgroundOptions(motion=motion, faint=0)), crossing(contrast, kind))
    assert f_measure(found[24:44]) > floor
    assert f_measure(without[24:44]) < 0.1


def shaken(contrast, kind, frames=44, first=20, spare=8):
    """The same before a camera that jumps by up to three pixels."""
    wide, rng = (
        texture(11, 90, 150, radius=3, size_hw=(HEIGHT + 2 * spare, WIDTH + 2 * spare)),
        np.random.default_rng(5),
    )
    for t in range(frames):
        x, y = spare + rng.integers(-3, 4, 2)
        added, truth = put(
            np.zeros_like(wide), np.float32(contrast) * KINDS[kind], spare - 20 + 3 * (t - first), spare + 20
        )
        part = np.s_[y : y + HEIGHT, x : x + WIDTH]
        yield (wide + added)[part], truth[part] if t >= first else NOTHING


# Measured: 0.70, 0.94, 0.58, 0.86
@pytest.mark.parametrize(
    ("kind", "contrast", "floor"),
    [
        ("brighter", 8, 0.6),
        ("brighter", 12, 0.85),
        ("of another colour", 8, 0.5),
        ("of another texture", 12, 0.75),
    ],
)
def test_it_is_found_before_a_shaking_camera_too_and_only_by_windows_of_differences(kind, contrast, floor):
    found = play(FusedBackground(FusedBackgroundOptions(faint=2.3)), shaken(contrast, kind))
    without = play(FusedBackground(FusedBackgroundOptions(faint=0)), shaken(contrast, kind))
    assert f_measure(found[24:]) > floor
    assert f_measure(without[24:]) < 0.1


def test_shaking_alone_is_nothing_faint():
    pairs = play(FusedBackground(FusedBackgroundOptions(faint=2.3)), shaken(0, "brighter", first=99))
    assert sum(int(mask.sum()) for mask, _ in pairs[4:]) == 0


@pytest.mark.parametrize("noise", [0.0, 2.0, 8.0])
def test_noise_of_any_strength_is_nothing_faint(noise):
    model = FusedBackground(FusedBackgroundOptions(motion=False, faint=2.3))
    pairs = play(model, [(texture(3, 90, 150, radius=3), NOTHING)] * 60, noise=noise)
    assert sum(int(mask.sum()) for mask, _ in pairs) == 0


@pytest.mark.parametrize("each", [0.0005, -0.001, 0.002])
def test_light_that_changes_slowly_is_nothing_faint(each):
    ground = texture(3, 90, 150, radius=3)
    model = FusedBackground(FusedBackgroundOptions(motion=False, faint=2.3))
    pairs = play(model, [(ground * (1 + each * t), NOTHING) for t in range(120)])
    assert max(int(mask.sum()) for mask, _ in pairs) < 0.01 * NOTHING.size


@pytest.mark.parametrize("gain", [1.03, 0.97])
def test_a_small_step_of_the_light_is_nothing_faint(gain):
    ground = texture(3, 120, 220, radius=3)
    model = FusedBackground(FusedBackgroundOptions(motion=False, faint=2.3))
    pairs = play(model, [(ground * (gain if t >= 40 else 1), NOTHING) for t in range(60)])
    assert max(int(mask.sum()) for mask, _ in pairs) < 0.01 * NOTHING.size


def test_a_thing_that_is_plain_to_see_does_not_grow_by_the_window():
    ground = texture(3, 90, 150, radius=3)
    scenes = [put(ground, np.full((30, 24, 3), 230, np.float32), -24 + 3 * (t - 20), 20) for t in range(50)]
    areas = []
    for faint in (0.0, 2.3):
        model = FusedBackground(FusedBackgroundOptions(motion=False, faint=faint))
        areas.append(np.mean([int(mask.sum()) for mask, _ in play(model, scenes)[30:45]]))
    assert areas[1] < 1.06 * areas[0]


def test_squares_are_means_over_the_channels_against_the_background_in_this_light(device):
    image = np.full((4, 6, 3), (10, 20, 30), np.uint8)
    mean = np.full((3, 4, 6), 8, np.float32)
    squares = squared_differences(*device.arrays(image, mean), [1.0, 2.0, 0.5], 2)
    assert squares.shape == (2, 3)
    assert_allclose(to_host(squares), (4 + 16 + 26**2) / 3, rtol=1e-6)


def test_the_distance_is_the_root_of_the_ratio_of_window_means_without_clear_pixels():
    squares = np.full((5, 5), 36, np.float32)
    squares[2, 4] = 1e6
    near = np.ones((5, 5), bool)
    near[2, 4] = False
    calm, flicker = np.full((5, 5), 4, np.float32), np.ones((5, 5), np.float32)
    flicker[0, 0] = 2
    distance = faint_distance(squares, calm, near, flicker, window=1, least_sigma=1.0, widest=1.5)
    expected = np.full((5, 5), 2.0)
    expected[0, 0], expected[2, 4] = 1.0, 0.0
    assert_allclose(distance, expected, rtol=1e-6)
    floor = faint_distance(squares, calm, near, flicker, window=1, least_sigma=6.0, widest=1.0)
    assert floor[4, 0] == pytest.approx(1.0)


def test_only_quiet_pixels_learn_what_is_usual_and_the_first_ones_learn_fast():
    calm, squares = np.full((1, 2), 25, np.float32), np.full((1, 2), 5, np.float32)
    learn_calm(calm, squares, np.array([[True, False]]), 0.02, 0)
    assert_allclose(calm, [[20, 25]])
    learn_calm(calm, squares, np.array([[True, False]]), 0.02, 1000)
    assert_allclose(calm, [[20 - 0.3, 25]])


def test_sampling_and_enlarging_fit_together_at_odd_sizes():
    values = np.arange(35, dtype=np.float32).reshape(5, 7)
    assert_array_equal(sampled(values, 2), values[1::2, 1::2])
    assert_array_equal(enlarged(values[:2, :3], 3, (5, 8)), np.repeat(np.repeat(values[:2, :3], 3, 0), 3, 1)[:5, :8])
