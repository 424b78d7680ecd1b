"""Error and time of optical flow on pairs with known truth, beside OpenCV's methods in the same run.

python benchmarks/accuracy/flow.py [--repeats 9] [--methods dis ...] [--presets fast balanced quality]
                                   [--json FILE] [--picture FILE]

Per pair: mean endpoint error in pixels, share of outliers (more than 3 px and 5 %, KITTI's Fl-all), milliseconds.
Every time is the median of calls that alternate between all methods, and begins with the RGB pictures: conversion to
grey counts for all. "CPU ms" adds up the threads; on a busy machine it says more than the wall clock. OpenCV runs with
as many threads as cvseg. Without OpenCV its rows are left out; its TV-L1, which takes seconds, is shown only beside
ours, with a scale step of 0.5, 6 scales, 5 warps, 2 x 10 iterations and its median of 5 x 5. `--picture` draws
the first pair with the largest error of the first preset: picture, truth, flow, error. The data are found by
CVSEG_DATA, else in ../shared/data.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from measuring import ROOT, environment, print_row, rounded

from cvseg.evaluation.endpoint_error import flow_accuracy
from cvseg.flow import FLOW_METHODS, estimate_flow
from cvseg.kernels.bands import thread_count

PRESETS = ("fast", "balanced", "quality")
MIDDLEBURY = ("Grove2", "RubberWhale", "Venus")


@dataclass(frozen=True)
class Pair:
    """Two pictures and the true flow between them; `valid` says where the truth is known."""

    name: str
    image0: np.ndarray
    image1: np.ndarray
    truth_xy: np.ndarray
    valid: np.ndarray


def read_picture(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def read_flo(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Middlebury's .flo: a tag, width, height, then pairs of float32."""
    words = np.fromfile(path, np.float32)
    if words.size < 3 or words[0] != np.float32(202021.25):
        raise SystemExit(f"flow.py: {path} is not a .flo file.")
    width, height = words[1:3].view(np.int32)
    flow_xy = words[3:].reshape(height, width, 2)
    return flow_xy, (np.abs(flow_xy) < 1e9).all(axis=2)


