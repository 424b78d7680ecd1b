"""Scribbles of DAVIS: what comes back, the pixels of a point, and damaged files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cvseg.errors import FormatError, RangeError
from cvseg.formats.davis_scribbles import Scribbles, Stroke, read_scribbles, write_scribbles


def test_strokes_come_back_as_they_were_written(tmp_path):
    strokes = (
        Stroke(np.array([[0.0, 1.0], [0.25, 0.5]]), 2, 10, 640.5),
        Stroke(np.array([[1.0, 0.0]]), 0),
    )
    written = Scribbles("bear", ((), strokes, ()), annotated_frame=1)
    write_scribbles(tmp_path / "001.json", written)
    read = read_scribbles(tmp_path / "001.json")
    assert (read.sequence, read.annotated_frame) == ("bear", 1)
    assert [len(frame) for frame in read.frames] == [0, 2, 0]
    for one, other in zip(read.frames[1], strokes, strict=True):
        assert (one.object_id, one.start_ms, one.end_ms) == (other.object_id, other.start_ms, other.end_ms)
        assert one.path_xy.tolist() == other.path_xy.tolist()


def test_a_point_is_a_share_of_the_size_less_one_pixel():
    stroke = Stroke(np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.26]]), 1)
    assert stroke.pixels((5, 8)).tolist() == [[0, 0], [7, 4], [3, 1]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scribbles": None}, "no list 'scribbles'"),
        ({"scribbles": [{}]}, "no list 'scribbles'"),
        ({"sequence": 3}, "'sequence' must be text"),
        ({"annotated_frame": 2}, "annotated_frame is 2; expected 0 to 1"),
        ({"scribbles": [[], [{"object_id": 1}]]}, "frame 1, stroke 0: 'path'"),
        ({"scribbles": [[{"path": [[1, 2, 3]], "object_id": 1}], []]}, "frame 0, stroke 0: 'path'"),
        ({"scribbles": [[{"path": [[12, 0.5]], "object_id": 1}], []]}, "outside 0 to 1"),
        ({"scribbles": [[{"path": [[0.1, 0.5]], "object_id": -1}], []]}, "object_id is -1"),
        ({"scribbles": [[{"path": [[0.1, 0.5]], "object_id": 1, "end_time": "x"}], []]}, "a time is 'x'"),
    ],
)
def test_damaged_content_is_named(tmp_path, change, words):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"sequence": "bear", "scribbles": [[], []], "annotated_frame": 0} | change))
    with pytest.raises(FormatError, match=words):
        read_scribbles(path)


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(FormatError, match="does not exist"):
        read_scribbles(tmp_path / "none.json")
    (tmp_path / "cut.json").write_text('{"sequence":\n "bear", "scribbles": [[')
    with pytest.raises(FormatError, match=r"cut.json, line 2"):
        read_scribbles(tmp_path / "cut.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="cannot be read as text"):
        read_scribbles(tmp_path / "bytes.json")


def test_pixels_are_not_written_as_shares(tmp_path):
    with pytest.raises(RangeError, match="path_xy leaves 0 to 1"):
        write_scribbles(tmp_path / "a.json", Scribbles("bear", ((Stroke(np.array([[30.0, 4.0]]), 1),),)))
    assert not list(tmp_path.iterdir())
