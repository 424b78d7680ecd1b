"""Shot boundaries: matching against all ways to match, scores, lists in every format, the folder level."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cvseg.errors import DtypeError, FormatError, InputError, RangeError, ShapeError
from cvseg.evaluation import match_transitions, shot_counts, shot_score, transitions_of_cuts
from cvseg.evaluation.protocols.shots import ShotsProtocolOptions, evaluate
from cvseg.evaluation.shot_accuracy import _assigned
from cvseg.formats.shot_list import read_shot_list

NOTHING = np.zeros((0, 2), np.int64)


def some_transitions(rng, count):
    begin = np.sort(rng.choice(30, count, replace=False))
    length = rng.integers(0, 5, count) * rng.integers(0, 2, count)
    return np.stack([begin, begin + length], axis=1)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tolerance=st.integers(0, 4))
def test_matching_is_the_best_of_all_ways(seed, tolerance):
    rng = np.random.default_rng(seed)
    result, truth = (some_transitions(rng, int(rng.integers(0, 5))) for _ in range(2))

    def gap(i, j):
        return max(0, result[i, 0] - truth[j, 1], truth[j, 0] - result[i, 1])

    def middle(i, j):
        return abs(int(result[i].sum()) - int(truth[j].sum())) / 2

    best = (0, 0.0)
    padded = [*range(len(result)), *([None] * len(truth))]
    for way in set(itertools.permutations(padded, len(truth))):
        pairs = [(i, j) for j, i in enumerate(way) if i is not None and gap(i, j) <= tolerance]
        best = max(best, (len(pairs), -sum(middle(i, j) for i, j in pairs)))
    found = match_transitions(result, truth, tolerance_frames=tolerance)
    assert all(gap(i, j) <= tolerance for i, j in found)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
    assert (len(found), -sum(middle(i, j) for i, j in found)) == best


def test_a_cut_found_twice_is_one_hit_and_one_false_alarm():
    score = shot_score(shot_counts(transitions_of_cuts([99, 100, 101]), transitions_of_cuts([100])))
    assert (score.hits, score.misses, score.false_alarms) == (1, 0, 2)
    assert (score.all.recall, score.all.precision, score.all.f1) == (1.0, 1 / 3, 0.5)
    assert score.distance_frames == 0.0


def test_the_tolerance_is_included():
    truth = transitions_of_cuts([100])
    for offset, hits in ((-3, 0), (-2, 1), (2, 1), (3, 0)):
        counts = shot_counts(transitions_of_cuts([100 + offset]), truth, tolerance_frames=2)
        assert shot_score(counts).hits == hits


def test_kinds_are_scored_apart_and_gradual_ones_by_their_frames():
    truth = np.array([[10, 10], [50, 60], [80, 90]])
    result = np.array([[10, 10], [55, 65], [85, 85], [99, 99]])
    score = shot_score(shot_counts(result, truth, tolerance_frames=0))
    assert (score.hits, score.misses, score.false_alarms) == (3, 0, 1)
    assert (score.cuts.recall, score.cuts.precision) == (1.0, 2 / 3)
    assert (score.gradual.recall, score.gradual.precision) == (1.0, 1.0)
    assert (score.frame_recall, score.frame_precision) == (0.5, 0.5)


def test_empty_lists_have_defined_scores():
    both = shot_score(shot_counts(NOTHING, NOTHING))
    assert (both.all.recall, both.all.precision, both.all.f1) == (1.0, 1.0, 1.0)
    assert math.isnan(both.distance_frames)
    missed = shot_score(shot_counts(NOTHING, transitions_of_cuts([5])))
    assert (missed.all.recall, missed.all.precision, missed.all.f1) == (0.0, 1.0, 0.0)
    false = shot_score(shot_counts(transitions_of_cuts([5]), NOTHING))
    assert (false.all.recall, false.all.precision, false.all.f1) == (1.0, 0.0, 0.0)


def test_counts_of_videos_add_up():
    first = shot_counts(transitions_of_cuts([10, 20]), transitions_of_cuts([11, 30]))
    second = shot_counts(np.array([[5, 9]]), np.array([[4, 8]]))
    score = shot_score(first + second)
    assert (score.hits, score.misses, score.false_alarms) == (2, 1, 1)
    assert (score.distance_frames, score.frame_recall) == (0.5, 0.75)


def test_wrong_transitions_are_refused():
    cut = transitions_of_cuts([5])
    for wrong, error in (
        (np.array([[5, 4]]), RangeError),
        (np.array([[-1, 4]]), RangeError),
        (np.array([[5, 5], [5, 5]]), RangeError),
        (np.array([5, 5]), ShapeError),
        (np.array([[5.0, 5.0]]), DtypeError),
    ):
        with pytest.raises(error, match="result"):
            match_transitions(wrong, cut)
    with pytest.raises(RangeError, match="tolerance_frames"):
        match_transitions(cut, cut, tolerance_frames=-1)


CSV = """Timecode List:,00:00:01.000,00:00:06.000
Scene Number,Start Frame,Start Timecode,End Frame,End Timecode
1,1,00:00:00.000,30,00:00:01.000
2,31,00:00:01.000,180,00:00:06.000
3,186,00:00:06.200,720,00:00:24.000
"""


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.csv", CSV, [[30, 30], [180, 185]]),
        ("a.csv", CSV.split("\n", 1)[1], [[30, 30], [180, 185]]),
        ("a.csv", "scene,timecode,frame,time (ms)\n0,00:00,0.000000,0\n1,00:06,201.000000,6706\n", [[201, 201]]),
        ("a.json", '{"cuts": [180, 30]}', [[30, 30], [180, 180]]),
        ("a.json", "[30, 180]", [[30, 30], [180, 180]]),
        ("a.json", '{"transitions": [[30, 45]], "cuts": [180]}', [[30, 45], [180, 180]]),
        ("a.jsonl", '{"transitions": [[30, 45]]}\n\n180\n{"cuts": [200]}\n', [[30, 45], [180, 180], [200, 200]]),
        ("a.txt", "# shots\n0 29\n30 179\n185 719\n", [[30, 30], [180, 185]]),
        ("a.json", '{"cuts": []}', []),
        ("a.txt", "0 719\n", []),
    ],
)
def test_lists_of_shots_are_read_by_their_own_rules(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text)
    assert read_shot_list(tmp_path / name).tolist() == expected


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("bad.csv", "a,b\n1,2\n", "line 1: no column 'Start Frame'"),
        ("bad.csv", "", "line 1: no column 'Start Frame'"),
        ("bad.csv", "Start Frame\n1\n", "line 1: no column 'End Frame'"),
        ("bad.csv", "Start Frame,End Frame\n1,x\n", "line 2: 'x'; expected a frame number"),
        ("bad.csv", "Start Frame,End Frame\n1\n", "line 2: 'nothing'; expected a frame number"),
        ("bad.csv", "Start Frame,End Frame\n1,9\n5,20\n", "line 3: the shot begins at 4, before"),
        ("bad.csv", "Start Frame,End Frame\n9,1\n", "line 2: a shot from frame 8 to 0"),
        ("bad.json", "{", "line 1: no JSON"),
        ("bad.json", '{"shots": []}', "expected cuts or transitions"),
        ("bad.json", '{"cuts": [1.5]}', "the cut 1.5; expected a frame number"),
        ("bad.json", '{"transitions": [[9, 3]]}', "expected [begin, end]"),
        ("bad.json", "[7, 7]", "overlap or are one"),
        ("bad.jsonl", "5\nfive\n", "line 2: no JSON"),
        ("bad.txt", "0 29\n30\n", "line 2: '30'; expected the first and last frame"),
        ("bad.edl", "", "ends in '.edl'"),
    ],
)
def test_a_damaged_list_is_named_with_line_and_reason(tmp_path, name, text, reason):
    (tmp_path / name).write_text(text)
    with pytest.raises(FormatError) as caught:
        read_shot_list(tmp_path / name)
    assert name in str(caught.value)
    assert reason in str(caught.value)


def write(path, cuts):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cuts": cuts}))


def run(tmp_path, **options):
    return evaluate(tmp_path / "results", tmp_path / "truth", ShotsProtocolOptions(**options))


def test_videos_are_paired_by_name_and_their_counts_summed(tmp_path):
    write(tmp_path / "truth" / "a.json", [10, 50])
    write(tmp_path / "truth" / "b.mp4.json", [100])
    write(tmp_path / "results" / "a.json", [11, 80])
    (tmp_path / "results" / "b-Scenes.csv").write_text("Start Frame,End Frame\n1,100\n101,200\n")
    evaluation = run(tmp_path)
    assert evaluation.rows["a"]["f1"] == 0.5
    assert evaluation.rows["b"]["f1"] == 1.0
    assert evaluation.overall["f1"] == pytest.approx(2 / 3)
    assert [frame.frame for frame in evaluation.worst_frames(2)] == ["50", "80"]
    assert evaluation.curves[0].lines["recall"][1][:2] == [1 / 3, 2 / 3]
    assert run(tmp_path, tolerance_frames=0).overall["recall"] == 1 / 3


def test_two_files_are_compared_directly(tmp_path):
    write(tmp_path / "results", [10])
    write(tmp_path / "truth", [10])
    with pytest.raises(FormatError, match="expected one of"):
        run(tmp_path)
    (tmp_path / "results").rename(tmp_path / "one.json")
    (tmp_path / "truth").rename(tmp_path / "two.json")
    evaluation = evaluate(tmp_path / "one.json", tmp_path / "two.json", ShotsProtocolOptions())
    assert evaluation.overall["f1"] == 1.0
    assert list(evaluation.rows) == ["two"]
    with pytest.raises(InputError, match="is not; expected two files or two folders"):
        evaluate(tmp_path / "one.json", tmp_path, ShotsProtocolOptions())


def test_missing_extra_and_doubled_lists_are_named(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / "truth" / f"{name}.json", [10])
    write(tmp_path / "results" / "a.json", [10])
    write(tmp_path / "results" / "c.json", [10])
    with pytest.raises(InputError, match=r"1 of 2 frames of the truth have no result \(b\)"):
        run(tmp_path)
    evaluation = run(tmp_path, missing_as_empty=True)
    assert evaluation.overall["recall"] == 0.5
    assert any("c" in remark and "no truth" in remark for remark in evaluation.remarks)
    write(tmp_path / "results" / "a.mp4.json", [10])
    with pytest.raises(FormatError, match="list one video"):
        run(tmp_path)


def test_the_development_lists_are_read(data_folder):
    folder = data_folder / "shot_cuts"
    golden = read_shot_list(folder / "goldens" / "testvideo.mp4.ContentDetector.default.json")
    assert golden[:, 0].tolist() == [30, 180, 394]
    assert read_shot_list(folder / "testvideo" / "testvideo_scenes.csv").tolist() == [[201, 201], [382, 382]]


def test_wrong_transitions_are_shown_with_the_frames_around_them(tmp_path):
    frames = np.zeros((40, 8, 16, 3), np.uint8) + np.arange(40, dtype=np.uint8)[:, None, None, None] * 6
    (tmp_path / "frames").mkdir()
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / "frames" / f"{i:05d}.png")
    (tmp_path / "truth.json").write_text('{"cuts": [10, 20], "transitions": [[30, 34]]}')
    (tmp_path / "result.json").write_text('{"cuts": [10, 39, 45]}')
    options = ShotsProtocolOptions(video=str(tmp_path / "frames"))
    found = evaluate(tmp_path / "result.json", tmp_path / "truth.json", options)
    pictures = {score.frame: score.picture for score in found.frames}
    assert pictures["10"] is None  # found, so nothing to look at
    cut, gradual, behind = (pictures[name]() for name in ("20", "30-33", "45"))
    assert cut[0, 0, 0] == 19 * 6 and cut[0, -1, 0] == 20 * 6
    assert [gradual[0, x, 0] for x in (0, gradual.shape[1] // 2, -1)] == [29 * 6, 32 * 6, 34 * 6]
    assert (behind == 92).any()  # the video ends before
    with pytest.raises(InputError, match="nowhere does not exist"):
        evaluate(
            tmp_path / "result.json", tmp_path / "truth.json", ShotsProtocolOptions(video=str(tmp_path / "nowhere"))
        )


def test_a_folder_of_videos_is_searched_for_the_names_of_the_lists(tmp_path):
    for folder in ("truth", "results", "videos"):
        (tmp_path / folder).mkdir()
    for folder, cuts in (("truth", [5]), ("results", [])):
        (tmp_path / folder / "clip.mp4.json").write_text(json.dumps({"cuts": cuts}))
    options = ShotsProtocolOptions(video=str(tmp_path / "videos"))
    found = evaluate(tmp_path / "results", tmp_path / "truth", options)
    assert found.frames[0].picture is None
    assert any("1 videos are not in" in remark for remark in found.remarks)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tolerance=st.integers(0, 6))
def test_matching_in_neighbourhoods_loses_nothing_against_one_table(seed, tolerance):
    rng = np.random.default_rng(seed)
    result, truth = (
        transitions_of_cuts(sorted(rng.choice(400, int(rng.integers(1, 40)), replace=False).tolist())) for _ in range(2)
    )
    whole, parts = _assigned(result, truth, tolerance), match_transitions(result, truth, tolerance_frames=tolerance)

    def cost(pairs):
        return len(pairs), sum(abs(int(result[i, 0] - truth[j, 0])) for i, j in pairs)

    assert cost(parts) == cost(whole)


@pytest.mark.parametrize("text", ['{"cuts": [1' + "0" * 30 + "]}", "[" + "9" * 6000 + "]", "[" * 100_000])
def test_endless_numbers_and_brackets_are_refused_by_name(tmp_path, text):
    (tmp_path / "list.json").write_text(text)
    with pytest.raises(FormatError, match=r"list\.json"):
        read_shot_list(tmp_path / "list.json")