def read_kitti(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """KITTI's 16-bit PNG: u = (R - 32768) / 64, v = (G - 32768) / 64, B = known."""
    import av

    # Pillow reads 16 bits per channel only for grey.
    with av.open(str(path)) as container:
        words = next(container.decode(video=0)).to_ndarray(format="rgb48le").astype(np.float32)
    return np.ascontiguousarray((words[..., :2] - 32768) / 64), words[..., 2] > 0


def development_pairs(folder: Path) -> list[Pair]:
    """All pairs with truth below `folder`; those that are absent are left out."""
    found = []

    def add(name: str, image0: Path, image1: Path, truth: Path, read: Callable[[Path], Any]) -> None:
        if truth.is_file():
            found.append(Pair(name, read_picture(image0), read_picture(image1), *read(truth)))

    middlebury, sintel, kitti = (folder / name for name in ("Middlebury_flow", "MPI_Sintel", "KITTI2012_flow"))
    for name in MIDDLEBURY:
        images = middlebury / "other-data" / name
        truth = middlebury / "other-gt-flow" / name / "flow10.flo"
        add(name, images / "frame10.png", images / "frame11.png", truth, read_flo)
    for kind in ("final", "clean"):
        images, truth = sintel / kind / "alley_1", sintel / "flow" / "alley_1" / "frame_0002.flo"
        add(f"alley_1 {kind}", images / "frame_0002.png", images / "frame_0003.png", truth, read_flo)
    images = kitti / "colored_0"
    add("KITTI 157", images / "000157_10.png", images / "000157_11.png", kitti / "flow_noc/000157_10.png", read_kitti)
    chairs = folder / "FlyingChairs_samples"
    add("Chairs 0", *(chairs / f"0000000-{end}" for end in ("img0.ppm", "img1.ppm", "gt.flo")), read_flo)
    return found


def opencv_methods(ours: Sequence[str]) -> dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
    """OpenCV's methods on RGB pictures, to show beside `ours`; empty when it is not installed."""
    try:
        import cv2
    except ImportError:
        return {}
    cv2.setNumThreads(thread_count())

    def on_gray(calculate: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Callable[..., np.ndarray]:
        def run(image0: np.ndarray, image1: np.ndarray) -> np.ndarray:
            return calculate(*(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (image0, image1)))

        return run

    fast, medium = (
        cv2.DISOpticalFlow_create(preset)
        for preset in (cv2.DISOPTICAL_FLOW_PRESET_FAST, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    )
    methods = {
        "OpenCV DIS fast": on_gray(lambda a, b: fast.calc(a, b, None)),
        "OpenCV DIS medium": on_gray(lambda a, b: medium.calc(a, b, None)),
        "OpenCV Farneback": on_gray(lambda a, b: cv2.calcOpticalFlowFarneback(a, b, None, 0.5, 5, 15, 3, 5, 1.2, 0)),
    }
    if "tv_l1" in ours and hasattr(cv2, "optflow"):
        tv_l1 = cv2.optflow.DualTVL1OpticalFlow_create(
            scaleStep=0.5, nscales=6, warps=5, innnerIterations=10, outerIterations=2, medianFiltering=5
        )
        methods["OpenCV TV-L1"] = on_gray(lambda a, b: tv_l1.calc(a, b, None))
    return methods


def measure(
    pair: Pair, methods: dict[str, Callable[..., np.ndarray]], repeats: int
) -> tuple[dict[str, dict[str, float]], dict[str, np.ndarray]]:
    """Error and time of every method on one pair, and the flows."""
    flows = {name: method(pair.image0, pair.image1) for name, method in methods.items()}  # compiles, fills the caches
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    for _ in range(repeats):
        for name, method in methods.items():
            began = time.perf_counter(), time.process_time()
            method(pair.image0, pair.image1)
            times[name].append((time.perf_counter() - began[0], time.process_time() - began[1]))
    results = {}
    for name, flow_xy in flows.items():
        accuracy = flow_accuracy(flow_xy, pair.truth_xy, pair.valid)
        results[name] = {
            "epe_px": accuracy.endpoint_error_px,
            "outliers": accuracy.outlier_share,
            "angular_error_deg": accuracy.angular_error_deg,
            "ms": float(np.median([wall for wall, _ in times[name]])) * 1000,
            "cpu_ms": float(np.median([cpu for _, cpu in times[name]])) * 1000,
        }
    return results, flows


def colour_wheel(flow_xy: np.ndarray, largest_px: float) -> np.ndarray:
    """Direction as hue, length as saturation: white is still, full colour is `largest_px`."""
    angle = np.arctan2(flow_xy[..., 1], flow_xy[..., 0])
    length = np.clip(np.hypot(flow_xy[..., 0], flow_xy[..., 1]) / largest_px, 0, 1)
    hue = 0.5 + 0.5 * np.cos(angle[..., None] - np.deg2rad([0, 120, 240]))
    return np.round(255 * (1 - length[..., None] * (1 - hue))).astype(np.uint8)


def draw(pair: Pair, flow_xy: np.ndarray, path: Path) -> None:
    """Picture and truth above flow and error (white: 5 px or more), at half size."""
    from PIL import Image

    truth = np.where(pair.valid[..., None], pair.truth_xy, 0)
    largest = float(np.percentile(np.hypot(truth[..., 0], truth[..., 1])[pair.valid], 99)) or 1.0
    error = np.where(pair.valid, np.hypot(*(flow_xy - truth).transpose(2, 0, 1)), 0)
    gray = np.round(255 * np.clip(error / 5, 0, 1)).astype(np.uint8)
    tiles = (pair.image0, colour_wheel(truth, largest), colour_wheel(flow_xy, largest), np.dstack([gray] * 3))
    height, width = pair.image0.shape[0] // 2, pair.image0.shape[1] // 2
    sheet = Image.new("RGB", (2 * width, 2 * height))
    for i, tile in enumerate(tiles):
        sheet.paste(Image.fromarray(tile).resize((width, height)), (i % 2 * width, i // 2 * height))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(128).save(path, optimize=True)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--methods", nargs="+", choices=tuple(FLOW_METHODS), default=["dis"])
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args(arguments)
    folder = Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))
    pairs = development_pairs(folder)
    if not pairs:
        raise SystemExit(f"flow.py: no pairs with true flow in {folder}. Set CVSEG_DATA to the folder that holds them.")

    def ours(method: str, preset: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        return lambda image0, image1: estimate_flow(image0, image1, method=method, preset=preset)

    chosen = [(method, preset) for method in options.methods for preset in options.presets]
    methods = {f"cvseg {method} {preset}": ours(method, preset) for method, preset in chosen}
    methods |= opencv_methods(options.methods)
    results: dict[str, dict[str, dict[str, float]]] = {name: {} for name in methods}
    flows = {}
    for pair in pairs:
        figures, flows[pair.name] = measure(pair, methods, options.repeats)
        for name in methods:
            results[name][pair.name] = figures[name]

    widths = (18, *(max(len(pair.name), 6) for pair in pairs), 6)
    names = [pair.name for pair in pairs]
    tables = ("EPE px", "epe_px", 1), ("outliers %", "outliers", 100), ("ms", "ms", 1), ("CPU ms", "cpu_ms", 1)
    for title, key, factor in tables:
        heads = (name.rjust(width) for name, width in zip(names, widths[1:-1], strict=True))
        print_row((title, *heads, "  mean"), widths)
        for method, rows in results.items():
            figures = [factor * rows[name][key] for name in names]
            print_row((method, *figures, float(np.mean(figures))), widths)
        print()

    if options.picture:
        first = next(iter(methods))
        worst = max(pairs, key=lambda pair: results[first][pair.name]["epe_px"])
        draw(worst, flows[worst.name][first], options.picture)
    record = rounded(
        {"benchmark": "optical flow", "repeats": options.repeats, "threads": thread_count()}
        | {"results": results, **environment()}
    )
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return record


if __name__ == "__main__":
    main()
