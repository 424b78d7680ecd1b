"""The pipeline holds results back until new objects have their numbers: all frames come out, once and in order."""

import dataclasses

import numpy as np
import pytest

from cvseg.pipeline import PRESETS, Pipeline, segment
from cvseg.synthetic import ClipOptions, render_clip
from cvseg.tracking import TrackerOptions


def clip(frames, size_hw=(48, 64)):
    return list(render_clip(ClipOptions(size_hw=size_hw, frames=frames)).frames())


def fast(min_hits):
    return dataclasses.replace(PRESETS["fast"], tracker=TrackerOptions(min_hits=min_hits))


@pytest.mark.parametrize("min_hits", [1, 2, 5])
@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_every_frame_comes_out_once_and_in_order(frames, min_hits):
    pipeline = Pipeline(fast(min_hits), device="cpu")
    for _ in range(2):  # the pipeline is ready for a second video afterwards
        results = [result for frame in clip(frames) for result in pipeline.process(frame)] + pipeline.finish()
        assert [result.frame.index for result in results] == list(range(frames))
    streamed = list(segment(clip(frames), options=fast(min_hits), device="cpu"))
    assert [result.frame.index for result in streamed] == list(range(frames))
    for one, other in zip(results, streamed, strict=True):
        assert one.tracks == other.tracks
        assert np.array_equal(one.labels, other.labels)


@pytest.mark.parametrize("min_hits", [1, 2, 4])
def test_a_result_is_late_by_min_hits_less_one_for_the_numbers(min_hits):
    pipeline = Pipeline(fast(min_hits), device="cpu")
    done = np.cumsum([len(pipeline.process(frame)) for frame in clip(8)])
    assert done.tolist() == [max(0, t + 2 - min_hits) for t in range(8)]


def test_what_a_track_says_are_its_pixels_in_the_first_frames_too():
    results = list(segment(clip(8, (120, 160)), options=fast(4), device="cpu"))
    assert any(result.tracks for result in results)
    for result in results:
        assert [track.id for track in result.tracks] == sorted(set(np.unique(result.labels)) - {0})
        for track in result.tracks:
            assert track.area_px == (result.labels == track.id).sum()
