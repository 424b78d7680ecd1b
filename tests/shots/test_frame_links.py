"""Cuts, flashes and repeats: what each frame is taken for, in order, with the flow to the frames it belongs to."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cvseg.arrays import to_device, to_host
from cvseg.kernels.color.gray_from_rgb import gray_from_rgb
from cvseg.shots import FrameLinks
from cvseg.synthetic import SCENES, render_clip


def pictures(name, frames, **changes):
    options = dataclasses.replace(SCENES[name], size_hw=(90, 120), frames=frames, **changes)
    return [clip_frame.image for clip_frame in render_clip(options)]


@pytest.fixture(scope="module")
def pan():
    return pictures("crossing", 9, speed=2.0)


@pytest.fixture(scope="module")
def other():
    return pictures("static_camera", 6)


def brighter(image):
    return np.clip(2.2 * image + 60, 0, 255).astype(np.uint8)


def linked(shown, device="cpu", **settings):
    links, done = FrameLinks("fast", **settings), []
    for number, image in enumerate(shown):
        image = to_device(image, device)
        done += links.push(gray_from_rgb(image), image, number)
    done += links.finish()
    assert [frame.payload for frame in done] == list(range(len(shown)))
    return done


def roles(done):
    """A letter a frame: | begins a shot, s is seen, r repeated, b broken."""
    return "".join(("|" if frame.begins_shot else "") + frame.role[0] for frame in done)


def test_frames_of_one_shot_share_their_flow_and_come_one_late(pan):
    links = FrameLinks("fast")
    out = [links.push(gray_from_rgb(image), image, t) for t, image in enumerate(pan[:4])]
    assert [[frame.payload for frame in some] for some in out] == [[], [0], [1], [2]]
    first, second, third = out[1] + out[2] + out[3]
    assert roles([first, second, third]) == "|sss"
    assert first.backward_xy is None
    assert first.forward_xy is not None and second.backward_xy is not None
    assert [frame.forward_xy for frame in links.finish()] == [None]


def test_causal_frames_come_at_once_with_the_flow_of_their_pair(pan):
    links, late = FrameLinks("fast", causal=True), linked(pan[:4])
    for number, image in enumerate(pan[:4]):
        (frame,) = links.push(gray_from_rgb(image), image, number)
        assert (frame.payload, frame.role, frame.begins_shot) == (number, "seen", number == 0)
        assert frame.forward_xy is None
        if number:
            assert np.array_equal(frame.backward_xy, late[number].backward_xy)
            assert np.array_equal(frame.arrival_xy, late[number - 1].forward_xy)
    assert links.finish() == []


def test_causal_links_tell_cuts_flashes_and_repeats_alike(pan, other):
    for shown in (
        pan[:5] + other[:4] + pan[5:7],
        [brighter(image) if t in (4, 5) else image for t, image in enumerate(pan)],
        [*pan[:3], *pan[2:6]],
        [*pan[:4], np.zeros_like(pan[0])],
        [pan[0], pan[1]] + [pan[1]] * 9 + [pan[2]],
    ):
        causal, late = linked(shown, causal=True), linked(shown)
        assert roles(causal) == roles(late)
        for one, two in zip(causal, late, strict=True):
            assert one.role == "broken" or one.forward_xy is None
            assert (one.backward_xy is None) == (two.backward_xy is None)


def test_the_film_is_cut_between_two_shots(device, pan, other):
    done = linked(pan[:5] + other[:4] + pan[5:7], device.name)
    assert roles(done) == "|sssss|ssss|ss", "four frames are too many for a flash"
    assert done[4].forward_xy is None and done[5].backward_xy is None
    assert done[4].backward_xy is not None and done[5].forward_xy is not None


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("kind", ["flash", "black", "white", "other"])
def test_frames_that_say_nothing_lie_between_two_that_belong_together(pan, other, kind, count):
    change = {
        "flash": brighter,
        "black": np.zeros_like,
        "white": lambda image: np.full_like(image, 255),
        "other": lambda image: other[0],
    }[kind]
    shown = [change(image) if 4 <= t < 4 + count else image for t, image in enumerate(pan)]
    done = linked(shown)
    assert roles(done) == "|" + "s" * 4 + "b" * count + "s" * (5 - count)
    # The flow leads across, and each broken frame has its share of it.
    for place in range(count):
        share = np.float32((place + 1) / (count + 1))
        broken = done[4 + place]
        assert np.allclose(broken.backward_xy, share * done[4 + count].backward_xy)
        assert np.allclose(broken.forward_xy, (1 - share) * done[3].forward_xy, atol=1e-5)


def test_light_that_stays_is_no_cut(pan):
    done = linked([brighter(image) if t >= 4 else image for t, image in enumerate(pan)])
    assert roles(done) == "|" + "s" * 9
    assert done[3].forward_xy is not None


def test_flicker_of_fifteen_percent_breaks_nothing(pan):
    shown = [(image * (1.15 if t % 2 else 0.85)).clip(0, 255).astype(np.uint8) for t, image in enumerate(pan)]
    assert roles(linked(shown)) == "|" + "s" * 9


def test_a_frame_shown_twice_is_a_repeat_and_its_neighbours_are_linked(device, pan):
    done = linked([*pan[:3], *pan[2:6]], device.name)
    assert roles(done) == "|sssrsss"
    straight = linked(pan[:6], device.name)
    for one, alone in zip([f for f in done if f.role == "seen"], straight, strict=True):
        for name in ("forward_xy", "backward_xy"):
            flow, same = getattr(one, name), getattr(alone, name)
            assert (flow is None) == (same is None)
            assert flow is None or np.array_equal(to_host(flow), to_host(same))


def test_a_film_that_stands_still_holds_back_few_frames(pan):
    links = FrameLinks("fast")
    held = 0
    for t, image in enumerate([pan[0], pan[1]] + [pan[1]] * 40 + [pan[2]]):
        held += 1 - len(links.push(gray_from_rgb(image), image, t))
        assert held <= 6
    (last,) = links.finish()
    # The motion goes on where it stood.
    assert last.role == "seen" and not last.begins_shot and last.backward_xy is not None


def test_a_flash_at_the_end_is_a_shot_of_its_own(pan):
    assert roles(linked([*pan[:4], np.zeros_like(pan[0])])) == "|ssss|s"


def test_links_can_be_used_again(pan):
    links = FrameLinks("fast")
    for _ in range(2):
        done = [f for t, image in enumerate(pan[:3]) for f in links.push(gray_from_rgb(image), image, t)]
        assert roles(done + links.finish()) == "|sss"
    assert links.finish() == []
