"""The flow on a GPU: both directions with confidence, as a graph and launch by launch; where the time goes; parity.

python -m benchmarks.speed.flow_gpu [--sizes 480p 1080p] [--presets fast balanced quality] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.kernels import copy_time
from benchmarks.speed.machine import ROOT, add_to_json, parse_size
from benchmarks.speed.timing import CYCLES_PER_MS, _wait, time_call, time_wall
from cvseg.arrays import cupy_module, to_device, to_host
from cvseg.flow import FLOW_METHODS, FlowStream, estimate_flow, flow_with_confidence
from cvseg.flow.replayed import FLOW_REPLAYS
from cvseg.kernels.cuda import CudaSource

SIZES, PRESETS = ("480p", "1080p"), ("fast", "balanced", "quality")
MOST_DIFFERENCE_PX = 0.01  # mean distance between the flows of CPU and GPU on any pair
QUEUE_MS = 100  # how long the GPU is kept busy while Python fills its queue


def main(arguments: list[str] | None = None) -> int:
    """Returns the number of pairs and presets on which CPU and GPU differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.flow_gpu", description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), help="480p, 1080p, 2160p or HEIGHTxWIDTH")
    parser.add_argument("--presets", nargs="+", default=list(PRESETS))
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CVSEG_DATA", ROOT / "../shared/data")))
    parser.add_argument("--json", type=Path, help="add the results to this file")
    options = parser.parse_args(arguments)

    sections: dict[str, Any] = {"flow_gpu": [], "flow_gpu_kernels": [], "flow_gpu_parity": []}
    print(f"{'both ways with confidence':26} {'size':>6} {'graph ms':>9} {'wall ms':>8} {'host ms':>8} {'launched':>9}")
    for text in options.sizes:
        name, size_hw = parse_size(text)
        frames = [to_device(frame, "cuda") for frame in textured_frames(size_hw)]
        for preset in options.presets:
            row = {"size": name, "preset": preset, **both_ways_times(frames, preset, options.repeats)}
            sections["flow_gpu"].append(row)
            print(
                f"{preset:26} {name:>6} {row['graph']['median_ms']:9.3f} {row['graph_wall']['median_ms']:8.3f} "
                f"{row['graph']['host_ms']:8.3f} {row['launched']['median_ms']:9.3f}   "
                f"stream {row['stream_wall']['median_ms']:.3f} ms a frame",
                flush=True,
            )
        for preset in options.presets:
            rows = kernel_shares(frames[:2], preset)
            sections["flow_gpu_kernels"] += [{"size": name, "preset": preset, **row} for row in rows]
            print(f"{preset} {name}, one way:  launches   total ms   largest: MB      ms    GB/s   of a copy")
            for row in rows:
                print(
                    f"  {row['function']:28} {row['launches']:6} {row['total_ms']:10.4f} {row['largest_mb']:13.1f} "
                    f"{row['largest_ms']:7.4f} {row['gb_per_s']:7.0f} {row['share_of_copy']:11.0%}"
                )
        FLOW_REPLAYS.clear()
    for row in parity(options.data, options.presets):
        sections["flow_gpu_parity"].append(row)
        print(
            f"CPU against GPU, {row['pair']}, {row['preset']}: mean difference {row['difference_px']:.2g} px",
            flush=True,
        )
    if not sections["flow_gpu_parity"]:
        print(f"no pairs below {options.data}: CPU and GPU were not compared")
    if options.json:
        add_to_json(options.json, sections)
    return sum(not row["difference_px"] < MOST_DIFFERENCE_PX for row in sections["flow_gpu_parity"])


