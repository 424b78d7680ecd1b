"""Outputs that cannot be written, or that hold something already: said before any work, and nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from cvseg.cli.__main__ import cli
from cvseg.formats import davis

from . import inputs
from .checks import check_nothing_left, check_results, mask_files, one_sentence


def segment(*words):
    return CliRunner().invoke(cli, [str(word) for word in ("segment", *words)], prog_name="cvseg")


@pytest.fixture
def video(tmp_path):
    return inputs.write_video(tmp_path / "clip.mkv", inputs.pictures(6))


@pytest.fixture
def never_computes(monkeypatch):
    """Fails the test when the pipeline is started."""

    def started(*_, **__):
        pytest.fail("the pipeline was started")

    monkeypatch.setattr("cvseg.pipeline.segment", started)


def test_a_folder_that_cannot_be_made_is_refused_before_computing(video, never_computes):
    done = segment(video, "-o", "/proc/cvseg-out")
    assert done.exit_code == 2
    assert "/proc/cvseg-out" in one_sentence(done.stderr)


def test_a_folder_without_write_permission_is_refused_before_computing(video, tmp_path, never_computes):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "locked").mkdir(mode=0o555)
    done = segment(video, "-o", tmp_path / "locked")
    assert done.exit_code == 2
    assert "permission" in one_sentence(done.stderr)


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_an_output_that_is_a_file_is_refused_and_the_file_stays(out, video, tmp_path, never_computes):
    (tmp_path / "file").write_text("precious")
    done = segment(video, "-o", tmp_path / out)
    assert done.exit_code == 2
    assert "file" in one_sentence(done.stderr)
    assert (tmp_path / "file").read_text() == "precious"


def test_the_input_folder_is_refused_as_output(tmp_path, never_computes):
    folder = inputs.write_folder(tmp_path / "frames", inputs.pictures(2))
    done = segment(folder, "-o", folder, "--overwrite")
    assert done.exit_code == 2
    assert "input itself" in one_sentence(done.stderr)
    assert len(list(folder.iterdir())) == 2


def test_a_nearly_full_disk_is_refused_before_computing(video, tmp_path, monkeypatch, never_computes):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**9, used=10**9, free=1_000_000))
    done = segment(video, "-o", tmp_path / "a" / "b")
    assert done.exit_code == 2
    assert "has 1 MB left" in one_sentence(done.stderr)
    assert not (tmp_path / "a").exists()


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(video, tmp_path, never_computes):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("precious")
    done = segment(video, "-o", out)
    assert done.exit_code == 2
    assert "not empty" in one_sentence(done.stderr)
    assert [path.name for path in out.iterdir()] == ["thesis.tex"]


def test_earlier_results_are_kept_unless_overwrite_is_given(video, tmp_path):
    out = tmp_path / "out"
    assert segment(video, "-o", out).exit_code == 0
    before = (out / "summary.json").read_bytes()
    done = segment(video, "-o", out)
    assert done.exit_code == 2
    assert "--overwrite" in one_sentence(done.stderr)
    assert (out / "summary.json").read_bytes() == before


def test_overwrite_replaces_the_earlier_results_and_nothing_else(tmp_path):
    out = tmp_path / "out"
    long = inputs.write_video(tmp_path / "long.mkv", inputs.pictures(8))
    short = inputs.write_video(tmp_path / "short.mkv", inputs.pictures(3))
    assert segment(long, "-o", out).exit_code == 0
    (out / "notes.txt").write_text("precious")
    assert segment(short, "-o", out, "--overwrite").exit_code == 0
    assert (out / "notes.txt").read_text() == "precious"
    (out / "notes.txt").unlink()
    assert check_results(out)["video"]["frames"] == 3


def test_a_clip_of_two_frames_has_its_object(tmp_path):
    out = tmp_path / "out"
    clip = inputs.write_video(tmp_path / "two.mkv", inputs.pictures(12)[::6])
    assert segment(clip, "-o", out).exit_code == 0
    assert check_results(out)["video"]["frames"] == 2
    assert len(json.loads((out / "summary.json").read_text())["tracks"]) >= 1


def test_overwrite_does_not_delete_masks_that_cvseg_did_not_write(video, tmp_path, never_computes):
    out = tmp_path / "out"
    (out / "masks").mkdir(parents=True)
    (out / "masks" / "truth.png").write_bytes(b"precious")
    done = segment(video, "-o", out, "--overwrite")
    assert done.exit_code == 2
    assert "did not write" in one_sentence(done.stderr)
    assert (out / "masks" / "truth.png").read_bytes() == b"precious"


def test_a_run_that_fails_at_once_does_not_cost_the_earlier_results(video, tmp_path):
    out = tmp_path / "out"
    assert segment(video, "-o", out).exit_code == 0
    assert segment(inputs.zero_bytes(tmp_path), "-o", out, "--overwrite").exit_code == 2
    done = segment(video, "-o", out, "--overwrite", "--roi", "5000,5000,10,10")
    assert done.exit_code == 2
    one_sentence(done.stderr)
    assert check_results(out)["status"] == "complete"


def test_a_disk_that_fills_up_keeps_every_finished_frame(video, tmp_path, monkeypatch):
    write, out = davis.write_mask, tmp_path / "out"

    def until_full(path, labels):
        if path.name == "00004.png":
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, labels)

    monkeypatch.setattr(davis, "write_mask", until_full)
    done = segment(video, "-o", out)
    assert done.exit_code == 2
    sentence = one_sentence(done.stderr)
    assert "full" in sentence
    assert "4 frames" in sentence
    summary = check_results(out)
    assert (summary["status"], summary["video"]["frames"]) == ("failed", 4)
    check_nothing_left(out)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_really_full_disk_keeps_every_finished_frame(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        video = inputs.write_video(tmp_path / "clip.mkv", inputs.pictures(12))
        (disk / "ballast").write_bytes(bytes(3_200_000))
        calls = []
        write = davis.write_mask

        def fill_up(path, labels):
            calls.append(path)
            if len(calls) == 5:  # another program takes what is left
                with open(disk / "other", "wb") as other:
                    try:
                        while True:
                            other.write(bytes(65536))
                            other.flush()
                    except OSError:
                        pass
            write(path, labels)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(davis, "write_mask", fill_up)
            done = segment(video, "-o", disk / "out")
        assert done.exit_code == 2
        assert "full" in one_sentence(done.stderr)
        summary = check_results(disk / "out")
        assert summary["status"] == "failed"
        assert summary["video"]["frames"] >= 4
    finally:
        subprocess.run(["umount", disk], check=True)


def test_without_overlay_there_is_no_video_and_the_report_still_has_pictures(video, tmp_path):
    assert segment(video, "-o", tmp_path / "out", "--no-overlay").exit_code == 0
    check_results(tmp_path / "out", overlay=False)
    assert "data:image/jpeg;base64," in (tmp_path / "out" / "report.html").read_text()


def test_quiet_prints_nothing(video, tmp_path):
    done = segment(video, "-o", tmp_path / "out", "--quiet")
    assert (done.exit_code, done.output) == (0, "")


def test_the_summary_names_what_decided_the_result(video, tmp_path):
    words = ("--preset", "fast", "--device", "cpu", "--roi", "0,0,40,40", "--min-area", "9")
    assert segment(video, "-o", tmp_path / "out", *words).exit_code == 0
    summary = check_results(tmp_path / "out")
    settings = summary["settings"]
    assert (settings["preset"], settings["device"]) == ("fast", "cpu")
    assert (settings["roi"], settings["min_area"]) == ("0,0,40,40", "9")
    assert summary["input"] == str(video)
    assert summary["speed"]["stages_ms_per_frame"]


def test_nothing_is_found_outside_the_region_of_interest(video, tmp_path):
    from cvseg.formats import read_mask

    assert segment(video, "-o", tmp_path / "out", "--roi", "30,0,34,48").exit_code == 0
    for path in mask_files(tmp_path / "out"):
        assert not read_mask(path)[:, :30].any()


@pytest.mark.parametrize("roi", ["60,0,40,10", "0,0", "nowhere.png", "0,0,0,5"])
def test_a_region_that_cannot_be_used_gets_one_sentence(roi, video, tmp_path):
    done = segment(video, "-o", tmp_path / "out", "--roi", roi)
    if roi == "60,0,40,10" and done.exit_code == 0:
        pytest.skip("a box that reaches over the edge is clipped")
    assert done.exit_code == 2
    one_sentence(done.stderr)
    assert not (tmp_path / "out").exists()


def test_cuda_without_a_gpu_is_an_error_and_not_a_fallback(video, tmp_path):
    from cvseg.arrays import cuda_available

    if cuda_available():
        pytest.skip("this machine has a GPU")
    done = segment(video, "-o", tmp_path / "out", "--device", "cuda")
    assert done.exit_code == 2
    assert "cuda" in one_sentence(done.stderr)
    assert not (tmp_path / "out").exists()


def test_the_summary_can_be_read_while_the_run_goes_on(video, tmp_path, monkeypatch):
    out, seen = tmp_path / "out", []
    write = davis.write_mask

    def look(path, labels):
        seen.append(json.loads((out / "summary.json").read_text())["status"])
        write(path, labels)

    monkeypatch.setattr(davis, "write_mask", look)
    assert segment(video, "-o", out).exit_code == 0
    assert set(seen) == {"running"}
