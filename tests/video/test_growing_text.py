"""`GrowingText`: the file has its name only when it is whole."""

from __future__ import annotations

import pytest

from cvseg.errors import OutputError
from cvseg.video.growing_text import GrowingText


def test_the_name_appears_with_the_end(tmp_path):
    path = tmp_path / "made" / "a.csv"
    text = GrowingText(path)
    text.write("1\n")
    assert not path.exists()
    text.write("2\n")
    text.close()
    text.close()
    assert path.read_text() == "1\n2\n"


def test_aborting_leaves_nothing(tmp_path):
    text = GrowingText(tmp_path / "a.csv")
    text.write("1\n")
    text.abort()
    assert not list(tmp_path.iterdir())


def test_a_closed_file_takes_no_more(tmp_path):
    text = GrowingText(tmp_path / "a.csv")
    text.close()
    with pytest.raises(OutputError, match="closed"):
        text.write("1\n")


def test_a_folder_in_its_place_is_said(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        GrowingText(tmp_path / "a.csv")
