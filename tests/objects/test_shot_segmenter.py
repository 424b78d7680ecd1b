"""A film of several shots with frames that say nothing: every frame once, in order, nothing carried across a cut."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.evaluation import region_similarity
from cvseg.motion import ConsensusOptions
from cvseg.objects import AutomaticOptions, ShotSegmenter, WorkFrames
from cvseg.records import Frame
from cvseg.synthetic import SCENES, render_clip

CONSENSUS = AutomaticOptions(consensus=ConsensusOptions(reach=4, step=1, hop=2))
CAUSAL = dataclasses.replace(CONSENSUS, evidence="causal")
BOTH = pytest.mark.parametrize("options", [CONSENSUS, CAUSAL], ids=["consensus", "causal"])


def rendered(name, frames):
    return list(render_clip(dataclasses.replace(SCENES[name], size_hw=(60, 80), frames=frames, speed=2.0)))


@pytest.fixture(scope="module")
def pan():
    return rendered("crossing", 9)


@pytest.fixture(scope="module")
def other():
    return rendered("static_camera", 7)


def decided(options, images):
    segmenter, done = ShotSegmenter(options), []
    works = WorkFrames("cpu", 240, "fast", causal=options.evidence == "causal")
    for t, image in enumerate(images):
        for work in works.push(Frame(t, Fraction(t, 25), image, str(t))):
            done += segmenter.push(work)
    for work in works.finish():
        done += segmenter.push(work)
    done += segmenter.finish()
    assert [foreground.work.frame.index for foreground in done] == list(range(len(images)))
    return done


@BOTH
def test_each_shot_is_segmented_as_if_it_were_alone(options, pan, other):
    one, two = [frame.image for frame in pan], [frame.image for frame in other]
    joined = decided(options, one + two)
    for foreground, alone in zip(joined, decided(options, one) + decided(options, two), strict=True):
        assert_array_equal(foreground.logit, alone.logit)


@BOTH
def test_a_repeat_gets_what_its_frame_got_and_changes_nothing_else(options, pan):
    images = [frame.image for frame in pan]
    alone = decided(options, images)
    doubled = decided(options, [image for image in images for _ in range(2)])
    for t, foreground in enumerate(doubled):
        assert_array_equal(foreground.logit, alone[t // 2].logit)
        assert (foreground.work.role == "repeat") == (t % 2 == 1)


@BOTH
@pytest.mark.parametrize("level", [0, 255])
def test_across_a_broken_frame_the_mask_goes_on(options, pan, level):
    images = [frame.image for frame in pan]
    whole = decided(options, images)
    broken = decided(options, [np.full_like(image, level) if t == 6 else image for t, image in enumerate(images)])
    assert broken[6].work.role == "broken"
    for t in range(2, 9):
        truth = pan[t].labels > 0
        assert region_similarity(broken[t].logit > 0, truth) > region_similarity(whole[t].logit > 0, truth) - 0.1
    # What comes out has the motion from frame to frame, for the tracker.
    step = broken[6].work.backward_xy
    assert_array_equal(broken[7].work.backward_xy, step)


def test_a_film_that_stands_still_for_long_is_decided_in_bounded_memory(pan):
    segmenter, works, waiting = ShotSegmenter(CONSENSUS), WorkFrames("cpu", 240, "fast"), 0
    images = [frame.image for frame in pan] + [pan[-1].image] * 80
    last = []
    for t, image in enumerate(images):
        for work in works.push(Frame(t, Fraction(t, 25), image, str(t))):
            found = segmenter.push(work)
            waiting += 1 - len(found)
            last += found
            assert waiting < 45
    assert waiting <= 1
    assert_array_equal(last[-1].logit, last[9].logit)
