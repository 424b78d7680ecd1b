"""Change detection: counts against pixel by pixel, measures against their formulas, edge cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.evaluation import ChangeCounts, change_counts, change_score

LABELS = np.array([0, 50, 85, 170, 255], np.uint8)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 7), width=st.integers(1, 7), with_roi=st.booleans())
def test_counts_equal_those_made_pixel_by_pixel(seed, height, width, with_roi):
    rng = np.random.default_rng(seed)
    truth = LABELS[rng.integers(0, 5, (height, width))]
    result = rng.random((height, width)) < 0.4
    roi = rng.random((height, width)) < 0.7 if with_roi else None
    expected = dict.fromkeys(("tp", "fp", "fn", "tn", "shadow_fp", "shadow"), 0)
    for y in range(height):
        for x in range(width):
            label, found = int(truth[y, x]), bool(result[y, x])
            if label in (85, 170) or (roi is not None and not roi[y, x]):
                continue
            expected[("tp" if found else "fn") if label == 255 else ("fp" if found else "tn")] += 1
            if label == 50:
                expected["shadow"] += 1
                expected["shadow_fp"] += found
    counts = change_counts(result, truth, roi)
    assert (
        counts.true_positives,
        counts.false_positives,
        counts.false_negatives,
        counts.true_negatives,
        counts.shadow_false_positives,
        counts.shadows,
    ) == tuple(expected.values())


def test_measures_follow_their_formulas():
    score = change_score(ChangeCounts(30, 10, 20, 940, 4, 16))
    assert score.recall == 30 / 50
    assert score.specificity == 940 / 950
    assert score.fpr == 10 / 950
    assert score.fnr == 20 / 50
    assert score.pwc == pytest.approx(3.0)
    assert score.precision == 30 / 40
    assert score.f_measure == pytest.approx(2 * 0.75 * 0.6 / (0.75 + 0.6))
    assert score.fpr_shadow == 0.25


def test_counts_add_up():
    total = ChangeCounts(1, 2, 3, 4, 5, 6) + ChangeCounts(10, 20, 30, 40, 50, 60)
    assert total == ChangeCounts(11, 22, 33, 44, 55, 66)
    assert total.counted == 110


def test_what_divides_by_nothing_is_nan_and_a_total_miss_is_zero():
    nothing = np.zeros((3, 4), bool)
    empty_truth = np.zeros((3, 4), np.uint8)
    both_empty = change_score(change_counts(nothing, empty_truth))
    assert math.isnan(both_empty.f_measure)
    assert math.isnan(both_empty.recall)
    assert math.isnan(both_empty.precision)
    assert math.isnan(both_empty.fpr_shadow)
    assert (both_empty.specificity, both_empty.pwc) == (1.0, 0.0)
    false_alarm = change_score(change_counts(~nothing, empty_truth))
    assert (false_alarm.f_measure, false_alarm.precision, false_alarm.specificity) == (0.0, 0.0, 0.0)
    missed = change_score(change_counts(nothing, np.full((3, 4), 255, np.uint8)))
    assert (missed.f_measure, missed.recall, missed.fnr) == (0.0, 0.0, 1.0)
    assert math.isnan(missed.precision)
    all_void = change_score(change_counts(~nothing, np.full((3, 4), 170, np.uint8)))
    assert math.isnan(all_void.pwc)


def test_other_labels_sizes_and_types_are_refused():
    truth = np.zeros((2, 3), np.uint8)
    with pytest.raises(RangeError, match="labels 1, 128"):
        change_counts(truth > 0, np.array([[1, 128, 0], [0, 255, 50]], np.uint8))
    with pytest.raises(ShapeError, match="result"):
        change_counts(np.zeros((2, 4), bool), truth)
    with pytest.raises(DtypeError, match="result"):
        change_counts(truth, truth)
    with pytest.raises(DtypeError, match="truth"):
        change_counts(truth > 0, truth.astype(np.int32))
