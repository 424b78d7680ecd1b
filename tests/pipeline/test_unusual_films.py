"""Whole runs on films as they come: flicker, lamps, black bars, two moments in one frame, a shutter that rolls."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import cvseg
from cvseg.evaluation import region_similarity
from cvseg.records import Frame
from cvseg.synthetic import SUITE, render_clip

FRAMES = 30


def rendered(scene):
    """Pictures and true masks of a small clip."""
    clip = list(render_clip(replace(SUITE[scene], size_hw=(120, 214), frames=FRAMES)))
    return [frame.image for frame in clip], [frame.labels > 0 for frame in clip]


def masks(images):
    frames = [Frame(t, Fraction(t, 25), np.ascontiguousarray(image), f"{t:05d}") for t, image in enumerate(images)]
    return [result.labels > 0 for result in cvseg.segment(frames, preset="balanced", device="cpu")]


def accuracy(images, truths):
    found = masks(images)
    return float(np.mean([region_similarity(mask, truth) for mask, truth in zip(found, truths, strict=True)]))


def in_light(images, gains):
    return [np.clip(np.rint(image * gain), 0, 255).astype(np.uint8) for image, gain in zip(images, gains, strict=True)]


def barred(images):
    """Black above and below, and at the sides."""
    images = [image.copy() for image in images]
    for image in images:
        image[:15] = image[-15:] = 0
        image[:, :20] = image[:, -20:] = 0
    return images


def combed(images):
    """Every second row is that of the next moment."""
    return [np.where(np.arange(len(now))[:, None, None] % 2, after, now) for now, after in itertools.pairwise(images)]


def rolled(images):
    """A hand moves while the rows are read out from above."""
    places = np.cumsum(np.random.default_rng(0).normal(0, 1.2, len(images) + 1))
    places -= np.linspace(places[0], places[-1], len(places))
    rows = np.arange(images[0].shape[0]) / images[0].shape[0]
    shown = []
    for image, begin, end in zip(images, places, places[1:], strict=False):
        shifts = np.rint(begin + (end - begin) * rows).astype(int)
        moved = [np.roll(row, shift, axis=0) for row, shift in zip(image, shifts, strict=True)]
        shown.append(np.stack(moved)[:, 12:-12])
    return shown


@pytest.mark.parametrize("light", ["flicker", "lamp"])
def test_light_that_flickers_or_is_switched_on_costs_little(light):
    images, truths = rendered("one_horse_handheld")
    gains = np.random.default_rng(0).uniform(0.8, 1.2, FRAMES) if light == "flicker" else np.repeat([0.6, 1], 15)
    steady = accuracy(images, truths)
    assert steady > 0.6
    assert accuracy(in_light(images, gains), truths) > steady - 0.05


@pytest.mark.parametrize("change", [barred, combed, rolled])
def test_where_only_the_camera_moves_nothing_is_found(change):
    images, _ = rendered("camera_only")
    assert sum(int(mask.sum()) for mask in masks(change(images))) == 0


def test_flicker_makes_no_objects():
    images, _ = rendered("camera_only")
    assert not any(mask.any() for mask in masks(in_light(images, np.random.default_rng(1).uniform(0.8, 1.2, FRAMES))))
