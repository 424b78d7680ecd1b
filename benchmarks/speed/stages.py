"""Times of whole stages on a rendered clip, as a user sees them: ``python -m benchmarks.speed.stages``."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.machine import SIZES_HW, add_to_json, describe, parse_size
from benchmarks.speed.timing import summary, time_wall
from cvseg.arrays import choose_device, to_device

FRAMES = 14
# The first frames compile, allocate and have no predecessor.
FRAMES_NOT_COUNTED = 4


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
    """Time per frame of the whole pipeline, frames on the host, for each preset; with the times of its stages."""
    for preset in presets:
        yield attempt({"variant": preset}, lambda preset=preset: _pipeline_times(frames, device, preset))


def _pipeline_times(frames: list[Any], device: str, preset: str) -> dict[str, Any]:
    from cvseg.pipeline import segment

    times_ms, stages_ms = [], {}
    before = time.perf_counter()
    for result in segment(iter(frames), preset=preset, device=device):
        now = time.perf_counter()
        times_ms.append(1e3 * (now - before))
        before = now
        for stage, time_s in result.times_s.items():
            stages_ms.setdefault(stage, []).append(1e3 * time_s)
    return {
        **summary(times_ms[FRAMES_NOT_COUNTED:]),
        "stages_ms": {stage: float(np.median(values[FRAMES_NOT_COUNTED:])) for stage, values in stages_ms.items()},
    }


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
