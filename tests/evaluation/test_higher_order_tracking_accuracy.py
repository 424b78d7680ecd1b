"""HOTA, identity and CLEAR against slow, obvious implementations, and on cases worked out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.errors import InputError, OptionError, RangeError, ShapeError
from cvseg.evaluation import (
    HigherOrderScore,
    IdentityScore,
    TrackingMeasure,
    TrackingScore,
    box_overlaps,
    box_sequence,
    higher_order_tracking_accuracy,
    identity_accuracy,
    label_sequence,
    matched_frames,
    tracking_accuracy,
    tracking_sequence,
)


def random_frames(seed, *, most=4):
    """Frames with up to four true objects and results; overlaps are random, so that ties do not occur."""
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(rng.integers(1, 7)):
        truth = rng.permutation(most)[: rng.integers(0, most + 1)] + 1
        result = rng.permutation(most)[: rng.integers(0, most + 1)] + 20
        iou = rng.random((len(truth), len(result))) * (rng.random((len(truth), len(result))) < 0.7)
        frames.append((truth.tolist(), result.tolist(), iou))
    return frames


def every_assignment(rows, columns):
    """All ways to give each row a column of its own, or none."""
    choices = itertools.product([None, *range(columns)], repeat=rows)
    for choice in choices:
        used = [c for c in choice if c is not None]
        if len(set(used)) == len(used):
            yield [(r, c) for r, c in enumerate(choice) if c is not None]


def slow_hota(frames, alpha):
    """From the paper's formulas, with sums over single matches."""
    agreement = {}
    for truth, result, iou in frames:
        for i, t in enumerate(truth):
            for j, r in enumerate(result):
                rivals = iou[i].sum() + iou[:, j].sum() - iou[i, j]
                agreement[t, r] = agreement.get((t, r), 0.0) + (iou[i, j] / rivals if iou[i, j] else 0.0)
    size_t = {t: sum(t in truth for truth, _, _ in frames) for truth, _, _ in frames for t in truth}
    size_r = {r: sum(r in result for _, result, _ in frames) for _, result, _ in frames for r in result}
    matches, places = [], []
    for truth, result, iou in frames:
        worth = np.array(
            [
                [agreement[t, r] / (size_t[t] + size_r[r] - agreement[t, r]) * iou[i, j] for j, r in enumerate(result)]
                for i, t in enumerate(truth)
            ]
        ).reshape(iou.shape)
        best = max(every_assignment(*worth.shape), key=lambda pairs: sum(worth[p] for p in pairs))
        kept = [(i, j) for i, j in best if iou[i, j] >= alpha - 1e-15]
        matches += [(truth[i], result[j]) for i, j in kept]
        places += [iou[i, j] for i, j in kept]
    tp = len(matches)
    fn, fp = sum(size_t.values()) - tp, sum(size_r.values()) - tp
    shares, recalls, precisions = [], [], []
    for t, r in matches:
        tpa = matches.count((t, r))
        fna, fpa = size_t[t] - tpa, size_r[r] - tpa
        shares.append(tpa / (tpa + fna + fpa))
        recalls.append(tpa / (tpa + fna))
        precisions.append(tpa / (tpa + fpa))
    det_a = tp / max(1, tp + fn + fp)
    ass_a = sum(shares) / max(1, tp)
    return {
        "hota": math.sqrt(det_a * ass_a),
        "det_a": det_a,
        "ass_a": ass_a,
        "ass_re": sum(recalls) / max(1, tp),
        "ass_pr": sum(precisions) / max(1, tp),
        "loc_a": sum(places) / tp if tp else 1.0,
    }


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_hota_equals_the_formulas_of_the_paper_match_by_match(seed):
    frames = random_frames(seed)
    score = higher_order_tracking_accuracy(tracking_sequence(frames))
    for place, alpha in ((0, 0.05), (9, 0.5), (16, 0.85)):
        for name, value in slow_hota(frames, alpha).items():
            assert getattr(score, name)[place] == pytest.approx(value, abs=1e-12), (name, alpha)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), least_iou=st.sampled_from([0.3, 0.5]))
