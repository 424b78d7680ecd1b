"""The light of a shot: flicker is measured along the flow and taken out, what stays is let in."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from cvseg.arrays import to_host
from cvseg.kernels.color.gray_from_rgb import gray_from_rgb
from cvseg.objects import WorkFrames
from cvseg.records import Frame
from cvseg.shots import FrameLinks, SteadyLight
from cvseg.synthetic import ClipOptions, render_clip

CLIP = ClipOptions(size_hw=(96, 160), frames=8, objects=1, background="wall", camera="pan", camera_motion=2.0, seed=2)
GAINS = (1.0, 0.85, 1.12, 1.12, 0.88, 1.0, 1.15, 0.9)


def frames(gains=None):
    shown = render_clip(CLIP).frames()
    if gains is None:
        return list(shown)
    return [
        replace(frame, image=np.clip(np.rint(frame.image * gain), 0, 255).astype(np.uint8))
        for frame, gain in zip(shown, gains, strict=True)
    ]


def completed(shown, device="cpu"):
    works = WorkFrames(device, 240, "balanced")
    return [work for frame in shown for work in works.push(frame)] + works.finish()


def test_the_change_of_light_is_measured_along_the_flow(device):
    links, done = FrameLinks("fast"), []
    for frame in frames(GAINS):
        image = device.array(frame.image)
        done += links.push(gray_from_rgb(image), image, None)
    done += links.finish()
    assert done[0].lamps == (0, 0, 0)
    for frame, expected in zip(done[1:], np.diff(np.log(GAINS)), strict=True):
        assert frame.lamps == pytest.approx([expected] * 3, abs=0.015)
    assert done[3].lamps == (0, 0, 0)  # less than 3 % is no change


def test_lamps_of_another_colour_change_each_channel_by_its_own_factor():
    shown = frames((1.0,) * 4 + (np.array([1.25, 1.0, 0.8]),) * 4)
    links, done = FrameLinks("fast"), []
    for frame in shown:
        done += links.push(gray_from_rgb(frame.image), frame.image, None)
    done += links.finish()
    assert done[4].lamps == pytest.approx(np.log([1.25, 1, 0.8]), abs=0.02)
    before, after = (work.small.astype(float).mean((0, 1)) for work in completed(shown)[3:5])
    assert after == pytest.approx(before, rel=0.03)


def test_a_pan_over_light_and_dark_changes_no_light():
    links, done = FrameLinks("fast"), []
    for frame in frames():
        done += links.push(gray_from_rgb(frame.image), frame.image, None)
    assert [frame.lamps for frame in done + links.finish()] == [(0.0, 0.0, 0.0)] * len(GAINS)


def test_flicker_changes_neither_pictures_nor_flow_much(device):
    steady, flickering = completed(frames(), device.name), completed(frames(GAINS), device.name)
    for one, other, gain in zip(steady, flickering, GAINS, strict=True):
        image, seen = to_host(one.image).astype(int), to_host(other.image).astype(int)
        # What was cut off at white stays so.
        dark = image * 1.2 < 250
        assert np.abs(image - seen)[dark].mean() < 6, gain
        assert float(np.abs(to_host(one.lab) - to_host(other.lab)).mean()) < 3
        assert np.median(np.abs(to_host(one.forward_xy) - to_host(other.forward_xy))) < 0.1


def test_a_steady_film_keeps_its_pictures():
    for frame, work in zip(frames(), completed(frames()), strict=True):
        assert np.array_equal(work.image, frame.image)


def test_what_stays_is_let_in_slowly():
    light = SteadyLight()
    light.push((0.0,) * 3, begins_shot=True)
    light.push((0.3,) * 3)
    gray = np.full((2, 2, 3), 100, np.uint8)
    levels = []
    for _ in range(300):
        levels.append(int(light.steadied(gray)[0, 0, 0]))
        light.push((0.0,) * 3)
    assert levels[0] == round(100 * np.exp(-0.3))
    assert levels == sorted(levels) and max(np.diff(levels)) <= 1
    assert not light.changes


def test_another_shot_has_its_own_light():
    light = SteadyLight()
    light.push((0.0,) * 3, begins_shot=True)
    light.push((0.3,) * 3)
    assert light.changes
    light.push((0.0,) * 3, begins_shot=True)
    assert not light.changes


def test_a_light_that_is_switched_on_is_no_cut_and_colours_stay():
    shown = frames((1.0, 1.0, 1.0, 1.0, 1.35, 1.35, 1.35, 1.35))
    done = completed(shown)
    assert [work.begins_shot for work in done] == [True] + [False] * 7
    before, after = (done[i].small.astype(float).mean() for i in (3, 4))
    assert after == pytest.approx(before, rel=0.03)


def test_black_and_white_frames_tell_nothing_of_the_light():
    dark = [Frame(t, Fraction(t, 25), np.full((40, 60, 3), 3 + 2 * (t % 2), np.uint8), str(t)) for t in range(4)]
    assert [int(work.image[0, 0, 0]) for work in completed(dark)] == [3, 5, 3, 5]
