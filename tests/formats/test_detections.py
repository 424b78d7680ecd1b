"""Detections that a tracker cannot use are refused with the line and the reason."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.errors import FormatError
from cvseg.formats.detections import read_detections

GOOD = "1,-1,10,20,30,60,0.9,-1,-1,-1\n"


def written(tmp_path, text):
    path = tmp_path / "det.txt"
    path.write_text(text, encoding="ascii")
    return path


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (GOOD + "1,-1,nan,20,30,60,0.9\n", 2, "column 3 is nan"),
        (GOOD + "1,-1,10,20,inf,60,0.9\n", 2, "column 5 is inf"),
        (GOOD + "\n2,-1,10,20,-3,60,0.9\n", 3, "-3 x 60"),
        (GOOD + "2,-1,10,20,0,60,0.9\n", 2, "0 x 60"),
        ("2,-1,10,20,30,60,0.9\n" + GOOD, 2, "frame 1 comes after frame 2"),
        (GOOD + "1,-1,50,20,30,60,0.9\n" + GOOD, 3, "line 1 already"),
        (GOOD + "0,-1,50,20,30,60,0.9\n", 2, "frame is 0"),
        (GOOD + "1,-1,50,20\n", 2, "4 columns"),
        (GOOD + "1,-1,a,20,30,60,0.9\n", 2, "'a'"),
        ("", 1, "no boxes"),
        ("\n\n", 1, "no boxes"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(tmp_path, text, line, reason):
    with pytest.raises(FormatError) as caught:
        read_detections(written(tmp_path, text))
    assert f"line {line}:" in str(caught.value)
    assert reason in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FormatError, match="does not exist"):
        read_detections(tmp_path / "none.txt")


def test_frames_in_any_order_are_sorted_on_demand_and_twins_are_still_found(tmp_path):
    late = "3,-1,1,1,5,5,0.5\n"
    table = read_detections(written(tmp_path, late + GOOD), sort=True)
    assert table.frames.tolist() == [0, 2]
    assert np.array_equal(table.boxes_xyxy, [[9, 19, 39, 79], [0, 0, 5, 5]])
    with pytest.raises(FormatError, match=r"line 3: .* line 1 already"):
        read_detections(written(tmp_path, late + GOOD + late), sort=True)
