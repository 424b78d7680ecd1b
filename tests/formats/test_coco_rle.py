"""COCO run-length text against the reference program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cvseg.errors import FormatError
from cvseg.formats.coco_rle import (
    decode_rle,
    decode_runs,
    encode_rle,
    encode_runs,
    merge,
    polygons_rle,
    rle_area,
    rle_box_xyxy,
    rle_overlaps,
    segmentation_runs,
)

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))
MASKS = SIZES.flatmap(lambda size: arrays(np.bool_, size))


@pytest.fixture(scope="module")
def reference():
    return pytest.importorskip("pycocotools.mask", reason="pycocotools, the reference program, is not installed")


def reference_rle(reference, mask):
    return reference.encode(np.asfortranarray(mask.astype(np.uint8)))


@given(MASKS)
@settings(deadline=None)
def test_the_text_is_that_of_the_reference_program(reference, mask):
    theirs = reference_rle(reference, mask)
    assert encode_rle(mask) == theirs["counts"]
    assert (decode_rle(theirs["counts"], mask.shape) == mask).all()
    assert rle_area(theirs["counts"]) == reference.area(theirs)
    x0, y0, x1, y1 = rle_box_xyxy(theirs["counts"], mask.shape)
    assert [x0, y0, x1 - x0, y1 - y0] == reference.toBbox(theirs).tolist()


def test_long_runs_keep_all_their_bits(reference):
    mask = np.zeros((1200, 1300), bool)
    mask[5:900, 700:1200] = True
    mask[3, 2] = mask[-1, -1] = True
    text = encode_rle(mask)
    assert text == reference_rle(reference, mask)["counts"]
    assert (decode_rle(text.decode(), mask.shape) == mask).all()


@given(st.lists(st.integers(0, 2**58), min_size=1, max_size=9))
@settings(deadline=None)
def test_any_runs_come_back_from_their_text(runs):
    assert decode_runs(encode_runs(np.array(runs))).tolist() == runs


@given(
    SIZES.flatmap(
        lambda size: st.tuples(
            st.lists(arrays(np.bool_, size), min_size=1, max_size=3),
            st.lists(st.tuples(arrays(np.bool_, size), st.booleans()), min_size=1, max_size=3),
        )
    )
)
@settings(deadline=None)
def test_overlaps_and_unions_are_those_of_the_reference_program(reference, drawn):
    results, truth = drawn
    crowd = [flag for _, flag in truth]
    a, b = ([reference_rle(reference, m) for m in masks] for masks in (results, [m for m, _ in truth]))
    texts_a, texts_b = ([rle["counts"] for rle in rles] for rles in (a, b))
    assert rle_overlaps(texts_a, texts_b, crowd).tolist() == reference.iou(a, b, crowd).tolist()
    for intersect in (False, True):
        assert merge(texts_a + texts_b, intersect=intersect) == reference.merge(a + b, intersect)["counts"]


@pytest.mark.parametrize("rounding", [None, 1.0, 2.0, 10.0])
def test_polygons_are_drawn_as_by_the_reference_program(reference, rounding):
    rng = np.random.default_rng(4)
    for _ in range(150):
        size = tuple(int(n) for n in rng.integers(1, 60, 2))
        polygons = []
        for _ in range(int(rng.integers(1, 4))):
            points = (rng.random((int(rng.integers(3, 9)), 2)) * 1.4 - 0.2) * size[::-1]
            if rounding:
                points = np.round(points * rounding) / rounding
            polygons.append(points.ravel().tolist())
        theirs = reference.merge(reference.frPyObjects(polygons, *size))
        assert polygons_rle(polygons, size) == theirs["counts"]


def test_lists_of_runs_are_read_like_text():
    assert decode_rle([1, 3], (2, 2)).tolist() == decode_rle("13", (2, 2)).tolist()
    assert segmentation_runs({"counts": [1, 3], "size": [2, 2]}, (2, 2)).tolist() == [1, 3]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ("1 3", "character 1"),
        ("1é", "not ASCII"),
        ("1T", "cut off"),
        ("o" * 14 + "0", "60 bits"),
        ("O", "run 0 is -1"),
        ("12", "add up to 3"),
        ([1, -3, 6], "0 or more"),
        ([1.5, 2.5], "whole numbers"),
    ],
)
def test_damaged_masks_are_refused_with_the_place(counts, words):
    with pytest.raises(FormatError, match=words):
        decode_rle(counts, (2, 2))


@pytest.mark.parametrize(
    ("segmentation", "words"),
    [
        ({"counts": "13", "size": [2, 3]}, "size"),
        ({"size": [2, 2]}, "counts"),
        ("13", "neither"),
        ([], "neither"),
        ([[1, 2, 3]], "polygon"),
        ([[0, 0, "a", 0, 2, 2]], "polygon"),
        ({"counts": "12", "size": [2, 2]}, "add up"),
    ],
)
def test_a_mask_that_does_not_fit_its_image_is_refused(segmentation, words):
    with pytest.raises(FormatError, match=words):
        segmentation_runs(segmentation, (2, 2))
