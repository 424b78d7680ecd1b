"""DAVIS masks: the palette, ids that come back as written, and files that are no masks."""

from __future__ import annotations

import os
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cvseg.color.palette import color_of, davis_palette
from cvseg.errors import DtypeError, FormatError, RangeError, ShapeError
from cvseg.formats import MaskSink, read_mask, write_mask
from cvseg.records import Frame


def test_the_palette_begins_and_ends_as_the_benchmark_prints_it():
    palette = davis_palette()
    assert palette.shape == (256, 3)
    assert palette.dtype == np.uint8
    first = [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128], [128, 0, 128], [0, 128, 128]]
    assert palette[:7].tolist() == first
    assert palette[7:10].tolist() == [[128, 128, 128], [64, 0, 0], [192, 0, 0]]
    assert palette[254:].tolist() == [[96, 224, 192], [224, 224, 192]]
    assert len({tuple(color) for color in palette.tolist()}) == 256


def test_ids_above_255_reuse_colours_but_never_black():
    assert color_of(0) == (0, 0, 0)
    assert [color_of(i) for i in (1, 255, 256, 511)] == [color_of(i) for i in (1, 255, 1, 1)]
    assert (0, 0, 0) not in {color_of(i) for i in range(1, 600)}


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    high=st.sampled_from([1, 2, 15, 16, 255, 256, 65535]),
    dtype=st.sampled_from([np.int32, np.uint16, np.int64]),
    seed=st.integers(0, 1000),
)
def test_ids_come_back_as_written(tmp_path_factory, height, width, high, dtype, seed):
    labels = np.random.default_rng(seed).integers(0, high + 1, (height, width)).astype(dtype)
    path = tmp_path_factory.mktemp("mask") / "0.png"
    write_mask(path, labels)
    again = read_mask(path)
    assert again.dtype == np.int32
    np.testing.assert_array_equal(again, labels)


def test_a_mask_is_an_indexed_png_with_the_davis_palette(tmp_path):
    write_mask(tmp_path / "0.png", np.array([[0, 1], [2, 255]]))
    with Image.open(tmp_path / "0.png") as picture:
        assert picture.format == "PNG"
        assert picture.mode == "P"
        assert np.asarray(picture).tolist() == [[0, 1], [2, 255]]
        assert picture.getpalette() == davis_palette().ravel().tolist()
        assert np.asarray(picture.convert("RGB"))[1, 0].tolist() == [0, 128, 0]


def test_a_larger_id_makes_that_mask_16_bit(tmp_path):
    write_mask(tmp_path / "0.png", np.array([[0, 300]]))
    with Image.open(tmp_path / "0.png") as picture:
        assert picture.mode.startswith("I;16")
    assert read_mask(tmp_path / "0.png").tolist() == [[0, 300]]


def test_a_bool_mask_is_one_object(tmp_path):
    write_mask(tmp_path / "0.png", np.array([[False, True]]))
    assert read_mask(tmp_path / "0.png").tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        (np.array([[0, -1]]), RangeError, "ids from -1 to 0; expected .* from 0 to 65535"),
        (np.array([[65536]]), RangeError, "ids from 65536 to 65536"),
        (np.zeros((0, 3), int), RangeError, "at least one pixel"),
        (np.array([[0.5]]), DtypeError, "labels is float64; expected whole numbers"),
        (np.zeros((2, 3, 4), int), ShapeError, r"labels is \(2, 3, 4\); expected"),
    ],
)
def test_labels_that_do_not_fit(tmp_path, labels, error, words):
    with pytest.raises(error, match=words):
        write_mask(tmp_path / "0.png", labels)
    assert os.listdir(tmp_path) == []


def test_a_palette_is_never_expanded(tmp_path):
    picture = Image.fromarray(np.array([[0, 1, 2, 3]], np.uint8))
    picture.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0, 0, 0, 200])
    picture.save(tmp_path / "few.png")  # Pillow stores two bits a pixel
    assert read_mask(tmp_path / "few.png").tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize("damage", ["missing", "text", "truncated", "colour"])
def test_files_that_are_no_masks(tmp_path, damage):
    path = tmp_path / "0.png"
    if damage == "text":
        path.write_text("notes")
    elif damage == "truncated":
        write_mask(path, np.random.default_rng(0).integers(0, 200, (40, 40)))
        path.write_bytes(path.read_bytes()[:900])
    elif damage == "colour":
        Image.new("RGB", (4, 4)).save(path)
    words = {"missing": "does not exist", "colour": r"is a colour picture \(RGB\); expected an indexed"}
    with pytest.raises(FormatError, match=r"0\.png " + words.get(damage, "cannot be read as a mask")):
        read_mask(path)


def test_the_sink_names_masks_like_frames(tmp_path):
    frame = Frame(3, Fraction(0), np.zeros((2, 2, 3), np.uint8), "frame_17")
    with MaskSink(tmp_path / "masks") as sink:
        sink.write(np.array([[0, 1], [1, 2]], np.int32), frame)
    assert os.listdir(tmp_path / "masks") == ["frame_17.png"]
    assert read_mask(tmp_path / "masks" / "frame_17.png").tolist() == [[0, 1], [1, 2]]


@pytest.mark.data
def test_real_davis_masks_are_read_as_stored_and_written_back(tmp_path, data_folder):
    masks = sorted((data_folder / "DAVIS2016" / "Annotations" / "480p" / "libby").glob("*.png"))[:3]
    results = sorted((data_folder / "davis2017_eval_results").rglob("blackswan/*.png"))[:3]
    assert masks
    assert results
    for path, ids in [(path, {0, 255}) for path in masks] + [(path, {0, 1}) for path in results]:
        labels = read_mask(path)
        assert labels.shape == (480, 854)
        assert set(np.unique(labels)) <= ids
        write_mask(tmp_path / "again.png", labels)
        np.testing.assert_array_equal(read_mask(tmp_path / "again.png"), labels)


def test_a_jpeg_is_no_mask_whatever_its_ending_says(tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "00000.png", "JPEG")
    with pytest.raises(FormatError, match="is a JPEG"):
        read_mask(tmp_path / "00000.png")


def test_a_text_with_the_ending_png_is_named_once(tmp_path):
    (tmp_path / "00000.png").write_text("hello")
    with pytest.raises(FormatError, match="it is no picture") as caught:
        read_mask(tmp_path / "00000.png")
    assert str(caught.value).count("00000.png") == 1
