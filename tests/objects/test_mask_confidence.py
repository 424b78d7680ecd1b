"""Confidence of a mask: exact cases, and that better evidence never makes it smaller."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.objects.mask_confidence import REACH_PX, mask_confidences, object_confidence
from cvseg.records import Track

SIZE_HW = (60, 90)


def box(top, bottom, left, right, size_hw=SIZE_HW):
    inside = np.zeros(size_hw, bool)
    inside[top:bottom, left:right] = True
    return inside


NOTHING = box(0, 0, 0, 0)
SQUARE = box(20, 40, 30, 50)


def votes_of(inside, for_it=1.0, against=-1.0):
    return np.where(inside, np.float32(for_it), np.float32(against))


def track(number, inside, factor=1):
    y, x = np.nonzero(inside)
    box_xyxy = (float(x.min()), float(y.min()), float(x.max() + 1), float(y.max() + 1))
    return Track(number, box_xyxy, int(inside.sum()), (float(x.mean()), float(y.mean())), (0.0, 0.0), 0.5, 1)


def test_votes_of_the_shape_of_the_mask_are_certain():
    assert object_confidence(votes_of(SQUARE), SQUARE, NOTHING) == 1


def test_an_empty_mask_and_votes_against_it_are_worth_nothing():
    assert object_confidence(votes_of(SQUARE), NOTHING, NOTHING) == 0
    assert object_confidence(votes_of(NOTHING), SQUARE, NOTHING) == 0


def test_half_the_contrast_is_worth_its_root():
    assert object_confidence(votes_of(SQUARE, 0.5, -0.5), SQUARE, NOTHING) == pytest.approx(0.5**0.5)


def test_votes_for_half_of_the_mask_agree_by_half():
    half = box(20, 30, 30, 50)
    # Half of the votes inside are 1 and half are -1: a contrast of 0.5.
    assert object_confidence(votes_of(half), SQUARE, NOTHING) == pytest.approx((0.5 * 0.5) ** 0.5)


def test_votes_around_the_mask_make_it_doubtful_and_those_farther_away_do_not():
    near, far = SQUARE | box(20, 40, 50, 55), SQUARE | box(20, 40, 50 + REACH_PX + 1, 80)
    assert object_confidence(votes_of(near), SQUARE, NOTHING) < 0.9
    assert object_confidence(votes_of(far), SQUARE, NOTHING) == 1


def test_another_object_close_by_does_not_make_it_doubtful():
    other = box(20, 40, 50, 60)
    assert object_confidence(votes_of(SQUARE | other), SQUARE, other) == 1


def test_a_mask_of_the_whole_frame_is_judged_by_its_votes():
    everything = np.ones(SIZE_HW, bool)
    assert object_confidence(votes_of(everything), everything, NOTHING) == 1


def test_clearer_votes_are_never_worth_less():
    rng = np.random.default_rng(5)
    for _ in range(20):
        votes = rng.uniform(-1, 1, SIZE_HW).astype(np.float32)
        clearer = np.clip(votes + np.where(SQUARE, 0.3, -0.3).astype(np.float32), -1, 1)
        before, after = (object_confidence(v, SQUARE, NOTHING) for v in (votes, clearer))
        assert 0 <= before <= after <= 1


def test_the_frame_is_the_mean_of_its_objects_by_area():
    other = box(5, 10, 70, 80)
    labels = (SQUARE * 1 + other * 3).astype(np.int32)
    votes = votes_of(SQUARE) + np.where(other, np.float32(1.5), np.float32(0))
    frame, each = mask_confidences(votes, labels, (track(1, SQUARE), track(3, other)), 1)
    assert each[1] == 1
    assert each[3] == pytest.approx(0.75**0.5)
    assert frame == pytest.approx((400 * each[1] + 50 * each[3]) / 450)


@pytest.mark.parametrize(("most", "sure"), [(-1, 1), (0, 0.5), (1, 0)])
def test_a_frame_without_objects_is_as_sure_as_its_votes_are_far_from_one(most, sure):
    votes = votes_of(NOTHING)
    votes[3, 3] = most
    assert mask_confidences(votes, np.zeros(SIZE_HW, np.int32), (), 1) == (sure, {})


@pytest.mark.parametrize("factor", [2, 3])
def test_labels_of_full_size_are_compared_at_work_size(factor):
    full_hw = (60 * factor - 1, 90 * factor - 1)
    inside = box(20 * factor, 40 * factor, 30 * factor, 50 * factor, full_hw)
    labels = inside.astype(np.int32)
    assert mask_confidences(votes_of(SQUARE), labels, (track(1, inside),), factor)[1] == {1: 1}


def test_an_object_between_the_work_pixels_has_a_confidence_too():
    inside = box(60, 61, 90, 91, (180, 270))  # the corner of a work pixel of 3 by 3, not its middle
    votes = votes_of(SQUARE)
    _, each = mask_confidences(votes, inside.astype(np.int32), (track(1, inside),), 3)
    assert each[1] == object_confidence(votes, box(20, 21, 30, 31), NOTHING) > 0
