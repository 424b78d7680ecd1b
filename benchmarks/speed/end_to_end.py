"""Times and memory of the commands that users type: ``python -m benchmarks.speed.end_to_end``."""

from __future__ import annotations

import argparse
import bisect
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.machine import ROOT, add_to_json, describe
from cvseg.errors import CvsegError

RATE = 25
RENDERED = 240  # different frames of the clip; it runs forwards and backwards
WINDOW = 100  # frames that one figure of memory stands for
WARM_UP = 200  # frames before memory must be flat: queues fill, pools grow
SAMPLE_S = 0.05


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 1 when a command failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.end_to_end", description=__doc__)
    parser.add_argument("--frames", type=int, default=600, help="length of the clip that is segmented")
    parser.add_argument("--size", default="854x480", help="WIDTHxHEIGHT of the clip and of the demo")
    parser.add_argument("--presets", nargs="*", default=["fast", "balanced"])
    parser.add_argument("--repeats", type=int, default=10, help="runs of the commands that take a moment")
    parser.add_argument("--demo-frames", type=int, default=60)
    parser.add_argument("--cold", action="store_true", help="also time the demo with empty caches: it compiles")
    parser.add_argument("--json", type=Path, help="add the results to this file")
    options = parser.parse_args(arguments)
    results: dict[str, Any] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="cvseg-end-to-end-") as name:
            folder = Path(name)
            for key, row in measure(options, folder):
                results.setdefault(key, []).append(row)
                print(f"{key}: " + ", ".join(f"{k} {_short(v)}" for k, v in row.items()), flush=True)
    except CvsegError as error:
        print(f"end_to_end: {error}", file=sys.stderr)
        return 1
    if options.json:
        add_to_json(options.json, results)
    return 0


def measure(options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows by section: "start", "demo", "segment"."""
    for name, words in {
        "python": ["-c", "pass"],
        "import cvseg": ["-c", "import cvseg"],
        "cvseg --help": ["-m", "cvseg.cli", "--help"],
    }.items():
        # The first run compiles the modules to bytecode, once per installation.
        runs = [run(words) for _ in range(options.repeats + 1)][1:]
        yield "start", {"command": name, **medians(runs)}
    demo = ["-m", "cvseg.cli", "demo", "-q", "--size", options.size, "--frames", str(options.demo_frames)]
    demo += ["-o", str(folder / "demo")]
    if options.cold:
        yield "demo", {"caches": "cold", **run(demo, {"XDG_CACHE_HOME": str(folder / "cache")}).figures()}
    run(demo)
    yield "demo", {"caches": "warm", **run(demo).figures()}
    clip = folder / "clip.mp4"
    if options.presets:
        write_clip(clip, options.frames, *(int(side) for side in options.size.split("x")))
    for preset in options.presets:
        yield "segment", {"preset": preset, "frames": options.frames, **segmented(clip, folder / preset, preset)}


@dataclass
class Run:
    """One process: its time, its processor time in all threads, and its memory over time.

    Attributes
    ----------
    samples : (seconds since 1970, resident megabytes); empty where the system has no /proc
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    samples: list[tuple[float, float]] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        return {"wall_s": round(self.wall_s, 3), "cpu_s": round(self.cpu_s, 3), "peak_mb": round(self.peak_mb, 1)}


def run(words: list[str], environment: dict[str, str] | None = None) -> Run:
    """Run Python with `words` and watch it from outside.

    Raises
    ------
    CvsegError
        when it fails; with the last line that it wrote.
    """
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    result, began = Run(), time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, *words],
            env=os.environ | {"PYTHONPATH": paths} | (environment or {}),
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        pid = 0
        while not pid:
            time.sleep(SAMPLE_S if time.perf_counter() - began > 1 else 0.002)
            now_mb, most_mb = memory_mb(process.pid)
            if now_mb:
                result.samples.append((time.time(), now_mb))
                result.peak_mb = most_mb
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        result.wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines() or ["no word"]
            raise CvsegError(f"{' '.join(words)} ended with {process.returncode}: {lines[-1]}")
    result.cpu_s = usage.ru_utime + usage.ru_stime
    # Only where there is no /proc: this one also counts what the parent held when it forked.
    result.peak_mb = result.peak_mb or usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return result


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory of a process, now and at most so far; zeros where that cannot be read."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0, 0.0
    kilobytes = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if "kB" in rest
    }
    return kilobytes.get("VmRSS", 0) / 1024, kilobytes.get("VmHWM", 0) / 1024


def medians(runs: list[Run]) -> dict[str, float]:
    return {key: float(np.median([one.figures()[key] for one in runs])) for key in ("wall_s", "cpu_s", "peak_mb")}


def write_clip(path: Path, frames: int, width: int, height: int) -> None:
    """The demo's scene as an H.264 file; forwards and backwards, so that it may be long and rendered quickly."""
    import dataclasses

    from cvseg.records import Frame
    from cvseg.synthetic import SCENES, render_clip
    from cvseg.video import VideoFileSink

    scene = dataclasses.replace(SCENES["demo"], size_hw=(height, width), frames=min(frames, RENDERED))
    images = [frame.image for frame in render_clip(scene).frames()]
    order = [*range(len(images)), *range(len(images) - 2, 0, -1)]
    with VideoFileSink(path, RATE) as sink:
        for index in range(frames):
            image = images[order[index % len(order)]]
            sink.write(image, Frame(index, Fraction(index, RATE), image, f"{index:05d}"))


def segmented(clip: Path, out: Path, preset: str) -> dict[str, Any]:
    """Figures of ``cvseg segment`` from a file to a folder with all results."""
    words = ["-m", "cvseg.cli", "segment", str(clip), "-o", str(out), "--preset", preset, "--device", "cpu", "-q"]
    run([*words, "--max-height", "64"])  # compiles what is not compiled yet
    watched = run([*words, "--overwrite"])
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    written = sorted(path.stat().st_mtime for path in (out / "masks").iterdir())
    first = min(WARM_UP, len(written) // 2)
    steady_s = written[-1] - written[first]
    return {
        "frames_per_s": round((len(written) - 1 - first) / steady_s, 2) if steady_s else None,
        "cpu_ms_per_frame": round(1e3 * watched.cpu_s / len(written), 2),
        **watched.figures(),
        "memory": memory(watched.samples, written),
        "stages_ms": summary["speed"]["stages_ms_per_frame"],
    }


def memory(samples: list[tuple[float, float]], written: list[float]) -> dict[str, Any]:
    """Resident memory per `WINDOW` frames after `WARM_UP`, and by how much the largest is above the first.

    Parameters
    ----------
    samples : (time, megabytes)
    written : when each frame was written, growing
    """
    windows: dict[int, list[float]] = {}
    for moment, megabytes in samples:
        done = bisect.bisect(written, moment)
        if WARM_UP <= done < len(written):
            windows.setdefault(done // WINDOW * WINDOW, []).append(megabytes)
    resident = {frame: round(float(np.median(values)), 1) for frame, values in sorted(windows.items())}
    if not resident:
        return {"resident_mb": {}, "growth": None}
    first = next(iter(resident.values()))
    return {"resident_mb": resident, "growth": round(max(resident.values()) / first - 1, 4)}


def _short(value: Any) -> str:
    if isinstance(value, dict) and "growth" in value:
        return f"{len(value['resident_mb'])} windows, growth {value['growth']}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} {v}" for k, v in value.items()) + "}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    machine = describe()["machine"]
    print(f"{machine['cpu']}, {machine['kernel_threads']} threads")
    raise SystemExit(main())
