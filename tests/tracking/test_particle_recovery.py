"""A particle filter goes on where boxes are missing, gives up where nothing is seen, and can be saved."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.tracking import BoxTracker, BoxTrackerOptions
from cvseg.tracking.box_costs import overlapping
from cvseg.tracking.particle_recovery import ParticleRecovery

RED = (200, 30, 30)
MISSING = range(12, 24)
RECOVER = BoxTrackerOptions(recover=20, shown_unseen=0)


def box(t):
    """It goes right, and turns down while its box is missing."""
    x, y = 10 + 4.0 * min(t, 14), 10 + 4.0 * max(t - 14, 0)
    return [x, y, x + 20, y + 24]


def picture(t, hidden=False):
    image = np.full((140, 160, 3), 90, np.uint8)
    x0, y0, x1, y1 = (int(v) for v in box(t))
    if not hidden:
        image[y0:y1, x0:x1] = RED
    return image


def follow(options, frames=30, hidden=(), pictures=True, tracker=None, first=0):
    tracker = BoxTracker(options) if tracker is None else tracker
    results = []
    for t in range(first, frames):
        boxes = [] if t in MISSING else [box(t)]
        results.append(tracker.update(t, boxes, frame=picture(t, t in hidden) if pictures else None))
    return results


def test_a_target_that_turns_while_its_box_is_missing_keeps_its_number_and_its_place():
    found = follow(RECOVER)
    for t, frame in enumerate(found):
        assert frame.ids.tolist() == [1]
        assert np.abs(frame.boxes_xyxy[0] - box(t)).max() < 5
    assert [frame.status for frame in found[12:24]] == [["lost"]] * 12
    without = follow(BoxTrackerOptions(shown_unseen=0))
    assert not any(len(frame) for frame in without[12:24])
    assert without[-1].ids.tolist() == [2]


def test_nobody_is_followed_who_is_not_seen():
    found = follow(RECOVER, hidden=MISSING)
    assert not any(len(frame) for frame in found[12:24])


def test_nobody_is_followed_for_longer_than_said():
    found = follow(BoxTrackerOptions(recover=5, shown_unseen=0))
    assert [len(frame) for frame in found[12:24]] == [1] * 5 + [0] * 7


def test_without_pictures_it_changes_nothing():
    for one, other in zip(
        follow(RECOVER, pictures=False), follow(BoxTrackerOptions(shown_unseen=0), pictures=False), strict=True
    ):
        assert_array_equal(one.ids, other.ids)
        assert_array_equal(one.boxes_xyxy, other.boxes_xyxy)


@pytest.mark.parametrize("t", [11, 15])
def test_a_saved_tracker_goes_on_as_if_nothing_had_been(t):
    whole = follow(RECOVER)
    tracker = BoxTracker(RECOVER)
    follow(RECOVER, frames=t, tracker=tracker)
    other = BoxTracker(RECOVER)
    other.load_state_dict(tracker.state_dict())
    for one, later in zip(whole[t:], follow(RECOVER, tracker=other, first=t), strict=True):
        assert_array_equal(one.ids, later.ids)
        assert_array_equal(one.boxes_xyxy, later.boxes_xyxy)


def test_who_is_under_another_box_is_given_up():
    tracker = BoxTracker(RECOVER)
    shown = []
    for t in range(23):
        image = np.full((140, 200, 3), 90, np.uint8)
        x = 150 - 4 * t
        image[40:80, 60:80] = image[40:80, x : x + 20] = RED
        frame = tracker.update(t, [[x, 40, x + 20, 80]] + ([[60, 40, 80, 80]] if t < 15 else []), frame=image)
        shown.append(len(frame))
    assert (shown[17], shown[-1]) == (2, 1)
    assert_allclose(frame.boxes_xyxy[0], [62, 40, 82, 80], atol=1)


def test_a_skipped_frame_and_one_without_a_picture_are_no_error():
    tracker = BoxTracker(RECOVER)
    for t in range(14):
        tracker.update(t, [] if t in MISSING else [box(t)], frame=picture(t))
    tracker.update(14, [], frame=None)
    assert len(tracker.update(16, [], frame=picture(16))) == 0
    assert tracker.update(24, [], frame=picture(24)).ids.tolist() == []


def test_what_lies_outside_the_picture_is_not_followed():
    recovery = ParticleRecovery(10, 0.8)
    recovery.remember(0, picture(0), [3, 4], np.array([[200.0, 10, 220, 30], box(0)]))
    assert recovery.begin([3, 4, 5]) == [4]
    recovery.keep([])
    assert recovery.keys == []


def test_overlaps_are_found_one_by_one():
    boxes, others = np.array([[0.0, 0, 10, 10], [50, 0, 60, 10]]), np.array([[1.0, 0, 11, 10], [58, 0, 68, 10]])
    assert overlapping(boxes, others, 0.5).tolist() == [True, False]
