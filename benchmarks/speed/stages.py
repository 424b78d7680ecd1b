"""Times of whole stages on a rendered clip, as a user sees them: ``python -m benchmarks.speed.stages``."""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.speed.machine import SIZES_HW, add_to_json, describe, parse_size
from benchmarks.speed.timing import summary, time_wall
from cvseg.arrays import choose_device, to_device

FRAMES = 16


def main(arguments: list[str] | None = None) -> int:
    """Returns the number of stages that failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.stages", description=__doc__)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--sizes", nargs="+", default=list(SIZES_HW), help="480p, 1080p, 2160p or HEIGHTxWIDTH")
    parser.add_argument("--stages", nargs="+", choices=list(STAGES), default=list(STAGES))
    parser.add_argument("--presets", nargs="+", default=["fast", "balanced", "quality"])
    parser.add_argument("--repeats", type=int, default=15, help="timed runs of each stage; the pipeline runs a clip")
    parser.add_argument("--json", type=Path, help="add the results to this file")
    options = parser.parse_args(arguments)
    device = choose_device(options.device)

    rows: list[dict[str, Any]] = []
    print(f"{'stage':34} {'size':>6} {'median ms':>10} {'p10':>9} {'p90':>9}   on {device}")
    for text in options.sizes:
        name, size_hw = parse_size(text)
        frames = rendered_frames(size_hw)
        for stage in options.stages:
            for row in STAGES[stage](frames, device, options.presets, options.repeats):
                rows.append({"stage": stage, "size": name, "height": size_hw[0], "width": size_hw[1], **row})
                print(table_line(rows[-1]), flush=True)
    if options.json:
        add_to_json(options.json, {"stage_device": device, "stages": rows})
    return sum("error" in row for row in rows)


def rendered_frames(size_hw: tuple[int, int]) -> list[Any]:
    """A clip of photographs: a panning background and two objects."""
    from cvseg.synthetic import ClipOptions, render_clip

    return list(render_clip(ClipOptions(size_hw=size_hw, frames=FRAMES, objects=2, camera="pan")).frames())


def attempt(row: dict[str, Any], measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """`row` with what `measure` gives, or with the reason why it gives nothing."""
    try:
        return {**row, **measure()}
    except ImportError as error:
        return {**row, "skipped": f"{type(error).__name__}: {error}"}
    except Exception as error:  # the other stages still count; the sum of failures is the exit status
        return {**row, "error": f"{type(error).__name__}: {error}"}


def time_flow(frames: list[Any], device: str, presets: list[str], repeats: int) -> Iterator[dict[str, Any]]:
    """Flow of one pair of frames that are on the device already, for each method and preset."""
    from cvseg.flow import FLOW_METHODS, estimate_flow

    image0, image1 = (to_device(frames[i].image, device) for i in (0, 1))
    for method, entry in FLOW_METHODS.items():
        for preset in entry.presets:
            if preset in presets:
                yield attempt(
                    {"variant": f"{method} {preset}"},
                    lambda method=method, preset=preset: time_wall(
                        lambda: estimate_flow(image0, image1, method=method, preset=preset), device, repeats=repeats
                    ),
                )


def time_pipeline(frames: list[Any], device: str, presets: list[str], repeats: int) -> Iterator[dict[str, Any]]:
    """Time per frame of the whole pipeline, frames on the host: one stage after the other, and overlapped on threads.

    Results come in bursts, some only at the end: a clip is timed as a whole and divided by its frames.
    """
    runs = max(2, repeats // 5)
    for preset in presets:
        yield attempt({"variant": preset}, lambda preset=preset: _one_after_the_other(frames, device, preset, runs))
        yield attempt(
            {"variant": f"{preset} overlapped"}, lambda preset=preset: _overlapped(frames, device, preset, runs)
        )


def _one_after_the_other(frames: list[Any], device: str, preset: str, runs: int) -> dict[str, Any]:
    from cvseg.pipeline import Pipeline

    pipeline = Pipeline(preset, device=device)
    stages_ms: dict[str, list[float]] = {}

    def run() -> None:
        if not with_tracking:  # a bare GPU machine: everything else is worth knowing
            pipeline._tracker = SimpleNamespace(
                update=lambda _, labels, **__: SimpleNamespace(labels=labels, tracks=())
            )
        for result in [*itertools.chain.from_iterable(map(pipeline.process, frames)), *pipeline.finish()]:
            for stage, time_s in result.times_s.items():
                stages_ms.setdefault(stage, []).append(1e3 * time_s)

    with_tracking = importlib.util.find_spec("filterpy") is not None
    return {
        **_per_frame(run, len(frames), runs),
        "with_tracking": with_tracking,
        "stages_ms": {stage: float(np.median(values)) for stage, values in stages_ms.items()},
    }


def _overlapped(frames: list[Any], device: str, preset: str, runs: int) -> dict[str, Any]:
    from cvseg.pipeline import segment

    def run() -> None:
        for _ in segment(iter(frames), preset=preset, device=device):
            pass

    return _per_frame(run, len(frames), runs)


def _per_frame(run: Callable[[], None], frames: int, runs: int) -> dict[str, Any]:
    run()
    times_ms = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times_ms.append(1e3 * (time.perf_counter() - start) / frames)
    return summary(times_ms)


STAGES = {"flow": time_flow, "pipeline": time_pipeline}


def table_line(row: dict[str, Any]) -> str:
    head = f"{row['stage'] + ' ' + row['variant']:34} {row['size']:>6}"
    for key in ("skipped", "error"):
        if key in row:
            return f"{head} {key}: {row[key]}"
    return f"{head} {row['median_ms']:10.2f} {row['p10_ms']:9.2f} {row['p90_ms']:9.2f}"


if __name__ == "__main__":
    machine = describe()["machine"]
    print(f"{machine['cpu']}, {machine['kernel_threads']} threads; GPU: {(machine['gpu'] or {}).get('name', 'none')}")
    raise SystemExit(min(1, main()))