def test_identity_equals_the_best_of_all_ways_to_name_tracks(seed, least_iou):
    frames = random_frames(seed)
    together = {}
    for truth, result, iou in frames:
        for i, j in np.argwhere(iou >= least_iou):
            together[truth[i] - 1, result[j] - 20] = together.get((truth[i] - 1, result[j] - 20), 0) + 1
    best = max(sum(together.get(pair, 0) for pair in pairs) for pairs in every_assignment(4, 4))
    score = identity_accuracy(tracking_sequence(frames), least_iou=least_iou)
    assert score.idtp == best
    assert score.idtp + score.idfn == sum(len(truth) for truth, _, _ in frames)
    assert score.idtp + score.idfp == sum(len(result) for _, result, _ in frames)


def slow_clear(frames):
    """CLEAR by trying every assignment; correspondences of the frame before come first."""
    last, before, ever = {}, {}, {}
    count = {"matches": 0, "misses": 0, "false_positives": 0, "identity_switches": 0, "fragmentations": 0}
    overlap = 0.0
    for truth, result, iou in frames:
        for t in truth:
            ever.setdefault(t, []).append(False)
        if truth and result:
            allowed = [
                [(i, j) for i, j in pairs if iou[i, j] >= 0.5] for pairs in every_assignment(len(truth), len(result))
            ]
            best = max(
                allowed,
                key=lambda pairs: (
                    sum(before.get(truth[i]) == result[j] for i, j in pairs),
                    sum(iou[p] for p in pairs),
                ),
            )
            now = {truth[i]: result[j] for i, j in best}
            overlap += sum(iou[p] for p in best)
            for t, r in now.items():
                ever[t][-1] = True
                count["identity_switches"] += last.get(t, r) != r
                count["fragmentations"] += t in last and t not in before
            last |= now
            before = now
            matched = len(now)
        else:
            matched = 0
        count["matches"] += matched
        count["misses"] += len(truth) - matched
        count["false_positives"] += len(result) - matched
    shares = [sum(seen) / len(seen) for seen in ever.values()]
    return count | {
        "mostly_tracked": sum(share > 0.8 for share in shares),
        "partly_tracked": sum(0.2 <= share <= 0.8 for share in shares),
        "mostly_lost": sum(share < 0.2 for share in shares),
        "overlap_sum": pytest.approx(overlap),
    }


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_clear_equals_trying_every_assignment(seed):
    frames = random_frames(seed)
    score = tracking_accuracy(tracking_sequence(frames))
    for name, value in slow_clear(frames).items():
        assert getattr(score, name) == value, name
    wrong = score.misses + score.false_positives
    assert score.mota == 1 - (wrong + score.identity_switches) / max(1, score.true_objects)
    assert score.moda == 1 - wrong / max(1, score.true_objects)


def test_perfect_tracks_are_perfect_in_every_measure():
    frames = [([1, 2], [1, 2], np.eye(2))] * 4
    sequence = tracking_sequence(frames)
    assert set(higher_order_tracking_accuracy(sequence).means().values()) == {1.0}
    assert identity_accuracy(sequence).idf1 == 1.0
    score = tracking_accuracy(sequence)
    assert (score.mota, score.motp, score.smota, score.f1, score.mostly_tracked) == (1, 1, 1, 1, 2)


def test_a_track_that_is_cut_in_the_middle_costs_association_and_not_detection():
    frames = [([1], [5 if i < 2 else 6], [[1.0]]) for i in range(4)]
    sequence = tracking_sequence(frames)
    values = higher_order_tracking_accuracy(sequence).means()
    assert (values["det_a"], values["ass_a"], values["ass_re"], values["ass_pr"]) == (1.0, 0.5, 0.5, 1.0)
    assert values["hota"] == pytest.approx(math.sqrt(0.5))
    assert identity_accuracy(sequence) == IdentityScore(idtp=2, idfn=2, idfp=2)
    assert tracking_accuracy(sequence).identity_switches == 1


def test_hota_weighs_localisation_by_how_many_thresholds_are_reached():
    values = higher_order_tracking_accuracy(tracking_sequence([([1], [5], [[0.62]])])).means()
    # 0.05, 0.10, ..., 0.60 are 12 of 19 thresholds; where nothing is matched, localisation is 1.
    assert values["hota"] == pytest.approx(12 / 19)
    assert values["loc_a"] == pytest.approx((12 * 0.62 + 7) / 19)
    assert values["hota_loc_a_0"] == pytest.approx(0.62)


