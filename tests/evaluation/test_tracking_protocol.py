"""`cvseg evaluate tracking`: equal to TrackEval and py-motmetrics on whole folders; layouts, errors, pictures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cvseg.errors import FormatError, InputError
from cvseg.evaluation.protocols import PROTOCOLS, EvaluationStopped
from cvseg.evaluation.protocols.tracking import MEASURES, TrackingProtocolOptions, evaluate
from cvseg.formats.mots import read_mots, write_mots_png

REFERENCE = json.loads((Path(__file__).parent.parent / "reference" / "tracking.json").read_text())
TRACKEVAL = {
    "HOTA": "hota",
    "DetA": "det_a",
    "AssA": "ass_a",
    "DetRe": "det_re",
    "DetPr": "det_pr",
    "AssRe": "ass_re",
    "AssPr": "ass_pr",
    "LocA": "loc_a",
    "OWTA": "owta",
    "HOTA(0)": "hota_0",
    "LocA(0)": "loc_a_0",
    "HOTALocA(0)": "hota_loc_a_0",
    "MOTA": "mota",
    "MOTP": "motp",
    "MODA": "moda",
    "sMOTA": "smota",
    "CLR_Re": "recall",
    "CLR_Pr": "precision",
    "CLR_F1": "f1",
    "CLR_FN": "misses",
    "CLR_FP": "false_positives",
    "IDSW": "identity_switches",
    "Frag": "fragmentations",
    "MT": "mostly_tracked",
    "PT": "partly_tracked",
    "ML": "mostly_lost",
    "IDF1": "idf1",
    "IDR": "idr",
    "IDP": "idp",
    "IDTP": "idtp",
    "IDFN": "idfn",
    "IDFP": "idfp",
}
MOTMETRICS = {
    "idf1": "idf1",
    "idp": "idp",
    "idr": "idr",
    "recall": "recall",
    "precision": "precision",
    "mostly_tracked": "mostly_tracked",
    "partially_tracked": "partly_tracked",
    "mostly_lost": "mostly_lost",
    "num_false_positives": "false_positives",
    "num_misses": "misses",
    "num_switches": "identity_switches",
    "num_fragmentations": "fragmentations",
    "mota": "mota",
}
BY_ALPHA = {"HOTA": "hota", "DetA": "det_a", "AssA": "ass_a", "LocA": "loc_a", "HOTA_TP": "true_positives"}


def ask(results, truth, progress=None, **options):
    return evaluate(Path(results), Path(truth), TrackingProtocolOptions(**options), progress)


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def lay_out(folder, sequences):
    """truth/NAME/gt/gt.txt with seqinfo.ini, and results/NAME.txt."""
    for name, one in sequences.items():
        write(folder / "truth" / name / "gt" / "gt.txt", one["truth"])
        write(folder / "truth" / name / "seqinfo.ini", ["[Sequence]", f"seqLength={one['length']}"])
        write(folder / "results" / f"{name}.txt", one["result"])
    return folder / "results", folder / "truth"


def assert_equal(evaluation, figures):
    for name, reference in figures.items():
        row = evaluation.overall if name == "COMBINED" else evaluation.rows[name]
        for key, own in TRACKEVAL.items():
            assert row[own] == pytest.approx(reference[key], abs=1e-9), (name, key)
        curves = evaluation.details["by_alpha"]["overall" if name == "COMBINED" else name]
        for key, own in BY_ALPHA.items():
            np.testing.assert_allclose(curves[own], reference[f"{key} by alpha"], rtol=0, atol=1e-9)


@pytest.mark.parametrize("preprocessing", ["auto", "mot16", "none"])
def test_boxes_of_several_sequences_equal_trackeval(tmp_path, preprocessing):
    evaluation = ask(*lay_out(tmp_path, REFERENCE["boxes"]), preprocessing=preprocessing)
    which = "boxes without preprocessing" if preprocessing == "none" else "boxes with preprocessing"
    assert_equal(evaluation, REFERENCE[which])
    assert any("match distractors" in remark for remark in evaluation.remarks) == (preprocessing != "none")
    assert list(evaluation.overall) == [measure.key for measure in MEASURES]


def test_boxes_by_the_rules_of_motmetrics_equal_motmetrics(tmp_path):
    evaluation = ask(*lay_out(tmp_path, REFERENCE["boxes"]), preprocessing="none", rules="motmetrics")
    for name, reference in REFERENCE["boxes by motmetrics"].items():
        for key, own in MOTMETRICS.items():
            assert evaluation.rows[name][own] == pytest.approx(reference[key], abs=1e-9), (name, key)
        assert 1 - evaluation.rows[name]["motp"] == pytest.approx(reference["motp"], abs=1e-9)


@pytest.mark.parametrize("truth_png", [False, True])
@pytest.mark.parametrize("result_png", [False, True])
def test_masks_of_several_sequences_equal_trackeval_in_every_file_format(tmp_path, truth_png, result_png):
    results, truth = lay_out(tmp_path, REFERENCE["masks"])
    for name, one in REFERENCE["masks"].items():
        for wanted, source, target in (
            (truth_png, truth / name / "gt" / "gt.txt", truth / name),
            (result_png, results / f"{name}.txt", results / name),
        ):
            if wanted:
                frames = read_mots(source)
                write_mots_png(target, frames.values())
                assert len(frames) <= one["length"]
                source.unlink()
    evaluation = ask(results, truth, classes=(2,))
    assert_equal(evaluation, REFERENCE["masks of class 2"])
    assert any("ignored regions" in remark for remark in evaluation.remarks)


def test_every_class_of_masks_has_its_rows_and_the_overall_row_adds_their_counts(tmp_path):
    evaluation = ask(*lay_out(tmp_path, REFERENCE["masks"]))
    single = {name: row for name, row in evaluation.rows.items() if not name.startswith("all")}
    for key in ("misses", "false_positives", "idtp", "true_objects"):
        assert evaluation.overall[key] == sum(row[key] for row in single.values())
        by_class = [row[key] for name, row in evaluation.rows.items() if name.startswith("all, class")]
        assert evaluation.overall[key] == sum(by_class)
    assert evaluation.rows["all, class 2"]["hota"] == pytest.approx(
        REFERENCE["masks of class 2"]["COMBINED"]["HOTA"], abs=1e-9
    )


@pytest.mark.data
def test_the_published_example_of_motmetrics_equals_both_programs(data_folder):
    folder = data_folder / "MOT/TUD-Campus/motmetrics_example"  # codespell:ignore mot
    reference = json.loads((folder / "reference_scores.json").read_text())
    for rules in ("trackeval", "motmetrics"):
        overall = ask(folder / "test.txt", folder / "gt.txt", rules=rules).overall
        flat = reference["HOTA"] | reference["CLEAR"] | reference["Identity"]
        for key, own in TRACKEVAL.items():
            assert overall[own] == pytest.approx(flat[key], abs=1e-9), key
        for key, own in MOTMETRICS.items():
            assert overall[own] == pytest.approx(reference["py-motmetrics 1.4.0"][key], abs=1e-9), key


@pytest.mark.data
def test_real_truth_against_itself_is_perfect_and_distractors_do_not_hurt(data_folder, tmp_path):
    truth = data_folder / "MOT/MOT16-09"  # codespell:ignore mot
    lines = (truth / "gt" / "gt.txt").read_text().split()
    # Classes 8 and 12 are distractors; class 9 is neither counted nor one.
    result = write(tmp_path / "result.txt", [line for line in lines if line.split(",")[7] != "9"])
    evaluation = ask(result, truth)
    assert evaluation.overall["frames"] == 525
    assert {evaluation.overall[key] for key in ("hota", "mota", "idf1")} == {1.0}
    assert evaluation.overall["true_objects"] == 5257


def one_line_each(tmp_path, result="1,5,1,1,10,10,1,-1,-1,-1", truth="1,1,1,1,10,10,1,1,1"):
    return write(tmp_path / "out" / "SEQ.txt", [result]), write(tmp_path / "true" / "SEQ.txt", [truth])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1,5,1,1,10,10,1", "1,6,1,1"], r"SEQ.txt, line 2: 4 columns"),
        (["", "1,5,1,1,10,ten,1"], r"SEQ.txt, line 2: column 6 is 'ten'"),
        (["2,5,1,1,10,10", "", "2,5,3,3,10,10"], r"SEQ.txt, line 3: id 5 stands twice in frame 2 \(first in line 1\)"),
        (["1,5,1,1,10,10", "", "1,-1,1,1,10,10"], r"SEQ.txt, line 3: id is -1, a box without identity"),
        (["0,5,1,1,10,10"], r"SEQ.txt, line 1: frame is 0"),
        (["2000000000,5,1,1,10,10"], r"SEQ.txt, line 1: frame 2000000000; expected at most 1000000 without"),
    ],
)
def test_damaged_lines_are_named(tmp_path, lines, message):
    result, truth = one_line_each(tmp_path)
    write(result, lines)
    with pytest.raises(FormatError, match=message):
        ask(result.parent, truth.parent)


def test_frames_behind_the_end_of_the_sequence_are_refused_with_their_line(tmp_path):
    results, truth = lay_out(
        tmp_path, {"S": {"length": 2, "truth": ["1,1,1,1,9,9,1,1,1"], "result": ["1,4,1,1,9,9", "3,4,1,1,9,9"]}}
    )
    with pytest.raises(FormatError, match=r"S.txt, line 2: frame 3; expected at most 2"):
        ask(results, truth)
    write(truth / "S" / "seqinfo.ini", ["[Sequence]", "name=S"])
    with pytest.raises(FormatError, match=r"seqinfo.ini has no seqLength"):
        ask(results, truth)
    (truth / "S" / "seqinfo.ini").unlink()
    assert ask(results, truth).overall["frames"] == 3


def test_classes_are_chosen_and_wrong_ones_refused(tmp_path):
    truth = ["1,1,1,1,9,9,1,1,1", "1,2,30,1,9,9,1,3,1", "1,3,60,1,9,9,0,8,1", "1,4,90,1,9,9,0,6,1"]
    boxes = ["1,4,1,1,9,9", "1,5,30,1,9,9", "1,6,60,1,9,9", "1,7,90,1,9,9"]
    results, folder = lay_out(tmp_path, {"MOT20-77": {"length": 1, "truth": truth, "result": boxes}})

    def false_positives(**options):
        return ask(results, folder, **options).overall["false_positives"]

    # Cars (3) are no distractors; of class 6 that is said by MOT20 alone, which the name chooses.
    assert false_positives() == 1
    assert false_positives(preprocessing="mot16") == 2
    assert false_positives(preprocessing="none") == 2
    assert false_positives(preprocessing="none", classes=(3,)) == 3
    assert false_positives(classes=(1, 3)) == 0
    write(folder / "MOT20-77" / "gt" / "gt.txt", [*truth, "1,5,120,1,9,9,1,14,1"])
    with pytest.raises(FormatError, match=r"gt.txt, line 5: class \(column 8\) is 14"):
        false_positives(preprocessing="mot20")
    assert false_positives() == 2


def test_missing_and_extra_results_are_named(tmp_path):
    result, truth = one_line_each(tmp_path)
    write(truth.parent / "OTHER.txt", ["1,1,1,1,10,10,1,1,1"])
    with pytest.raises(InputError, match=r"1 of 2 sequences have no result \(OTHER\).*--missing-as-empty"):
        ask(result.parent, truth.parent)
    write(result.parent / "STRAY.txt", ["1,1,1,1,10,10"])
    evaluation = ask(result.parent, truth.parent, missing_as_empty=True)
    assert evaluation.overall["misses"] == 1
    text = " ".join(evaluation.remarks)
    assert "1 of 2 results are missing and counted as empty: OTHER." in text
    assert "1 results have no truth and were not counted: STRAY.txt." in text
    assert "OTHER: the result is empty" in text
    result.rename(result.with_name("WRONG.txt"))
    with pytest.raises(InputError, match="2 of 2 sequences have no result"):
        ask(result.parent, truth.parent, missing_as_empty=True)
    with pytest.raises(InputError, match="nowhere does not exist; expected the truth"):
        ask(result.parent, tmp_path / "nowhere")
    with pytest.raises(InputError, match="nowhere is no folder; expected the pictures"):
        ask(result.parent, truth.parent, images=str(tmp_path / "nowhere"))
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="holds no truth"):
        ask(result.parent, tmp_path / "bare")


def test_every_layout_of_results_is_found_and_two_at_once_are_refused(tmp_path):
    result, truth = one_line_each(tmp_path)
    line = result.read_text()
    places = ["SEQ.txt", "data/SEQ.txt", "SEQ/tracks.txt", "SEQ/SEQ.txt", "tracks.txt"]
    for i, place in enumerate(places):
        folder = tmp_path / f"results{i}"
        write(folder / place, [line])
        assert ask(folder, truth.parent).overall["hota"] == 1.0
        assert ask(folder / place, truth).overall["hota"] == 1.0
    write(tmp_path / "results0" / "data" / "SEQ.txt", [line])
    with pytest.raises(FormatError, match="could both be the result of SEQ"):
        ask(tmp_path / "results0", truth.parent)
    write(truth.parent / "SEQ" / "gt.txt", [truth.read_text()])
    with pytest.raises(FormatError, match="are both the truth of SEQ"):
        ask(result.parent, truth.parent)


def test_empty_truth_and_empty_results_are_measured_and_remarked(tmp_path):
    result, truth = one_line_each(tmp_path)
    truth.write_text("")
    evaluation = ask(result, truth)
    assert (evaluation.overall["mota"], evaluation.overall["hota"]) == (0.0, 0.0)
    assert "but in the result: MOTA is 1 - FP" in evaluation.remarks[0]
    result.write_text("\n")
    both = ask(result, truth)
    assert both.overall["mota"] == 1.0
    assert "nor in the result" in both.remarks[0]
    assert both.frames == []


def discs(*objects, size_hw=(40, 60)):
    labels = np.zeros(size_hw, np.uint16)
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    for value, cx, cy in objects:
        labels[(x - cx) ** 2 + (y - cy) ** 2 < 36] = value
    return labels


def save_masks(folder, frames, first=1):
    folder.mkdir(parents=True, exist_ok=True)
    for number, labels in enumerate(frames, start=first):
        Image.fromarray(labels).save(folder / f"{number:06d}.png")


def test_masks_without_classes_are_taken_for_the_one_class_of_the_truth(tmp_path):
    save_masks(tmp_path / "true" / "S", [discs((2001, 10, 10)), discs((2001, 30, 20))])
    save_masks(tmp_path / "out" / "S", [discs((7, 10, 10)), discs((7, 30, 20))])
    evaluation = ask(tmp_path / "out", tmp_path / "true")
    assert evaluation.overall["hota"] == 1.0
    assert any("name no class" in remark for remark in evaluation.remarks)
    # Without classes on both sides nothing needs a remark; ids may be above 255.
    save_masks(tmp_path / "plain" / "S", [discs((301, 10, 10)), discs((301, 30, 20))])
    evaluation = ask(tmp_path / "plain", tmp_path / "plain")
    assert (evaluation.overall["hota"], evaluation.remarks) == (1.0, [])
    # Objects of another class do not count.
    save_masks(tmp_path / "cars" / "S", [discs((2001, 10, 10), (1001, 40, 20)), discs((2001, 30, 20))])
    evaluation = ask(tmp_path / "cars", tmp_path / "true")
    assert evaluation.overall["hota"] == 1.0
    assert evaluation.remarks == ["S: objects of the result of class 1 were not counted."]


def test_missing_and_extra_frames_of_masks_are_named_and_sizes_must_agree(tmp_path):
    save_masks(tmp_path / "true" / "S", [discs((2001, 10, 10))] * 3, first=0)
    save_masks(tmp_path / "out" / "S", [discs((2001, 10, 10))] * 3, first=2)
    evaluation = ask(tmp_path / "out", tmp_path / "true")
    assert (evaluation.overall["frames"], evaluation.overall["misses"]) == (3, 2)
    assert "S: frames 3, 4 of the result have no truth and were not counted." in evaluation.remarks
    assert "S: 2 of 3 frames have no result and count as empty: 0, 1." in evaluation.remarks
    save_masks(tmp_path / "out" / "S", [discs((2001, 10, 10), size_hw=(20, 60))], first=2)
    with pytest.raises(FormatError, match="is 60x20 pixels; expected 60x40"):
        ask(tmp_path / "out", tmp_path / "true")
    save_masks(tmp_path / "out" / "S", [discs((2001, 10, 10))], first=2)
    (tmp_path / "out" / "S" / "2.png").write_bytes((tmp_path / "out" / "S" / "000002.png").read_bytes())
    with pytest.raises(FormatError, match="two files are frame 2"):
        ask(tmp_path / "out", tmp_path / "true")
    (tmp_path / "out" / "S" / "2.png").rename(tmp_path / "out" / "S" / "last.png")
    with pytest.raises(FormatError, match="the name is no number"):
        ask(tmp_path / "out", tmp_path / "true")


def test_a_frame_that_stands_in_no_file_is_drawn_and_counts_nothing(tmp_path):
    line = "{} 2001 2 4 4 04<"  # four pixels of sixteen
    truth = write(tmp_path / "true" / "S.txt", [line.format(1), line.format(3)])
    evaluation = ask(write(tmp_path / "out" / "S.txt", [line.format(3)]), truth)
    assert [frame.scores["mistakes"] for frame in evaluation.frames] == [1.0, 0.0, 0.0]
    assert all(frame.picture().shape[2] == 3 for frame in evaluation.frames)
    with pytest.raises(FormatError, match="frame 2000000000 occurs; expected at most 1000000 without"):
        ask(write(tmp_path / "out" / "S.txt", [line.format(2000000000)]), truth)
    write(tmp_path / "true" / "seqinfo.ini", ["[Sequence]", "seqLength=2"])
    with pytest.raises(FormatError, match="frame 3 occurs; expected at most 2 with the length 2"):
        ask(write(tmp_path / "out" / "S.txt", [line.format(1)]), truth)
    assert evaluation.frames[0].picture().shape == (4, 4, 3)


def test_the_worst_frames_come_first_with_matched_missed_wrong_and_switched_objects_in_colour(tmp_path):
    truth = [f"{frame},{i},{x},31,20,40,1,1,1" for frame in (1, 2, 3) for i, x in ((1, 11), (2, 61))]
    result = ["1,7,11,31,20,40", "1,8,61,31,20,40", "2,9,11,31,20,40", "2,6,131,31,20,40", "3,9,11,31,20,40"]
    results, folder = lay_out(tmp_path, {"S": {"length": 3, "truth": truth, "result": result}})
    (folder / "S" / "img1").mkdir()
    for number in (1, 2, 3):
        Image.new("RGB", (160, 120), (10, 20, 30)).save(folder / "S" / "img1" / f"{number:06d}.png")
    evaluation = ask(results, folder)
    worst = evaluation.worst_frames(3)
    assert [frame.frame for frame in worst] == ["000002", "000003", "000001"]
    assert worst[0].scores == {"mistakes": 3.0, "false_positives": 1.0, "misses": 1.0, "identity_switches": 1.0}
    picture = worst[0].picture()
    middle = [picture[50, x].tolist() for x in (10, 60, 130, 100)]
    assert middle == [[255, 190, 0], [60, 110, 255], [235, 50, 50], [10, 20, 30]]
    assert worst[2].picture()[50, 60].tolist() == [40, 200, 80]
    # Without pictures and without a size there is nothing to draw on.
    (tmp_path / "none").mkdir()
    assert (
        ask(results / "S.txt", folder / "S" / "gt" / "gt.txt", images=str(tmp_path / "none")).frames[0].picture is None
    )


def test_curves_run_over_all_thresholds(tmp_path):
    evaluation = ask(*lay_out(tmp_path, REFERENCE["boxes"]))
    first, second = evaluation.curves
    assert set(first.lines) == {"HOTA", "DetA", "AssA", "LocA"}
    assert set(second.lines) == set(REFERENCE["boxes"])
    alphas, values = first.lines["HOTA"]
    assert (len(alphas), alphas[0], alphas[-1]) == (19, 0.05, pytest.approx(0.95))
    assert float(np.mean(values)) == pytest.approx(evaluation.overall["hota"])


def test_progress_is_told_and_can_stop(tmp_path):
    told = []
    results, truth = lay_out(tmp_path, REFERENCE["boxes"])
    ask(results, truth, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(EvaluationStopped):
        ask(results, truth, lambda done, total: False)
    told.clear()
    save_masks(tmp_path / "true" / "S", [discs((2001, 10, 10))] * 4)
    ask(tmp_path / "true", tmp_path / "true", lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with pytest.raises(EvaluationStopped):
        ask(tmp_path / "true", tmp_path / "true", lambda done, total: done < 2)


def test_the_protocol_stands_in_the_table_and_every_value_has_a_measure(tmp_path):
    assert PROTOCOLS["tracking"].load().evaluate is evaluate
    evaluation = ask(*one_line_each(tmp_path))
    keys = {measure.key for measure in evaluation.measures}
    assert set(evaluation.overall) == keys
    assert all(measure.doc for measure in evaluation.measures)
    assert all(set(frame.scores) == {m.key for m in evaluation.frame_measures} for frame in evaluation.frames)
    assert not math.isnan(evaluation.overall["motp"])
