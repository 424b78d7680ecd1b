"""MOTS files: numbers, run order, ignored regions, damage; masks as runs of labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cvseg.errors import FormatError, RangeError, ShapeError
from cvseg.evaluation import label_overlaps
from cvseg.formats.coco_rle import encode_rle
from cvseg.formats.mot_sequence_info import SequenceInfo, read_sequence_info
from cvseg.formats.mots import (
    IGNORE_ID,
    mots_frame,
    read_mots,
    read_mots_png,
    split_masks,
    write_mots,
    write_mots_png,
)
from cvseg.masks.label_runs import OverlapError, label_run_overlaps, label_runs, paint_masks
from cvseg.masks.run_length import mask_runs


def test_text_is_read_column_by_column_with_frames_as_they_stand(tmp_path):
    path = tmp_path / "seq.txt"
    # Two rows, three columns: four pixels of background, then the last column.
    path.write_text("5 2001 2 2 3 42\n\n0 1007 1 2 3 11101\n")
    frames = read_mots(path)
    assert list(frames) == [0, 5]
    assert frames[5].labels.labels().tolist() == [[0, 0, 2001], [0, 0, 2001]]
    # Runs 1, 1, 1, 1, 2: from the fourth on the difference to the run two before is stored.
    assert frames[0].labels.labels().tolist() == [[0, 0, 0], [1007, 1007, 0]]
    assert frames[5].classes == {2001: 2}


def test_ignored_regions_are_joined_under_one_id(tmp_path):
    path = tmp_path / "seq.txt"
    path.write_text("1 10000 10 1 4 013\n1 10000 10 1 4 211\n1 2005 2 1 4 31\n")
    frame = read_mots(path)[1]
    assert frame.labels.labels().tolist() == [[IGNORE_ID, 0, IGNORE_ID, 2005]]
    assert frame.classes == {IGNORE_ID: 10, 2005: 2}


def test_an_object_without_pixels_keeps_its_class(tmp_path):
    path = tmp_path / "seq.txt"
    path.write_text("1 2005 2 1 4 4\n")
    frame = read_mots(path)[1]
    assert frame.classes == {2005: 2}
    assert frame.labels.ids.tolist() == [0]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_text_and_png_give_back_what_was_written(seed, tmp_path_factory):
    rng = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("mots")
    names = np.array([0, 0, 1001, 2001, 2999, IGNORE_ID, 65535])
    maps = [names[rng.integers(0, len(names), rng.integers(1, 9, 2))] for _ in range(3)]
    frames = [mots_frame(number, labels) for number, labels in enumerate(maps)]
    write_mots(folder / "seq.txt", frames)
    write_mots_png(folder / "png", frames)
    text = read_mots(folder / "seq.txt")
    for number, labels in enumerate(maps):
        png = read_mots_png(folder / "png" / f"{number:06d}.png")
        assert (png.frame, png.labels.labels().tolist()) == (number, labels.tolist())
        assert png.classes == frames[number].classes
        if labels.any():
            assert text[number].labels.labels().tolist() == labels.tolist()
            assert text[number].classes == frames[number].classes
        else:
            assert number not in text
    with Image.open(folder / "png" / "000000.png") as picture:
        assert picture.mode == "I;16"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1 2001 2 2 3"], "line 1: 5 columns; expected 6"),
        (["", "1 x 2 2 3 42"], "line 2: id is 'x'"),
        (["-1 2001 2 2 3 42"], "line 1: frame is '-1'"),
        (["1 0 2 2 3 42"], "line 1: id is 0"),
        (["1 2001 2 2 3 4~"], "line 1: .*character 1"),
        (["1 2001 2 2 0 0"], "line 1: the mask is 0x2 pixels; expected a picture of 1 to"),
        (["1 2001 2 99999 99999 0"], "line 1: the mask is 99999x99999 pixels"),
        (["1 2001 2 2 3 43"], "line 1: the mask has 7 pixels; expected 6"),
        (["1 2001 2 2 3 42", "1 2002 2 3 2 42"], "line 2: the mask is 2x3 pixels; expected 3x2"),
        (["1 2001 2 2 3 42", "2 2001 2 2 3 42", "1 2001 2 2 3 6"], r"line 3: id 2001 stands twice in frame 1 \(first"),
        (["1 2001 2 2 3 42", "1 2002 2 2 3 33"], r"frame 1 \(lines 1, 2\): the masks of ids 2002 and 2001 share"),
        (["1 10000 2 2 3 42", "1 10000 10 2 3 6"], "line 1: id 10000 has class 2"),
    ],
)
def test_damaged_text_is_refused_with_file_and_line(tmp_path, lines, message):
    path = tmp_path / "seq.txt"
    path.write_text("\n".join(lines))
    with pytest.raises(FormatError, match=rf"seq\.txt, {message}"):
        read_mots(path)


def test_missing_files_and_files_that_are_no_text_are_refused(tmp_path):
    with pytest.raises(FormatError, match=r"none\.txt does not exist"):
        read_mots(tmp_path / "none.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(FormatError, match="cannot be read as text"):
        read_mots(tmp_path / "binary.txt")
    with pytest.raises(FormatError, match="the name is no number"):
        read_mots_png(tmp_path / "frame.png")
    with pytest.raises(RangeError, match="id 70000; expected at most 65535"):
        write_mots_png(tmp_path, [mots_frame(1, np.array([[70000]]))])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_runs_of_labels_give_back_the_map_and_the_same_overlaps_as_pixels(seed):
    rng = np.random.default_rng(seed)
    names = np.array([0, 0, 3, 7, 900], np.int32)
    truth, result = names[rng.integers(0, 5, (2, *rng.integers(1, 8, 2)))]
    runs = label_runs(truth), label_runs(result)
    assert runs[0].labels().tolist() == truth.tolist()
    assert int(runs[0].lengths.sum()) == truth.size
    masks = {i: mask_runs(truth == i) for i in np.unique(truth[truth > 0]).tolist()}
    painted = paint_masks(list(masks), list(masks.values()), truth.shape)
    assert painted.labels().tolist() == truth.tolist()
    assert {i: m.tolist() for i, m in split_masks(runs[0]).items()} == {i: m.tolist() for i, m in masks.items()}
    for own, expected in zip(label_run_overlaps(runs[1], runs[0]), label_overlaps(result, truth), strict=True):
        assert np.asarray(own).tolist() == np.asarray(expected).tolist()


def test_runs_refuse_what_is_no_label_map():
    with pytest.raises(RangeError, match="a label is -2"):
        label_runs(np.array([[-2]]))
    with pytest.raises(ShapeError, match="labels"):
        label_runs(np.zeros(3, int))
    with pytest.raises(ShapeError, match=r"\(1, 2\); expected \(2, 1\)"):
        label_run_overlaps(label_runs(np.zeros((1, 2), int)), label_runs(np.zeros((2, 1), int)))
    with pytest.raises(OverlapError, match="ids 4 and 9 share pixels"):
        paint_masks([9, 4], [np.array([1, 2]), np.array([0, 2, 1])], (1, 3))
    with pytest.raises(ShapeError, match="id 9 add up to 3 pixels; expected 4"):
        paint_masks([9], [np.array([1, 2])], (2, 2))
    assert label_runs(np.zeros((0, 4), int)).labels().shape == (0, 4)


def test_masks_of_other_programs_text_are_the_same(tmp_path):
    labels = np.zeros((7, 9), int)
    labels[2:5, 3:8] = 2001
    write_mots(tmp_path / "seq.txt", [mots_frame(4, labels)])
    assert (tmp_path / "seq.txt").read_text() == f"4 2001 2 7 9 {encode_rle(labels > 0).decode()}\n"


def test_sequence_info_is_read_with_defaults_and_bad_values_are_refused(tmp_path):
    path = tmp_path / "seqinfo.ini"
    path.write_text("[Sequence]\nname=A%1\nseqLength=12\nimWidth=640\nimHeight=480\nframeRate=12.5\nimDir=pics\n")
    assert read_sequence_info(path) == SequenceInfo("A%1", 12, (480, 640), 12.5, "pics", ".jpg")
    path.write_text("[Sequence]\nseqLength=12\n")
    assert read_sequence_info(path) == SequenceInfo("", 12)
    for text, message in (
        ("[Other]\n", r"has no \[Sequence\]"),
        ("[Sequence]\nname=A\n", "has no seqLength"),
        ("[Sequence]\nseqLength=many\n", "seqLength is 'many'; expected a number above 0"),
        ("[Sequence]\nseqLength=0\n", "seqLength is '0'"),
        ("nothing", "cannot be read"),
    ):
        path.write_text(text)
        with pytest.raises(FormatError, match=rf"seqinfo\.ini:? {message}"):
            read_sequence_info(path)
    with pytest.raises(FormatError, match="does not exist"):
        read_sequence_info(tmp_path / "none.ini")
