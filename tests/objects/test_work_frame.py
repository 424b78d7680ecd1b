"""Work frames: one frame late, with the flow and the camera's motion to both neighbours."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import device_of, to_host
from cvseg.kernels.warping.warp_backward import warp_backward
from cvseg.objects import WorkFrames
from cvseg.records import Frame
from cvseg.synthetic import ClipOptions, render_clip

CLIP = ClipOptions(size_hw=(37, 50), frames=4, objects=1, background="wall", camera="pan", camera_motion=4.0, seed=2)


def completed(works, frames):
    return [work for frame in frames for work in works.push(frame)] + works.finish()


def test_frames_come_out_complete_one_late_and_share_their_flow(device):
    works = WorkFrames(device.name, 240, "fast")
    frames = list(render_clip(CLIP).frames())
    out = [works.push(frame) for frame in frames]
    assert [[work.frame.index for work in some] for some in out] == [[], [0], [1], [2]]
    done = [*itertools.chain(*out), *works.finish()]
    assert [work.frame.index for work in done] == [0, 1, 2, 3]
    for work in done:
        assert work.factor == 1
        for array in (work.image, work.small, work.gray, work.lab, work.forward_xy, work.backward_xy):
            assert device_of(array) == device.name
        assert work.forward_xy.shape == work.backward_xy.shape == (37, 50, 2)
        assert {"prepare", "flow"} <= set(work.times_s)
    # At the ends the missing neighbour is as the other one.
    assert done[0].backward_xy is done[0].forward_xy
    assert done[0].camera_backward is done[0].camera_forward
    assert done[-1].camera_forward is done[-1].camera_backward
    assert [work.arrival_xy is None for work in done] == [True, False, False, False]
    assert done[1].forward_xy is not done[1].backward_xy
    assert [work.begins_shot for work in done] == [True, False, False, False]
    assert {work.role for work in done} == {"seen"}
    assert works.finish() == []


def test_at_the_end_the_flow_of_the_same_pair_stands_in_for_the_next(device):
    *_, last = completed(WorkFrames(device.name, 240, "fast"), render_clip(CLIP).frames())
    expected = -warp_backward(last.arrival_xy, last.backward_xy)
    assert_array_equal(to_host(last.forward_xy), to_host(expected))


def test_causal_frames_come_out_at_once_with_the_flow_to_the_past_alone(device):
    frames = list(render_clip(CLIP).frames())
    works, late = WorkFrames(device.name, 240, "fast", causal=True), WorkFrames(device.name, 240, "fast")
    out = [works.push(frame) for frame in frames]
    assert [[work.frame.index for work in some] for some in out] == [[0], [1], [2], [3]]
    assert works.finish() == []
    for (one,), other in zip(out[1:], completed(late, frames)[1:], strict=True):
        assert_array_equal(to_host(one.backward_xy), to_host(other.backward_xy))
        assert_array_equal(to_host(one.arrival_xy), to_host(other.arrival_xy))
        assert one.camera_forward is one.camera_backward
    assert not to_host(out[0][0].forward_xy).any()


def test_the_camera_goes_back_the_way_it_came():
    done = completed(WorkFrames("cpu", 240, "balanced"), render_clip(CLIP).frames())
    for work, following in itertools.pairwise(done):
        there = work.camera_forward.matrix @ [25.0, 18.0, 1.0]
        back = following.camera_backward.matrix @ there
        assert work.camera_forward.displacement_px > 0.2
        assert_allclose(back, [25, 18, 1], atol=0.15)


@pytest.mark.parametrize(
    ("work_height", "factor", "small_hw"), [(37, 1, (37, 50)), (18, 2, (19, 25)), (12, 3, (13, 17))]
)
def test_the_work_image_is_a_whole_number_of_times_smaller(work_height, factor, small_hw):
    works = WorkFrames("cpu", work_height, "fast")
    for work in completed(works, render_clip(CLIP).frames()):
        assert work.factor == factor
        assert work.small.shape == work.lab.shape == (*small_hw, 3)
        assert work.gray.shape == small_hw
        assert work.forward_xy.shape == (*small_hw, 2)


def test_a_single_frame_stands_still(device):
    works = WorkFrames(device.name, 240, "fast")
    assert works.push(Frame(0, Fraction(0), np.full((6, 7, 3), 9, np.uint8), "0")) == []
    (work,) = works.finish()
    assert not to_host(work.forward_xy).any()
    assert_allclose(work.camera_backward.matrix, np.eye(3), atol=1e-12)
