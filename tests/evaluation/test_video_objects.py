"""Objects of a video by id and by assignment: against trying every assignment."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.errors import InputError
from cvseg.evaluation import (
    FramePairs,
    assigned_scores,
    boundary_accuracy,
    from_first_frame,
    region_similarity,
    same_id_scores,
)


def clip(seed, ids, frames=3, size_hw=(8, 10)):
    rng = np.random.default_rng(seed)
    return [rng.choice([0, 0, *ids], size_hw).astype(np.int32) for _ in range(frames)]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), results=st.integers(0, 4))
def test_the_assignment_is_the_best_of_all(seed, results):
    truth_ids = (1, 2, 5)
    truth, result = clip(seed, truth_ids), clip(seed + 1, range(7, 7 + results))
    scores = assigned_scores([FramePairs(*pair, truth_ids) for pair in zip(result, truth, strict=True)])

    def mean_score(truth_id, result_id):
        masks = [(one == result_id, other == truth_id) for one, other in zip(result, truth, strict=True)]
        return np.mean([(region_similarity(*pair) + boundary_accuracy(*pair)) / 2 for pair in masks])

    # 1000 and more: ids that no pixel has, one for every object that may go without.
    used = sorted(set(np.unique(result).tolist()) - {0})
    candidates = used + [1000 + k for k in range(max(0, 3 - len(used)))]
    best = max(
        sum(mean_score(*pair) for pair in zip(truth_ids, chosen, strict=True))
        for chosen in itertools.permutations(candidates, 3)
    )
    assert [one.truth_id for one in scores] == [1, 2, 5]
    assert sum((one.j.mean() + one.f.mean()) / 2 for one in scores) == pytest.approx(best, abs=1e-12)
    for one in scores:
        wanted = one.result_id if one.result_id is not None else 1000
        pairs = [(r == wanted, t == one.truth_id) for r, t in zip(result, truth, strict=True)]
        assert one.j.tolist() == [region_similarity(*pair) for pair in pairs]
        assert one.f.tolist() == [boundary_accuracy(*pair) for pair in pairs]


def test_results_that_are_left_over_cost_nothing():
    truth = np.zeros((12, 12), np.int32)
    truth[2:6, 2:6] = 1
    result = truth.copy() * 4
    result[8:11, 8:11] = 9
    (score,) = assigned_scores([FramePairs(result, truth, (1,))])
    assert (score.result_id, score.j.tolist(), score.f.tolist()) == (4, [1.0], [1.0])


def test_one_assignment_holds_for_all_frames():
    truth = np.zeros((3, 12, 12), np.int32)
    truth[:, 2:6, 2:6] = 1
    result = truth * 4
    result[2] = truth[2] * 5  # the id is lost in the last frame
    (score,) = assigned_scores([FramePairs(*pair, (1,)) for pair in zip(result, truth, strict=True)])
    assert score.result_id == 4
    assert score.j.tolist() == [1.0, 1.0, 0.0]


def test_by_id_another_id_is_background_and_is_named():
    truth = np.zeros((12, 12), np.int32)
    truth[2:6, 2:6], truth[8:10] = 1, 2
    result = np.where(truth == 2, 3, truth).astype(np.int32)
    frame = FramePairs(result, truth, (1, 2), same_id=True)
    assert frame.strange_ids == (3,)
    first, second = same_id_scores([frame])
    assert (first.j[0], first.f[0], second.j[0], second.f[0]) == (1.0, 1.0, 0.0, 0.0)


def test_void_pixels_belong_to_no_object():
    truth = np.zeros((12, 12), np.int32)
    truth[2:6, 2:6] = 1
    result = truth.copy()
    result[:, 7:] = 1
    void = np.zeros(truth.shape, bool)
    void[:, 7:] = True
    for same_id, scores in ((True, same_id_scores), (False, assigned_scores)):
        (score,) = scores([FramePairs(result, truth, (1,), void, same_id=same_id)])
        assert (score.j[0], score.f[0]) == (1.0, 1.0)


def test_an_object_counts_from_its_first_frame():
    truth = np.zeros((3, 6, 6), np.int32)
    truth[:, :3], truth[1:2, 4:] = 1, 2
    frames = [FramePairs(one, one, (1, 2), same_id=True) for one in truth]
    present = [{1}, {1, 2}, {1}]
    first, second = from_first_frame(same_id_scores(frames), present)
    assert first.j.tolist() == [1.0, 1.0, 1.0]
    assert np.isnan(second.j).tolist() == np.isnan(second.f).tolist() == [True, False, False]
    with pytest.raises(InputError, match="object 1 is in no frame"):
        from_first_frame(same_id_scores(frames), [{2}] * 3)


def test_too_many_proposals_are_refused():
    truth = np.ones((2, 30), np.int32)
    frame = FramePairs(np.tile(np.arange(30, dtype=np.int32), (2, 1)), truth, (1,))
    with pytest.raises(InputError, match="29 objects; expected at most 20"):
        assigned_scores([frame])
    assert assigned_scores([frame], most_proposals=29)[0].j[0] == 2 / 60


def test_frames_must_be_of_the_same_objects():
    labels = np.ones((2, 3), np.int32)
    with pytest.raises(InputError, match="no frame"):
        same_id_scores([])
    with pytest.raises(InputError, match="different objects"):
        assigned_scores([FramePairs(labels, labels, (1,)), FramePairs(labels, labels, (1, 2))])
    with pytest.raises(InputError, match="hold -1"):
        FramePairs(-labels, labels, (1,))
