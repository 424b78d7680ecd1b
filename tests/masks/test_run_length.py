"""Run-length masks against pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cvseg.errors import DtypeError, InputError, RangeError, ShapeError
from cvseg.masks.run_length import (
    mask_runs,
    merge_runs,
    polygon_runs,
    run_area,
    run_box_xyxy,
    run_intersections,
    run_overlaps,
    runs_mask,
)

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))
MASKS = SIZES.flatmap(lambda size: arrays(np.bool_, size))
SEVERAL = SIZES.flatmap(lambda size: st.lists(arrays(np.bool_, size), min_size=1, max_size=4))


def slow_runs(mask):
    runs, value = [0], False
    for pixel in mask.T.ravel():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


@given(MASKS)
@settings(deadline=None)
def test_the_runs_are_those_counted_pixel_by_pixel(mask):
    runs = mask_runs(mask)
    assert runs.tolist() == slow_runs(mask)
    assert (runs_mask(runs, mask.shape) == mask).all()
    assert run_area(runs) == mask.sum()


@given(MASKS)
@settings(deadline=None)
def test_the_box_is_the_smallest_around_the_mask(mask):
    box = run_box_xyxy(mask_runs(mask), mask.shape[0])
    if not mask.any():
        assert box == (0, 0, 0, 0)
        return
    y, x = np.nonzero(mask)
    assert box == (x.min(), y.min(), x.max() + 1, y.max() + 1)


@given(SEVERAL, st.booleans())
@settings(deadline=None)
def test_merging_is_or_and_and_of_the_pixels(masks, intersect):
    wanted = np.logical_and.reduce(masks) if intersect else np.logical_or.reduce(masks)
    assert merge_runs([mask_runs(m) for m in masks], intersect=intersect).tolist() == mask_runs(wanted).tolist()


@given(SEVERAL, SEVERAL)
@settings(deadline=None)
def test_intersections_are_counted_without_pixels(first, second):
    second = [np.resize(mask, first[0].shape) for mask in second]
    shared = run_intersections([mask_runs(m) for m in first], [mask_runs(m) for m in second])
    assert shared.tolist() == [[int((a & b).sum()) for b in second] for a in first]


def test_runs_of_length_zero_change_nothing():
    plain, padded = np.array([2, 3, 4]), np.array([0, 0, 2, 1, 0, 2, 4, 0])
    assert run_box_xyxy(padded, 3) == run_box_xyxy(plain, 3)
    assert run_overlaps([padded], [plain]).tolist() == [[1.0]]
    assert merge_runs([padded]).tolist() == plain.tolist()


def test_a_crowd_is_divided_by_the_result_alone():
    part, crowd = np.array([0, 2, 8]), np.array([0, 8, 2])
    assert run_overlaps([part], [crowd, crowd], [False, True]).tolist() == [[0.25, 1.0]]


def test_two_empty_masks_overlap_by_zero():
    assert run_overlaps([np.array([9])], [np.array([9])]).tolist() == [[0.0]]
    assert run_overlaps([], [np.array([9])]).shape == (0, 1)


def test_a_rectangle_of_whole_pixels_is_that_rectangle():
    mask = np.zeros((7, 9), bool)
    mask[2:5, 3:8] = True
    assert polygon_runs([[3, 2], [8, 2], [8, 5], [3, 5]], mask.shape).tolist() == mask_runs(mask).tolist()
    assert polygon_runs([3, 2, 3, 5, 8, 5, 8, 2], mask.shape).tolist() == mask_runs(mask).tolist()


def test_a_polygon_is_cut_off_at_the_edges_of_the_image():
    assert runs_mask(polygon_runs([-9, -9, 30, -9, 30, 30, -9, 30], (4, 5)), (4, 5)).all()
    assert not runs_mask(polygon_runs([20, 20, 30, 20, 30, 30], (4, 5)), (4, 5)).any()


def test_points_in_one_place_enclose_nothing():
    assert polygon_runs([2, 2, 2, 2, 2, 2], (5, 5)).tolist() == [25]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: mask_runs(np.zeros((2, 2, 2), bool)), ShapeError, "expected"),
        (lambda: mask_runs(np.zeros((2, 2), np.uint8)), DtypeError, "astype"),
        (lambda: runs_mask(np.array([1, 2]), (2, 2)), RangeError, "add up to 3"),
        (lambda: runs_mask(np.array([5, -1]), (2, 2)), RangeError, "0 or more"),
        (lambda: run_overlaps([np.array([4])], [np.array([5])]), ShapeError, "one size"),
        (lambda: run_overlaps([np.array([4])], [np.array([4])], [True, False]), ShapeError, "crowd"),
        (lambda: merge_runs([]), InputError, "at least one"),
        (lambda: polygon_runs([1, 2, 3, 4], (5, 5)), ShapeError, "three points"),
        (lambda: polygon_runs([1, 2, 3, 4, 5, float("nan")], (5, 5)), RangeError, "NaN"),
    ],
)
def test_what_cannot_be_a_mask_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
