"""Boxes get lasting numbers: life cycle, order of the boxes, gaps, camera, saved states, wrong input."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.errors import InputError, RangeError, ShapeError
from cvseg.tracking import BoxTracker, BoxTrackerOptions
from cvseg.tracking.box_costs import Pairs, cheapest_pairs, touching


def walkers(frames=40, count=6, seed=0, missing=0.1):
    """Boxes that walk in straight lines: a list of (boxes, scores, owners) a frame."""
    rng = np.random.default_rng(seed)
    place, speed = rng.uniform(50, 500, (count, 2)), rng.uniform(-4, 4, (count, 2))
    size = rng.uniform(20, 60, (count, 2))
    clip = []
    for t in range(frames):
        centers = place + t * speed + rng.normal(0, 0.8, (count, 2))
        boxes = np.concatenate([centers - size / 2, centers + size / 2], axis=1)
        seen = np.flatnonzero(rng.random(count) >= missing)
        clip.append((boxes[seen], rng.uniform(0.5, 1, len(seen)), seen))
    return clip


def run(clip, tracker=None, start=0):
    tracker = tracker or BoxTracker()
    return [tracker.update(t, boxes, scores) for t, (boxes, scores, _) in enumerate(clip, start)]


def rows(results):
    return [(r.ids.tolist(), r.boxes_xyxy.tolist(), r.velocity_xy.tolist(), r.status) for r in results]


@pytest.mark.parametrize("seed", range(8))
def test_permuting_the_boxes_of_a_frame_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    clip = walkers(seed=seed, count=9)
    mixed = []
    for boxes, scores, owners in clip:
        order = rng.permutation(len(boxes))
        mixed.append((boxes[order], scores[order], owners[order]))
    first, second = run(clip), run(mixed)
    assert rows(first) == rows(second)
    for a, b, (_, _, owners), (_, _, mixed_owners) in zip(first, second, clip, mixed, strict=True):
        assert_array_equal(a.detections >= 0, b.detections >= 0)
        seen = a.detections >= 0
        assert_array_equal(owners[a.detections[seen]], mixed_owners[b.detections[seen]])


def test_every_walker_keeps_one_number():
    clip = walkers(seed=3, count=4, missing=0.15)
    owner_of = {}
    for result, (_, _, owners) in zip(run(clip), clip, strict=True):
        for number, row in zip(result.ids.tolist(), result.detections.tolist(), strict=True):
            if row >= 0:
                owner_of.setdefault(number, set()).add(int(owners[row]))
    assert sorted(owner_of) == [1, 2, 3, 4]
    assert all(len(owners) == 1 for owners in owner_of.values())


def test_a_track_has_no_number_before_min_hits_and_then_from_its_first_box_on():
    tracker = BoxTracker(BoxTrackerOptions(min_hits=4, first_at_once=False))
    results, at_once = [], []
    for t in range(6):
        results.append(tracker.update(t, [[10 + t, 10, 30 + t, 50]]))
        at_once.append(results[-1].ids.tolist())
    assert at_once == [[], [], [], [1], [1], [1]]
    assert [r.ids.tolist() for r in results] == [[1]] * 6


def test_what_is_there_when_the_stream_begins_has_a_number_at_once_and_what_comes_later_waits():
    tracker, at_once = BoxTracker(), []
    for t in range(5):
        boxes = [[10 + t, 10, 30 + t, 50]] + [[100, 10, 120, 50]] * (t >= 1)
        at_once.append(tracker.update(t, boxes).ids.tolist())
    assert at_once == [[1], [1], [1], [1, 2], [1, 2]]


def test_a_number_is_never_given_twice():
    tracker = BoxTracker(BoxTrackerOptions(max_age=3, occluded_age=3))
    seen = []
    for turn in range(5):
        for t in range(4):
            result = tracker.update(20 * turn + t, [[10, 10, 40, 80]])
        seen += result.ids.tolist()
    assert seen == [1, 2, 3, 4, 5]


def test_an_unseen_track_is_lost_and_under_a_nearer_one_occluded():
    tracker = BoxTracker(BoxTrackerOptions(shown_unseen=5))
    for t in range(5):
        tracker.update(t, [[10, 10, 30, 50], [100, 10, 120, 50]])
    result = tracker.update(5, [[200, 0, 220, 40]])
    assert (result.ids.tolist(), result.status) == ([1, 2], ["lost", "lost"])
    tracker = BoxTracker(BoxTrackerOptions(shown_unseen=5))
    for t in range(8):
        result = tracker.update(t, [[10, 10, 30, 50], [60 - 5 * t, 12, 90 - 5 * t, 70]])
    result = tracker.update(8, [[10, 12, 45, 70]])
    assert sorted(zip(result.ids.tolist(), result.status, strict=True)) == [(1, "occluded"), (2, "confirmed")]


def test_a_track_returns_with_its_number_after_a_gap():
    tracker = BoxTracker()
    for t in range(10):
        tracker.update(t, [[10 + 3 * t, 10, 30 + 3 * t, 50]])
    shown = [len(tracker.update(t, [])) for t in range(10, 25)]
    assert shown == [1, 1] + [0] * 13  # shown_unseen
    assert tracker.update(25, [[10 + 75, 10, 30 + 75, 50]]).ids.tolist() == [1]
    # The straight way over the gap: the velocity is that of the whole way.
    assert_allclose(tracker.update(26, [[10 + 78, 10, 30 + 78, 50]]).velocity_xy, [[3, 0]], atol=0.1)


def test_skipped_frames_are_frames_without_boxes():
    clip = [[[10 + 3 * t, 10, 30 + 3 * t, 50]] for t in range(12)]
    one, two = BoxTracker(), BoxTracker()
    for t, boxes in enumerate(clip):
        if t in (7, 8):
            one.update(t, [])
            continue
        a, b = one.update(t, boxes), two.update(t, boxes)
        assert_allclose(a.boxes_xyxy, b.boxes_xyxy, rtol=0, atol=1e-12)


def test_a_camera_that_jumps_is_followed_by_its_matrix():
    rng = np.random.default_rng(5)
    tracker, offset = BoxTracker(), np.zeros(2)
    for t in range(20):
        step = rng.uniform(-80, 80, 2)
        offset += step
        matrix = np.array([[1, 0, step[0]], [0, 1, step[1]], [0, 0, 1]])
        boxes = np.array([[10, 10, 30, 50], [100, 10, 120, 50]]) + np.tile(offset, 2)
        result = tracker.update(t, boxes, camera_matrix=matrix)
    assert result.ids.tolist() == [1, 2]
    assert_allclose(result.boxes_xyxy, boxes, atol=1e-6)


def test_a_jolt_of_the_camera_that_nobody_tells_is_seen_from_the_boxes():
    places = np.array([[10, 10, 30, 50], [100, 60, 120, 105], [200, 15, 225, 60], [300, 80, 320, 130]], float)
    for follow in (True, False):
        tracker = BoxTracker(BoxTrackerOptions(follow_jolts=follow, min_hits=1))
        for t in range(10):
            result = tracker.update(t, places + np.array([45, -38, 45, -38]) * (t >= 6))
            if t == 6 and follow:
                assert_allclose(result.shift_xy, [45, -38], atol=1e-6)
        seen = result.detections >= 0
        assert (result.ids[seen].tolist() == [1, 2, 3, 4]) == follow


def test_colours_tell_two_apart_that_change_places_unseen():
    picture = np.zeros((100, 200, 3), np.uint8)
    left, right = [40, 20, 60, 70], [80, 20, 100, 70]

    def painted(at_left, at_right):
        frame = picture.copy()
        frame[20:70, 40:60], frame[20:70, 80:100] = at_left, at_right
        return frame

    red, blue = (250, 0, 0), (0, 0, 250)
    options = BoxTrackerOptions(most_cost=3.0, color_cost=3.0, enlarge=2.0, gate=30.0)
    tracker = BoxTracker(options)
    for t in range(5):
        before = tracker.update(t, [left, right], frame=painted(red, blue))
    after = tracker.update(8, [left, right], frame=painted(blue, red))
    assert before.ids[np.argsort(before.detections)].tolist() == after.ids[np.argsort(after.detections)[::-1]].tolist()


def test_saved_and_restored_it_goes_on_alike():
    clip = walkers(seed=6, count=7)
    whole = BoxTracker()
    run(clip[:20], whole)
    restored = BoxTracker()
    restored.load_state_dict(copy.deepcopy(whole.state_dict()))
    pickled = pickle.loads(pickle.dumps(whole))
    expected = rows(run(clip[20:], whole, 20))
    assert rows(run(clip[20:], restored, 20)) == expected
    assert rows(run(clip[20:], pickled, 20)) == expected


def test_scores_of_another_scale_give_the_same_tracks():
    clip = walkers(seed=7)
    scaled = [(boxes, 1000 * scores, owners) for boxes, scores, owners in clip]
    assert [r.ids.tolist() for r in run(clip)] == [r.ids.tolist() for r in run(scaled)]


def test_boxes_and_scores_that_cannot_be_used_are_refused_and_change_nothing():
    tracker = BoxTracker()
    tracker.update(0, [[0, 0, 5, 5]])
    state = tracker.state_dict()
    with pytest.raises(RangeError, match="box 1"):
        tracker.update(1, [[0, 0, 5, 5], [3, 0, 3, 5]])
    with pytest.raises(RangeError, match="nan"):
        tracker.update(1, [[0, 0, np.nan, 5]])
    with pytest.raises(ShapeError, match="scores"):
        tracker.update(1, [[0, 0, 5, 5]], [1, 2])
    with pytest.raises(ShapeError, match="boxes_xyxy"):
        tracker.update(1, [[0, 0, 5]])
    with pytest.raises(ShapeError, match="camera_matrix"):
        tracker.update(1, [[0, 0, 5, 5]], camera_matrix=np.eye(2))
    with pytest.raises(InputError, match="in order"):
        tracker.update(0, [[0, 0, 5, 5]])
    assert_array_equal(tracker.state_dict()["filters"]["x"], state["filters"]["x"])


def test_the_sorted_search_finds_the_pairs_that_all_pairs_give(monkeypatch):
    rng = np.random.default_rng(8)
    a, b = (np.sort(rng.uniform(0, 300, (70, 2, 2)), axis=1).reshape(70, 4) for _ in range(2))
    dense = touching(a, b)
    monkeypatch.setattr("cvseg.tracking.box_costs.MOST_DENSE", 0)
    for one, two in zip(dense, touching(a, b), strict=True):
        assert_array_equal(one, two)


@pytest.mark.parametrize("seed", range(5))
def test_group_by_group_the_pairs_are_as_cheap_as_all_at_once(seed):
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    cost = np.where(rng.random((120, 90)) < 0.06, rng.random((120, 90)), 2.0)
    tracks, boxes = np.nonzero(cost < 1)
    rows_taken, columns = cheapest_pairs(Pairs(tracks, boxes, cost[tracks, boxes]), 1.0)
    best = linear_sum_assignment(np.maximum(1 - cost, 0), maximize=True)
    assert len(set(rows_taken.tolist())) == len(rows_taken)
    assert len(set(columns.tolist())) == len(columns)
    assert_allclose((1 - cost[rows_taken, columns]).sum(), np.maximum(1 - cost, 0)[best].sum())
