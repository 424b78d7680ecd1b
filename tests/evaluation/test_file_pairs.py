"""Pairs of result and truth files: nothing is skipped silently."""

from __future__ import annotations

import pytest

from cvseg.errors import FormatError, InputError
from cvseg.evaluation.file_pairs import check_folder, check_same_size, files_below, listed, pair_files


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def test_files_are_found_in_the_root_and_one_folder_deep_in_order(tmp_path):
    make(tmp_path, "b/00001.png", "b/00000.PNG", "a/x.png", "y.png", "b/notes.txt", "b/.hidden.png", "b/c/deep.png")
    found = files_below(tmp_path, {".png"})
    assert {name: list(frames) for name, frames in found.items()} == {"": ["y"], "a": ["x"], "b": ["00000", "00001"]}


def test_two_files_of_one_name_are_refused(tmp_path):
    make(tmp_path, "a/0.png", "a/0.jpg")
    with pytest.raises(FormatError, match="have one name"):
        files_below(tmp_path, {".png", ".jpg"})


def test_missing_results_are_an_error_that_names_them_or_count_as_empty(tmp_path):
    truth = files_below(make(tmp_path / "t", "a/0.png", "a/1.png", "b/0.png"), {".png"})
    results = files_below(make(tmp_path / "r", "a/0.png"), {".png"})
    with pytest.raises(InputError, match=r"2 of 3 frames .*\(a/1, b/0\).*--missing-as-empty"):
        pair_files("test", results, truth)
    pairs, remarks = pair_files("test", results, truth, missing_as_empty=True)
    assert [(pair.sequence, pair.frame, pair.result is None) for pair in pairs] == [
        ("a", "0", False),
        ("a", "1", True),
        ("b", "0", True),
    ]
    assert remarks == ["2 of 3 results are missing and counted as empty: a/1, b/0."]


def test_results_that_are_all_missing_are_an_error_in_any_case(tmp_path):
    truth = files_below(make(tmp_path / "t", "a/0.png"), {".png"})
    with pytest.raises(InputError, match="laid out alike"):
        pair_files("test", {}, truth, missing_as_empty=True)


def test_results_without_truth_are_named_and_an_empty_truth_is_an_error(tmp_path):
    truth = files_below(make(tmp_path / "t", "a/0.png"), {".png"})
    results = files_below(make(tmp_path / "r", "a/0.png", "a/1.png", "c/0.png"), {".png"})
    assert pair_files("test", results, truth)[1] == ["2 result files have no truth and were not counted: a/1, c/0."]
    with pytest.raises(InputError, match="no file to compare with"):
        pair_files("test", results, {})


def test_sizes_are_compared_in_width_times_height(tmp_path):
    check_same_size("r.png", (4, 6), "t.png", (4, 6))
    with pytest.raises(FormatError, match=r"r\.png is 6x4 pixels; expected 12x8 as in t\.png"):
        check_same_size("r.png", (4, 6), "t.png", (8, 12))


def test_a_folder_must_be_one(tmp_path):
    assert check_folder("test", "results", tmp_path) == tmp_path
    with pytest.raises(InputError, match="does not exist"):
        check_folder("test", "results", tmp_path / "no")
    with pytest.raises(InputError, match="is a file"):
        check_folder("test", "truth", make(tmp_path, "file") / "file")


def test_long_lists_are_cut():
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
