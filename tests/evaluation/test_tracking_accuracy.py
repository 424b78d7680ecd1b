"""CLEAR measures and identity switches."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.errors import RangeError, ShapeError
from cvseg.evaluation import ObjectOverlaps, TrackingMeasure, box_overlaps, identity_switches, label_overlaps


def square(label, x, size=4, width=24):
    labels = np.zeros((6, width), np.int32)
    labels[1 : 1 + size, x : x + size] = label
    return labels


def test_a_track_that_changes_its_number_is_one_switch_and_returning_is_another():
    truth = [square(1, 3)] * 5
    result = [square(5, 3), square(5, 3), square(6, 3), square(6, 3), square(5, 3)]
    assert identity_switches(result, truth) == 2
    assert identity_switches([square(5, 3)] * 5, truth) == 0


def test_a_gap_is_no_switch_when_the_same_number_returns_and_one_when_another_does():
    truth = [square(1, 3)] * 4
    gap = np.zeros_like(truth[0])
    assert identity_switches([square(5, 3), gap, gap, square(5, 3)], truth) == 0
    assert identity_switches([square(5, 3), gap, gap, square(7, 3)], truth) == 1
    # Whether frames without any result are a gap is where two programs differ.
    for rules, fragmentations in (("trackeval", 0), ("motmetrics", 1)):
        measure = TrackingMeasure(rules=rules)
        for result in (square(5, 3), gap, gap, square(7, 3)):
            measure.add_labels(result, truth[0])
        assert measure.score.fragmentations == fragmentations
        assert (measure.score.misses, measure.score.mota) == (2, 1 - 3 / 4)


def test_a_correspondence_is_kept_while_it_overlaps_enough_even_if_another_overlaps_more():
    measure = TrackingMeasure()
    measure.add([1], [10, 11], np.array([[0.9, 0.1]]))
    assert measure.add([1], [10, 11], np.array([[0.55, 0.95]])) == {1: 10}
    assert measure.score.identity_switches == 0
    assert measure.add([1], [10, 11], np.array([[0.45, 0.95]])) == {1: 11}
    assert measure.score.identity_switches == 1


def test_overlap_of_exactly_one_half_is_a_match_and_less_is_not():
    assert TrackingMeasure().add([1], [2], np.array([[0.5]])) == {1: 2}
    assert TrackingMeasure().add([1], [2], np.array([[0.4999]])) == {}


def test_empty_frames_count_misses_and_false_positives():
    measure = TrackingMeasure()
    assert measure.score.mota == 1.0
    measure.add([], [4, 5], np.zeros((0, 2)))
    measure.add([1], [], np.zeros((1, 0)))
    score = measure.score
    assert (score.false_positives, score.misses, score.matches) == (2, 1, 0)
    assert score.mota == 1 - 3
    assert np.isnan(score.motp)


def test_bad_arguments_are_refused():
    with pytest.raises(RangeError, match="least_iou"):
        TrackingMeasure(1.5)
    with pytest.raises(ShapeError, match="iou"):
        TrackingMeasure().add([1, 2], [3], np.zeros((1, 1)))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_matches_have_the_largest_sum_of_overlaps_of_all_assignments(seed):
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(1, 5, 2)
    iou = rng.random((rows, columns))
    matches = TrackingMeasure().add(list(range(rows)), list(range(columns)), iou)

    def worth(columns_of_rows):
        return sum(iou[r, c] for r, c in enumerate(columns_of_rows) if c >= 0 and iou[r, c] >= 0.5)

    # Every way to give each row a column of its own or none (-1).
    choices = itertools.product(range(-1, columns), repeat=rows)
    best = max(worth(c) for c in choices if len({v for v in c if v >= 0}) == sum(v >= 0 for v in c))
    assert sum(iou[r, c] for r, c in matches.items()) == pytest.approx(best)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_label_overlaps_equal_counting_pixel_by_pixel(seed):
    rng = np.random.default_rng(seed)
    names = np.array([0, 1, 3, 900], np.int32)
    result, truth = names[rng.integers(0, 4, (5, 6))], names[rng.integers(0, 4, (5, 6))]
    truth_ids, result_ids, shared, truth_areas, result_areas = label_overlaps(result, truth)
    assert truth_ids == sorted(set(truth.ravel().tolist()) - {0})
    assert result_ids == sorted(set(result.ravel().tolist()) - {0})
    for i, t in enumerate(truth_ids):
        assert truth_areas[i] == (truth == t).sum()
        for j, r in enumerate(result_ids):
            assert result_areas[j] == (result == r).sum()
            assert shared[i, j] == ((truth == t) & (result == r)).sum()


def test_label_maps_without_objects_overlap_nowhere():
    nothing = np.zeros((3, 4), np.int32)
    truth_ids, result_ids, shared, *_ = label_overlaps(nothing, nothing)
    assert (truth_ids, result_ids, shared.shape) == ([], [], (0, 0))
    assert identity_switches([nothing] * 3, [nothing] * 3) == 0


def test_objects_of_a_label_video_are_named_by_their_whole_tubes():
    overlaps = ObjectOverlaps()
    # In the first frame 8 covers object 1; over the video 9 does.
    for result, x in ((square(8, 2), 2), (square(9, 4), 4), (square(9, 6), 6)):
        overlaps.add(result, square(1, x))
    overlaps.add(square(8, 15), square(2, 15))
    overlaps.add(square(0, 0), square(3, 0))
    assert overlaps.assignment() == {1: 9, 2: 8}
    # Two of three frames of object 1; 16 pixels of object 2 of the 32 that 8 has in all; nothing on object 3.
    assert overlaps.object_overlaps() == {1: 2 / 3, 2: 0.5, 3: 0.0}
    assert overlaps.mean_overlap() == pytest.approx((2 / 3 + 0.5) / 3)
    assert ObjectOverlaps().assignment() == {}
    assert np.isnan(ObjectOverlaps().mean_overlap())


def test_box_overlaps_of_equal_half_disjoint_and_empty_boxes():
    boxes = np.array([[0, 0, 4, 4], [2, 0, 6, 4], [9, 9, 9, 12]], np.float32)
    expected = [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 0]]
    np.testing.assert_allclose(box_overlaps(boxes, boxes), expected)


@pytest.mark.data
def test_scores_equal_those_of_two_other_programs_on_a_published_tracker(data_folder):
    folder = data_folder / "MOT/TUD-Campus/motmetrics_example"  # codespell:ignore mot
    reference = json.loads((folder / "reference_scores.json").read_text())["CLEAR"]
    truth, result = (np.loadtxt(folder / name, delimiter=",") for name in ("gt.txt", "test.txt"))
    measure = TrackingMeasure()
    for frame in range(1, 72):
        rows = [table[table[:, 0] == frame] for table in (truth, result)]
        boxes = [np.column_stack([r[:, 2:4], r[:, 2:4] + r[:, 4:6]]) for r in rows]
        ids = [r[:, 1].astype(int).tolist() for r in rows]
        measure.add(*ids, box_overlaps(*boxes))
    score = measure.score
    assert score.identity_switches == reference["IDSW"]
    assert score.fragmentations == reference["Frag"]
    assert (score.matches, score.misses) == (reference["CLR_TP"], reference["CLR_FN"])
    assert score.false_positives == reference["CLR_FP"]
    assert score.mota == pytest.approx(reference["MOTA"], abs=1e-9)
    assert score.motp == pytest.approx(reference["MOTP"], abs=1e-9)
