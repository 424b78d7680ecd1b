"""Ctrl-C and a polite request to end, in the middle of a run: what is finished stays, and all files agree."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from . import inputs
from .checks import check_nothing_left, check_results, mask_files, one_sentence

# Long enough for any machine; the wait ends as soon as there is something to see.
PATIENCE_S = 180


@pytest.fixture
def endless_run(tmp_path):
    """`cvseg segment -` that got 90 frames and waits for more, after it has written some, 66 frames late."""
    source = inputs.stream_bytes(inputs.pictures(100), tmp_path)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "cvseg.cli", "segment", "-", "-o", str(out)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"LC_ALL": "C"}
    )
    process.stdin.write(source[: len(source) * 9 // 10])
    process.stdin.flush()
    end = time.monotonic() + PATIENCE_S
    while not (out / "masks").is_dir() or len(mask_files(out)) < 3:
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < end
        time.sleep(0.05)
    yield process, out
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_keeps_what_is_finished_and_says_so(endless_run, number, code):
    process, out = endless_run
    process.send_signal(number)
    assert process.wait(timeout=PATIENCE_S) == code
    sentence = one_sentence(process.stderr.read().decode())
    summary = check_results(out)
    assert summary["status"] == "interrupted"
    assert f"{summary['video']['frames']} frames" in sentence
    assert str(out) in sentence
    check_nothing_left(out)


def test_a_run_that_waits_for_its_input_can_be_stopped(tmp_path):
    command = [sys.executable, "-m", "cvseg.cli", "segment", "-", "-o", str(tmp_path / "out")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(inputs.stream_bytes(inputs.pictures(2), tmp_path)[:200])
        process.stdin.flush()
        # The decoder's library in its memory: it has begun to open the input, and waits for more of it.
        memory, end = Path(f"/proc/{process.pid}/maps"), time.monotonic() + PATIENCE_S
        while "libavformat" not in memory.read_text():
            assert process.poll() is None, process.stderr.read().decode()
            assert time.monotonic() < end
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_S) == 130
        assert "Traceback" not in process.stderr.read().decode()
    assert not (tmp_path / "out").exists()


def test_a_killed_run_leaves_whole_masks_and_says_that_it_was_not_finished(endless_run):
    import json

    from cvseg.formats import read_mask

    process, out = endless_run
    process.kill()
    process.wait()
    whole = [path for path in mask_files(out) if path.suffix == ".png"]
    assert len(whole) >= 3
    for path in whole:
        assert read_mask(path).shape == inputs.SIZE_HW
    assert json.loads((out / "summary.json").read_text())["status"] == "running"
