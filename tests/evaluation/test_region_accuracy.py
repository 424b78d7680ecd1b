"""Measures of segmentations against slow, obvious ones; superpixel measures; boundary matching."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.errors import DtypeError, InputError, ShapeError
from cvseg.evaluation.boundary_benchmark import BoundaryCounts, boundary_benchmark, boundary_counts
from cvseg.evaluation.boundary_matching import match_boundaries, segment_boundary, thin_boundary
from cvseg.evaluation.region_accuracy import (
    achievable_accuracy,
    boundary_recall,
    compactness,
    explained_variation,
    label_consistency,
    undersegmentation_error,
)
from cvseg.evaluation.region_benchmark import region_benchmark, region_scores
from cvseg.evaluation.segment_overlaps import segment_overlaps
from cvseg.evaluation.segmentation_agreement import (
    probabilistic_rand_index,
    rand_index,
    segmentation_covering,
    variation_of_information,
)

seeds = st.integers(0, 2**32 - 1)


def some_labels(rng, shape=(5, 6)):
    names = np.array([-3, 0, 1, 7, 300, 2**31 - 1], np.int64)
    return names[rng.integers(0, len(names), shape)]


def sets_of(labels, void):
    at = [i for i in range(labels.size) if not void.flat[i]]
    return [{i for i in at if labels.flat[i] == name} for name in sorted({labels.flat[i] for i in at})], len(at)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, frames=st.sampled_from([None, 3]))
def test_region_measures_equal_those_made_from_sets_of_pixels(seed, frames):
    rng = np.random.default_rng(seed)
    shape = (5, 6) if frames is None else (frames, 3, 4)
    result, truth = some_labels(rng, shape), some_labels(rng, shape)
    void = rng.random(shape) < 0.2
    void.flat[0] = False
    (found, pixels), (true, _) = sets_of(result, void), sets_of(truth, void)
    covering = sum(len(g) * max(len(g & s) / len(g | s) for s in found) for g in true) / pixels
    assert segmentation_covering(result, truth, void) == pytest.approx(covering, abs=1e-12)
    leaked = sum(min(len(g & s), len(s - g)) for g in true for s in found if g & s)
    assert undersegmentation_error(result, truth, void) == pytest.approx(leaked / pixels, abs=1e-12)
    right = sum(max(len(g & s) for g in true) for s in found)
    assert achievable_accuracy(result, truth, void) == pytest.approx(right / pixels, abs=1e-12)
    at = np.flatnonzero(~void)
    same = [
        (result.flat[i] == result.flat[j]) == (truth.flat[i] == truth.flat[j])
        for i, j in itertools.combinations(at.tolist(), 2)
    ]
    assert rand_index(result, truth, void) == pytest.approx(sum(same) / len(same) if same else 1.0, abs=1e-12)
    information = -sum(
        len(g & s) / pixels * (math.log2(len(g & s) / len(g)) + math.log2(len(g & s) / len(s)))
        for g in true
        for s in found
        if g & s
    )
    assert variation_of_information(result, truth, void) == pytest.approx(information, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_names_of_segments_do_not_matter_and_a_segmentation_agrees_with_itself(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, (6, 7))
    renamed = np.array([900000000, -1, 300, 7, 0])[labels]
    assert segmentation_covering(labels, renamed) == 1.0
    assert rand_index(labels, renamed) == 1.0
    assert variation_of_information(labels, renamed) == 0.0
    assert undersegmentation_error(labels, renamed) == 0.0
    assert achievable_accuracy(labels, renamed) == 1.0
    assert boundary_recall(labels, renamed, tolerance_px=0) == 1.0


def test_counting_by_sorting_gives_what_counting_in_a_table_gives(monkeypatch):
    rng = np.random.default_rng(1)
    result, truth = some_labels(rng), some_labels(rng)
    expected = segment_overlaps(result, truth)
    monkeypatch.setattr("cvseg.evaluation.segment_overlaps.LARGEST_TABLE", 2)
    sorted_way = segment_overlaps(result, truth)
    for name in ("result_areas", "truth_areas", "result_of", "truth_of", "shared"):
        np.testing.assert_array_equal(getattr(sorted_way, name), getattr(expected, name))


def test_one_segment_against_two_halves():
    whole, halves = np.zeros((4, 6), np.int32), np.repeat([[1, 2]], 4, 0).repeat(3, 1)
    assert segmentation_covering(whole, halves) == 0.5
    assert segmentation_covering(halves, whole) == 0.5
    assert variation_of_information(whole, halves) == 1.0
    assert undersegmentation_error(whole, halves) == 1.0
    assert undersegmentation_error(halves, whole) == 0.0
    assert achievable_accuracy(whole, halves) == 0.5
    assert probabilistic_rand_index(whole, [whole, halves]) == (1 + rand_index(whole, halves)) / 2


def test_all_void_no_truth_wrong_shapes_and_floats_are_refused():
    labels = np.zeros((3, 4), np.int32)
    with pytest.raises(InputError, match="no pixel is left"):
        rand_index(labels, labels, np.ones((3, 4), bool))
    with pytest.raises(InputError, match="truths is empty"):
        probabilistic_rand_index(labels, [])
    with pytest.raises(InputError, match="0 truths"):
        region_scores([labels], [])
    with pytest.raises(InputError, match="0 images"):
        region_benchmark([])
    with pytest.raises(InputError, match="truths is empty"):
        boundary_counts(labels > 0, [])
    with pytest.raises(InputError, match="1 images with"):
        boundary_benchmark([[BoundaryCounts()]], [0.1, 0.2])
    with pytest.raises(ShapeError, match="truth is"):
        rand_index(labels, labels[:2])
    with pytest.raises(DtypeError, match="result is float64"):
        rand_index(labels.astype(float), labels)
    with pytest.raises(ShapeError, match="image is"):
        explained_variation(labels, np.zeros((4, 4, 3)))
    with pytest.raises(ShapeError, match="at least two frames"):
        label_consistency(labels[None], np.zeros((0, 3, 4, 2), np.float32))


@settings(max_examples=40, deadline=None)
@given(seed=seeds, frames=st.sampled_from([None, 3]), tolerance=st.sampled_from([0.0, 1.0, 2.0]))
def test_boundary_recall_equals_a_search_around_every_pixel(seed, frames, tolerance):
    rng = np.random.default_rng(seed)
    shape = (7, 8) if frames is None else (frames, 4, 5)
    result, truth = (rng.integers(0, 4, shape) // 3 for _ in range(2))

    def edges(labels):
        return [
            at
            for at in np.ndindex(*shape)
            if any(
                at[axis] + 1 < shape[axis] and labels[at] != labels[(*at[:axis], at[axis] + 1, *at[axis + 1 :])]
                for axis in range(len(shape))
            )
        ]

    wanted, found = edges(truth), edges(result)
    met = sum(any(math.dist(a, b) <= tolerance for b in found) for a in wanted)
    expected = met / len(wanted) if wanted else 1.0
    assert boundary_recall(result, truth, tolerance_px=tolerance) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_explained_variation_equals_the_variance_of_the_means(seed):
    rng = np.random.default_rng(seed)
    labels, image = rng.integers(0, 4, (5, 6)), rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    means = np.zeros((5, 6, 3))
    for name in np.unique(labels):
        means[labels == name] = image[labels == name].astype(float).mean(0)
    centre = image.reshape(-1, 3).astype(float).mean(0)
    expected = ((means - centre) ** 2).sum() / ((image - centre) ** 2).sum()
    assert explained_variation(labels, image) == pytest.approx(expected, abs=1e-9)
    assert explained_variation(labels, np.full((5, 6), 9)) == 1.0
    assert explained_variation(np.arange(30).reshape(5, 6), image) == pytest.approx(1.0)
    assert explained_variation(np.zeros((5, 6), int), image) == pytest.approx(0.0, abs=1e-12)


def test_compactness_of_known_shapes():
    assert compactness(np.zeros((6, 6), int)) == pytest.approx(math.pi / 4)
    assert compactness(np.zeros((4, 4, 4), int)) == pytest.approx(math.pi / 6)
    assert compactness(np.repeat([[1, 2]], 4, 0).repeat(4, 1)) == pytest.approx(math.pi / 4)
    # A row of 1 by 9: 4 pi 9 / 20^2.
    assert compactness(np.zeros((1, 9), int)) == pytest.approx(4 * math.pi * 9 / 400)
    rows = np.repeat(np.arange(8)[:, None], 8, 1)
    assert compactness(rows) < compactness(np.kron(np.arange(4).reshape(2, 2), np.ones((4, 4), int)))


@settings(max_examples=30, deadline=None)
@given(seed=seeds)
def test_label_consistency_equals_following_every_pixel(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, (3, 4, 5))
    flows = rng.integers(-6, 7, (2, 4, 5, 2)).astype(np.float32) / 2 + np.float32(0.125)
    flows[rng.random((2, 4, 5)) < 0.2] = np.nan
    kept = counted = 0
    for t, y, x in np.ndindex(2, 4, 5):
        u, v = flows[t, y, x].tolist()
        if math.isnan(u):
            continue
        column, row = round(x + u), round(y + v)
        if 0 <= column < 5 and 0 <= row < 4:
            counted += 1
            kept += labels[t, y, x] == labels[t + 1, row, column]
    expected = kept / counted if counted else math.nan
    assert label_consistency(labels, flows) == pytest.approx(expected, nan_ok=True)
    assert math.isnan(label_consistency(labels, np.full_like(flows, np.nan)))


def test_segment_boundary_lies_where_a_right_lower_or_corner_neighbour_differs():
    labels = np.array([[1, 1, 1], [1, 1, 2], [1, 1, 1]])
    assert segment_boundary(labels).astype(int).tolist() == [[0, 1, 1], [0, 1, 1], [0, 0, 0]]
    assert not segment_boundary(np.zeros((3, 4), int)).any()


def test_thinning_leaves_a_line_of_one_pixel():
    thick = np.zeros((9, 20), bool)
    thick[3:6, 2:18] = True
    thin = thin_boundary(thick)
    assert (thin <= thick).all()
    assert thin[:, 8].sum() == 1


@settings(max_examples=60, deadline=None)
@given(seed=seeds, tolerance=st.sampled_from([0.0, 0.1, 0.2, 0.35]))
def test_matching_is_the_largest_and_among_those_the_shortest(seed, tolerance):
    """Against a full assignment in which leaving a pixel alone costs more than any match."""
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    result, truth = rng.random((2, 6, 8)) < 0.25
    matched_result, matched_truth = match_boundaries(result, truth, tolerance=tolerance)
    assert (matched_result <= result).all()
    assert (matched_truth <= truth).all()
    assert matched_result.sum() == matched_truth.sum()
    a, b = np.argwhere(result), np.argwhere(truth)
    distance = np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1))
    cost = np.where(distance <= tolerance * 10.0, np.rint(100 * distance) - 1e6, 0.0)
    rows, columns = linear_sum_assignment(cost)
    chosen = cost[rows, columns] < 0
    assert matched_result.sum() == chosen.sum()
    # The matched pixels, matched again among themselves, cost as little as the optimum.
    c, d = np.argwhere(matched_result), np.argwhere(matched_truth)
    again = np.hypot(*(c[:, None] - d[None]).transpose(2, 0, 1))
    again = np.where(again <= tolerance * 10.0, np.rint(100 * again), 1e6)
    if len(c):
        best = again[linear_sum_assignment(again)].sum()
        assert best == pytest.approx(cost[rows, columns][chosen].sum() + 1e6 * chosen.sum())


def test_boundary_counts_take_the_union_over_people_for_precision_and_the_sum_for_recall():
    result = np.zeros((20, 20), bool)
    result[5], result[15] = True, True
    first, second = np.zeros((2, 20, 20), bool)
    first[5] = True
    second[5], second[10] = True, True
    counts = boundary_counts(result, [first, second], tolerance=0.05)
    assert counts == BoundaryCounts(40, 60, 20, 40)
    assert (counts.recall, counts.precision) == (40 / 60, 0.5)
    assert counts.f == pytest.approx(2 * 0.5 * 40 / 60 / (0.5 + 40 / 60))
    nothing = boundary_counts(np.zeros((20, 20), bool), [first])
    assert (nothing.recall, nothing.precision, nothing.f) == (0.0, 0.0, 0.0)


def test_the_best_level_lies_between_two_where_that_is_better():
    low, high = BoundaryCounts(90, 100, 30, 100), BoundaryCounts(30, 100, 90, 100)
    benchmark = boundary_benchmark([[low, high]], [0.2, 0.8])
    assert benchmark.ods.f == pytest.approx(0.6, abs=1e-3)
    assert benchmark.ods.threshold == pytest.approx(0.5, abs=0.01)
    assert benchmark.ois.f == pytest.approx(0.45)
    # The curve runs from (0.3, 0.9) to (0.9, 0.3) over 61 of 101 recalls, with 0.6 in the mean.
    assert benchmark.average_precision == pytest.approx(61 * 0.6 / 100)


def test_ods_has_one_level_for_all_images_and_ois_one_for_each():
    truth = np.kron(np.arange(4).reshape(2, 2), np.ones((4, 4), int))
    coarse = np.zeros((8, 8), int)
    one, other = region_scores([truth, coarse], [truth]), region_scores([coarse, truth], [truth])
    summary = region_benchmark([one, other])
    assert (summary.covering_ois, summary.covering_best, summary.rand_ois, summary.information_ois) == (1, 1, 1, 0)
    assert summary.covering_ods == (1 + 0.25) / 2
    assert summary.information_ods == 1.0
