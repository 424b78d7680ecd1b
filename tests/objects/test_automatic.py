"""Automatic segmentation stage by stage: frames in order, the choice of the camera, and evidence where objects are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cvseg.arrays import to_host
from cvseg.errors import OptionError
from cvseg.evaluation import region_similarity
from cvseg.motion import ConsensusOptions, motion_seeds
from cvseg.objects import AutomaticOptions, AutomaticSegmenter, WorkFrames
from cvseg.records import Frame
from cvseg.synthetic import SCENES, render_clip

PAN = dataclasses.replace(SCENES["crossing"], size_hw=(60, 80), frames=9, speed=2.0)
STATIC = dataclasses.replace(SCENES["static_camera"], size_hw=(60, 80), frames=20, speed=2.0)
CONSENSUS = AutomaticOptions(consensus=ConsensusOptions(reach=4, step=1, hop=2))
CAUSAL = dataclasses.replace(CONSENSUS, evidence="causal")


def foregrounds(options, frames, *, device="cpu", flow="balanced", work_height=240):
    segmenter = AutomaticSegmenter(options)
    works = WorkFrames(device, work_height, flow, causal=options.evidence == "causal")
    for frame in frames:
        for work in works.push(frame):
            yield from segmenter.push(work)
    for work in works.finish():
        yield from segmenter.push(work)
    yield from segmenter.finish()


def mean_similarity(clip, decided):
    return np.mean([region_similarity(f.logit > 0, clip[f.work.frame.index].labels > 0) for f in decided])


@pytest.mark.parametrize("options", [CONSENSUS, CAUSAL], ids=["consensus", "causal"])
@pytest.mark.parametrize("frames", [1, 2, 7])
def test_every_frame_is_decided_once_and_in_order(options, frames):
    clip = render_clip(dataclasses.replace(PAN, frames=frames))
    decided = list(foregrounds(options, clip.frames(), flow="fast"))
    assert [foreground.work.frame.index for foreground in decided] == list(range(frames))
    for foreground in decided:
        assert foreground.logit.shape == (60, 80)
        assert foreground.logit.dtype == np.float32
        assert np.isfinite(foreground.logit).all()
        assert foreground.camera == "moving"


def test_causal_evidence_decides_each_frame_at_once():
    segmenter, works = AutomaticSegmenter(CAUSAL), WorkFrames("cpu", 240, "fast", causal=True)
    for frame in render_clip(PAN).frames():
        (work,) = works.push(frame)
        assert work.frame is frame
        assert [foreground.work for foreground in segmenter.push(work)] == [work]
    assert works.finish() == [] and segmenter.finish() == []


def test_what_comes_later_changes_no_causal_decision():
    frames = list(render_clip(PAN).frames())
    whole = list(foregrounds(CAUSAL, frames, flow="fast"))
    for count in (1, 4, 8):
        for one, other in zip(foregrounds(CAUSAL, frames[:count], flow="fast"), whole, strict=False):
            np.testing.assert_array_equal(one.logit, other.logit)


# Floors a tenth below what was measured: a stage that breaks falls far below.
@pytest.mark.parametrize(("options", "floor"), [(CONSENSUS, 0.6), (CAUSAL, 0.25)], ids=["consensus", "causal"])
def test_objects_before_a_moving_camera_are_found(options, floor):
    clip = render_clip(PAN)
    decided = list(foregrounds(options, clip.frames()))
    assert mean_similarity(clip, decided) > floor
    assert {foreground.camera for foreground in decided} == {"moving"}


def test_a_camera_that_stands_is_found_out_and_the_background_decides():
    clip = render_clip(STATIC)
    soon = dataclasses.replace(CONSENSUS, background_frames=10)  # the clip is short
    decided = list(foregrounds(soon, clip.frames()))
    assert decided[-1].camera == "static"
    assert mean_similarity(clip, decided[-6:]) > 0.5


@pytest.mark.parametrize("evidence", ["consensus", "causal"])
@pytest.mark.parametrize("camera", ["static", "moving"])
def test_the_camera_can_be_told(evidence, camera):
    options = dataclasses.replace(CONSENSUS, evidence=evidence, camera=camera)
    decided = list(foregrounds(options, render_clip(dataclasses.replace(STATIC, frames=6)).frames(), flow="fast"))
    assert {foreground.camera for foreground in decided} == {camera}


def test_a_smaller_work_image_gives_masks_of_full_size():
    clip = render_clip(dataclasses.replace(PAN, size_hw=(121, 163), frames=6))
    decided = list(foregrounds(CONSENSUS, clip.frames(), work_height=60))
    assert decided[0].work.factor == 2
    assert decided[0].logit.shape == (121, 163)
    assert mean_similarity(clip, decided) > 0.5


def test_frames_need_no_index_of_their_own():
    # What belongs to a frame travels with it: equal indices do not mix frames up.
    frames = list(render_clip(dataclasses.replace(STATIC, frames=14)).frames())
    same = [Frame(0, frame.time_s, frame.image, frame.name) for frame in frames]
    options = dataclasses.replace(CONSENSUS, camera="static")
    for one, other in zip(
        foregrounds(options, frames, flow="fast"), foregrounds(options, same, flow="fast"), strict=True
    ):
        assert one.logit.tobytes() == other.logit.tobytes()


@pytest.mark.parametrize("options", [CONSENSUS, CAUSAL], ids=["consensus", "causal"])
@pytest.mark.parametrize("size_hw", [(1, 1), (3, 5), (2, 40)])
def test_tiny_pictures_work(device, options, size_hw):
    rng = np.random.default_rng(1)
    frames = [Frame(i, i, rng.integers(0, 256, (*size_hw, 3)).astype(np.uint8), str(i)) for i in range(3)]
    decided = list(foregrounds(options, frames, device=device.name, flow="fast"))
    assert [foreground.logit.shape for foreground in decided] == [size_hw] * 3
    assert all(np.isfinite(to_host(foreground.logit)).all() for foreground in decided)


def test_unknown_choices_are_named():
    with pytest.raises(OptionError, match="did you mean 'consensus'"):
        AutomaticOptions(evidence="konsensus")
    with pytest.raises(OptionError, match="auto, moving, static"):
        AutomaticOptions(camera="handheld")


def test_the_background_model_can_be_chosen_and_an_unknown_one_is_named():
    soon = dataclasses.replace(CAUSAL, background_frames=10)  # the clip is short
    options = dataclasses.replace(soon, camera="static", background="gaussian_mixture")
    assert options.to_mapping()["background"] == "gaussian_mixture"
    clip = render_clip(STATIC)
    decided = list(foregrounds(options, clip.frames(), flow="fast"))
    assert mean_similarity(clip, decided[-6:]) > 0.5
    with pytest.raises(OptionError, match="did you mean 'gaussian_mixture'"):
        AutomaticOptions(background="gausian_mixture")


def test_only_the_named_cues_count():
    works = WorkFrames("cpu", 240, "fast")
    work = [done for frame in render_clip(PAN).frames() for done in works.push(frame)][3]
    cameras = work.camera_forward, work.camera_backward
    maps = motion_seeds(work.forward_xy, work.backward_xy, work.lab, *cameras)

    def seeds_of(*cues):
        return AutomaticSegmenter(AutomaticOptions(cues=cues))._seeds(work).seed

    np.testing.assert_array_equal(seeds_of(*maps.maps), maps.seed)
    np.testing.assert_allclose(seeds_of("residual"), maps.maps["residual"], atol=1e-6)
    both = (maps.maps["inside"] + maps.maps["outliers"]) / 2
    np.testing.assert_allclose(seeds_of("outliers", "inside"), both, atol=1e-6)


@pytest.mark.parametrize(
    ("cues", "message"), [((), "cues is empty; expected some of residual"), (("colour",), "did you mean 'colors'")]
)
def test_cues_that_do_not_exist_are_refused(cues, message):
    with pytest.raises(OptionError, match=message):
        AutomaticOptions(cues=cues)
