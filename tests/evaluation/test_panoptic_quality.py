"""Panoptic quality, its video and depth forms, and STQ, against slow counting of pixel sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cvseg.errors import DtypeError, InputError, RangeError, ShapeError
from cvseg.evaluation import (
    PanopticMeasure,
    SegmentationTrackingMeasure,
    Segments,
    add_video,
    divided_segments,
    match_segments,
    mean_of_windows,
    segment_pairs,
    summed_pairs,
    without_wrong_depth,
)

# Class * 1000 + instance: class 9 is void, 26 a thing with a crowd, 11 a thing, 7 stuff.
IDS = [7000, 11001, 11002, 26000, 26001, 26011, 9000]
CLASSES, THINGS = [7, 11, 26], [11, 26]
VIDEOS = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5)).flatmap(
    lambda size: st.tuples(*(arrays(np.int32, size, elements=st.sampled_from(IDS)),) * 2)
)


def meaning(labels, things=THINGS):
    return divided_segments(np.unique(labels).tolist(), classes=CLASSES, things=things)


def slow_matches(result, truth):
    """One list of (class, overlap), misses and false alarms by class, straight from the definition."""
    pixels = lambda labels, i: {p for p, v in np.ndenumerate(labels) if v == i}  # noqa: E731
    void = {p for p, v in np.ndenumerate(truth) if v // 1000 not in CLASSES}
    is_crowd = lambda i: i % 1000 == 0 and i // 1000 in THINGS  # noqa: E731
    true_ids = [i for i in np.unique(truth).tolist() if i // 1000 in CLASSES and not is_crowd(i)]
    result_ids = [i for i in np.unique(result).tolist() if i // 1000 in CLASSES]
    matched, used = [], set()
    for t in true_ids:
        for r in result_ids:
            a, b = pixels(truth, t), pixels(result, r) - void
            if t // 1000 == r // 1000 and a & b and len(a & b) / len(a | b) > 0.5:
                matched.append((t, r, len(a & b) / len(a | b)))
                used |= {("t", t), ("r", r)}
    missed = [t for t in true_ids if ("t", t) not in used]
    false = []
    for r in result_ids:
        excused = void | (pixels(truth, r // 1000 * 1000) if is_crowd(r // 1000 * 1000) else set())
        if ("r", r) not in used and len(pixels(result, r) & excused) / len(pixels(result, r)) <= 0.5:
            false.append(r)
    return matched, missed, false


@given(VIDEOS)
@settings(deadline=None)
def test_segments_match_as_the_definition_says(maps):
    result, truth = (labels[0] for labels in maps)
    matches = match_segments(segment_pairs(result, truth), meaning(result), meaning(truth))
    matched, missed, false = slow_matches(result, truth)
    assert sorted((*pair, overlap) for pair, overlap in matches.matched.items()) == sorted(matched)
    assert sorted(matches.missed) == sorted(missed)
    assert sorted(matches.false) == sorted(false)


@given(VIDEOS, st.integers(1, 4))
@settings(deadline=None)
def test_a_window_of_a_video_is_matched_like_one_large_frame(maps, window):
    result, truth = maps
    measure = PanopticMeasure(CLASSES, THINGS)
    pairs = [segment_pairs(r, t) for r, t in zip(result, truth, strict=True)]
    windows = add_video(measure, pairs, [meaning(r) for r in result], [meaning(t) for t in truth], window=window)
    assert windows == max(len(truth) - window + 1, 0)
    counts = {c: [0.0, 0, 0, 0] for c in CLASSES}
    for start in range(windows):
        matched, missed, false = slow_matches(*(np.hstack(list(v[start : start + window])) for v in (result, truth)))
        for true_id, _, overlap in matched:
            counts[true_id // 1000][0] += overlap
            counts[true_id // 1000][1] += 1
        for r in false:
            counts[r // 1000][2] += 1
        for t in missed:
            counts[t // 1000][3] += 1
    for c, (overlap, tp, fp, fn) in counts.items():
        quality = measure.per_class[c]
        assert (quality.matched, quality.false, quality.missed) == (tp, fp, fn)
        assert quality.overlap_sum == pytest.approx(overlap, abs=1e-12)
        if tp + fp + fn:
            assert quality.pq == pytest.approx(overlap / (tp + fp / 2 + fn / 2), abs=1e-12)
            assert quality.pq == pytest.approx(quality.sq * quality.rq, abs=1e-12)
        else:
            assert math.isnan(quality.pq)


def slow_stq(result, truth):
    """AQ and SQ of one video, from sets of (frame, y, x)."""
    everything = set(np.ndindex(truth.shape))
    crowd = {p for p in everything if truth[p] == 26000}
    counted = {p for p in everything if truth[p] // 1000 in CLASSES}
    ious = []
    for c in CLASSES:
        a, b = ({p for p in counted if labels[p] // 1000 == c} for labels in (truth, result))
        if a | b:
            ious.append(len(a & b) / len(a | b))
    tube = lambda labels, i: {p for p in everything - crowd if labels[p] == i}  # noqa: E731
    true_ids = [i for i in np.unique(truth).tolist() if i // 1000 in THINGS and i % 1000]
    result_ids = [i for i in np.unique(result).tolist() if i // 1000 in THINGS]
    total = 0.0
    for t in true_ids:
        g = tube(truth, t)
        total += sum(len(g & (p := tube(result, r))) ** 2 / len(g | p) for r in result_ids if tube(result, r)) / len(g)
    return total, len(true_ids), ious


@given(VIDEOS, VIDEOS)
@settings(deadline=None)
def test_stq_follows_its_definition_over_several_videos(first, second):
    measure = SegmentationTrackingMeasure(CLASSES, THINGS)
    sums, objects = 0.0, 0
    for name, (result, truth) in (("first", first), ("second", second)):
        for r, t in zip(result, truth, strict=True):
            measure.add(segment_pairs(r, t), meaning(r), meaning(t), name)
        total, count, ious = slow_stq(result, truth)
        score = measure.score(name)
        wanted = total / count if count else math.nan
        np.testing.assert_allclose(score.association, wanted, atol=1e-12)
        np.testing.assert_allclose(score.segmentation, np.mean(ious) if ious else math.nan, atol=1e-12)
        np.testing.assert_allclose(score.stq, math.sqrt(score.association * score.segmentation), atol=1e-12)
        sums, objects = sums + total, objects + count
    np.testing.assert_allclose(measure.score().association, sums / objects if objects else math.nan, atol=1e-12)


def test_void_results_can_count_as_a_class_as_in_the_reference_program():
    truth, result = np.array([[7000, 7000]]), np.array([[7000, 9000]])
    for void_counts, wanted in ((False, 0.5), (True, 0.25)):
        measure = SegmentationTrackingMeasure(CLASSES, THINGS, void_counts=void_counts)
        measure.add(segment_pairs(result, truth), meaning(result), meaning(truth))
        assert measure.score().segmentation == wanted


def test_perfect_results_score_one_and_nothing_scores_nan():
    truth = np.array([[7000, 7000, 11001], [7000, 26011, 11001]])
    measure = PanopticMeasure(CLASSES, THINGS)
    measure.add(segment_pairs(truth, truth), meaning(truth), meaning(truth))
    assert (measure.mean().pq, measure.mean().classes) == (1.0, 3)
    assert measure.mean(measure.stuff).classes == 1
    empty = PanopticMeasure(CLASSES, THINGS)
    assert math.isnan(empty.mean().pq)
    assert math.isnan(mean_of_windows([measure, empty]))


def test_an_empty_result_misses_every_segment():
    truth = np.array([[7000, 11001]])
    nothing = np.full_like(truth, 9000)
    measure = PanopticMeasure(CLASSES, THINGS)
    measure.add(segment_pairs(nothing, truth), meaning(nothing), meaning(truth))
    assert (measure.mean().pq, measure.mean().sq) == (0.0, 0.0)
    assert sum(q.missed for q in measure.per_class.values()) == 2


def test_large_ids_are_pairs_like_others():
    truth, result = np.array([[2**31 - 1, 3, 3]], np.int64), np.array([[26011, 26011, 0]], np.uint32)
    pairs = segment_pairs(result, truth)
    assert pairs.shared == {(3, 0): 1, (3, 26011): 1, (2**31 - 1, 26011): 1}
    assert summed_pairs([pairs, pairs]).truth_areas == {3: 4, 2**31 - 1: 2}


def test_a_class_has_one_crowd_or_several():
    truth, result = np.array([[1, 2, 2, 3]]), np.array([[5, 5, 5, 5]])
    measure = PanopticMeasure([4], [4])
    matches = measure.add(
        segment_pairs(result, truth), Segments({5: 4}), Segments({1: 4, 2: 4, 3: 4}, frozenset({1, 2}))
    )
    assert (matches.left_out, matches.false, matches.missed) == ([5], [], [3])


def test_wrong_depth_makes_pixels_void():
    ids = np.array([[5, 5, 5, 5, 5]], np.int32)
    truth = np.array([[10.0, 10, 10, 0, np.nan]])
    depth = np.array([[11.0, 11.5, np.nan, 99, 99]])
    found = without_wrong_depth(ids, depth, truth, largest_error=0.1, void=9)
    assert found.tolist() == [[5, 9, 9, 5, 5]]
    assert found.dtype == np.int32


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: segment_pairs(np.zeros((2, 2), int), np.zeros((2, 3), int)), ShapeError),
        (lambda: segment_pairs(np.zeros((2, 2)), np.zeros((2, 2), int)), DtypeError),
        (lambda: segment_pairs(np.full((2, 2), -1), np.zeros((2, 2), int)), RangeError),
        (lambda: PanopticMeasure([1, 2], things=[3]), InputError),
        (lambda: SegmentationTrackingMeasure([1], things=[3]), InputError),
        (lambda: SegmentationTrackingMeasure([1], things=[1]).score("dog"), InputError),
        (lambda: divided_segments([1], label_divisor=0), InputError),
    ],
)
def test_what_cannot_be_compared_is_refused(call, error):
    with pytest.raises(error):
        call()


def test_an_unknown_class_and_an_id_of_two_classes_are_refused():
    labels = np.array([[1]])
    pairs = segment_pairs(labels, labels)
    with pytest.raises(InputError, match="classes"):
        PanopticMeasure([7]).add(pairs, Segments({1: 8}), Segments({1: 7}))
    with pytest.raises(InputError, match="class"):
        SegmentationTrackingMeasure([7], [7]).add(pairs, Segments({1: 8}), Segments({1: 7}))
    with pytest.raises(InputError, match="one class"):
        add_video(
            PanopticMeasure([7, 8]), [pairs] * 2, [Segments({1: 7}), Segments({1: 8})], [Segments({1: 7})] * 2, window=2
        )
