"""`evaluate` of DAVIS: the figures of the DAVIS program, the frames and objects that count, and what is remarked."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cvseg.errors import FormatError, InputError
from cvseg.evaluation import boundary_accuracy, region_similarity
from cvseg.evaluation.protocols import PROTOCOLS, EvaluationStopped
from cvseg.evaluation.protocols.davis import DavisProtocolOptions, evaluate
from cvseg.formats.davis import write_mask


def moving(frames=5, size_hw=(30, 40)):
    """Two objects, 1 moving to the right, 2 standing."""
    clip = np.zeros((frames, *size_hw), np.int32)
    for k in range(frames):
        clip[k, 5:15, 4 + 3 * k : 14 + 3 * k] = 1
        clip[k, 20:28, 20:32] = 2
    return clip


def write(folder: Path, clip, names=None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for k, labels in enumerate(clip):
        write_mask(folder / f"{names[k] if names else f'{k:05d}'}.png", labels)
    return folder


def run(root: Path, **values):
    return evaluate(root / "results", root / "truth", DavisProtocolOptions(**values))


def test_it_stands_in_the_table_of_protocols():
    assert PROTOCOLS["davis"].load().evaluate is evaluate


@pytest.mark.data
def test_the_whole_run_prints_the_figures_of_the_davis_program(data_folder):
    folder = data_folder / "davis2017_eval_results"
    evaluation = evaluate(folder / "osvos", data_folder / "DAVIS2016", DavisProtocolOptions(task="single"))
    rows = list(csv.DictReader((folder / "reference_per_sequence.csv").read_text().splitlines()))
    assert set(evaluation.rows) == {row["sequence"] for row in rows}
    for row in rows:
        for letter in "JF":
            for word in ("mean", "recall", "decay"):
                value = evaluation.rows[row["sequence"]][f"{letter.lower()}_{word}"]
                assert round(value, 4) == float(row[f"{letter}_{word}"]), f"{row['sequence']} {letter} {word}"
    per_frame = {(one.sequence, one.frame): one.scores for one in evaluation.frames}
    for row in csv.DictReader((folder / "reference_per_frame.csv").read_text().splitlines()):
        scores = per_frame.pop((row["sequence"], row["frame"]), None)
        if scores is not None:
            assert round(scores["j"], 6) == float(row["J"])
            assert round(scores["f"], 6) == float(row["F"])
    assert not per_frame
    assert all(0 < row["t"] < 2 for row in evaluation.rows.values())


def test_single_merges_all_ids_and_leaves_out_the_ends(tmp_path):
    truth = moving()
    write(tmp_path / "truth/walk", 255 * (truth > 0))
    result = truth.copy()
    result[0], result[4] = 0, 0  # not looked at
    result[2, 20:28, 20:26] = 0
    write(tmp_path / "results/walk", result[1:4], ["00001", "00002", "00003"])
    evaluation = run(tmp_path)
    assert [frame.frame for frame in evaluation.frames] == ["00001", "00002", "00003"]
    expected = region_similarity(result[2] > 0, truth[2] > 0), boundary_accuracy(result[2] > 0, truth[2] > 0)
    assert (evaluation.frames[1].scores["j"], evaluation.frames[1].scores["f"]) == expected
    assert evaluation.rows["walk"]["j_mean"] == pytest.approx((2 + expected[0]) / 3)
    assert evaluation.overall == evaluation.rows["walk"]
    assert math.isnan(evaluation.frames[0].scores["t"])
    assert any("more than one id" in remark for remark in evaluation.remarks)
    assert any("first and the last frame" in remark for remark in evaluation.remarks)
    assert evaluation.curves[0].lines["J"][0] == [1.0, 2.0, 3.0]


def test_stability_can_be_left_out(tmp_path):
    for name in ("truth", "results"):
        write(tmp_path / name / "walk", moving())
    assert "t" in run(tmp_path).overall
    evaluation = run(tmp_path, stability=False)
    assert "t" not in evaluation.overall
    assert "t" not in [measure.key for measure in evaluation.measures]


def test_semi_supervised_compares_equal_ids(tmp_path):
    truth = moving()
    result = truth.copy()
    result[2][truth[2] == 2] = 700  # a 16-bit file
    write(tmp_path / "truth/walk", truth)
    write(tmp_path / "results/walk", result)
    evaluation = run(tmp_path, task="semi_supervised")
    assert evaluation.rows["walk object 1"]["j_mean"] == 1.0
    assert evaluation.rows["walk object 2"]["j_mean"] == pytest.approx(2 / 3)
    assert evaluation.rows["walk"]["j_mean"] == pytest.approx(5 / 6)
    assert any("700" in remark for remark in evaluation.remarks)
    assert evaluation.details["objects"]["walk"]["2"]["j"] == [1.0, 0.0, 1.0]


def test_overall_is_the_mean_of_the_objects_not_of_the_sequences(tmp_path):
    truth = moving()
    write(tmp_path / "truth/two", truth)
    write(tmp_path / "results/two", truth)
    write(tmp_path / "truth/one", truth * (truth == 1))
    write(tmp_path / "results/one", truth * 0)
    evaluation = run(tmp_path, task="semi_supervised")
    assert evaluation.rows["one"]["j_mean"] == 0.0
    assert evaluation.overall["j_mean"] == pytest.approx(2 / 3)


def test_unsupervised_assigns_ids_and_counts_every_frame(tmp_path):
    truth = moving()
    result = np.select([truth == 1, truth == 2], [9, 300])
    result[0] = 0
    result[:, :3, :3] = 4  # left over
    write(tmp_path / "truth/walk", truth)
    write(tmp_path / "results/walk", result)
    evaluation = run(tmp_path, task="unsupervised")
    assert len(evaluation.frames) == 5
    assert evaluation.rows["walk"]["jf_mean"] == pytest.approx(0.8)
    objects = evaluation.details["objects"]["walk"]
    assert (objects["1"]["result_id"], objects["2"]["result_id"]) == (9, 300)
    with pytest.raises(InputError, match=r"walk: .*3 objects; expected at most 2"):
        run(tmp_path, task="unsupervised", most_proposals=2)


def test_an_object_without_a_result_of_its_own_is_remarked(tmp_path):
    truth = moving()
    write(tmp_path / "truth/walk", truth)
    write(tmp_path / "results/walk", truth * (truth == 2))
    evaluation = run(tmp_path, task="unsupervised")
    assert evaluation.rows["walk object 1"]["j_mean"] == 0.0
    assert any("no result is left for the objects 1" in remark for remark in evaluation.remarks)


def test_void_pixels_count_for_nothing(tmp_path):
    truth = moving()
    result = truth.copy()
    result[:, :5, :10] = 1
    truth[:, :5, :10] = 255
    write(tmp_path / "truth/walk", truth)
    write(tmp_path / "results/walk", result)
    for task in ("semi_supervised", "unsupervised"):
        evaluation = run(tmp_path, task=task)
        assert evaluation.overall["jf_mean"] == 1.0
        assert any("labelled 255" in remark for remark in evaluation.remarks)
        assert "walk object 255" not in evaluation.rows
    as_object = run(tmp_path, task="semi_supervised", void_label=0)
    assert as_object.rows["walk object 255"]["j_mean"] == 0.0


def test_absent_objects_and_later_ones_are_remarked(tmp_path):
    truth = moving()
    truth[2][truth[2] == 2] = 0
    truth[3, :3, :3] = 7
    write(tmp_path / "truth/walk", truth)
    write(tmp_path / "results/walk", truth)
    evaluation = run(tmp_path, task="semi_supervised")
    assert evaluation.overall["jf_mean"] == 1.0
    assert any("no pixel" in remark and "walk/00002" in remark for remark in evaluation.remarks)
    assert any("walk object 7" in remark for remark in evaluation.remarks)


def test_youtube_vos_counts_an_object_from_its_first_frame(tmp_path):
    truth = moving(4)
    truth[:2][truth[:2] == 2] = 0
    result = truth.copy()
    result[3][truth[3] == 2] = 0
    names = ["00000", "00005", "00010", "00015"]
    write(tmp_path / "truth/Annotations/v1", truth, names)
    write(tmp_path / "results/v1", [*result, result[0]], [*names, "00001"])
    evaluation = evaluate(tmp_path / "results", tmp_path / "truth", DavisProtocolOptions(task="youtube_vos"))
    assert evaluation.rows["v1 object 1"]["j_mean"] == 1.0
    assert evaluation.rows["v1 object 2"]["j_mean"] == 0.5
    assert evaluation.details["objects"]["v1"]["2"]["j"] == [None, None, 1.0, 0.0]
    assert [frame.scores["j"] for frame in evaluation.frames] == [1.0, 1.0, 1.0, 0.5]
    assert any("1 result files have no truth" in remark for remark in evaluation.remarks)


def test_youtube_vos_splits_seen_and_unseen_categories(tmp_path):
    truth = moving(4)
    write(tmp_path / "truth/Annotations/v1", truth)
    write(tmp_path / "results/v1", truth * (truth == 1))
    objects = {"1": {"category": "cat"}, "2": {"category": "yak"}, "3": {"category": "cat"}}
    (tmp_path / "truth/meta.json").write_text(json.dumps({"videos": {"v1": {"objects": objects}}}))
    train = {"videos": {"t": {"objects": {"1": {"category": "cat"}}}}}
    (tmp_path / "train.json").write_text(json.dumps(train))
    options = DavisProtocolOptions(task="youtube_vos", seen=str(tmp_path / "train.json"))
    evaluation = evaluate(tmp_path / "results", tmp_path / "truth", options)
    assert (evaluation.overall["j_seen"], evaluation.overall["j_unseen"]) == (1.0, 0.0)
    assert evaluation.overall["jf_mean"] == 0.5
    assert any("without a mask are not scored: 3" in remark for remark in evaluation.remarks)
    (tmp_path / "truth/meta.json").unlink()
    with pytest.raises(InputError, match="--seen needs it"):
        evaluate(tmp_path / "results", tmp_path / "truth", options)


@pytest.mark.parametrize("layout", ["", "480p", "Annotations/480p", "Annotations"])
def test_the_truth_may_be_the_root_of_the_data(tmp_path, layout):
    write(tmp_path / "truth" / layout / "walk", moving())
    write(tmp_path / "results" / "480p" / "walk", moving())
    assert list(run(tmp_path).rows) == ["walk"]


def test_unsupervised_takes_its_own_annotations(tmp_path):
    write(tmp_path / "truth/Annotations/480p/walk", moving())
    write(tmp_path / "truth/Annotations_unsupervised/480p/run", moving())
    write(tmp_path / "results/run", moving())
    assert "run" in run(tmp_path, task="unsupervised").rows


def test_masks_in_the_folders_themselves_are_one_sequence(tmp_path):
    write(tmp_path / "truth", moving())
    write(tmp_path / "results", moving())
    evaluation = run(tmp_path)
    assert list(evaluation.rows) == ["truth"]
    assert evaluation.overall["jf_mean"] == 1.0


def test_missing_results_are_an_error_or_empty(tmp_path):
    write(tmp_path / "truth/walk", moving())
    write(tmp_path / "results/walk", moving()[:3])
    with pytest.raises(InputError, match="walk/00003"):
        run(tmp_path)
    evaluation = run(tmp_path, missing_as_empty=True)
    assert evaluation.overall["j_mean"] == pytest.approx(2 / 3)
    assert any("missing" in remark for remark in evaluation.remarks)


def test_results_of_another_size_are_refused(tmp_path):
    write(tmp_path / "truth/walk", moving())
    write(tmp_path / "results/walk", moving(size_hw=(32, 40)))
    with pytest.raises(FormatError, match="40x32 pixels; expected 40x30"):
        run(tmp_path)


def test_sequences_can_be_chosen(tmp_path):
    for name in ("run", "walk"):
        write(tmp_path / "truth" / name, moving())
    write(tmp_path / "results/walk", moving())
    chosen = tmp_path / "val.txt"
    chosen.write_text("walk\n")
    assert list(run(tmp_path, sequences=str(chosen)).rows) == ["walk"]
    chosen.write_text("walk\nfly\n")
    with pytest.raises(InputError, match="does not hold: fly"):
        run(tmp_path, sequences=str(chosen))
    chosen.write_text("\n")
    with pytest.raises(InputError, match="no sequence"):
        run(tmp_path, sequences=str(chosen))
    with pytest.raises(InputError, match="cannot be read"):
        run(tmp_path, sequences=str(tmp_path / "none.txt"))


def test_short_sequences_and_empty_first_frames_are_refused(tmp_path):
    write(tmp_path / "truth/walk", moving(2))
    write(tmp_path / "results/walk", moving(2))
    with pytest.raises(InputError, match=r"fewer than three frames: walk \(2\)"):
        run(tmp_path)
    write(tmp_path / "truth/walk", 255 * (moving(3) > 0))
    write(tmp_path / "results/walk", moving(3))
    with pytest.raises(InputError, match="choose --task single"):
        run(tmp_path, task="semi_supervised")


def test_pictures_show_hits_false_alarms_and_misses(tmp_path):
    truth = moving()
    result = truth.copy()
    result[1][truth[1] == 2] = 1  # under a wrong id
    result[1, :3, :3] = 1
    write(tmp_path / "truth/Annotations/480p/walk", truth)
    write(tmp_path / "results/walk", result)
    frames = tmp_path / "truth/JPEGImages/480p/walk"
    frames.mkdir(parents=True)
    Image.new("RGB", (40, 30), (10, 20, 30)).save(frames / "00001.jpg", quality=95)
    evaluation = run(tmp_path, task="semi_supervised")
    (worst,) = evaluation.worst_frames(1)
    assert worst.frame == "00001"
    picture = worst.picture()
    assert picture.shape == (30, 40, 3)
    red, green, blue = picture[1, 1], picture[10, 12], picture[24, 26]
    assert red.argmax() == 0
    assert green.argmax() == 1
    assert blue.argmax() == 2
    assert np.abs(picture[29, 1].astype(int) - (10, 20, 30)).max() < 9
    assert run(tmp_path).worst_frames(1)[0].picture().shape == (30, 40, 3)


def test_progress_hears_every_frame_and_can_stop(tmp_path):
    write(tmp_path / "truth/walk", moving())
    write(tmp_path / "results/walk", moving())
    heard = []
    evaluate(tmp_path / "results", tmp_path / "truth", DavisProtocolOptions(), lambda *step: heard.append(step))
    assert heard == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(EvaluationStopped):
        evaluate(tmp_path / "results", tmp_path / "truth", DavisProtocolOptions(), lambda done, total: False)
