"""`cvseg evaluate`: flags from options, files written whole, errors as sentences."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import sys
import types

import click
import numpy as np
import pytest
from click.testing import CliRunner

from cvseg.cli.__main__ import cli
from cvseg.evaluation.protocols import PROTOCOLS, EvaluationStopped, Protocol, report_progress
from cvseg.evaluation.record import Curve, Evaluation, FrameScore, Measure
from cvseg.options import Options, option
from cvseg.report.evaluation_page import render_evaluation
from cvseg.report.evaluation_table import evaluation_mapping


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToyOptions(Options):
    tolerance: float = option(0.5, "how far off counts as right; larger forgives more", low=0.0)
    task: str = option("single", "which rules apply", choices=("single", "several"))
    strict: bool = option(True, "refuse what is odd")
    missing_as_empty: bool = option(False, "count what is missing as empty")
    sequences: tuple[str, ...] = option((), "sequences to measure; none means all")
    images: str | None = option(None, "folder of pictures")


def toy_evaluate(results, truth, options, progress=None):
    toy_evaluate.called_with = results, truth, options
    j = Measure("j", "J", "overlap, 0 to 1")
    count = Measure("n", "frames", "frames counted", digits=0, rising=None)
    frames = [
        FrameScore("dog", "00000", {"j": 0.9}, lambda: np.zeros((4, 6, 3), np.uint8)),
        FrameScore("dog", "00001", {"j": 0.1}, lambda: np.full((4, 6, 3), 200, np.uint8)),
        FrameScore("dog", "00002", {"j": float("nan")}),
    ]
    return Evaluation(
        "toy",
        [j, count],
        {"j": 0.5, "n": 3},
        {"dog": {"j": 0.5, "n": 3}, "cat": {"j": float("nan"), "n": 0}},
        frame_measures=[j],
        frames=frames,
        curves=[Curve("curve", "x", "y", {"a": ([0, 1], [0.0, 1.0])})],
        remarks=["cat has no frames & counts nothing."],
        settings=options.to_mapping(),
        details={"array": np.array([1, 2])},
    )


@pytest.fixture
def toy(monkeypatch):
    module = types.ModuleType("cvseg.evaluation.protocols.toy")
    module.__doc__ = "A toy protocol.\n\nFiles: results/SEQ.txt"
    module.ToyOptions = ToyOptions
    module.evaluate = toy_evaluate
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(PROTOCOLS, "toy", Protocol("A toy.", "toy", "ToyOptions"))


def run(*words):
    return CliRunner().invoke(cli, ["evaluate", *[str(word) for word in words]], prog_name="cvseg")


def test_flags_come_from_the_options_of_the_protocol(toy):
    text = run("toy", "--help").output
    for flag in (
        "--tolerance",
        "--task [single|several]",
        "--no-strict",
        "--missing-as-empty",
        "--sequences",
        "--images",
    ):
        assert flag in text
    done = run(
        *[
            "toy",
            "--results",
            "a",
            "--truth",
            "b",
            "--tolerance",
            "2",
            "--no-strict",
            "--sequences",
            "dog",
            "--sequences",
            "cat",
        ],
    )
    assert done.exit_code == 0, done.output
    options = toy_evaluate.called_with[2]
    assert options == ToyOptions(tolerance=2.0, strict=False, sequences=("dog", "cat"))


def test_the_table_ends_with_the_overall_figures_and_undefined_ones_are_dashes(toy):
    lines = run("toy", "--results", "a", "--truth", "b", "-q").output.splitlines()
    assert [line.split() for line in lines] == [
        ["sequence", "J", "frames"],
        ["dog", "0.5000", "3"],
        ["cat", "-", "0"],
        ["overall", "0.5000", "3"],
    ]


def test_json_holds_everything_and_nothing_that_json_lacks(toy, tmp_path):
    assert run("toy", "--results", "a", "--truth", "b", "--json", tmp_path / "sub" / "e.json").exit_code == 0
    data = json.loads((tmp_path / "sub" / "e.json").read_text())
    assert data["overall"] == {"j": 0.5, "n": 3}
    assert data["rows"]["cat"]["j"] is None
    assert data["frames"][1] == {"sequence": "dog", "frame": "00001", "j": 0.1}
    assert data["settings"]["tolerance"] == 0.5
    assert data["details"]["array"] == [1, 2]


def test_the_page_shows_the_worst_frame_first_and_needs_no_network(toy, tmp_path):
    page = tmp_path / "e.html"
    assert run("toy", "--results", "a", "--truth", "b", "--html", page, "--worst", 2).exit_code == 0
    text = page.read_text()
    assert text.index("dog 00001: J 0.1000") < text.index("dog 00000: J 0.9000")
    assert text.count("data:image/jpeg") == 2
    assert "cat has no frames &amp; counts nothing." in text
    assert "<svg" in text
    assert "http://" not in text and "https://" not in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--json .", "is a folder"),
        ("--html ''", "is empty"),
        ("--json a", "is an input"),
        ("--tolerance -1", "tolerance"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(toy, tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    toy_evaluate.called_with = None
    done = run("toy", "--results", "a", "--truth", "b", *[word.strip("'") for word in words.split()])
    assert done.exit_code == 2
    assert sentence in done.output
    assert toy_evaluate.called_with is None


def test_a_device_is_written_to_and_never_replaced(toy, tmp_path):
    full = tmp_path / "full.json"
    full.symlink_to("/dev/full")
    done = run("toy", "--results", "a", "--truth", "b", "--json", full)
    assert done.exit_code == 2
    assert "the disk is full" in done.output
    assert full.is_symlink() and stat.S_ISCHR(full.stat().st_mode)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run("toy", "--results", "a", "--truth", "b", "-q", "--json", pipe).exit_code == 0
        assert json.loads(os.read(reader, 1 << 16))["overall"] == {"j": 0.5, "n": 3}
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full.json", "pipe"]


def test_one_file_cannot_be_both_reports(toy, tmp_path):
    done = run("toy", "--results", "a", "--truth", "b", "--json", tmp_path / "e", "--html", tmp_path / "e")
    assert done.exit_code == 2
    assert "expected two files" in done.output
    assert not (tmp_path / "e").exists()


def test_an_interrupted_evaluation_leaves_the_earlier_report_and_says_one_line(toy, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    page = tmp_path / "e.html"
    page.write_text("earlier")
    monkeypatch.setattr(sys.modules["cvseg.evaluation.protocols.toy"], "evaluate", interrupted)
    done = run("toy", "--results", "a", "--truth", "b", "--html", page, "--json", tmp_path / "e.json")
    assert (done.exit_code, done.output) == (130, "cvseg: stopped.\n")
    assert page.read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["e.html"]


def test_results_that_are_the_truth_are_remarked(toy, tmp_path):
    done = run("toy", "--results", tmp_path, "--truth", tmp_path / "." / "..", "--json", tmp_path / "e.json")
    assert "the results are the truth itself" not in done.output
    done = run("toy", "--results", tmp_path, "--truth", f"{tmp_path}/.")
    assert "the results are the truth itself" in done.output


def test_what_overall_means_is_on_the_page_in_the_json_and_below_the_table(tmp_path):
    j = Measure("j", "J", "overlap")
    rows = {"dog": {"j": 0.5}, "cat": {"j": 0.9}, "cow": {"j": 0.7}, "pets (mean)": {"j": 0.95}}
    evaluation = Evaluation(
        "toy", [j], {"j": 0.7}, rows, overall_doc="mean of the sequences", group_rows=["pets (mean)"]
    )
    page = render_evaluation(evaluation, results="a", truth="b")
    assert "Overall: mean of the sequences." in page
    assert page.count('class="best"') == page.count('class="worst"') == 1  # the mean of others is neither
    assert '<td data-value="0.9" class="best">' in page
    assert evaluation_mapping(evaluation, results="a", truth="b")["overall_is"] == "mean of the sequences"


def test_many_measures_of_few_rows_stand_below_each_other_with_their_meaning():
    measures = [Measure(f"m{i}", f"M{i}", f"meaning {i}") for i in range(30)]
    values = {measure.key: 0.25 for measure in measures}
    few = Evaluation("toy", measures, values, {"dog": values})
    assert render_evaluation(few, results="a", truth="b").count('<td class="meaning">meaning') == 30
    many = dataclasses.replace(few, rows={str(i): values for i in range(9)})
    assert '<td class="meaning">' not in render_evaluation(many, results="a", truth="b")


def test_images_in_no_order_have_no_curve_over_time():
    j = Measure("j", "J", "overlap")
    frames = [FrameScore("", str(i), {"j": i / 4}) for i in range(4)]
    video = Evaluation("toy", [j], {}, {}, frame_measures=[j], frames=frames)
    assert "J over time" in render_evaluation(video, results="a", truth="b")
    images = dataclasses.replace(video, frames_in_time=False, frame_title="image")
    page = render_evaluation(images, results="a", truth="b")
    assert "J over time" not in page and "Worst images by J" in page


def test_a_curve_of_single_points_is_left_out():
    curve = Curve("lonely", "frame", "y", {"a": ([0], [0.5]), "b": ([0, 1], [0.5, float("nan")])})
    page = render_evaluation(Evaluation("toy", [], {}, {}, curves=[curve]), results="a", truth="b")
    assert "lonely" not in page


def test_an_unknown_protocol_names_the_nearest(toy):
    done = run("tooy")
    assert done.exit_code == 2
    assert "did you mean 'toy'?" in done.output


def test_progress_can_stop_an_evaluation():
    report_progress(None, 1, 2)
    report_progress(lambda done, total: None, 1, 2)
    with pytest.raises(EvaluationStopped, match="after 1 of 2"):
        report_progress(lambda done, total: False, 1, 2)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_has_options_flags_with_help_and_refuses_absent_folders(name, tmp_path):
    done = run(name, "--help")
    assert done.exit_code == 0, done.output
    command = cli.get_command(None, "evaluate").get_command(None, name)
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))
    done = run(name, "--results", tmp_path / "no", "--truth", tmp_path / "none")
    assert done.exit_code == 2
    assert "does not exist" in done.output
    assert "Traceback" not in done.output
