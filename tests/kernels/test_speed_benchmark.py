"""The GPU paths of the benchmarks run, on emulated CUDA: no GPU is at hand when they are changed."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest
from cuda_on_cpu import nvrtc

from benchmarks.speed import flow_gpu, gpu_check, kernels, machine, stages, timing
from cvseg.flow import FLOW_METHODS

# One that makes an array, one that returns several, one that updates its argument (if there is such a kernel).
SOME_KERNELS = ["warp_backward", "label_components", "running_gaussian"]


@pytest.fixture
def short_copies(monkeypatch):
    """Copies of 256 MiB take seconds on an emulator."""
    original = kernels.copy_time
    monkeypatch.setattr(kernels, "copy_time", lambda nbytes, *rest: original(min(nbytes, 4096), *rest))


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_kernel_times_have_every_column(name, request, short_copies, tmp_path, capsys):
    if name == "cuda":
        request.getfixturevalue("emulated_cuda")
    path = tmp_path / "times.json"
    words = ["--device", name, "--sizes", "61x47", "--repeats", "3", "--json", str(path), "--kernels", *SOME_KERNELS]
    assert kernels.main(words) == 0, capsys.readouterr().out
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["kernel_device"] == name
    assert re.fullmatch(r"[0-9a-f]{40}|", report["commit"])
    assert report["versions"]["numpy"] == np.__version__
    assert [row["kernel"] for row in report["kernels"]] == SOME_KERNELS
    for row in report["kernels"]:
        assert 0 < row["p10_ms"] <= row["median_ms"] <= row["p90_ms"]
        assert row["runs"] == 3
        assert row["gb_per_s"] == pytest.approx(row["bytes"] / row["median_ms"] / 1e6)
        assert row["times_copy"] == pytest.approx(row["median_ms"] / row["copy_ms"])
        assert ("host_ms" in row) == (name == "cuda")
    # image and result of three float32 channels, flow of two
    assert report["kernels"][0]["bytes"] == 61 * 47 * 4 * (3 + 3 + 2)
    if name == "cuda":
        assert [row["kernel"] for row in report["compile"]] == SOME_KERNELS
        assert report["transfers"][0]["upload_bytes"] == 61 * 47 * 3
        assert report["machine"]["gpu"]["name"] == "CUDA on the CPU"


def test_a_kernel_that_updates_its_argument_starts_from_the_same_values_each_time(device, monkeypatch, short_copies):
    starts = []

    def count_up(values):
        starts.append(int(values[0]))
        values += 1
        return values

    kernel = kernels.Kernel(
        "count_up", cpu=count_up, cuda=count_up, sample=lambda rng, hw: (np.zeros(hw[0], np.int32),)
    )
    row = kernels.kernel_time(kernel, (5, 5), device.name, 4)
    assert set(starts) == {0}
    assert row["bytes"] == 20


def test_a_kernel_that_fails_is_reported_and_the_others_are_timed(monkeypatch, short_copies, tmp_path):
    def fail(*_):
        raise RuntimeError("illegal address")

    good = kernels.KERNELS["warp_backward"]
    bad = kernels.Kernel("bad", cpu=fail, cuda=fail, sample=good.sample)
    monkeypatch.setattr(kernels, "KERNELS", {"bad": bad, "warp_backward": good})
    path = tmp_path / "times.json"
    assert kernels.main(["--device", "cpu", "--sizes", "7x5", "--repeats", "2", "--json", str(path)]) == 1
    rows = json.loads(path.read_text(encoding="utf-8"))["kernels"]
    assert rows[0]["error"] == "RuntimeError: illegal address"
    assert rows[1]["median_ms"] > 0


def test_stage_times_have_every_column(emulated_cuda, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(stages, "FRAMES", 4)
    path = tmp_path / "times.json"
    words = ["--device", "cuda", "--sizes", "61x96", "--repeats", "1", "--presets", "fast", "--json", str(path)]
    assert stages.main(words) == 0, capsys.readouterr().out
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["stage_device"] == "cuda"
    rows = {(row["stage"], row["variant"]): row for row in report["stages"]}
    flows = {("flow", f"{method} fast") for method in FLOW_METHODS}
    assert set(rows) == flows | {("pipeline", "fast"), ("pipeline", "fast overlapped")}
    timed = [row for row in rows.values() if "skipped" not in row]  # a bare GPU machine lacks what tracking needs
    assert rows["pipeline", "fast"] in timed
    assert all(row["median_ms"] > 0 for row in timed)
    assert rows["pipeline", "fast"]["stages_ms"]


def test_programs_add_to_one_file(tmp_path):
    path = tmp_path / "times.json"
    machine.add_to_json(path, {"kernels": [1]})
    machine.add_to_json(path, {"stages": [2]})
    report = json.loads(path.read_text(encoding="utf-8"))
    assert (report["kernels"], report["stages"]) == ([1], [2])
    assert list(tmp_path.iterdir()) == [path]


def test_gpu_check_writes_one_file_and_fails_when_parity_fails(emulated_cuda, short_copies, tmp_path, monkeypatch):
    """The tests run in a process without the emulated CuPy: with no GPU they fail, and the times still come."""
    monkeypatch.setattr(stages, "STAGES", {"flow": stages.time_flow})
    path = tmp_path / "check.json"
    monkeypatch.setattr(flow_gpu, "parity", lambda *_: [])
    words = ["--sizes", "61x96", "--presets", "fast", "--kernels", "warp_backward", "--repeats", "2"]
    words += ["--output", str(path)]
    status = gpu_check.main([*words, "--tests", "tests/test_checks.py"])
    report = json.loads(path.read_text(encoding="utf-8"))
    assert {
        "commit",
        "machine",
        "versions",
        "parity",
        "compile",
        "transfers",
        "copy",
        "kernels",
        "stages",
        "flow_gpu",
    } <= set(report)
    assert report["parity"]["passed"] + report["parity"]["failed"] >= 5
    assert status == (report["parity"]["failed"] > 0)
    if report["parity"]["failed"]:
        assert "needs CuPy" in str(report["parity"]["failures"]) or "needs an NVIDIA GPU" in str(report["parity"])


def test_gpu_check_without_a_gpu_says_so_and_measures_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert gpu_check.main(["--output", str(tmp_path / "never.json")]) == 2
    assert "needs CuPy, which is not installed" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_summary_is_of_the_middle():
    times = timing.summary([5.0, 1.0, 2.0, 3.0, 100.0])
    assert (times["median_ms"], times["runs"]) == (3.0, 5)
    assert 1.0 < times["p10_ms"] < 2.0 and 5.0 < times["p90_ms"] < 100.0


@pytest.mark.parametrize(("text", "size_hw"), [("480p", (480, 854)), ("2160p", (2160, 3840)), ("61x47", (61, 47))])
def test_sizes_are_height_by_width(text, size_hw):
    assert machine.parse_size(text) == (text, size_hw)


def test_a_bad_size_is_refused():
    with pytest.raises(SystemExit, match="size is 'big'; expected 480p"):
        machine.parse_size("big")


@pytest.mark.skipif(nvrtc.library() is None, reason="NVRTC is absent; pip install nvidia-cuda-nvrtc")
@pytest.mark.parametrize("architecture", ["sm_75", "sm_120"])
def test_the_waiting_kernel_compiles(architecture):
    source = timing._wait
    succeeded, log, _ = nvrtc.compile_for(source.text, source.path.name, source.options, architecture)
    assert succeeded and not log, log


def test_the_flow_is_timed_as_a_graph_and_by_launches(emulated_cuda, short_copies, tmp_path, capsys):
    path = tmp_path / "flow.json"
    words = ["--sizes", "45x62", "--presets", "fast", "--repeats", "2", "--data", str(tmp_path), "--json", str(path)]
    assert flow_gpu.main(words) == 0
    report = json.loads(path.read_text(encoding="utf-8"))
    (row,) = report["flow_gpu"]
    assert row["captured"]
    assert all(row[name]["median_ms"] > 0 for name in ("graph", "graph_wall", "launched", "stream_wall"))
    functions = {one["function"]: one["launches"] for one in report["flow_gpu_kernels"]}
    assert functions["gray_from_rgb"] == 2
    assert functions["patch_search"] == 1  # of the levels, only the coarsest is searched
    assert functions["variational_solve"] >= 2
    assert "were not compared" in capsys.readouterr().out


def test_flows_of_cpu_and_gpu_are_compared_on_real_pairs(emulated_cuda, monkeypatch, tmp_path):
    from benchmarks.accuracy import flow_pairs

    image0, image1 = flow_gpu.textured_frames((40, 51), 2)
    pair = flow_pairs.Pair("moved", image0, image1, np.zeros((40, 51, 2), np.float32), np.ones((40, 51), bool))
    monkeypatch.setattr(flow_pairs, "development_pairs", lambda _: [pair])
    rows = list(flow_gpu.parity(tmp_path, ["fast", "balanced"]))
    assert [(row["pair"], row["preset"]) for row in rows] == [("moved", "fast"), ("moved", "balanced")]
    assert all(row["difference_px"] < flow_gpu.MOST_DIFFERENCE_PX for row in rows)
