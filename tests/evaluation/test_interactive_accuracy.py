"""The interactive measure: curves that can be drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.errors import InputError, RangeError
from cvseg.evaluation import interactive_accuracy


def test_points_are_means_over_the_samples_of_a_round():
    score = interactive_accuracy({"a": [(10, 0.4), (30, 0.8)], "b": [(20, 0.6), (50, 1.0)]}, after_s=40)
    assert score.times_s.tolist() == [0, 15, 40]
    assert score.accuracies == pytest.approx([0, 0.5, 0.9])
    assert score.at_time == pytest.approx(0.9)
    # A triangle and a trapezium over 40 s.
    assert score.auc == pytest.approx((15 * 0.5 / 2 + 25 * 0.7) / 40)


def test_a_sample_with_fewer_rounds_stays_at_its_last_one():
    score = interactive_accuracy({"a": [(10, 0.5)], "b": [(10, 0.5), (30, 0.7), (60, 0.9)]})
    assert score.times_s.tolist() == [0, 10, 20, 35]
    assert score.accuracies == pytest.approx([0, 0.5, 0.6, 0.7])


def test_behind_the_last_round_the_curve_is_level():
    score = interactive_accuracy({"a": [(10, 0.5)]}, time_limit_s=60)
    assert (score.at_time, score.accuracy_at(1000), score.accuracy_at(5)) == (0.5, 0.5, 0.25)
    assert score.auc == pytest.approx((10 * 0.25 + 50 * 0.5) / 60)


def test_the_area_ends_at_the_limit():
    rounds = {"a": [(10, 0.4), (20, 0.8)]}
    assert interactive_accuracy(rounds, time_limit_s=15).auc == pytest.approx((10 * 0.2 + 5 * 0.5) / 15)


def test_the_area_equals_a_fine_sum():
    rng = np.random.default_rng(2)
    rounds = {
        str(k): list(zip(np.cumsum(rng.random(n) * 9).tolist(), rng.random(n).tolist(), strict=True))
        for k, n in enumerate((1, 4, 8))
    }
    for limit in (5.0, 20.0, 90.0):
        score = interactive_accuracy(rounds, time_limit_s=limit)
        middles = (np.arange(20000) + 0.5) * limit / 20000
        fine = np.mean([np.interp(t, score.times_s, score.accuracies) for t in middles])
        assert score.auc == pytest.approx(fine, abs=1e-6)


@pytest.mark.parametrize(
    ("samples", "error", "words"),
    [
        ({}, InputError, "no sample"),
        ({"a": []}, InputError, "'a' has no round"),
        ({"a": [(5, 0.1), (4, 0.2)]}, InputError, "go backwards"),
        ({"a": [(-1, 0.1)]}, RangeError, "finite times"),
        ({"a": [(1, 1.1)]}, RangeError, "from 0 to 1"),
        ({"a": [(1, float("nan"))]}, RangeError, "from 0 to 1"),
        ({"a": [(0, 0.5)]}, RangeError, "time limit is 0"),
    ],
)
def test_bad_rounds_are_refused(samples, error, words):
    with pytest.raises(error, match=words):
        interactive_accuracy(samples)
