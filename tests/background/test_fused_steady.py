"""A camera that shakes: pictures are moved onto the background, and masks back onto the picture."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.background import BackgroundResult, FusedBackground, FusedBackgroundOptions
from cvseg.background.fused_steady import Position, find_position
from tests.background.scenes import HEIGHT, WIDTH, f_measure, filmed, play, put, texture

SPARE = 8  # pixels of the scene around the picture
THING = texture(7, 20, 120, radius=1, size_hw=(24, 16))


def shaken(frames=50, first=18, reach=3, fine=1, seed=5):
    """A finely textured scene, filmed by a camera that jumps by whole pixels; a thing crosses it from frame `first`."""
    wide = texture(11, 40, 210, radius=fine, size_hw=(HEIGHT + 2 * SPARE, WIDTH + 2 * SPARE))
    rng = np.random.default_rng(seed)
    for t in range(frames):
        x, y = SPARE + rng.integers(-reach, reach + 1, 2)
        scene, truth = put(wide, THING, SPARE - 16 + 3 * (t - first), SPARE + 24) if t >= first else (wide, None)
        part = np.s_[y : y + HEIGHT, x : x + WIDTH]
        yield scene[part], np.zeros((HEIGHT, WIDTH), bool) if truth is None else truth[part]


def shift(x, y, size_hw=(40, 50)):
    return Position(np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]]), size_hw)


def test_shaking_costs_little_where_pictures_are_moved_back_and_much_where_they_are_not():
    steady = play(FusedBackground(), shaken())
    loose = play(FusedBackground(FusedBackgroundOptions(steady=False)), shaken())
    assert f_measure(steady[22:]) > 0.8
    assert f_measure(steady[22:]) > f_measure(loose[22:]) + 0.1


def test_before_a_camera_that_stands_nothing_changes_by_a_bit():
    rng, ground = np.random.default_rng(0), texture(1)
    frames = [filmed(put(ground, THING, -20 + 3 * t, 24)[0], rng) for t in range(24)]
    one, other = FusedBackground(), FusedBackground(FusedBackgroundOptions(steady=False))
    for frame in frames:
        assert_array_equal(one.update(frame).foreground, other.update(frame).foreground)


def test_saved_while_it_shakes_and_loaded_it_goes_on_bit_by_bit():
    rng = np.random.default_rng(1)
    frames = [filmed(scene, rng) for scene, _ in shaken(frames=20, first=4)]
    straight, second = FusedBackground(), FusedBackground()
    for frame in frames[:10]:
        straight.update(frame)
    second.load_state_dict(straight.state_dict())
    assert straight.state_dict()["shaken"] > 0
    for frame in frames[10:]:
        assert_array_equal(second.update(frame).foreground, straight.update(frame).foreground)


def test_a_frozen_model_moves_pictures_back_as_well_and_does_not_change():
    model, rng = FusedBackground(), np.random.default_rng(1)
    *before, (last, truth) = list(shaken(frames=30, first=12))
    for scene, _ in before:
        model.update(filmed(scene, rng))
    state = model.state_dict()
    result = model.update(filmed(last, rng), learning_rate=0)
    assert f_measure([(result.mask, truth)]) > 0.6
    after = model.state_dict()
    for name, array in state.pop("arrays").items():
        assert_array_equal(after["arrays"][name], array, err_msg=name)
    assert {name: after[name] for name in state} == state


@pytest.mark.parametrize(("x", "y"), [(2, 0), (-3, 1), (1.5, -0.5)])
def test_the_position_of_a_picture_is_found(x, y):
    rows, columns = np.mgrid[0:80, 0:100].astype(np.float32)

    def scene(dx, dy):
        u, v = columns - np.float32(dx), rows - np.float32(dy)
        return np.float32(0.5) + np.float32(0.2) * np.sin(u / 3 + v / 11) * np.cos(v / 4 - u / 17)

    position = find_position(scene(x, y), scene(0, 0))
    assert_allclose(position.shift_xy, [x, y], atol=0.05)


def test_there_is_no_position_where_nothing_moved_or_nothing_fits_or_it_is_too_far():
    one = np.ascontiguousarray(texture(1, 0.2, 0.8, size_hw=(60, 80))[..., 0])
    other = np.ascontiguousarray(texture(2, 0.2, 0.8, size_hw=(60, 80))[..., 0])
    assert find_position(one, one) is None
    assert find_position(one, other) is None
    wide = np.ascontiguousarray(texture(1, 0.2, 0.8, radius=4, size_hw=(60, 120))[..., 0])
    assert find_position(np.ascontiguousarray(wide[:, :80]), np.ascontiguousarray(wide[:, 12:92])) is None


def test_a_turn_or_a_zoom_goes_as_far_as_the_corner_that_goes_farthest():
    assert shift(3, -2).farthest_px == pytest.approx(3)
    zoomed = Position(np.diag([1.1, 1.0, 1.0]), (40, 51))
    assert zoomed.farthest_px == pytest.approx(5)
    about_its_middle = Position(np.array([[1.2, 0, -5], [0, 1, 0], [0, 0, 1.0]]), (40, 51))
    assert about_its_middle.farthest_px == pytest.approx(5)


def test_a_picture_moved_by_whole_pixels_is_moved_exactly_and_its_masks_come_back(device):
    rng = np.random.default_rng(0)
    image = device.array(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8))
    moved, inside = shift(3, -2).onto_background(image)
    assert_array_equal(to_host(moved)[2:, :-3], to_host(image)[:-2, 3:])
    assert_array_equal(to_host(inside), np.pad(np.ones((38, 47), bool), ((2, 0), (0, 3))))
    mask = rng.random((40, 50)) < 0.3
    result = BackgroundResult(
        foreground=device.array(np.where(mask, np.float32(0.9), np.float32(0.1)).astype(np.float32)),
        mask=device.array(mask),
        background=moved,
        shadow=device.array(~mask),
        frames=7,
    )
    back = shift(3, -2).onto_picture(result)
    assert_array_equal(to_host(back.mask)[:-2, 3:], mask[2:, :-3])
    assert not to_host(back.mask)[:, :3].any()  # the background has never seen these
    assert_array_equal(to_host(back.shadow)[:-2, 3:], ~mask[2:, :-3])
    assert_array_equal(to_host(back.background)[:-2, 3:], to_host(image)[:-2, 3:])
    assert back.frames == 7


def test_a_position_at_half_the_size_is_twice_as_far_at_full_size():
    full = shift(1.5, -0.5, (20, 25)).scaled(2, (40, 50))
    assert_allclose(full.shift_xy, [3, -1])
    turned = Position(np.array([[0.9, -0.1, 2], [0.1, 0.9, 1], [0, 0, 1.0]]), (20, 25)).scaled(2, (40, 50))
    small = turned.matrix @ [2 * 7 + 0.5, 2 * 3 + 0.5, 1]  # the middle of a small pixel
    assert_allclose((small[:2] - 0.5) / 2, [0.9 * 7 - 0.1 * 3 + 2, 0.1 * 7 + 0.9 * 3 + 1])
