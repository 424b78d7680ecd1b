"""Error and time of every method of optical flow, ours and other libraries', on pairs with known truth, in one run.

python benchmarks/accuracy/flow.py [--methods NAME ...] [--presets fast balanced quality] [--repeats 9]
                                   [--sizes 480p 1080p] [--json FILE] [--picture FILE]
python benchmarks/accuracy/flow.py --tables FILE [--pareto FILE]

A method is a key of `cvseg.flow.FLOW_METHODS` (taken with each preset) or of
`cvseg.baselines.BASELINE_FLOW_METHODS`; without `--methods` all of both are measured, which takes long. Per pair: mean
endpoint error in pixels, share of outliers (more than 3 px and 5 %, KITTI's Fl-all), angular error in degrees,
milliseconds.

Every time is the median of calls that alternate between all methods, and begins with the RGB pictures: conversion to
grey counts for all. "CPU ms" adds up the threads; on a busy machine it says more than the wall clock. What takes more
than 0.3 s is called three times at most, what takes more than a second once. OpenCV runs with as many threads as cvseg.
Baselines whose library is absent are left out, with the reason.

`--sizes` times every method by itself on one pair resized (none: `--sizes` alone); a method that took more than
3 s at one size is left out at the larger ones. `--picture` draws the pair with the largest error of the first method:
picture, truth, flow, error. The data are found by CVSEG_DATA, else in ../shared/data.

`--json` joins what was measured to what FILE holds, so that the methods can be measured in parts; `dis balanced` is
measured in each part as a yardstick. `--tables` measures nothing: it prints the tables of docs/methods from such a
file, and `--pareto` then draws all its methods by error and time. docs/methods/optical_flow.md lists the commands.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from flow_pairs import SIZES_HW, Pair, development_pairs, resized
from flow_pictures import draw_flow, draw_pareto
from flow_record import joined, mean_of, print_markdown, read_record
from measuring import ROOT, environment, print_row, rounded, write_record

from cvseg.baselines import BASELINE_FLOW_METHODS
from cvseg.errors import MissingExtraError
from cvseg.evaluation.endpoint_error import flow_accuracy
from cvseg.flow import FLOW_METHODS, estimate_flow
from cvseg.kernels.bands import thread_count

PRESETS = ("fast", "balanced", "quality")
TABLES = (
    ("EPE px", "epe_px", 1),
    ("Fl-all %", "outliers", 100),
    ("angle deg", "angular_error_deg", 1),
    ("ms", "ms", 1),
    ("CPU ms", "cpu_ms", 1),
)
THRICE_MS, ONCE_MS, TOO_LONG_MS = 300.0, 1000.0, 3000.0

Method = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _ours(method: str, preset: str) -> Method:
    return lambda image0, image1: estimate_flow(image0, image1, method=method, preset=preset)


def chosen_methods(names: Sequence[str], presets: Sequence[str]) -> tuple[dict[str, Method], dict[str, str]]:
    """Methods by label, ready to be timed, and the reasons why baselines are left out."""
    methods: dict[str, Method] = {}
    missing: dict[str, str] = {}
    tiny = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    for name in names:
        if name in FLOW_METHODS:
            chosen = {f"{name} {preset}": _ours(name, preset) for preset in presets}
        else:
            chosen = {name: BASELINE_FLOW_METHODS[name]}
        for label, method in chosen.items():
            try:
                method(tiny, tiny[::-1])  # compiles, imports
            except MissingExtraError as error:
                missing[label] = str(error)
            else:
                methods[label] = method
    if "cv2" in sys.modules and hasattr(sys.modules["cv2"], "setNumThreads"):
        sys.modules["cv2"].setNumThreads(thread_count())
    return methods, missing


def timed(methods: dict[str, Method], image0: np.ndarray, image1: np.ndarray, repeats: int) -> tuple[dict, dict]:
    """Per method median wall and processor time, and the flow."""
    flows: dict[str, np.ndarray] = {}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    for turn in range(repeats + 1):
        for name, method in methods.items():
            slowest = max((wall for wall, _ in times[name]), default=0.0)
            if slowest > ONCE_MS or (slowest > THRICE_MS and len(times[name]) >= 3):
                continue
            began = time.perf_counter(), time.process_time()
            flows[name] = method(image0, image1)
            taken = 1000 * (time.perf_counter() - began[0]), 1000 * (time.process_time() - began[1])
            if turn or taken[0] > ONCE_MS:  # the first call of a quick one fills the caches
                times[name].append(taken)
    figures = {
        name: {
            "ms": float(np.median([wall for wall, _ in times[name]])),
            "cpu_ms": float(np.median([cpu for _, cpu in times[name]])),
            "calls": len(times[name]),
        }
        for name in methods
    }
    return figures, flows


def measure(pair: Pair, methods: dict[str, Method], repeats: int) -> tuple[dict[str, dict[str, float]], dict]:
    """Error and time of every method on one pair, and the flows."""
    results, flows = timed(methods, pair.image0, pair.image1, repeats)
    for name, flow_xy in flows.items():
        known = np.isfinite(flow_xy).all(axis=2)
        flows[name] = np.where(known[..., None], flow_xy, np.float32(0))
        accuracy = flow_accuracy(flows[name], pair.truth_xy, pair.valid)
        results[name] |= {
            "holes": float(1 - known.mean()),
            "epe_px": accuracy.endpoint_error_px,
            "outliers": accuracy.outlier_share,
            "angular_error_deg": accuracy.angular_error_deg,
        }
    return results, flows


def measure_sizes(pair: Pair, methods: dict[str, Method], sizes: Sequence[str], repeats: int) -> dict[str, dict]:
    """Time of every method on `pair` resized, by size; the smaller sizes first."""
    speed: dict[str, dict] = {}
    left = dict(methods)
    for size in sorted(sizes, key=lambda size: SIZES_HW[size]):
        image0, image1 = (resized(image, SIZES_HW[size]) for image in (pair.image0, pair.image1))
        # One after the other, as in a video: buffers for large images do not survive a turn through all methods.
        speed[size] = {name: timed({name: method}, image0, image1, repeats)[0][name] for name, method in left.items()}
        left = {name: method for name, method in left.items() if speed[size][name]["ms"] <= TOO_LONG_MS}
    return speed


def print_tables(results: dict[str, dict[str, dict[str, float]]], names: Sequence[str]) -> None:
    widths = (max(len(method) for method in results), *(max(len(name), 6) for name in names), 8)
    for title, key, factor in TABLES:
        heads = (name.rjust(width) for name, width in zip(names, widths[1:-1], strict=True))
        print_row((title, *heads, "mean".rjust(widths[-1])), widths)
        for method, rows in results.items():
            figures = [factor * rows[name][key] for name in names]
            print_row((method, *figures, float(np.mean(figures))), widths)
        print()


def print_speed(speed: dict[str, dict[str, dict[str, float]]], methods: Sequence[str]) -> None:
    heads = [f"{size} {kind}" for size in speed for kind in ("ms", "CPU ms")]
    widths = (max(len(method) for method in methods), *(max(len(head), 9) for head in heads))
    print_row(("speed", *(head.rjust(width) for head, width in zip(heads, widths[1:], strict=True))), widths)
    for method in methods:
        rows = [rows.get(method, {}) for rows in speed.values()]
        print_row((method, *(row.get(kind, float("nan")) for row in rows for kind in ("ms", "cpu_ms"))), widths)
    print()


def show(path: Path, picture: Path | None) -> dict[str, Any]:
    """Print the tables of a record, and draw its methods by error and time."""
    record = read_record(path)
    if record is None:
        raise SystemExit(f"flow.py: {path} does not exist. Measure first, with --json {path}.")
    results = record["results"]
    ours = {name: name.split() for name in results if name.split()[0] in FLOW_METHODS}
    print_markdown(record, {name: f"`{words[0]}` {words[1]}" for name, words in ours.items()})
    if picture:
        points = {name: (mean_of(rows, "cpu_ms"), mean_of(rows, "epe_px")) for name, rows in results.items()}
        draw_pareto(points, set(ours), len(next(iter(results.values()))), picture)
    return record


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    known = [*FLOW_METHODS, *BASELINE_FLOW_METHODS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=known, default=known, metavar="NAME")
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS))
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--sizes", nargs="*", choices=tuple(SIZES_HW), default=["480p", "1080p"])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--tables", type=Path, metavar="FILE")
    parser.add_argument("--pareto", type=Path)
    options = parser.parse_args(arguments)
    if options.tables:
        return show(options.tables, options.pareto)
    if options.pareto:
        parser.error("--pareto draws what a file holds: give --tables FILE as well")
    before = read_record(options.json) if options.json else None
    folder = Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))
    pairs = development_pairs(folder)
    if not pairs:
        raise SystemExit(f"flow.py: no pairs with true flow in {folder}. Set CVSEG_DATA to the folder that holds them.")
    methods, missing = chosen_methods(options.methods, options.presets)
    asked = list(methods)
    if options.json:
        methods |= chosen_methods(["dis"], ["balanced"])[0]
    for name, reason in missing.items():
        print(f"left out: {name}. {reason}")
    if not methods:
        raise SystemExit("flow.py: no method is left to measure.")

    results: dict[str, dict[str, dict[str, float]]] = {name: {} for name in methods}
    flows = {}
    for pair in pairs:
        figures, flows[pair.name] = measure(pair, methods, max(options.repeats, 1))
        for name in methods:
            results[name][pair.name] = figures[name]
        print(f"measured {pair.name}", file=sys.stderr, flush=True)
    names = [pair.name for pair in pairs]
    print_tables(results, names)
    for name, rows in results.items():
        if holes := max(row["holes"] for row in rows.values()):
            print(f"{name} gives no number for up to {holes:.2%} of a picture; that counts as no motion.")
    # The largest: resizing it loses least.
    largest = max(pairs, key=lambda pair: pair.image0.size)
    speed = measure_sizes(largest, methods, options.sizes, max(options.repeats, 1))
    if speed:
        print_speed(speed, list(methods))

    if options.picture:
        first = next(iter(methods))
        worst = max(pairs, key=lambda pair: results[first][pair.name]["epe_px"])
        draw_flow(worst, flows[worst.name][first], options.picture)
    record = rounded(
        {"benchmark": "optical flow", "repeats": options.repeats, "threads": thread_count()}
        | {"results": results, "speed": speed, "left_out": missing, **environment()}
    )
    record = rounded(joined(before, record, asked))
    write_record(options.json, record)
    return record


if __name__ == "__main__":
    main()