def test_an_overlap_of_exactly_a_threshold_reaches_it():
    score = higher_order_tracking_accuracy(tracking_sequence([([1], [5], [[0.3]])]))
    assert score.true_positives.tolist() == [1.0] * 6 + [0.0] * 13


@pytest.mark.parametrize(
    ("truth", "result", "mota", "idfn", "idfp"),
    [([], [], 1.0, 0, 0), ([1, 2], [], 0.0, 2, 0), ([], [7, 8, 9], 1.0 - 3, 0, 3)],
)
def test_empty_truth_and_empty_results_have_defined_values(truth, result, mota, idfn, idfp):
    sequence = tracking_sequence([(truth, result, np.zeros((len(truth), len(result))))])
    values = higher_order_tracking_accuracy(sequence).means()
    assert {name for name, value in values.items() if value} == {"loc_a", "loc_a_0"}
    assert values["loc_a"] == 1.0
    assert identity_accuracy(sequence) == IdentityScore(idtp=0, idfn=idfn, idfp=idfp)
    assert identity_accuracy(sequence).idf1 == 0.0
    score = tracking_accuracy(sequence)
    assert (score.mota, score.mostly_lost, score.frames) == (mota, len(truth), 1)
    assert math.isnan(score.motp)


def test_a_sequence_without_frames_is_empty():
    sequence = tracking_sequence([])
    assert len(sequence) == 0
    assert higher_order_tracking_accuracy(sequence).means()["hota"] == 0.0
    assert tracking_accuracy(sequence).frames == 0
    assert HigherOrderScore.combined([]).means()["loc_a"] == 1.0


def test_combined_scores_add_counts_and_are_no_means():
    one = tracking_sequence([([1], [5], [[1.0]])])
    many = tracking_sequence([([1], [], np.zeros((1, 0)))] * 9)
    hota = HigherOrderScore.combined([higher_order_tracking_accuracy(s) for s in (one, many)])
    assert hota.means()["hota"] == pytest.approx(math.sqrt(0.1))
    clear = TrackingScore.combined([tracking_accuracy(s) for s in (one, many)])
    assert (clear.recall, clear.true_objects, clear.mostly_lost) == (0.1, 10, 1)
    identity = IdentityScore.combined([identity_accuracy(s) for s in (one, many)])
    assert (identity.idtp, identity.idfn, identity.idfp) == (1, 9, 0)


def test_the_two_rules_differ_in_what_is_kept_and_in_what_is_a_gap():
    gone = ([], [7], np.zeros((0, 1)))
    frames = [
        ([1], [7], [[0.9]]),
        ([1], [8], [[0.3]]),  # missed
        ([1], [7, 8], [[0.55, 0.95]]),  # motmetrics goes back to 7
        gone,
        ([1], [7], [[0.9]]),
    ]
    scores = {rules: tracking_accuracy(tracking_sequence(frames), rules=rules) for rules in ("trackeval", "motmetrics")}
    # 7, 8, 7 against 7, 7, 7; neither counts the frame in which the object is away as a gap.
    assert (scores["trackeval"].identity_switches, scores["motmetrics"].identity_switches) == (2, 0)
    assert (scores["trackeval"].fragmentations, scores["motmetrics"].fragmentations) == (1, 1)
    away = [([1], [7], [[0.9]]), ([2], [7], [[0.0]]), ([1], [7], [[0.9]])]
    assert tracking_accuracy(tracking_sequence(away)).fragmentations == 1
    assert tracking_accuracy(tracking_sequence(away), rules="motmetrics").fragmentations == 0
    edge = [([1], [7], [[0.9]])] * 4 + [([1], [], np.zeros((1, 0)))]
    assert tracking_accuracy(tracking_sequence(edge)).mostly_tracked == 0
    assert tracking_accuracy(tracking_sequence(edge), rules="motmetrics").mostly_tracked == 1


