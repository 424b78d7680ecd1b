"""Terms of the evidence: they add up to what was cut, and each says what it is named after."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.color.lab import lab_image
from cvseg.motion import ConsensusOptions
from cvseg.objects import AutomaticOptions, AutomaticSegmenter, WorkFrames, cut_frames
from cvseg.objects.evidence_terms import VoteParts, evidence_of_cut
from cvseg.records import EVIDENCE_TERMS
from cvseg.synthetic import SCENES, render_clip

# Sums of single precision, of values up to 5, taken in two orders.
ROUNDING = 2e-6

CLIPS = {
    name: dataclasses.replace(SCENES[name], size_hw=(60, 80), frames=12, speed=2.0)
    for name in ("crossing", "static_camera")
}
CONSENSUS = AutomaticOptions(consensus=ConsensusOptions(reach=4, step=1, hop=2), background_frames=4)


def decided(options, scene="crossing", explain=True, device="cpu"):
    segmenter, done = AutomaticSegmenter(options, explain=explain), []
    works = WorkFrames(device, 240, "fast", causal=options.evidence == "causal")
    for frame in render_clip(CLIPS[scene]).frames():
        for work in works.push(frame):
            done += segmenter.push(work)
    for work in works.finish():
        done += segmenter.push(work)
    return done + segmenter.finish()


def square(device, *, seed=0.8, vote=0.9, gain=1.0, mixed=None):
    """Three frames of a bright square on a noisy ground; evidence of the middle one, and its cut."""
    rng = np.random.default_rng(3)
    image = rng.integers(40, 80, (60, 90, 3)).astype(np.uint8)
    inside = np.zeros((60, 90), bool)
    inside[20:35, 30:55] = True
    image[inside] = np.clip(rng.normal((200, 90, 60), 8, (inside.sum(), 3)), 0, 255).astype(np.uint8)

    def where_inside(level):
        return np.where(inside, level, 0).astype(np.float32)

    parts = VoteParts(
        device.array(where_inside(seed)),
        device.array(where_inside(vote)),
        device.array(where_inside(vote if mixed is None else mixed)),
        np.float32(gain),
    )
    still = device.array(np.zeros((60, 90, 2), np.float32))
    lab, picture = device.array(lab_image(image)), device.array(image)
    cut = cut_frames([parts.mixed] * 3, [lab] * 3, [picture] * 3, [still] * 3, [still] * 3)[1]
    return evidence_of_cut(parts, cut, 1), cut, inside


def added(evidence):
    return evidence.total - evidence.outline


def test_the_terms_add_up_to_what_was_cut(device):
    evidence, cut, _ = square(device)
    assert_allclose(added(evidence), to_host(cut.unary), atol=ROUNDING)


def test_terms_lie_in_host_memory(device):
    evidence, _, _ = square(device)
    for name in EVIDENCE_TERMS:
        values = getattr(evidence, name)
        assert type(values) is np.ndarray
        assert (values.dtype, values.shape) == (np.float32, (60, 90))


def test_own_seeds_are_motion_and_what_votes_added_is_time(device):
    evidence, _, inside = square(device, seed=0.6, vote=0.9)
    assert_allclose(evidence.motion[inside], 0.2, atol=ROUNDING)
    assert_allclose(evidence.motion[~inside], -1, atol=ROUNDING)
    # The neighbour frames are the same frame: they add nothing to the votes' 0.6.
    assert_allclose(evidence.time[inside], 0.6, atol=ROUNDING)


def test_far_from_all_votes_the_location_speaks_against(device):
    evidence, cut, _ = square(device)
    assert to_host(cut.unary)[2, 2] == -5
    assert evidence.location[2, 2] < -2


def test_colors_of_the_object_are_appearance(device):
    evidence, cut, inside = square(device)
    assert_array_equal(evidence.appearance, to_host(cut.color))
    assert evidence.appearance[inside].mean() > 0.5


def test_the_background_model_has_a_term_of_its_own(device):
    evidence, cut, inside = square(device, vote=0.6, gain=0.5, mixed=0.95)
    # 2 * 0.95 - 1 of which 2 * 0.5 * (0.6 - 0.5) came from the votes.
    assert_allclose(evidence.background[inside], 0.9 - 0.1, atol=ROUNDING)
    assert_allclose(added(evidence), to_host(cut.unary), atol=ROUNDING)


def test_without_a_background_model_its_term_is_zero(device):
    evidence, _, _ = square(device)
    assert_allclose(evidence.background, 0, atol=ROUNDING)


def test_the_outline_is_what_the_cut_overruled():
    evidence, cut, _ = square(_Cpu())
    unary, inside = cut.unary.copy(), cut.inside.copy()
    inside[25, 40], unary[25, 40] = 0, 0.7
    unary[0, 0], inside[0, 0] = -0.3, 1
    parts = VoteParts(*(np.zeros((60, 90), np.float32),) * 3, np.float32(1))
    evidence = evidence_of_cut(parts, dataclasses.replace(cut, unary=unary, inside=inside), 1)
    assert evidence.outline[25, 40] == np.float32(-0.7)
    assert evidence.outline[0, 0] == np.float32(0.3)
    agreed = (inside > 0.5) == (unary > 0)
    assert not evidence.outline[agreed].any()


@pytest.mark.parametrize("scene", list(CLIPS))
@pytest.mark.parametrize("way", ["consensus", "causal"])
def test_every_decision_carries_its_evidence(scene, way):
    options = dataclasses.replace(CONSENSUS, evidence=way)
    for foreground in decided(options, scene):
        evidence = foreground.evidence
        assert all(np.isfinite(values).all() for values in evidence.terms().values())
        assert evidence.factor == 1
        # What is drawn along the edges afterwards moves the outline by a pixel or two.
        assert ((evidence.total > 0) == (foreground.logit > 0)).mean() > 0.9
    still = any(foreground.camera == "static" for foreground in decided(options, scene))
    assert still == any((np.abs(f.evidence.background) > 0.01).any() for f in decided(options, scene))


@pytest.mark.parametrize("way", ["consensus", "causal"])
def test_explaining_changes_no_decision(way):
    options = dataclasses.replace(CONSENSUS, evidence=way)
    silent = decided(options, explain=False)
    assert [foreground.evidence for foreground in silent] == [None] * 12
    for one, other in zip(silent, decided(options), strict=True):
        assert_array_equal(one.logit, other.logit)


def test_evidence_is_the_same_on_both_devices(device):
    for one, other in zip(decided(CONSENSUS), decided(CONSENSUS, device=device.name), strict=True):
        for name in EVIDENCE_TERMS:
            # A pixel on the edge between two decisions may fall to either side.
            differs = np.abs(getattr(one.evidence, name) - getattr(other.evidence, name)) > 0.05
            assert differs.mean() < 0.02


class _Cpu:
    array = staticmethod(np.asarray)
