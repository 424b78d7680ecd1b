"""Worst frames of an evaluation."""

from __future__ import annotations

from cvseg.evaluation.record import Evaluation, FrameScore, Measure


def evaluation(rising, *frames):
    scores = [FrameScore(sequence, str(i), {"m": value}) for i, (sequence, value) in enumerate(frames)]
    return Evaluation("toy", [], {}, {}, frame_measures=[Measure("m", "M", "a measure", rising=rising)], frames=scores)


def names(frames):
    return [f"{frame.sequence}{frame.scores['m']:g}" for frame in frames]


def test_the_worst_come_first_whether_large_is_good_or_bad():
    frames = [("a", 0.5), ("a", 0.1), ("a", 0.9), ("a", float("nan"))]
    assert names(evaluation(True, *frames).worst_frames(2)) == ["a0.1", "a0.5"]
    assert names(evaluation(False, *frames).worst_frames(5)) == ["a0.9", "a0.5", "a0.1"]


def test_one_bad_sequence_does_not_crowd_out_the_others():
    frames = [("bad", 0.01 * i) for i in range(20)] + [("b", 0.5), ("c", 0.6), ("d", 0.7), ("e", 0.8)]
    assert names(evaluation(True, *frames).worst_frames(5)) == ["bad0", "bad0.01", "b0.5", "c0.6", "d0.7"]


def test_nothing_to_rank_by_gives_no_frames():
    assert Evaluation("toy", [], {}, {}).worst_frames(3) == []
