"""Tracks of boxes joined anew by look and way: returns, exchanged meetings, strangers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.formats import TrackTable
from cvseg.tracking import OfflineOptions, track_boxes
from cvseg.tracking.box_colors import box_color_features
from cvseg.tracking.track_linking import Piece
from cvseg.tracking.track_relinking import clear_boxes, doubtful_frames, relink_pieces

RED, BLUE = (200, 40, 40), (40, 60, 200)


def piece(frames, xs, color, y=100.0, size=(20.0, 50.0)):
    frames = np.asarray(frames, np.int64)
    rng = np.random.default_rng(len(frames))
    xs = np.broadcast_to(np.asarray(xs, float), len(frames))
    measured = np.stack([xs, np.full(len(frames), y), *np.log(np.tile(size, (len(frames), 1))).T], axis=1)
    colors = np.tile([*color, *color, *color, 5, 5, 5], (len(frames), 1)) + rng.normal(0, 1, (len(frames), 12))
    return Piece(frames, measured, np.ones(len(frames)), np.ones(len(frames)), colors)


def spliced(first, second, middle):
    names = Piece.__dataclass_fields__
    early, late = first.frames <= middle, second.frames > middle
    return Piece(*(np.concatenate([getattr(first, n)[early], getattr(second, n)[late]]) for n in names))


def test_who_comes_back_after_a_rest_takes_its_own_track_and_a_stranger_does_not():
    before = piece(range(20), 50 + 2.0 * np.arange(20), RED)
    after, stranger = (piece(range(60, 80), 110 + 2.0 * np.arange(20), color) for color in (RED, BLUE))
    assert [len(one.frames) for one in relink_pieces([before, after], OfflineOptions())] == [40]
    assert [len(one.frames) for one in relink_pieces([before, stranger], OfflineOptions())] == [20, 20]


def test_two_that_turned_back_in_a_meeting_keep_their_colors():
    t = np.arange(60)
    left, right = (piece(t, 100 + side * (2.0 + abs(t - 30) * 2.0), c) for side, c in ((-1, RED), (1, BLUE)))
    wrong = [spliced(left, right, 29), spliced(right, left, 29)]
    mended = relink_pieces(wrong, OfflineOptions())
    for one, true in zip(mended, (left, right), strict=True):
        assert_array_equal(one.frames, true.frames)
        away = np.abs(one.measured - true.measured).max(1)
        assert (away[abs(t - 30) > 4] == 0).all()


def test_a_right_track_stays_as_it_is():
    t = np.arange(60)
    given = [piece(t, 2.0 * t, RED), piece(t, 118 - 2.0 * t, BLUE)]
    for one, true in zip(relink_pieces(given, OfflineOptions()), given, strict=True):
        assert_allclose(one.measured, true.measured)


def test_who_leaves_at_the_border_is_not_who_comes_in():
    out, inside = piece(range(20), 52 - 2.0 * np.arange(20), RED), piece(range(40, 60), 14 + 2.0 * np.arange(20), RED)
    assert len(relink_pieces([out, inside], OfflineOptions())) == 1
    assert len(relink_pieces([out, inside], OfflineOptions(), (4.0, 0.0, 300.0, 200.0))) == 2


def test_boxes_that_show_two_or_only_a_part_tell_no_look():
    t = np.arange(20)
    one, other = piece(t, 50, RED), piece(t, 110 - 4.0 * t, BLUE)
    marks = clear_boxes([one, other])
    assert_array_equal(marks[0], marks[1])
    assert marks[0][:5].all()
    assert not marks[0][12:18].any()
    half = piece(t, 50, RED)
    half.measured[10:13, 2] -= np.log(2)
    assert_array_equal(np.flatnonzero(~clear_boxes([half])[0]), [10, 11, 12])


def test_tracks_are_cut_where_one_vanished_or_another_met_it():
    t = np.arange(40)
    standing, passing = piece(t, 100, RED), piece(t[:18], 60 + 2.0 * t[:18], BLUE)
    cuts = doubtful_frames([standing, passing])
    assert 18 in cuts[0]
    assert cuts[1] == [cut for cut in cuts[1] if cut <= 18]
    gap = piece([*range(10), *range(20, 30)], 100, RED)
    assert doubtful_frames([gap]) == [[20]]


def test_colors_of_boxes_are_those_inside():
    image = np.full((60, 80, 3), 90, np.uint8)
    image[10:25, 20:40], image[25:40, 20:40] = RED, BLUE
    features = box_color_features(image, np.array([[20.0, 10, 40, 40], [-30, -30, -5, -5]]))
    assert_allclose(features[0, :3], RED)
    assert_allclose(features[0, 6:9], BLUE)
    assert_allclose(features[1, :9], 90)
    assert_allclose(features[1, 9:], 0)


@pytest.mark.parametrize("colors", [(RED, BLUE), (BLUE, RED)])
def test_two_that_turn_round_behind_a_wall_keep_their_numbers_where_pictures_are_given(colors):
    images, rows = [], []
    for t in range(110):
        image = np.full((120, 260, 3), 110, np.uint8)
        x = min(t, 110 - t) * 2.0
        for place, color in zip((10 + x, 250 - x), colors, strict=True):
            left = round(place) - 10
            image[40:80, left : left + 20] = color
            if x < 75:
                rows.append((t, left, 40, left + 20, 80))
        image[:, 95:165] = 70, 60, 50
        images.append(image)
    found = np.array(rows, float)
    given = TrackTable(
        found[:, 0].astype(np.int32), -np.ones(len(found), np.int32), found[:, 1:], np.ones(len(found)),
        -np.ones((len(found), 3)),
    )  # fmt: skip
    tracks = track_boxes(given, frames=lambda t: images[t])
    assert sorted(set(tracks.ids.tolist())) == [1, 2]
    for number in (1, 2):
        centers = tracks.boxes_xyxy[tracks.ids == number][:, [0, 2]].mean(1)
        assert (centers < 130).all() or (centers > 130).all()
