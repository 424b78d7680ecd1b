"""MOTChallenge files: counted from 1, round trips, bad lines named by number."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.errors import FormatError, OutputError, RangeError
from cvseg.formats import FORMATS, TracksWriter, read_tracks
from cvseg.records import Track


def track(track_id, box, confidence=1.0):
    return Track(track_id, box, 1, (0.0, 0.0), (0.0, 0.0), confidence, 1)


def test_frames_and_pixels_count_from_one_in_the_file(tmp_path):
    with TracksWriter(tmp_path / "tracks.txt") as writer:
        writer.write(0, [track(7, (0.0, 0.0, 10.0, 5.0), 0.25)])
        writer.write(1, [])
        writer.write(2, [track(7, (1.5, 2.0, 11.75, 8.0)), track(8, (3, 4, 5, 6), 0.5)])
    assert (tmp_path / "tracks.txt").read_text() == (
        "1,7,1,1,10,5,0.25,-1,-1,-1\n3,7,2.5,3,10.25,6,1,-1,-1,-1\n3,8,4,5,2,2,0.5,-1,-1,-1\n"
    )
    table = read_tracks(tmp_path / "tracks.txt")
    assert len(table) == 3
    assert table.frames.tolist() == [0, 2, 2]
    assert table.ids.tolist() == [7, 7, 8]
    assert table.boxes_xyxy.tolist() == [[0, 0, 10, 5], [1.5, 2, 11.75, 8], [3, 4, 5, 6]]
    assert table.confidences.tolist() == [0.25, 1, 0.5]
    assert table.extra.tolist() == [[-1, -1, -1]] * 3


boxes = st.tuples(
    st.floats(-1000, 5000, width=32),
    st.floats(-1000, 5000, width=32),
    st.floats(0, 5000, width=32),
    st.floats(0, 5000, width=32),
)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 10_000), boxes, st.floats(0, 1)), max_size=12))
def test_boxes_come_back_within_a_millionth_of_a_pixel(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("mot") / "tracks.txt"
    with TracksWriter(path) as writer:
        for number, (frame, (x, y, w, h), confidence) in enumerate(rows, start=1):
            writer.write(frame, [track(number, (x, y, x + w, y + h), confidence)])
    table = read_tracks(path)
    assert table.frames.tolist() == [row[0] for row in rows]
    assert table.ids.tolist() == list(range(1, len(rows) + 1))
    expected = np.array([(x, y, x + w, y + h) for _, (x, y, w, h), _ in rows]).reshape(-1, 4)
    # Six decimals, rounded once for the corner and once for the size.
    np.testing.assert_allclose(table.boxes_xyxy, expected, atol=1.1e-6, rtol=0)
    np.testing.assert_allclose(table.confidences, [row[2] for row in rows], atol=0.6e-6, rtol=0)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1,2,3,4,5", "5 columns; expected 6 to 10"),
        ("1,2,3,4,5,6,7,8,9,10,11", "11 columns"),
        ("1,2,three,4,5,6", "column 3 is 'three'; expected a number"),
        ("1,2,,4,5,6", "column 3 is ''; expected a number"),
        ("1,2,nan,4,5,6", "column 3 is nan; expected a finite number"),
        ("1,2,3,4,inf,6", "column 5 is inf"),
        ("0,2,3,4,5,6", "frame is 0; expected a whole number from 1"),
        ("1.5,2,3,4,5,6", "frame is 1.5; expected a whole number"),
        ("99999999999,2,3,4,5,6", "frame is 99999999999"),
        ("1,2.5,3,4,5,6", "id is 2.5; expected a whole number"),
        ("1,2,3,4,-5,6", "the box is -5 x 6 pixels"),
        ("1,1,3,4,5,6", r"id 1 stands twice in frame 1 \(first in line 1\)"),
    ],
)
def test_bad_lines_are_named_by_file_and_number(tmp_path, line, words):
    path = tmp_path / "gt.txt"
    path.write_text(f"1,1,1,1,2,2,1,-1,-1,-1\n\n{line}\n")
    with pytest.raises(FormatError, match=r"gt\.txt, line 3: " + words):
        read_tracks(path)


def test_short_lines_spaces_and_detections_without_identity_are_read(tmp_path):
    (tmp_path / "det.txt").write_text("\ufeff1,-1,1,1,2,2\n1, -1, 3, 3, 2, 2, 0.5\r\n2 4 1 1 2 2 1 -1 -1 -1\n", "utf-8")
    table = read_tracks(tmp_path / "det.txt")
    assert table.ids.tolist() == [-1, -1, 4]
    assert table.confidences.tolist() == [1, 0.5, 1]


def test_an_empty_file_holds_no_boxes_and_a_missing_or_binary_one_is_an_error(tmp_path):
    (tmp_path / "empty.txt").write_text("")
    assert read_tracks(tmp_path / "empty.txt").boxes_xyxy.shape == (0, 4)
    with pytest.raises(FormatError, match="does not exist"):
        read_tracks(tmp_path / "missing.txt")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)))
    with pytest.raises(FormatError, match="cannot be read as text"):
        read_tracks(tmp_path / "binary.txt")


@pytest.mark.parametrize("box", [(0, 0, float("nan"), 1), (5, 0, 4, 1), (0, 5, 1, 4), (0, 0, float("inf"), 1)])
def test_boxes_that_are_no_boxes_are_not_written(tmp_path, box):
    with TracksWriter(tmp_path / "tracks.txt") as writer:
        writer.write(0, [track(1, (0, 0, 1, 1))])
        with pytest.raises(RangeError, match="frame 1, track 2 has the box"):
            writer.write(1, [track(1, (0, 0, 1, 1)), track(2, box)])
    assert len(read_tracks(tmp_path / "tracks.txt")) == 1


def test_the_file_appears_whole_and_also_after_ctrl_c(tmp_path):
    with pytest.raises(KeyboardInterrupt), TracksWriter(tmp_path / "tracks.txt") as writer:
        writer.write(0, [track(1, (0, 0, 1, 1))])
        assert os.listdir(tmp_path) == ["tracks.txt.partial"]
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == ["tracks.txt"]
    assert len(read_tracks(tmp_path / "tracks.txt")) == 1


def test_giving_up_leaves_nothing_and_a_closed_writer_refuses(tmp_path):
    writer = TracksWriter(tmp_path / "tracks.txt")
    writer.write(0, [track(1, (0, 0, 1, 1))])
    writer.abort()
    writer.close()
    assert os.listdir(tmp_path) == []
    with pytest.raises(OutputError, match="closed"):
        writer.write(1, [])


def test_a_full_disk_is_one_sentence(tmp_path):
    (tmp_path / "tracks.txt.partial").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="the disk is full"), TracksWriter(tmp_path / "tracks.txt") as writer:
        writer.write(0, [track(1, (0, 0, 1, 1))])
    assert os.listdir(tmp_path) == []


def test_the_output_is_a_folder(tmp_path):
    with pytest.raises(OutputError, match=r"is a folder; expected a file name"):
        TracksWriter(tmp_path)


def test_every_format_says_what_it_is():
    assert set(FORMATS) == {"davis", "mot_challenge"}
    for form in FORMATS.values():
        assert form.doc
        assert hasattr(form.open_writer, "write_result")


@pytest.mark.data
def test_real_ground_truth_and_results_are_read(data_folder):
    table = read_tracks(data_folder / "MOT" / "PETS09-S2L1" / "gt" / "gt.txt")
    assert table.frames.min() == 0
    assert table.frames.max() == 794
    assert (table.boxes_xyxy[:, 2:] > table.boxes_xyxy[:, :2]).all()
    for path in sorted((data_folder / "MOT").rglob("*.txt")):
        if path.parent.name in ("gt", "det"):
            assert len(read_tracks(path)) > 0
