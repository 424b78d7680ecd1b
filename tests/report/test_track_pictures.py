"""Pictures of tracks: paths where the tracks were, heat where they stayed."""

from __future__ import annotations

import numpy as np

from cvseg.report.heat_map import add_boxes, draw_heat_map, heat_colors
from cvseg.report.overlay import track_color
from cvseg.report.path_picture import draw_paths
from cvseg.tracking.track_motion import TrackPath

SIZE_HW = (120, 200)


def level_path(track_id, y, frames):
    frames = np.asarray(frames)
    points = np.c_[20.0 + 5 * frames, np.full(len(frames), float(y))]
    boxes = np.c_[points - 4, points + 4]
    return TrackPath(track_id, frames, frames / 25, boxes, points, points, np.full_like(points, 5.0), 5.0 * frames)


def columns_of(picture, y, color):
    return np.flatnonzero(np.abs(picture[y].astype(int) - color).max(axis=1) < 40)


def test_a_path_has_the_colour_of_its_track_from_its_first_to_its_last_point():
    picture = draw_paths([level_path(1, 30, range(30)), level_path(2, 90, range(10))], SIZE_HW)
    assert picture.shape == (*SIZE_HW, 3)
    along = columns_of(picture, 30, track_color(1))
    # The ends are marked by a ring and a dot.
    assert along.min() <= 30
    assert along.max() >= 160
    assert len(along) > 110
    assert columns_of(picture, 90, track_color(2)).max() < 100
    assert not len(columns_of(picture, 60, track_color(1)))


def test_no_paths_leave_the_picture_as_it_is_in_size():
    ground = np.full((*SIZE_HW, 3), 77, np.uint8)
    assert draw_paths([], SIZE_HW, ground).shape == ground.shape
    assert (ground == 77).all()


def test_time_adds_up_where_boxes_overlap_and_boxes_are_cut_at_the_border():
    seconds = np.zeros(SIZE_HW)
    add_boxes(seconds, [[10, 10, 30, 20], [20, 10, 40, 20], [190, 110, 900, 900], [-50, -50, -10, -10]], 0.5)
    assert seconds[15, 15] == 0.5
    assert seconds[15, 25] == 1.0
    assert seconds[119, 199] == 0.5
    assert seconds.sum() == 0.5 * (200 + 200 + 100)


def test_heat_is_brighter_where_objects_stayed_longer():
    seconds = np.zeros(SIZE_HW)
    seconds[20:60, 20:80] = 1.0
    seconds[20:60, 120:180] = 4.0
    picture = draw_heat_map(seconds).astype(int).sum(axis=2)
    assert picture[40, 150] > picture[40, 50] > picture[90, 50]
    assert np.all(np.diff(heat_colors(np.linspace(0, 1, 9)).sum(axis=1)) > 0)


def test_an_empty_heat_map_is_drawn_too():
    assert draw_heat_map(np.zeros(SIZE_HW)).shape[1:] == (SIZE_HW[1], 3)
