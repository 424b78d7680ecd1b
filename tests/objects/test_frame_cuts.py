"""FrameCuts and cut_frames: evidence in, masks out, in order and in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.appearance import WindowColorOptions
from cvseg.arrays import to_host
from cvseg.color.lab import lab_image
from cvseg.errors import DtypeError, ShapeError
from cvseg.objects.frame_cuts import FrameCutOptions, FrameCuts, cut_frames, location_term

SIZE_HW = (50, 80)


def clip(count=6, seed=0, speed=3):
    """A square that moves right over a noisy ground; votes are blurred, and miss a corner of it."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 110, (*SIZE_HW, 3)).astype(np.uint8)
    frames = []
    for i in range(count):
        x = 10 + speed * i
        inside = np.zeros(SIZE_HW, bool)
        inside[15:35, x : x + 20] = True
        image = ground.copy()
        image[inside] = np.clip(rng.normal((190, 120, 60), 10, (inside.sum(), 3)), 0, 255).astype(np.uint8)
        vote = np.zeros(SIZE_HW, np.float32)
        vote[13:33, x - 2 : x + 18] = 1
        vote[13:20, x - 2 : x + 5] = 0.3
        forward = np.zeros((*SIZE_HW, 2), np.float32)
        forward[inside, 0] = speed
        backward = np.zeros((*SIZE_HW, 2), np.float32)
        backward[inside, 0] = -speed
        frames.append((vote, lab_image(image), image, forward, backward, inside))
    return frames


def given(frames):
    return [list(part) for part in zip(*frames, strict=True)][:5]


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def test_masks_are_the_object_where_votes_were_rough(device):
    frames = clip(3)
    arrays = [[device.array(array) for array in part] for part in given(frames)]
    cuts = cut_frames(*arrays)
    assert len(cuts) == 3
    for cut, frame in zip(cuts, frames, strict=True):
        assert iou(frame[0] > 0.5, frame[5]) < 0.8
        assert iou(to_host(cut.inside) > 0.5, frame[5]) > 0.95


def test_cpu_and_cuda_decide_alike(cuda_device):
    frames = clip(2)
    host = cut_frames(*given(frames))
    other = cut_frames(*([cuda_device.array(array) for array in part] for part in given(frames)))
    for one, two in zip(host, other, strict=True):
        assert_array_equal(one.inside > 0.5, to_host(two.inside) > 0.5)
        assert_allclose(one.unary, to_host(two.unary), rtol=0, atol=1e-4)


def test_frames_come_out_in_order_once_their_window_is_known():
    frames = clip(9)
    options = FrameCutOptions(colors=WindowColorOptions(reach=2))
    cuts = FrameCuts(options)
    out, counts = [], []
    for frame in frames:
        new = cuts.push(*frame[:5])
        counts.append(len(new))
        out += new
        assert len(cuts._waiting) <= 5
    assert counts == [0, 0, 0, 1, 1, 1, 1, 1, 1]
    out += cuts.finish()
    whole = cut_frames(*given(frames), options)
    assert len(out) == len(whole) == 9
    for one, two in zip(out, whole, strict=True):
        assert_array_equal(one.inside, two.inside)
    assert cuts.finish() == []


def test_causal_cuts_come_at_once_and_nothing_later_changes_them():
    frames = clip(6)
    whole = [cut for cuts in [FrameCuts(causal=True)] for frame in frames for cut in cuts.push(*frame[:5])]
    assert len(whole) == 6
    cuts = FrameCuts(causal=True)
    for frame, expected in zip(frames[:4], whole, strict=False):
        (cut,) = cuts.push(*frame[:5])
        assert_array_equal(cut.inside, expected.inside)
        assert_array_equal(cut.unary, expected.unary)
        assert len(cuts._waiting) <= 2
    assert cuts.finish() == []


def test_reset_starts_another_video():
    frames = clip(4)
    cuts = FrameCuts()
    for frame in clip(3, seed=5):
        cuts.push(*frame[:5])
    cuts.reset()
    done = [cut for frame in frames for cut in cuts.push(*frame[:5])] + cuts.finish()
    for one, two in zip(done, cut_frames(*given(frames)), strict=True):
        assert_array_equal(one.inside, two.inside)


def test_the_parts_add_up_to_the_evidence():
    frame = clip(1)[0]
    (cut,) = cut_frames(*([part] for part in frame[:5]))
    near = frame[0] > 0.5
    assert_allclose(cut.unary[near], (cut.location + cut.color)[near], rtol=0, atol=1e-6)


def test_without_votes_there_is_no_mask():
    frames = clip(3)
    votes, labs, images, forward, backward = given(frames)
    cuts = cut_frames([0 * vote for vote in votes], labs, images, forward, backward)
    for cut in cuts:
        assert (cut.inside == 0).all() and (cut.unary == -5).all()


def test_far_from_votes_colors_alone_do_not_make_an_object():
    vote, _, image, forward, backward, inside = clip(1)[0]
    image = image.copy()
    image[20:30, 60:75] = image[18:28, 12:27]  # like the object, but nobody votes for it
    arguments = [vote], [lab_image(image)], [image], [forward], [backward]
    (cut,) = cut_frames(*arguments)
    assert iou(cut.inside > 0.5, inside) > 0.95
    (wide,) = cut_frames(*arguments, FrameCutOptions(margin_px=100.0))
    assert (wide.inside[20:30, 60:75] > 0.5).mean() > 0.9


def test_neighbours_carry_a_frame_that_has_no_vote():
    """Their evidence along the flow, where its own is undecided."""
    frames = clip(3)
    votes, labs, images, forward, backward = given(frames)
    votes[1] = np.where(votes[1] > 0, np.float32(0.45), np.float32(0))
    joined = cut_frames(votes, labs, images, forward, backward, FrameCutOptions(color_share=0.0, flow_share=1.0))
    alone = cut_frames(votes, labs, images, forward, backward, FrameCutOptions(color_share=0.0, flow_share=0.0))
    assert iou(joined[1].inside > 0.5, frames[1][5]) > 0.7
    assert not (alone[1].inside > 0.5).any()


def test_ends_of_a_clip_need_no_flow_beyond_it():
    frames = clip(2)
    votes, labs, images, forward, backward = given(frames)
    expected = cut_frames(votes, labs, images, forward, backward)
    found = cut_frames(votes, labs, images, [forward[0], None], [None, backward[1]])
    for one, two in zip(expected, found, strict=True):
        assert_array_equal(one.inside, two.inside)


def test_location_is_a_smooth_vote_between_minus_one_and_one():
    vote = np.zeros((21, 21), np.float32)
    vote[:, 11:] = 1
    term = location_term(vote)
    assert term.min() == pytest.approx(-1) and term.max() == pytest.approx(1)
    row = term[10]
    assert (np.diff(row) >= -1e-6).all() and 0 < row[11] < 0.5


@pytest.mark.parametrize(
    ("place", "value", "error"),
    [
        (0, np.zeros(SIZE_HW), DtypeError),
        (1, np.zeros((*SIZE_HW, 2), np.float32), ShapeError),
        (2, np.zeros((*SIZE_HW, 3), np.float32), DtypeError),
        (3, np.zeros((*SIZE_HW, 3), np.float32), ShapeError),
        (4, np.zeros((*SIZE_HW, 2)), DtypeError),
    ],
)
def test_wrong_arrays_are_refused(place, value, error):
    arguments = list(clip(1)[0][:5])
    arguments[place] = value
    with pytest.raises(error, match=r"FrameCuts\.push"):
        FrameCuts().push(*arguments)
