"""Speed, heading and path of tracks, in pixels and on the ground; reading a homography."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cvseg.errors import FormatError, RangeError
from cvseg.formats.mot_challenge import TrackTable
from cvseg.tracking.track_motion import followed_points, read_homography, track_paths


def table_of(frames, feet_xy, number=1, size=(12.0, 30.0)):
    feet = np.asarray(feet_xy, float)
    boxes = np.stack([feet[:, 0] - size[0] / 2, feet[:, 1] - size[1], feet[:, 0] + size[0] / 2, feet[:, 1]], axis=1)
    count = len(feet)
    return TrackTable(
        np.asarray(frames, np.int32), np.full(count, number, np.int32), boxes, np.ones(count), -np.ones((count, 3))
    )


def test_a_straight_walk_has_its_speed_its_heading_and_its_length():
    frames = np.arange(60)
    table = table_of(frames, np.stack([100 + 1.5 * frames, 200 - 2.0 * frames], 1))
    (path,) = track_paths(table, frames / 25)
    assert path.speeds[10:50] == pytest.approx(2.5 * 25, rel=1e-3)
    assert path.headings_deg[30] == pytest.approx(np.degrees(np.arctan2(-2, 1.5)) % 360, abs=0.1)
    assert path.lengths[-1] == pytest.approx(2.5 * 59, rel=1e-2)


def test_noise_of_the_boxes_adds_little_to_speed_and_length():
    frames = np.arange(200)
    rng = np.random.default_rng(0)
    feet = np.stack([100 + 2.0 * frames, np.full(200, 150.0)], 1) + rng.normal(0, 1.0, (200, 2))
    (path,) = track_paths(table_of(frames, feet), frames / 25)
    raw = np.hypot(*np.diff(feet, axis=0).T)
    assert raw.sum() > 1.2 * 398
    assert path.lengths[-1] == pytest.approx(398, rel=0.05)
    assert np.abs(path.speeds[20:-20] - 50).max() < 15


def test_times_of_a_variable_rate_make_the_speed():
    frames = np.arange(40)
    times = np.where(frames < 20, frames / 10, 2 + (frames - 20) / 20)
    (path,) = track_paths(table_of(frames, np.stack([3.0 * frames, 0 * frames], 1)), times)
    assert path.speeds[10] == pytest.approx(30, rel=1e-2)
    assert path.speeds[30] == pytest.approx(60, rel=1e-2)


def test_a_gap_counts_as_way_and_time_but_not_as_a_sight():
    frames = np.r_[0:20, 30:50]
    (path,) = track_paths(table_of(frames, np.stack([4.0 * frames, 0 * frames], 1)), np.arange(50) / 25)
    assert len(path.frames) == 40
    assert path.lengths[-1] == pytest.approx(4 * 49, rel=1e-2)
    assert path.speeds[20] == pytest.approx(100, rel=0.02)


def test_a_single_sight_has_no_speed_and_one_that_stands_no_heading():
    (one,) = track_paths(table_of([3], [[5, 5]]), np.arange(4) / 25)
    assert np.isnan(one.speeds).all() and np.isnan(one.headings_deg).all() and one.lengths.tolist() == [0]
    (still,) = track_paths(table_of([0, 1, 2], [[5, 5]] * 3), np.arange(3) / 25)
    assert still.speeds.tolist() == [0, 0, 0] and np.isnan(still.headings_deg).all()


def test_the_homography_gives_metres_from_the_foot_of_the_box():
    # 2 cm a pixel across, and depth in the other direction, seen in perspective.
    ground = np.array([[0.02, 0.0, 0.0], [0.0, 0.05, -5.0], [0.0, 0.001, 1.0]])
    walk = np.stack([np.linspace(0, 6, 50), np.full(50, 3.0)], 1)  # metres
    back = np.linalg.inv(ground) @ np.c_[walk, np.ones(50)].T
    (path,) = track_paths(table_of(np.arange(50), (back[:2] / back[2]).T), np.arange(50) / 10, homography=ground)
    assert path.places_xy[25] == pytest.approx(walk[25], abs=0.02)
    assert path.speeds[25] == pytest.approx(6 / 49 * 10, rel=0.02)
    assert path.lengths[-1] == pytest.approx(6, rel=0.02)


def test_a_track_beyond_the_horizon_is_an_error_that_names_it():
    ground = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, -0.01, 1.0]])  # horizon at y = 100
    frames = np.arange(30)
    table = table_of(frames, np.stack([0 * frames, 20.0 + 5 * frames], 1), number=7)
    with pytest.raises(RangeError, match=r"track 7 .*horizon"):
        track_paths(table, frames / 25, homography=ground)


def test_times_must_rise_and_suffice():
    table = table_of([0, 1, 2], [[0, 0]] * 3)
    with pytest.raises(RangeError, match="2 times"):
        track_paths(table, [0, 1])
    with pytest.raises(RangeError, match="rise"):
        track_paths(table, [0, 1, 1])


def test_the_foot_is_the_middle_of_the_lower_side_and_the_center_that_of_the_box():
    box = np.array([[10.0, 20, 30, 80]])
    assert followed_points(box, "foot").tolist() == [[20, 80]]
    assert followed_points(box, "center").tolist() == [[20, 50]]


@pytest.mark.parametrize("form", ["text", "commas", "list", "table"])
def test_a_homography_is_read_from_text_and_json(tmp_path, form):
    matrix = [[0.01, 0.0, -3.0], [0.0, 2e-2, 1.0], [0.0, 1e-4, 1.0]]
    texts = {
        "text": "\n".join(" ".join(map(str, row)) for row in matrix) + "\n",
        "commas": "\n".join(",".join(map(str, row)) for row in matrix),
        "list": json.dumps(matrix),
        "table": json.dumps({"homography": matrix}),
    }
    (tmp_path / "ground").write_text(texts[form])
    assert read_homography(tmp_path / "ground").tolist() == matrix


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("1 2 3\n4 5 6\n", r"\(2, 3\)"),
        ("1 2\n3 4 5\n6 7 8\n", "3 lines of 3 numbers"),
        ("1 0 0\n0 x 0\n0 0 1\n", "3 lines of 3 numbers"),
        ("1 0 0\n0 nan 0\n0 0 1\n", "NaN"),
        ("1 2 3\n2 4 6\n0 0 1\n", "no inverse"),
        ("1 0 0\n0 1 0\n0 0 0\n", "no inverse"),
        ("{}", r"\(0,\)"),
        ("[[1, 2", "3 lines of 3 numbers"),
        ("", r"\(0,\)"),
    ],
)
def test_a_file_that_is_no_homography_is_refused_with_its_name(tmp_path, text, what):
    (tmp_path / "ground.txt").write_text(text)
    with pytest.raises(FormatError, match=what) as caught:
        read_homography(tmp_path / "ground.txt")
    assert "ground.txt" in str(caught.value)


def test_a_missing_homography_is_named(tmp_path):
    with pytest.raises(FormatError, match="does not exist"):
        read_homography(tmp_path / "none.txt")


def test_small_units_do_not_make_a_homography_singular(tmp_path):
    (tmp_path / "ground.txt").write_text("1e-6 0 0\n0 1e-6 0\n0 0 1\n")
    assert read_homography(tmp_path / "ground.txt")[0, 0] == 1e-6
