"""The whole pipeline on a film with a cut, a flash and a frame shown twice."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.pipeline import segment
from cvseg.records import Frame
from cvseg.synthetic import SCENES, render_clip


def images(name, frames):
    options = dataclasses.replace(SCENES[name], size_hw=(60, 80), frames=frames, speed=2.0)
    return [frame.image for frame in render_clip(options)]


@pytest.mark.parametrize("preset", ["fast", "balanced", "quality"])
def test_tracks_end_at_a_cut_and_go_on_across_a_flash_and_repeats(preset):
    one, two = images("crossing", 12), images("static_camera", 14)
    flash = np.clip(2.2 * one[5] + 60, 0, 255).astype(np.uint8)
    shown = [*one[:5], flash, one[6], one[6], *one[7:], *two]
    cut = len(one) + 1
    frames = [Frame(t, Fraction(t, 25), image, str(t)) for t, image in enumerate(shown)]
    results = list(segment(frames, preset=preset, device="cpu"))
    assert [result.frame.index for result in results] == list(range(len(shown)))
    before, after = (
        {track.id for result in part for track in result.tracks} for part in (results[:cut], results[cut:])
    )
    assert before and after
    assert max(before) < min(after), "numbers rise, and none is used in both shots"
    # Two that touch from the start may come apart meanwhile, but nobody loses its number.
    assert {track.id for track in results[4].tracks} <= {track.id for track in results[6].tracks}
    assert_array_equal(results[6].labels, results[7].labels)
    # The flash shows the objects where they are between the frames around it.
    around = (results[4].labels > 0) & (results[6].labels > 0)
    assert (results[5].labels > 0)[around].mean() > 0.9
