"""`cvseg segment --explain`: a picture for every mask, a line for every object, also when the run ends early."""

from __future__ import annotations

import errno

import pytest
from click.testing import CliRunner

from cvseg.cli.__main__ import cli
from cvseg.report import explain_folder

from . import inputs
from .checks import check_nothing_left, check_results, mask_files, one_sentence


def explain(*words):
    words = ("segment", *words, "--explain", "--no-overlay", "-q")
    return CliRunner().invoke(cli, [str(word) for word in words], prog_name="cvseg")


def check(out):
    summary = check_results(out, overlay=False, explain=True)
    check_nothing_left(out)
    return summary


@pytest.mark.parametrize("preset", ["fast", "balanced"])
def test_every_mask_is_explained(preset, tmp_path):
    folder = inputs.write_folder(tmp_path / "frames", inputs.pictures(8))
    done = explain(folder, "-o", tmp_path / "out", "--preset", preset)
    assert done.exit_code == 0, done.stderr
    summary = check(tmp_path / "out")
    assert summary["tracks"]
    for track in summary["tracks"]:
        terms = track["evidence"]
        assert list(terms) == ["motion", "time", "location", "appearance", "background", "outline"]
        assert sum(terms.values()) > 0
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Why these pixels" in report
    assert 'href="explain.csv"' in report


def test_a_damaged_input_keeps_the_explanations_of_the_frames_before(tmp_path):
    done = explain(inputs.truncated_image(tmp_path), "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert "explain" in one_sentence(done.stderr)
    assert check(tmp_path / "out")["status"] == "damaged input"


def test_a_picture_that_cannot_be_written_takes_its_mask_with_it(tmp_path, monkeypatch):
    video = inputs.write_video(tmp_path / "clip.mkv", inputs.pictures(6))
    draw = explain_folder.draw_evidence

    def full_disk(result, means):
        if result.frame.index == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return draw(result, means)

    monkeypatch.setattr(explain_folder, "draw_evidence", full_disk)
    done = explain(video, "-o", tmp_path / "out", "--preset", "fast")
    assert done.exit_code == 2
    assert "disk is full" in one_sentence(done.stderr)
    masks = [path.stem for path in mask_files(tmp_path / "out")]
    assert masks == ["00000", "00001", "00002"]
    assert sorted(path.stem for path in (tmp_path / "out" / "explain").iterdir()) == masks
    check_nothing_left(tmp_path / "out")


def test_a_later_run_without_explanations_removes_the_earlier_ones(tmp_path):
    folder = inputs.write_folder(tmp_path / "frames", inputs.pictures(3))
    out = tmp_path / "out"
    assert explain(folder, "-o", out, "--preset", "fast").exit_code == 0
    words = ["segment", str(folder), "-o", str(out), "--preset", "fast", "--overwrite", "-q"]
    assert CliRunner().invoke(cli, words).exit_code == 0
    check_results(out)


def test_pictures_that_cvseg_did_not_write_are_not_replaced(tmp_path):
    folder = inputs.write_folder(tmp_path / "frames", inputs.pictures(2))
    (tmp_path / "out" / "explain").mkdir(parents=True)
    done = explain(folder, "-o", tmp_path / "out", "--overwrite")
    assert done.exit_code == 2
    assert "a folder explain that cvseg did not write" in one_sentence(done.stderr)