def textured_frames(size_hw: tuple[int, int], count: int = 4) -> list[Any]:
    """RGB frames of a random texture with detail of all sizes that moves by several pixels a frame."""
    height, width = size_hw
    rng, side = np.random.default_rng(1), 8 * count
    texture = np.zeros((height + side, width + side))
    for cell in (2, 4, 8, 16, 32, 64):
        coarse = rng.random((-(-texture.shape[0] // cell), -(-texture.shape[1] // cell)))
        texture += cell**0.5 * np.kron(coarse, np.ones((cell, cell)))[: texture.shape[0], : texture.shape[1]]
    texture = np.uint8(255 * (texture - texture.min()) / np.ptp(texture))
    shifts = [(5 * number, 3 * number) for number in range(count)]
    return [np.dstack([texture[y : y + height, x : x + width]] * 3) for x, y in shifts]


def both_ways_times(frames: list[Any], preset: str, repeats: int) -> dict[str, Any]:
    """Times of a pair as one graph, the same launch by launch, and of a frame of a stream."""
    row = FLOW_METHODS["dis"]

    def launch() -> Any:
        return row.both_ways(*frames[:2], row.presets[preset], None)

    def replay() -> Any:
        return flow_with_confidence(*frames[:2], preset=preset)

    stream, number = FlowStream(preset), 0

    def advance() -> Any:
        nonlocal number
        number += 1
        return stream.update(frames[number % len(frames)])

    launched = time_call(launch, "cuda", repeats=repeats)
    return {
        "graph": time_call(replay, "cuda", repeats=repeats),
        "graph_wall": time_wall(replay, "cuda", repeats=repeats),
        "launched": launched,
        "stream_wall": time_wall(advance, "cuda", repeats=repeats, warm_up=3),
        "captured": all(replay.is_captured for replay in FLOW_REPLAYS._replays.values()),
    }


@contextmanager
def _timed_launches() -> Iterator[list[tuple[str, int, Any, Any]]]:
    """Inside, every launch is put between two events: (function, bytes of its arrays, begin, end)."""
    records: list[tuple[str, int, Any, Any]] = []
    original: Callable[..., None] = CudaSource.launch_blocks
    event = cupy_module().cuda.Event

    def launch(self: CudaSource, function: str, grid: Any, block: Any, *arguments: Any, shared_bytes: int = 0) -> None:
        begin, end = event(), event()
        begin.record()
        original(self, function, grid, block, *arguments, shared_bytes=shared_bytes)
        end.record()
        sizes = {value.data.ptr: value.nbytes for value in arguments if getattr(value, "ndim", 0)}
        records.append((function, sum(sizes.values()), begin, end))

    CudaSource.launch_blocks = launch  # type: ignore[method-assign]
    try:
        yield records
    finally:
        CudaSource.launch_blocks = original  # type: ignore[method-assign]


def kernel_shares(frames: list[Any], preset: str) -> list[dict[str, Any]]:
    """What each function takes in a flow of one direction; its largest launch against a copy of as many bytes.

    Every array counts once, whether it is read, written or both: the least that has to move.
    """
    cupy, row = cupy_module(), FLOW_METHODS["dis"]
    row.estimate(*frames, row.presets[preset], None)
    cupy.cuda.runtime.deviceSynchronize()
    # The GPU waits until all launches stand in its queue: the time between two events is then the kernel's alone.
    _wait.launch_blocks("wait", (1,), (1,), np.int64(QUEUE_MS * CYCLES_PER_MS))
    with _timed_launches() as records:
        row.estimate(*frames, row.presets[preset], None)
    cupy.cuda.runtime.deviceSynchronize()
    gathered: dict[str, list[tuple[int, float]]] = {}
    for function, nbytes, begin, end in records:
        gathered.setdefault(function, []).append((nbytes, float(cupy.cuda.get_elapsed_time(begin, end))))
    rows = []
    for function, launches in gathered.items():
        nbytes, time_ms = max(launches)
        copy = copy_time(nbytes, "cuda", 10)
        rows.append(
            {
                "function": function,
                "launches": len(launches),
                "total_ms": sum(one for _, one in launches),
                "largest_mb": nbytes / 1e6,
                "largest_ms": time_ms,
                "gb_per_s": nbytes / max(time_ms, 1e-6) / 1e6,
                "share_of_copy": copy["median_ms"] / max(time_ms, 1e-6),
            }
        )
    return sorted(rows, key=lambda one: -one["total_ms"])


def parity(data: Path, presets: list[str]) -> Iterator[dict[str, Any]]:
    """Mean distance between the flows that CPU and GPU find for the pairs below `data`."""
    if not data.is_dir():
        return
    from benchmarks.accuracy.flow_pairs import development_pairs

    for pair in development_pairs(data):
        for preset in presets:
            expected = estimate_flow(pair.image0, pair.image1, preset=preset)
            placed = (to_device(image, "cuda") for image in (pair.image0, pair.image1))
            difference = to_host(estimate_flow(*placed, preset=preset)) - expected
            yield {
                "pair": pair.name,
                "preset": preset,
                "difference_px": float(np.hypot(difference[..., 0], difference[..., 1]).mean()),
            }


if __name__ == "__main__":
    raise SystemExit(min(1, main()))
