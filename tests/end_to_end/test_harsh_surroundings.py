"""Names that are no UTF-8, closed outputs, a full cache, no home: the run goes on, or one sentence says why not."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from cvseg.cli.__main__ import cli
from cvseg.cli.run import _terminate_like_ctrl_c, _undisturbed
from cvseg.report import results_folder

from . import inputs
from .checks import check_nothing_left, check_results, one_sentence


def segment(*words):
    return CliRunner().invoke(cli, [str(word) for word in ("segment", *words)], prog_name="cvseg")


def segment_in_shell(folder, redirection):
    words = [
        sys.executable,
        "-m",
        "cvseg.cli",
        "segment",
        folder / "clip.mkv",
        "-o",
        folder / "out",
        "--preset",
        "fast",
    ]
    command = f"{shlex.join(map(str, words))} {redirection}"
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)


@pytest.fixture
def video(tmp_path):
    return inputs.write_video(tmp_path / "clip.mkv", inputs.pictures(4))


def test_a_file_name_that_is_no_utf_8_gets_its_report(video, tmp_path):
    odd = tmp_path / os.fsdecode(b"latin\xe4.mkv")
    video.rename(odd)
    done = segment(odd, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    check_results(tmp_path / "out")
    assert "latin\\udce4.mkv" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&-"])
def test_closed_outputs_do_not_matter(video, tmp_path, redirection):
    done = segment_in_shell(tmp_path, redirection)
    assert done.returncode == 0, done.stderr
    check_results(tmp_path / "out")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_standard_output_gets_one_sentence_and_keeps_the_results(video, tmp_path):
    done = segment_in_shell(tmp_path, ">/dev/full")
    assert done.returncode == 2
    assert "No space left" in one_sentence(done.stderr)
    check_results(tmp_path / "out")


def test_a_name_that_is_too_long_for_the_output_gets_one_sentence(video, tmp_path):
    done = segment(video, "-o", tmp_path / ("x" * 300))
    assert done.exit_code == 2
    assert "too long" in one_sentence(done.stderr)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_an_output_below_a_folder_that_may_not_be_entered_gets_one_sentence(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    os.seteuid(65534)
    try:
        with pytest.raises(results_folder.OutputError, match="permission denied"):
            results_folder.ResultsFolder(closed / "out", None, None, overlay=False, overwrite=False)
    finally:
        os.seteuid(0)
    assert not list(closed.iterdir())


def test_an_output_that_is_removed_during_the_run_is_said_to_be_gone(video, tmp_path, monkeypatch):
    import shutil

    out, usage = tmp_path / "out", shutil.disk_usage
    calls = []

    def remove_later(path):
        calls.append(path)
        if len(calls) == 3:
            shutil.rmtree(out)
        return usage(path)

    monkeypatch.setattr(results_folder.shutil, "disk_usage", remove_later)
    done = segment(video, "-o", out)
    assert done.exit_code == 2
    assert "removed" in one_sentence(done.stderr)


def test_a_disk_that_fills_up_before_the_first_frame_costs_no_earlier_result(video, tmp_path, monkeypatch):
    out = tmp_path / "out"
    assert segment(video, "-o", out).exit_code == 0
    write = Path.write_bytes

    def full(path, data):
        if path.name.startswith(".reserve"):
            write(path, b"as much as there is room for")
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    done = segment(video, "-o", out, "--overwrite")
    assert done.exit_code == 2
    assert "full" in one_sentence(done.stderr)
    assert check_results(out)["status"] == "complete"
    check_nothing_left(out)


def test_without_a_home_the_kernels_are_kept_elsewhere(monkeypatch, tmp_path):
    from cvseg.kernels import cpu

    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setattr(cpu.tempfile, "gettempdir", lambda: str(tmp_path))
    assert cpu.cache_folder.__wrapped__().is_relative_to(tmp_path)


def test_a_full_disk_under_the_kernel_cache_does_not_end_a_call(monkeypatch):
    from numba.core.caching import IndexDataCacheFile

    from cvseg.kernels.cpu import cpu_kernel

    calls = []

    def full(*_):
        calls.append(1)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "save", full)
    monkeypatch.setattr(IndexDataCacheFile, "load", lambda *_: None)

    @cpu_kernel
    def twice(x):
        return 2 * x

    assert twice(3) == 6
    assert calls


def test_requests_to_end_are_passed_over_while_the_files_are_finished():
    # As in a terminal; under ``nohup`` it is passed over, as it should be.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        requests_to_end()
    finally:
        signal.signal(signal.SIGHUP, before)


def requests_to_end():
    with _terminate_like_ctrl_c() as requests:
        with _undisturbed():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
        assert requests == []
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGHUP)
        assert requests == [signal.SIGHUP]


def test_a_second_ctrl_c_does_not_cost_the_files(video, tmp_path, monkeypatch):
    from cvseg.cli import run

    def impatient(_):
        raise KeyboardInterrupt

    done_frames = threading.Event()
    add = results_folder.ResultsFolder.add

    def interrupted_at_the_third(self, result):
        add(self, result)
        if result.frame.index == 2:
            done_frames.set()
            raise KeyboardInterrupt

    monkeypatch.setattr(run, "_close", impatient)
    monkeypatch.setattr(results_folder.ResultsFolder, "add", interrupted_at_the_third)
    done = segment(video, "-o", tmp_path / "out")
    assert done_frames.is_set()
    assert done.exit_code == 130
    one_sentence(done.stderr)
    summary = check_results(tmp_path / "out")
    assert (summary["status"], summary["video"]["frames"]) == ("interrupted", 3)


def test_nohup_stays_in_force():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with _terminate_like_ctrl_c() as requests:
            signal.raise_signal(signal.SIGHUP)
        assert requests == []
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
