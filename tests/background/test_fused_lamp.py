"""Light that changes in a part of the picture: which part, and by how much; things and waves are no lamps."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cvseg.arrays import to_host
from cvseg.background.fused_lamp import find_lamp
from tests.background.scenes import filmed, put, texture

SIZE_HW = (72, 96)
GROUND = texture(15, 50, 150)
GREY = np.float32([0.299, 0.587, 0.114])
LEFT, RIGHT = np.s_[:, :4], np.s_[:, 12:]


def grey(image):
    return (image.astype(np.float32) @ GREY / np.float32(255)).astype(np.float32)


def lamp_of(now, before=GROUND, known=GROUND, sigma=3.0, device=None, noise=2.0):
    rng = np.random.default_rng(0)
    now, before = filmed(now, rng, noise), filmed(before, rng, noise)
    mean = np.ascontiguousarray(np.moveaxis(known, 2, 0), np.float32)
    arrays = now, mean, np.full(SIZE_HW, sigma**2, np.float32), grey(now), grey(before)
    return find_lamp(*(device.arrays(*arrays) if device else arrays), 1)


def half(gain, scene=GROUND):
    scene = scene.copy()
    scene[:, 48:] = np.minimum(scene[:, 48:] * np.float32(gain), 255)
    return scene


@pytest.mark.parametrize("gain", [0.6, 1.5, (1.5, 1.2, 1.0)])
def test_a_lamp_is_found_where_it_shines_with_its_gain(gain, device):
    lamp = lamp_of(half(gain), device=device)
    assert lamp.lit[RIGHT].all() and not lamp.lit[LEFT].any()
    for channel, expected in enumerate(np.broadcast_to(gain, 3)):
        assert_allclose(lamp.gain[channel][RIGHT], expected, atol=0.12)
    assert_allclose(lamp.gain[:, :, :4], 1)


def test_nothing_is_a_lamp_that_was_there_before_or_is_noise_or_too_small():
    assert lamp_of(half(1.5), before=half(1.5)) is None
    assert lamp_of(GROUND, noise=12.0, sigma=12.0) is None
    assert lamp_of(half(1.05)) is None
    corner = GROUND.copy()
    corner[:12, :18] *= 1.5
    assert lamp_of(corner) is None


@pytest.mark.parametrize("level", [30, 110, 220])
def test_a_large_thing_is_no_lamp_whether_plain_or_not(level):
    for thing in (np.full((60, 60, 3), level, np.float32), texture(4, level - 20, level + 20, size_hw=(60, 60))):
        assert lamp_of(put(GROUND, thing, 20, 6)[0]) is None


def test_where_the_ground_is_plain_nothing_tells_a_lamp_from_a_thing():
    plain = np.full((*SIZE_HW, 3), 90, np.float32)
    assert lamp_of(half(1.5, plain), before=plain, known=plain) is None


def test_waves_that_differ_as_they_always_do_are_no_lamp():
    assert lamp_of(half(1.5)) is not None
    assert lamp_of(half(1.5), sigma=30.0) is None


def test_a_tiny_picture_has_no_lamp():
    mean, one = np.full((3, 8, 9), 90, np.float32), np.full((8, 9), 0.5, np.float32)
    assert find_lamp(np.full((8, 9, 3), 180, np.uint8), mean, one, one, 0 * one, 1) is None


def test_the_background_is_lit_to_the_edge_of_the_light_and_not_where_a_thing_stands(device):
    scene, truth = put(half(1.5), np.full((24, 16, 3), (10, 20, 200), np.float32), 70, 24)
    lamp = lamp_of(half(1.5))
    image = filmed(scene, np.random.default_rng(1))
    mean = np.ascontiguousarray(np.moveaxis(GROUND, 2, 0))[None].repeat(2, 0)
    history = np.full((3, *SIZE_HW), 0.4, np.float32)
    arrays = device.arrays(image, mean, history)
    lamp.relight(*arrays, 1)
    lit = to_host(arrays[1])
    beside = ~truth
    beside[:, 44:52] = False  # the vote blurs the edge by a pixel or two
    assert_allclose(lit[1][:, beside], np.moveaxis(half(1.5), 2, 0)[:, beside], atol=12)
    assert np.abs(lit[0][:, :, 44:52] - np.moveaxis(half(1.5), 2, 0)[:, :, 44:52]).mean() < 6
    middle = np.s_[:, 30:42, 75:81]
    assert_allclose(lit[0][middle], np.moveaxis(GROUND, 2, 0)[middle])
    before = to_host(arrays[2])
    assert_allclose(before[:, :, :40], 0.4)
    assert_allclose(before[:, :20, 56:], 0.6, atol=0.05)
