"""Tracks of a whole file: filled, smoothed, linked, without noise, and the same for any order of the lines."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.formats import TrackTable
from cvseg.tracking import BoxTrackerOptions, OfflineOptions, track_boxes, track_boxes_online
from cvseg.tracking.offline_tracks import shown_frames
from cvseg.tracking.score_strength import ScoreRange, score_strength, weakened_doubles
from cvseg.tracking.track_linking import Piece, link_pieces
from cvseg.tracking.track_swaps import undo_swaps


def table(frames, boxes, scores=None):
    count = len(frames)
    scores = np.ones(count) if scores is None else scores
    return TrackTable(
        np.asarray(frames, np.int32),
        np.full(count, -1, np.int32),
        np.asarray(boxes, float),
        scores,
        -np.ones((count, 3)),
    )


def walk(frames, start, speed, size=(20, 50), noise=0.0, seed=0):
    frames = np.asarray(frames)
    center = np.asarray(start) + frames[:, None] * np.asarray(speed)
    center = center + np.random.default_rng(seed).normal(0, 1, center.shape) * noise
    half = np.asarray(size) / 2
    return np.concatenate([center - half, center + half], axis=1)


def piece(frames, start, speed, size=(20, 50)):
    boxes = walk(frames, start, speed, size)
    measured = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, np.log(boxes[:, 2:] - boxes[:, :2])], axis=1)
    return Piece(np.asarray(frames), measured, np.ones(len(boxes)), np.ones(len(boxes)), np.zeros((len(boxes), 0)))


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_lines_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    frames = np.tile(np.arange(25), 5)
    boxes = np.concatenate([walk(range(25), rng.uniform(0, 300, 2), rng.uniform(-3, 3, 2), noise=1) for _ in range(5)])
    scores = rng.uniform(0.3, 1, 125)
    mixed = rng.permutation(125)
    first, second = (
        track_boxes(table(frames, boxes, scores)),
        track_boxes(table(frames[mixed], boxes[mixed], scores[mixed])),
    )
    for name in TrackTable.__dataclass_fields__:
        assert_array_equal(getattr(first, name), getattr(second, name))


def test_smoothing_brings_noisy_boxes_nearer_to_the_truth():
    frames = np.arange(60)
    true = walk(frames, (50, 80), (2, 0.5))
    noisy = walk(frames, (50, 80), (2, 0.5), noise=2.0, seed=3)
    smooth = track_boxes(table(frames, noisy))
    rough = track_boxes(table(frames, noisy), offline=OfflineOptions(smooth=False))
    assert_allclose(rough.boxes_xyxy, noisy, atol=1e-9)
    assert np.abs(smooth.boxes_xyxy - true).mean() < 0.7 * np.abs(noisy - true).mean()


def test_short_gaps_are_filled_and_long_ones_left_open():
    frames = np.array([*range(10), *range(14, 24), *range(60, 70)])
    tracks = track_boxes(table(frames, walk(frames, (50, 80), (1, 0))), BoxTrackerOptions(max_age=50))
    assert set(tracks.ids.tolist()) == {1}
    assert set(range(60)) - set(tracks.frames.tolist()) == set(range(24, 60))
    assert_allclose(tracks.boxes_xyxy[12], walk([12], (50, 80), (1, 0))[0], atol=0.5)


def test_flicker_is_no_track():
    frames = np.array([*range(20), 3, 4, 5])
    boxes = np.concatenate([walk(range(20), (50, 80), (1, 0)), walk([3, 4, 5], (300, 80), (0, 0))])
    assert set(track_boxes(table(frames, boxes)).ids.tolist()) == {1}


def test_no_boxes_give_no_tracks():
    empty = table([], np.zeros((0, 4)))
    assert len(track_boxes(empty)) == len(track_boxes_online(empty)) == 0


def test_online_is_what_update_returns():
    frames = np.arange(8)
    tracks = track_boxes_online(table(frames, walk(frames, (50, 80), (1, 0))))
    assert tracks.frames.tolist() == list(range(8))
    assert set(tracks.ids.tolist()) == {1}


def test_two_pieces_of_one_path_are_linked_and_strangers_are_not():
    a, b = piece(range(20), (50, 80), (2, 0)), piece(range(40, 60), (50, 80), (2, 0))
    stranger = piece(range(40, 60), (400, 300), (0, 0))
    linked = link_pieces([a, b, stranger], OfflineOptions())
    assert sorted(len(one.frames) for one in linked) == [20, 40]
    larger = piece(range(40, 60), (50, 80), (2, 0), (60, 150))
    assert len(link_pieces([a, larger], OfflineOptions())) == 2


def test_tracks_that_changed_places_in_a_meeting_get_their_own_ends_back():
    right, left = piece(range(60), (0, 100), (4, 0)), piece(range(60), (236, 104), (-4, 0))
    names = Piece.__dataclass_fields__
    wrong = [
        Piece(*(np.concatenate([getattr(p, n)[:30], getattr(q, n)[30:]]) for n in names))
        for p, q in ((right, left), (left, right))
    ]
    mended = undo_swaps(wrong, OfflineOptions())
    assert_allclose(mended[0].measured, right.measured)
    assert_allclose(mended[1].measured, left.measured)
    untouched = undo_swaps([right, left], OfflineOptions())
    assert_allclose(untouched[0].measured, right.measured)


def test_the_strength_is_the_place_between_two_quantiles_and_doubles_lose_it():
    assert score_strength([0.0, 5.0, 20.0], 0.0, 10.0).tolist() == [0.0, 0.5, 1.0]
    boxes = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [50, 0, 60, 10]])
    after = weakened_doubles(boxes, np.array([0.9, 0.8, 0.7]), 0.35)
    assert after[0] == 0.9
    assert after[1] < 0.05
    assert after[2] == 0.7


def test_running_quantiles_are_those_of_all_scores_so_far():
    rng = np.random.default_rng(9)
    scores = rng.normal(0, 1, (30, 10))
    known = ScoreRange(0.1, 0.9)
    for row in scores:
        known.add(row)
        known.range  # noqa: B018 - looked up in every frame
    assert_allclose(known.range, np.quantile(scores, (0.1, 0.9)), atol=0.1)


def test_frames_between_two_sights_are_shown_up_to_the_longest_gap():
    seen = np.zeros((12, 1), bool)
    seen[[1, 3, 7]] = True
    assert np.flatnonzero(shown_frames(seen, 1)[:, 0]).tolist() == [1, 2, 3, 7]
    assert np.flatnonzero(shown_frames(seen, 3)[:, 0]).tolist() == [1, 2, 3, 4, 5, 6, 7]
