"""How much two frames look alike: exact cases, light, noise, and input that is refused."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, ShapeError
from cvseg.shots import pair_likeness
from cvseg.shots.pair_likeness import largest_change


def picture(seed, size_hw=(48, 64)):
    rng = np.random.default_rng(seed)
    small = np.repeat(rng.integers(20, 200, (*size_hw, 1), dtype=np.uint8), 3, axis=2)
    return small, (small[..., 0] / np.float32(255)).astype(np.float32)


def compare(device, one, other, flow_xy=None):
    still = np.zeros((*one[1].shape, 2), np.float32) if flow_xy is None else flow_xy
    arrays = (device.array(array) for array in (one[1], other[1], one[0], other[0], still))
    return pair_likeness(*arrays)


def test_a_frame_is_like_itself(device):
    like = compare(device, picture(0), picture(0))
    assert like.structure == pytest.approx(1, abs=1e-5)
    assert (like.colors, like.light) == (0, 0)
    assert like.score == pytest.approx(1, abs=1e-5)


def test_other_pictures_have_neither_structure_nor_colours_in_common(device):
    one, other = picture(0), picture(1)
    assert compare(device, one, other).structure == pytest.approx(0, abs=0.05)
    black = np.zeros_like(one[0]), np.zeros_like(one[1])
    like = compare(device, one, black)
    assert like.structure < 0.1 and like.colors > 0.9 and like.score < 0
    assert like.light == pytest.approx(np.log(0.02 / (one[1].mean() + 0.02)), abs=1e-3)
    assert compare(device, black, black).score == pytest.approx(1)


def test_the_flow_finds_what_has_moved(device):
    wide = picture(2, (48, 80))
    one = tuple(np.ascontiguousarray(part[:, :64]) for part in wide)
    other = tuple(np.ascontiguousarray(part[:, 5:69]) for part in wide)
    moved = np.tile(np.float32([-5, 0]), (48, 64, 1))
    assert compare(device, one, other).score < 0.2
    # The blocks at the left edge have left the picture.
    assert compare(device, one, other, moved).score > 0.8


def test_light_changes_no_structure(device):
    small, gray = picture(3)
    like = compare(device, (small, gray), (small, gray * np.float32(0.5)))
    assert like.structure > 0.99
    assert like.light == pytest.approx(-np.log(2), abs=0.05)


@pytest.mark.parametrize("size_hw", [(1, 1), (3, 5), (9, 40)])
def test_tiny_pictures_have_a_score(device, size_hw):
    assert np.isfinite(compare(device, picture(4, size_hw), picture(5, size_hw)).score)


def test_the_largest_change_is_that_of_a_block(device):
    gray = np.full((16, 24), 0.5, np.float32)
    changed = gray.copy()
    changed[8:16, 8:12] += 0.25
    assert largest_change(device.array(gray), device.array(changed)) == pytest.approx(0.125)
    assert largest_change(device.array(gray), device.array(gray)) == 0


def test_wrong_arrays_are_named(device):
    small, gray = (device.array(part) for part in picture(6))
    still = device.array(np.zeros((48, 64, 2), np.float32))
    with pytest.raises(ShapeError, match="gray1"):
        pair_likeness(gray, gray[:-1], small, small, still)
    with pytest.raises(DtypeError, match="small1"):
        pair_likeness(gray, gray, small, device.array(to_host(small).astype(np.float32)), still)
    empty = device.array(np.zeros((0, 4), np.float32)), device.array(np.zeros((0, 4, 3), np.uint8))
    with pytest.raises(ShapeError, match="at least one pixel"):
        pair_likeness(empty[0], empty[0], empty[1], empty[1], device.array(np.zeros((0, 4, 2), np.float32)))
