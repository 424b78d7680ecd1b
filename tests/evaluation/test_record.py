"""Worst frames of an evaluation."""

from __future__ import annotations

import dataclasses

from cvseg.evaluation.record import Evaluation, FrameScore, Measure


def evaluation(rising, *frames):
    scores = [FrameScore(sequence, str(i), {"m": value}) for i, (sequence, value) in enumerate(frames)]
    return Evaluation("toy", [], {}, {}, frame_measures=[Measure("m", "M", "a measure", rising=rising)], frames=scores)


def names(frames):
    return [f"{frame.sequence}{frame.scores['m']:g}" for frame in frames]


def test_the_worst_come_first_whether_large_is_good_or_bad():
    frames = [("a", 0.5), ("a", 0.1), ("a", 0.9), ("a", float("nan"))]
    assert names(evaluation(True, *frames).worst_frames(3)) == ["a0.1", "a0.5", "a0.9"]
    assert names(evaluation(False, *frames).worst_frames(5)) == ["a0.9", "a0.5", "a0.1"]


def test_one_bad_sequence_does_not_crowd_out_the_others():
    frames = [("bad", 0.01 * i) for i in range(20)] + [("b", 0.5), ("c", 0.6), ("d", 0.7), ("e", 0.8)]
    assert names(evaluation(True, *frames).worst_frames(5)) == ["bad0", "bad0.02", "b0.5", "c0.6", "d0.7"]
    two = [("bad", 0.01 * i) for i in range(20)] + [("good", 0.5 + 0.01 * i) for i in range(20)]
    assert [name[0] for name in names(evaluation(True, *two).worst_frames(4))] == ["b", "b", "b", "g"]


def test_neighbours_of_a_shown_frame_come_only_when_nothing_else_is_left():
    frames = [("a", 0.1), ("a", 0.2), ("a", 0.9), ("a", 0.8)]
    assert names(evaluation(True, *frames).worst_frames(2)) == ["a0.1", "a0.8"]
    assert names(evaluation(True, *frames).worst_frames(4)) == ["a0.1", "a0.2", "a0.8", "a0.9"]
    images = dataclasses.replace(evaluation(True, *frames), frames_in_time=False)
    assert names(images.worst_frames(2)) == ["a0.1", "a0.2"]


def test_of_equal_frames_the_next_measure_names_the_worse():
    measures = [Measure("m", "M", "a measure"), Measure("fp", "FP", "false", rising=False)]
    scores = [(0.0, 5), (0.5, 9), (0.0, float("nan")), (0.5, 9), (0.0, 8)]
    frames = [FrameScore("a", str(i), {"m": m, "fp": fp}) for i, (m, fp) in enumerate(scores)]
    worst = Evaluation("toy", [], {}, {}, frame_measures=measures, frames=frames).worst_frames(3)
    assert [frame.frame for frame in worst] == ["4", "0", "2"]


def test_nothing_to_rank_by_gives_no_frames():
    assert Evaluation("toy", [], {}, {}).worst_frames(3) == []
