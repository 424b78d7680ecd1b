"""Measures of supervoxels against slow ones made from sets of pixels."""

from __future__ import annotations

import numpy as np
import pytest

from cvseg.errors import DtypeError, InputError, ShapeError
from cvseg.evaluation.supervoxel_accuracy import mean_duration, segmentation_accuracy, size_variation, volume_leakage


def videos(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(-2, 5, (4, 5, 6)).repeat(2, 2)
    return labels, rng.integers(0, 3, (4, 5, 12)), rng.random((4, 5, 12)) < 0.2


def sets(labels, void):
    return {
        int(label): set(zip(*np.nonzero((labels == label) & ~void), strict=True)) for label in np.unique(labels[~void])
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("with_void", [False, True])
def test_accuracy_and_leakage_equal_those_of_sets_of_pixels(seed, with_void):
    labels, truth, void = videos(seed)
    result_sets, truth_sets = (sets(one, void & with_void) for one in (labels, truth))
    accuracy, leakage = [], []
    for true in truth_sets.values():
        mostly = [own for own in result_sets.values() if len(own & true) > len(own) / 2]
        accuracy.append(sum(len(own & true) for own in mostly) / len(true))
        leakage.append((sum(len(own) for own in result_sets.values() if own & true) - len(true)) / len(true))
    given = (labels, truth, void) if with_void else (labels, truth)
    assert segmentation_accuracy(*given) == pytest.approx(np.mean(accuracy))
    assert volume_leakage(*given) == pytest.approx(np.mean(leakage))


@pytest.mark.parametrize("seed", range(4))
def test_durations_and_sizes_equal_those_of_every_supervoxel(seed):
    labels = videos(seed)[0]
    labels[seed] = 4
    durations, deviations = [], []
    for label in np.unique(labels):
        sizes = np.array([np.count_nonzero(frame == label) for frame in labels])
        durations.append(np.count_nonzero(sizes))
        deviations.append(sizes[sizes > 0].std())
    assert mean_duration(labels) == pytest.approx(np.mean(durations))
    assert size_variation(labels) == pytest.approx(np.mean(deviations))


def test_a_perfect_result_leaks_nothing_and_is_all_right():
    truth = videos(0)[1]
    assert segmentation_accuracy(truth + 7, truth) == 1.0
    assert volume_leakage(truth + 7, truth) == 0.0
    still = np.stack([truth[0]] * 3)
    assert mean_duration(still) == 3.0
    assert size_variation(still) == 0.0


def test_a_segment_that_is_half_and_half_covers_nothing():
    assert segmentation_accuracy(np.zeros((1, 1, 2), int), np.array([[[0, 1]]])) == 0.0


@pytest.mark.parametrize("measure", [mean_duration, size_variation])
def test_what_is_no_video_is_refused(measure):
    with pytest.raises(ShapeError, match=r"\(T, H, W\)"):
        measure(np.zeros((4, 5), int))
    with pytest.raises(ShapeError, match="at least one pixel"):
        measure(np.zeros((0, 4, 5), int))
    with pytest.raises(DtypeError, match="whole-number"):
        measure(np.zeros((2, 4, 5)))


@pytest.mark.parametrize("measure", [segmentation_accuracy, volume_leakage])
def test_nothing_to_count_is_refused(measure):
    labels = np.zeros((1, 2, 2), int)
    with pytest.raises(InputError, match="void"):
        measure(labels, labels, np.ones((1, 2, 2), bool))