def test_the_first_object_that_claims_a_track_keeps_it_by_the_rules_of_motmetrics():
    measure = TrackingMeasure(rules="motmetrics")
    assert measure.add([1], [7], np.array([[0.9]])) == {1: 7}
    assert measure.add([2], [7], np.array([[0.9]])) == {2: 7}
    assert measure.add([1, 2], [7, 8], np.array([[0.6, 0.0], [0.9, 0.7]])) == {1: 7, 2: 8}


def test_matched_frames_name_what_is_missed_wrong_and_switched():
    frames = [([1, 2], [5, 6], [[0.9, 0.0], [0.0, 0.1]]), ([1], [8], [[0.8]])]
    first, second = matched_frames(tracking_sequence(frames))[1]
    assert (first.matches, first.misses, first.false_positives, first.switched) == ({1: 5}, (2,), (6,), frozenset())
    assert second.switched == frozenset({1})


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_boxes_in_any_order_give_the_overlaps_of_each_frame(seed):
    rng = np.random.default_rng(seed)
    tables = []
    for _ in range(2):
        frames, ids = np.divmod(rng.permutation(30)[: rng.integers(0, 30)], 5)
        low = rng.integers(0, 20, (len(frames), 2))
        tables.append((frames, ids, np.concatenate([low, low + rng.integers(0, 15, (len(frames), 2))], 1)))
    sequence = box_sequence(*tables, frame_count=7)
    assert len(sequence) == 7
    (result_frames, result_ids, result_boxes), (truth_frames, truth_ids, truth_boxes) = tables
    for frame, (truth, result, iou) in enumerate(sequence.frames()):
        assert truth == truth_ids[truth_frames == frame].tolist()
        assert result == result_ids[result_frames == frame].tolist()
        expected = box_overlaps(truth_boxes[truth_frames == frame], result_boxes[result_frames == frame])
        np.testing.assert_array_equal(iou, expected)
    kept = rng.random(len(truth_ids)) < 0.5, rng.random(len(result_ids)) < 0.5
    chosen = sequence.selected(kept[0][sequence.truth_rows], kept[1][sequence.result_rows])
    for frame, (truth, result, iou) in enumerate(chosen.frames()):
        rows, columns = kept[0] & (truth_frames == frame), kept[1] & (result_frames == frame)
        assert (truth, result) == (truth_ids[rows].tolist(), result_ids[columns].tolist())
        np.testing.assert_array_equal(iou, box_overlaps(truth_boxes[rows], result_boxes[columns]))


def test_label_maps_give_the_overlaps_of_masks_also_for_large_ids():
    truth = np.array([[0, 70000, 70000, 2**31 - 1]], np.int32)
    result = np.array([[5, 5, 5, 0]], np.int32)
    [(truth_ids, result_ids, iou)] = label_sequence([(result, truth)]).frames()
    assert (truth_ids, result_ids) == ([70000, 2**31 - 1], [5])
    assert iou.tolist() == [[2 / 3], [0.0]]


def test_bad_arguments_are_refused():
    with pytest.raises(InputError, match="truth has id 3 twice in frame 1"):
        tracking_sequence([([1], [], np.zeros((1, 0))), ([3, 3], [], np.zeros((2, 0)))])
    with pytest.raises(InputError, match="result has id 4 twice in frame 2"):
        box_sequence(([2, 2], [4, 4], np.zeros((2, 4))), ([], [], np.zeros((0, 4))))
    with pytest.raises(InputError, match="frame 9; expected frames from 0 to 4"):
        box_sequence(([9], [4], np.zeros((1, 4))), ([], [], np.zeros((0, 4))), 5)
    with pytest.raises(ShapeError, match="iou"):
        tracking_sequence([([1], [2], np.zeros((2, 2)))])
    with pytest.raises(ShapeError, match="ids"):
        box_sequence(([2, 2], [4], np.zeros((2, 4))), ([], [], np.zeros((0, 4))))
    with pytest.raises(OptionError, match="did you mean 'motmetrics'"):
        TrackingMeasure(rules="motmetric")
    with pytest.raises(RangeError, match="least_iou"):
        identity_accuracy(tracking_sequence([]), least_iou=-1.0)
    with pytest.raises(RangeError, match="a label is -4"):
        label_sequence([(np.full((2, 2), -4, np.int32), np.zeros((2, 2), np.int32))])
