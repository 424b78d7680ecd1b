"""F of masks: exact small cases, an obvious implementation, and the figures of the DAVIS program."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, RangeError, ShapeError
from cvseg.evaluation import boundary_accuracy, boundary_score, region_similarity, sequence_statistics
from cvseg.kernels.evaluation.boundary_matches import boundary_matches
from cvseg.kernels.evaluation.mask_boundary import mask_boundary


def slow_outline(mask):
    height, width = mask.shape
    outline = set()
    for y in range(height):
        for x in range(width):
            below, right = min(y + 1, height - 1), min(x + 1, width - 1)
            if len({bool(mask[y, x]), bool(mask[y, right]), bool(mask[below, x]), bool(mask[below, right])}) > 1:
                outline.add((y, x))
    return outline


def slow_score(result, truth, radius):
    result_outline, truth_outline = slow_outline(result), slow_outline(truth)

    def share_near(points, others):
        if not points:
            return 1.0
        near = [any((y - v) ** 2 + (x - u) ** 2 <= radius**2 for v, u in others) for y, x in points]
        return sum(near) / len(points)

    precision, recall = share_near(result_outline, truth_outline), share_near(truth_outline, result_outline)
    f = 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)
    return f, precision, recall


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tolerance=st.sampled_from([0.0, 0.01, 0.15, 0.3]))
def test_score_equals_comparing_all_pairs_of_outline_pixels(seed, tolerance):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 14, 2)
    result, truth = rng.random((height, width)) < 0.15, rng.random((height, width)) < rng.choice([0.0, 0.15])
    radius = math.ceil(tolerance * math.hypot(height, width))
    score = boundary_score(result, truth, tolerance=tolerance)
    assert (score.f, score.precision, score.recall) == pytest.approx(slow_score(result, truth, radius), abs=1e-12)


def test_outline_is_where_the_right_lower_or_diagonal_neighbour_differs(device):
    mask = np.zeros((4, 5), np.uint8)
    mask[1:3, 1:3] = 1
    mask[3, 4] = 1
    expected = [[1, 1, 1, 0, 0], [1, 0, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 1, 0]]
    assert to_host(mask_boundary(device.array(mask))).tolist() == expected


def test_matching_reaches_exactly_the_radius(device):
    boundary, other = np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.uint8)
    boundary[4, 4] = 1
    other[1, 8] = 1  # 3 up, 4 right: distance 5
    for radius, matched in ((4, 0), (5, 1)):
        counts = to_host(boundary_matches(device.array(boundary), device.array(other), np.int32(radius)))
        assert counts.sum(0).tolist() == [1, matched]


def test_a_shift_within_the_tolerance_is_forgiven_and_a_larger_one_is_not():
    truth = np.zeros((120, 160), bool)
    truth[40:80, 40:90] = True  # diagonal 200: the tolerance is two pixels
    assert boundary_accuracy(np.roll(truth, 2, 1), truth) == 1.0
    assert boundary_accuracy(np.roll(truth, 3, 1), truth) < 1.0
    assert boundary_accuracy(np.roll(truth, 3, 1), truth, tolerance=0.015) == 1.0


def test_masks_without_an_outline_follow_the_stated_rule():
    empty, full, some = np.zeros((9, 9), bool), np.ones((9, 9), bool), np.eye(9, dtype=bool)
    for one in (empty, full):
        assert boundary_score(one, empty) == boundary_score(empty, one)
        assert boundary_accuracy(one, empty) == 1.0
    only_result, only_truth = boundary_score(some, empty), boundary_score(empty, some)
    assert (only_result.f, only_result.precision, only_result.recall) == (0.0, 0.0, 1.0)
    assert (only_truth.f, only_truth.precision, only_truth.recall) == (0.0, 1.0, 0.0)


def test_void_pixels_belong_to_neither_mask():
    truth = np.zeros((40, 60), bool)
    truth[10:30, 10:30] = True
    result = truth.copy()
    result[5:35, 40:55] = True
    void = np.zeros_like(truth)
    void[:, 38:] = True
    assert boundary_accuracy(result, truth) < 0.7
    assert boundary_accuracy(result, truth, void) == 1.0


def test_bad_arguments_are_refused():
    mask = np.zeros((4, 4), bool)
    with pytest.raises(ShapeError, match="void"):
        boundary_accuracy(mask, mask, np.zeros((4, 5), bool))
    with pytest.raises(DtypeError, match="result is int32"):
        boundary_accuracy(mask.astype(np.int32), mask)
    with pytest.raises(RangeError, match="tolerance is 2"):
        boundary_accuracy(mask, mask, tolerance=2.0)


@pytest.mark.data
def test_scores_equal_those_of_the_davis_program_to_every_printed_digit(data_folder):
    from PIL import Image

    folder = data_folder / "davis2017_eval_results"
    frames = list(csv.DictReader((folder / "reference_per_frame.csv").read_text().splitlines()))
    scores: dict[str, list[tuple[float, float]]] = {}
    for row in frames:
        sequence, name = row["sequence"], f"{row['frame']}.png"
        result = np.asarray(Image.open(folder / "osvos" / sequence / name)) > 0
        truth = np.asarray(Image.open(data_folder / "DAVIS2016/Annotations/480p" / sequence / name)) > 0
        truth = truth if truth.ndim == 2 else truth[..., 0]
        pair = region_similarity(result, truth), boundary_accuracy(result, truth)
        assert pair == pytest.approx((float(row["J"]), float(row["F"])), abs=6e-7), f"{sequence} {name}"
        scores.setdefault(sequence, []).append(pair)

    for row in csv.DictReader((folder / "reference_per_sequence.csv").read_text().splitlines()):
        for i, letter in enumerate("JF"):
            statistics = sequence_statistics([pair[i] for pair in scores[row["sequence"]]])
            for word in ("mean", "recall", "decay"):
                expected = float(row[f"{letter}_{word}"])
                assert getattr(statistics, word) == pytest.approx(expected, abs=6e-5), f"{row['sequence']} {word}"
