"""What is fixed on the screen: captions are found on a moving camera, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import cvseg
from cvseg.arrays import to_host
from cvseg.motion import ConsensusOptions, NonlocalConsensus, ScreenFixed, ScreenFixedMap
from cvseg.motion.motion_seeds import MotionSeeds
from cvseg.synthetic import SUITE, render_clip

SIZE_HW = (96, 128)
TEXT = slice(74, 92), slice(10, 46)
OBJECT = slice(34, 62), slice(44, 84)


def blurred(rng, size_hw, scale):
    """Blobs with edges a pixel or two wide, as pictures have."""
    rows, columns = -(-size_hw[0] // scale), -(-size_hw[1] // scale)
    sharp = np.kron(rng.random((rows, columns)), np.ones((scale, scale)))[: size_hw[0], : size_hw[1]]
    return (sharp + np.roll(sharp, 1, 0) + np.roll(sharp, 1, 1) + np.roll(sharp, (1, 1), (0, 1))) / 4


def sampled(world, x):
    """Columns from x on, bilinear."""
    whole, part = int(np.floor(x)), x - np.floor(x)
    width = SIZE_HW[1]
    return (1 - part) * world[:, whole : whole + width] + part * world[:, whole + 1 : whole + width + 1]


def film(places, *, text_frames=(), jitter=None, noise=0.0, seed=0):
    """(gray, camera_back) a frame: a world seen from x = places, a text on the screen, an object that is followed."""
    rng = np.random.default_rng(seed)
    world = blurred(rng, (SIZE_HW[0], SIZE_HW[1] + 160), 6)
    text = np.kron(rng.random((6, 12)) > 0.5, np.ones((3, 3)))
    follower = blurred(rng, (SIZE_HW[0], SIZE_HW[1] + 20), 5)
    for frame, x in enumerate(places):
        gray = sampled(world, x)
        if jitter is not None:
            gray[OBJECT] = sampled(follower, 8 + jitter[frame])[OBJECT]
        if frame in text_frames:
            gray[TEXT] = text
        gray = np.clip(gray + rng.normal(0, noise, SIZE_HW), 0, 1).astype(np.float32)
        back = np.array([[1, 0, x - places[max(frame - 1, 0)]], [0, 1, 0], [0, 0, 1.0]])
        yield gray, back


def found(shown, device=None):
    fixed = ScreenFixedMap()
    return [fixed.push(gray if device is None else device.array(gray), back) for gray, back in shown]


PAN = 0.7 * np.arange(40)
SHAKE = 20 + 3 * np.sin(0.4 * np.arange(40)) + 1.5 * np.sin(1.3 * np.arange(40))


@pytest.mark.parametrize("places", [PAN, SHAKE], ids=["pan", "shake"])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_text_on_a_moving_camera_is_found_where_it_is(places, noise, device):
    *_, last = found(film(places, text_frames=range(40), noise=noise), device)
    share, frames = to_host(last.share), to_host(last.frames)
    assert share[TEXT].mean() > 0.9
    near = np.zeros(SIZE_HW, bool)
    near[66:, :54] = True
    assert share[~near].max() == 0
    assert (frames[TEXT] > 30).mean() > 0.9


def test_before_a_camera_that_stands_everything_is_fixed_and_nothing_is_found():
    assert found(film(np.full(40, 5.0), text_frames=range(40))) == [None] * 40


def test_without_a_text_nothing_is_found():
    assert found(film(PAN)) == [None] * 40
    assert found(film(SHAKE, noise=0.02)) == [None] * 40


@pytest.mark.parametrize("step_px", [0.0, 0.1, 0.5])
def test_an_object_that_the_camera_follows_is_no_caption(step_px):
    wander = np.cumsum(np.random.default_rng(0).normal(0, step_px, 40)).clip(-6, 6)
    shares = [float(one.share[OBJECT].mean()) for one in found(film(PAN, jitter=wander)) if one is not None]
    assert max(shares, default=0) < 0.02


def test_a_text_that_comes_and_goes_is_known_while_it_is_there():
    shown = found(film(1.2 * np.arange(60), text_frames=range(20, 45)))
    there = [one is not None and bool(one.share[TEXT].mean() > 0.5) for one in shown]
    assert there.index(True) in range(31, 38)
    assert not any(there[45:])
    assert 20 <= float(np.median(shown[44].frames[TEXT])) <= 26


@pytest.mark.parametrize("size_hw", [(1, 1), (2, 9), (3, 3), (9, 40)])
def test_small_pictures_are_taken(size_hw):
    fixed = ScreenFixedMap()
    rng = np.random.default_rng(0)
    for _ in range(30):
        assert fixed.push(rng.random(size_hw).astype(np.float32), np.eye(3)) is None


def test_seeds_of_what_is_fixed_do_not_count_in_the_frames_before_either(device):
    options = ConsensusOptions(cell=8, reach=3, step=1, hop=30, rounds=4)
    rng = np.random.default_rng(0)
    lab = rng.normal((50, 0, 0), 8, (48, 64, 3)).astype(np.float32)
    seeds = np.zeros((48, 64), np.float32)
    seeds[24:40, 8:40] = 1
    still = np.zeros((48, 64, 2), np.float32)
    share = np.zeros((48, 64), np.float32)
    share[:, :24] = 1

    def kept(consensus):
        """Seeds of the cells of all frames, while they wait."""
        consensus._take_fixed()
        return to_host(consensus.ring.arrays["seeds"])[:30].reshape(30, 6, 8)

    consensus = NonlocalConsensus(options)
    for frame in range(30):
        arrays = device.arrays(lab, seeds, seeds * 10, still, share, np.full((48, 64), 20, np.float32))
        fixed = ScreenFixed(*arrays[4:]) if frame == 29 else None
        consensus.push(arrays[0], MotionSeeds(arrays[1], arrays[2], {}), arrays[3], arrays[3], frame, fixed)
    own = kept(consensus)
    # Known in frame 29, for 20 frames: what was before frame 9 may have been something else.
    assert own[8, 3, 1] > 0.5 and own[4, 3, 1] > 0.5
    for frame in (17, 20, 29):
        assert own[frame, 3, 1] < 0.1 and own[frame, 3, 4] > 0.5
    again = kept(consensus)
    assert np.array_equal(own, again)


def test_a_caption_before_a_hand_held_camera_is_no_object():
    options = replace(SUITE["empty_handheld_caption"], size_hw=(120, 214), frames=50, camera_motion=4.0)
    frames = list(render_clip(options).frames())
    assert sum(int((result.labels > 0).sum()) for result in cvseg.segment(frames, preset="balanced", device="cpu")) == 0
