"""Accuracy of class labels against counting sets of pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cvseg.errors import InputError, RangeError, ShapeError
from cvseg.evaluation import SemanticMeasure, confusion_matrix, semantic_score, video_consistency

LABELS = st.tuples(st.integers(1, 6), st.integers(1, 7)).flatmap(
    lambda size: st.tuples(*(arrays(np.int32, size, elements=st.sampled_from([-1, 0, 1, 2, 3, 255])),) * 2)
)


def slow_scores(result, truth, classes, ignore):
    """Straight from the definitions, with sets of pixels."""
    counted = {p for p, t in np.ndenumerate(truth) if 0 <= t < classes and t != ignore}
    true = {c: {p for p in counted if truth[p] == c} for c in range(classes)}
    found = {c: {p for p in counted if result[p] == c} for c in range(classes)}
    iou = {c: len(true[c] & found[c]) / len(true[c] | found[c]) for c in true if true[c] | found[c]}
    accuracy = {c: len(true[c] & found[c]) / len(true[c]) for c in true if true[c]}
    right = sum(len(true[c] & found[c]) for c in true)
    mean = lambda values: sum(values) / len(values) if values else math.nan  # noqa: E731
    return {
        "pixel_accuracy": right / len(counted) if counted else math.nan,
        "mean_accuracy": mean(list(accuracy.values())),
        "mean_iou": mean(list(iou.values())),
        "frequency_weighted_iou": sum(len(true[c]) * iou[c] for c in iou) / len(counted) if counted else math.nan,
        "class_iou": [iou.get(c, math.nan) for c in range(classes)],
        "class_accuracy": [accuracy.get(c, math.nan) for c in range(classes)],
    }


@given(LABELS, st.sampled_from([None, 255, 1]))
@settings(deadline=None)
def test_all_measures_follow_their_definitions(labels, ignore):
    result, truth = labels
    measure = SemanticMeasure(3, ignore=ignore)
    measure.add(result, truth)
    for name, wanted in slow_scores(result, truth, 3, ignore).items():
        np.testing.assert_allclose(getattr(measure.score, name), wanted, atol=1e-12, err_msg=name)


def test_the_same_counts_come_from_both_devices(device):
    rng = np.random.default_rng(3)
    result, truth = rng.integers(-2, 9, (2, 37, 75), dtype=np.int32)
    wanted = np.zeros((5, 6), int)
    for r, t in zip(result.ravel(), truth.ravel(), strict=True):
        if 0 <= t < 5 and t != 2:
            wanted[t, r if 0 <= r < 5 else 5] += 1
    assert confusion_matrix(*device.arrays(result, truth), 5, ignore=2).tolist() == wanted.tolist()


def test_frames_add_up_before_anything_is_divided():
    measure = SemanticMeasure(2)
    measure.add(np.array([[0, 0, 0]], np.int32), np.array([[0, 0, 1]], np.int32))
    measure.add(np.array([[1]], np.int32), np.array([[1]], np.int32))
    assert measure.score.class_iou.tolist() == [2 / 3, 1 / 2]


def test_class_ids_above_255_are_classes_like_others():
    truth = np.array([[0, 700, 700, 1199]], np.int32)
    measure = SemanticMeasure(1200)
    measure.add(np.array([[0, 700, 0, 1199]], np.int32), truth)
    assert measure.score.mean_iou == pytest.approx((0.5 + 0.5 + 1) / 3)


def test_without_a_counted_pixel_nothing_has_a_value():
    measure = SemanticMeasure(3)
    measure.add(np.zeros((2, 2), np.int32), np.full((2, 2), 255, np.int32))
    assert math.isnan(measure.score.pixel_accuracy)
    assert math.isnan(measure.score.mean_iou)
    assert math.isnan(measure.score.frequency_weighted_iou)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_video_consistency_is_that_of_all_windows(frames):
    rng = np.random.default_rng(frames)
    truth = [np.where(rng.random((5, 6)) < 0.1, 255, rng.random((5, 6)) < 0.1).astype(np.int32) for _ in range(6)]
    result = [np.where(rng.random((5, 6)) < 0.2, 1 - t, t).astype(np.int32) for t in truth]
    shares = []
    for start in range(len(truth) - frames + 1):
        window = range(start, start + frames)
        constant = [
            p for p in np.ndindex(5, 6) if len({int(truth[k][p]) for k in window}) == 1 and truth[start][p] != 255
        ]
        if constant:
            shares.append(np.mean([all(result[k][p] == truth[k][p] for k in window) for p in constant]))
    assert video_consistency(result, truth, frames=frames) == pytest.approx(np.mean(shares), abs=1e-12)


def test_what_cannot_be_compared_is_refused():
    labels = np.zeros((2, 3), np.int32)
    with pytest.raises(ShapeError):
        confusion_matrix(labels, np.zeros((3, 2), np.int32), 2)
    with pytest.raises(RangeError):
        confusion_matrix(labels, labels, 0)
    with pytest.raises(ShapeError, match="n, n"):
        semantic_score(np.zeros((3, 3), np.int64))
    with pytest.raises(InputError, match="one window at least"):
        video_consistency([labels], [labels], frames=2)
    with pytest.raises(InputError, match="from frame 1 on"):
        video_consistency([labels] * 2, [labels], frames=1)
