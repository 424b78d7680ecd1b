"""Evidence of a background model, while the camera stands: when there is any, and how it joins with motion."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.objects import WorkFrames
from cvseg.objects.still_camera import StillCamera, StillEvidence
from cvseg.synthetic import SCENES, render_clip

STANDS = dataclasses.replace(SCENES["static_camera"], size_hw=(60, 80), frames=16)
PANS = dataclasses.replace(SCENES["crossing"], size_hw=(60, 80), frames=16, speed=2.0)


def evidence(scene, **settings):
    settings = {"camera": "auto", "background": "running_gaussian", "background_frames": 10} | settings
    still, works = StillCamera(**settings), WorkFrames("cpu", 240, "fast")
    done = [work for frame in render_clip(scene).frames() for work in works.push(frame)]
    return [still.push(work) for work in [*done, *works.finish()]]


def test_there_is_evidence_once_the_camera_has_stood_for_some_frames():
    seen = evidence(STANDS)
    assert seen[0] is None
    assert seen[-1] is not None
    assert seen[-1].logit.shape == (60, 80)
    assert seen[-1].trust == 1.0


def test_a_camera_that_pans_gives_none():
    assert evidence(PANS) == [None] * 16


@pytest.mark.parametrize(("camera", "there"), [("static", True), ("moving", False)])
def test_the_camera_can_be_told(camera, there):
    assert [one is not None for one in evidence(STANDS, camera=camera)] == [there] * 16


def test_trust_grows_with_the_frames_that_the_model_has_seen():
    trust = [one.trust for one in evidence(STANDS, camera="static", background_frames=8)]
    assert_allclose(trust, np.minimum(np.arange(1, 17) / 8, 1))


def test_votes_decide_while_the_background_is_unknown_and_the_model_once_it_is_known():
    vote = np.array([[0.1, 0.5, 0.9]], np.float32)
    logit = np.array([[4, -4, -2]], np.float32)
    mixed, gain = StillEvidence(logit, 0.0).with_votes(vote, 0.2)
    assert_allclose(mixed, vote, atol=1e-6)
    assert_array_equal(gain, np.ones((1, 3)))
    mixed, gain = StillEvidence(logit, 1.0).with_votes(vote, 0.2)
    assert_array_equal(mixed, np.float32([[1, 0, 0.25]]))
    assert_array_equal(gain, np.zeros((1, 3)))


def test_clear_motion_adds_to_the_model_and_never_takes_away():
    vote = np.array([[0.1, 0.9]], np.float32)
    logit = np.array([[1, -1]], np.float32)
    mixed, gain = StillEvidence(logit, 1.0).with_votes(vote, 0.9)
    assert_allclose(mixed, [[0.625, 1.0]], atol=1e-6)
    assert_array_equal(gain, [[0, 2]])
