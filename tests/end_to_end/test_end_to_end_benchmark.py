"""`benchmarks.speed.end_to_end` runs every command and writes every figure."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks.speed import end_to_end
from cvseg.errors import CvsegError


def test_every_command_is_measured(tmp_path, capsys):
    path = tmp_path / "times.json"
    words = ["--frames", "8", "--demo-frames", "4", "--size", "128x96", "--repeats", "1", "--presets", "fast"]
    assert end_to_end.main([*words, "--json", str(path)]) == 0, capsys.readouterr().err
    report = json.loads(path.read_text(encoding="utf-8"))
    assert [row["command"] for row in report["start"]] == ["python", "import cvseg", "cvseg --help"]
    assert [row["caches"] for row in report["demo"]] == ["warm"]
    assert [(row["preset"], row["frames"]) for row in report["segment"]] == [("fast", 8)]
    for row in (*report["start"], *report["demo"], *report["segment"]):
        assert row["cpu_s"] > 0
        assert row["wall_s"] > 0
    assert report["segment"][0]["frames_per_s"] > 0
    assert set(report["segment"][0]["stages_ms"]) > {"flow", "tracking", "write_masks"}


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_the_memory_of_a_process_is_seen_while_it_runs():
    hungry = end_to_end.run(["-c", "import time; held = bytes(range(256)) * 500_000; time.sleep(0.3)"])
    assert hungry.peak_mb > 120
    assert max(megabytes for _, megabytes in hungry.samples) > 120
    assert end_to_end.run(["-c", "import time; time.sleep(0.1)"]).peak_mb < 60


def test_memory_is_grouped_by_frames_and_compared_with_the_first_group():
    written = [float(second) for second in range(500)]
    samples = [(second + 0.5, 100.0 + second / 10) for second in range(500)]
    figures = end_to_end.memory(samples, written)
    assert list(figures["resident_mb"]) == [200, 300, 400]
    assert figures["resident_mb"][200] == pytest.approx(124.9, abs=0.2)
    assert figures["growth"] == pytest.approx(144.8 / 124.9 - 1, abs=0.002)
    assert end_to_end.memory([], written)["growth"] is None


def test_a_command_that_fails_is_named_with_its_last_word():
    with pytest.raises(CvsegError, match="ended with 3: out of luck"):
        end_to_end.run(["-c", "print('out of luck'); raise SystemExit(3)"])
