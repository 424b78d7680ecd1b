"""Superpixels, ours and other libraries', against what people drew on the Berkeley images, in one run; and over time.

python benchmarks/accuracy/regions.py [--methods NAME ...] [--presets fast balanced quality] [--counts 200 400 600 1000]
                                      [--compactness M ...] [--repeats 5] [--stream] [--frames 50] [--json FILE]
                                      [--picture FILE]

A method is a key of `cvseg.superpixels.SUPERPIXEL_METHODS` (taken with each preset, and with each `--compactness` where
that is given) or of `cvseg.baselines.BASELINE_SUPERPIXEL_METHODS`. Per method and wished count, means over images, and
in each image over the people who drew it: boundary recall (2 px), undersegmentation error of Neubert and Protzel
(min of inside and outside), achievable accuracy; explained variation of RGB, compactness, the number found; median wall
and processor time.

Times are medians of calls that alternate between all methods of one count, from the RGB picture on. "CPU ms" adds up
the threads; on a busy machine it says more than the wall clock. "of SLIC" and "CPU of" are the ratios of both to those
of OpenCV's SLIC with the default algorithm. OpenCV runs with as many threads as cvseg. What takes more than 0.3 s is
called twice at most. Methods that are given a scale have it searched for each image; only the last call is timed.

`--stream` measures temporal superpixels on DAVIS instead: mean life in frames, against OpenCV's SLIC of each frame,
matched by mutual best overlap above one half; consistency along the flow that `estimate_flow` finds; the time of a
frame against that of one frame by itself, flow not counted. `--picture` draws the first lying image as the first four
methods divide it. The data are found by CVSEG_DATA, else in ../shared/data.
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

from measuring import ROOT, environment, print_row, rounded, write_record
from region_streams import measure_stream

from cvseg.baselines import BASELINE_SUPERPIXEL_METHODS
from cvseg.errors import MissingExtraError
from cvseg.evaluation import (
    achievable_accuracy,
    boundary_recall,
    compactness,
    explained_variation,
    undersegmentation_error,
)
from cvseg.formats.bsds import read_bsds_truth
from cvseg.kernels.bands import thread_count
from cvseg.superpixels import SUPERPIXEL_METHODS, segment
from cvseg.video.still_image import read_image

PRESETS = ("fast", "balanced", "quality")
COLUMNS = (
    ("recall", "boundary_recall"),
    ("UE", "undersegmentation_error"),
    ("ASA", "achievable_accuracy"),
    ("EV", "explained_variation"),
    ("compact", "compactness"),
    ("found", "found"),
    ("ms", "ms"),
    ("CPU ms", "cpu_ms"),
    ("of SLIC", "of_slic"),
    ("CPU of", "cpu_of_slic"),
)
REFERENCE = "opencv_slico"  # createSuperpixelSLIC without naming an algorithm
SLOW_MS = 300.0

Method = Callable[[np.ndarray, int], np.ndarray]
Image = tuple[str, np.ndarray, list[np.ndarray]]


def berkeley_images(folder: Path) -> list[Image]:
    """Name, picture and truths of every image at hand."""
    images = []
    for part in ("BSDS500", "BSDS500_bench"):
        for path in sorted((folder / part / "images").rglob("*.jpg")):
            truths = sorted((folder / part / "groundTruth").rglob(f"{path.stem}.mat"))
            if truths:
                images.append((path.stem, read_image(path), [labels for labels, _ in read_bsds_truth(truths[0])]))
    return images


def _ours(name: str, preset: str, weight: float | None) -> Method:
    return lambda image, count: segment(image, method=name, preset=preset, count=count, compactness=weight)


def chosen_methods(
    names: Sequence[str], presets: Sequence[str], weights: Sequence[float]
) -> tuple[dict[str, Method], dict[str, str]]:
    """Methods by label, ready to be timed, and the reasons why baselines are left out."""
    methods: dict[str, Method] = {}
    missing: dict[str, str] = {}
    tiny = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    for name in names:
        if name not in SUPERPIXEL_METHODS:
            chosen = {name: BASELINE_SUPERPIXEL_METHODS[name]}
        elif weights and SUPERPIXEL_METHODS[name].takes_compactness:
            chosen = {f"{name} {preset} m={m:g}": _ours(name, preset, m) for preset in presets for m in weights}
        else:
            chosen = {f"{name} {preset}": _ours(name, preset, None) for preset in presets}
        for label, method in chosen.items():
            try:
                method(tiny, 24)  # compiles, imports
            except MissingExtraError as error:
                missing[label] = str(error)
            else:
                methods[label] = method
    if "cv2" in sys.modules and hasattr(sys.modules["cv2"], "setNumThreads"):
        sys.modules["cv2"].setNumThreads(thread_count())
    return methods, missing


def measure(images: Sequence[Image], methods: dict[str, Method], count: int, repeats: int) -> dict[str, dict]:
    """Means of all measures of every method at one wished count."""
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in methods}
    all_of = list(methods.items())
    for _, image, truths in images:
        # Where a scale is searched for the number, the search is not counted.
        ready = {name: method.ready(image, count) if hasattr(method, "ready") else method for name, method in all_of}
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
        found: dict[str, np.ndarray] = {}
        for _ in range(repeats):
            for name, method in ready.items():
                if len(times[name]) >= 2 and max(wall for wall, _ in times[name]) > SLOW_MS:
                    continue
                began = time.perf_counter(), time.process_time()
                found[name] = method(image, count)
                times[name].append((1000 * (time.perf_counter() - began[0]), 1000 * (time.process_time() - began[1])))
        for name, labels in found.items():
            wall, cpu = np.median(times[name], axis=0)
            rows[name].append(
                {
                    "boundary_recall": float(np.mean([boundary_recall(labels, truth) for truth in truths])),
                    "undersegmentation_error": float(
                        np.mean([undersegmentation_error(labels, truth) for truth in truths])
                    ),
                    "achievable_accuracy": float(np.mean([achievable_accuracy(labels, truth) for truth in truths])),
                    "explained_variation": explained_variation(labels, image),
                    "compactness": compactness(labels),
                    "found": float(len(np.unique(labels))),
                    "ms": float(wall),
                    "cpu_ms": float(cpu),
                }
            )
    means = {name: {key: float(np.mean([row[key] for row in of])) for key in of[0]} for name, of in rows.items()}
    for row in means.values():
        for key, of in (("of_slic", "ms"), ("cpu_of_slic", "cpu_ms")):
            row[key] = row[of] / means[REFERENCE][of] if REFERENCE in means else float("nan")
    return means


def draw(images: Sequence[Image], methods: dict[str, Method], count: int, path: Path) -> None:
    """The first lying image with the boundaries of the first four methods."""
    from PIL import Image as Picture

    from cvseg.report.superpixel_picture import boundary_picture

    picture = next(image for _, image, _ in images if image.shape[1] > image.shape[0])
    tiles = [boundary_picture(picture, method(picture, count)) for method in list(methods.values())[:4]]
    height, width = picture.shape[:2]
    sheet = Picture.new("RGB", (2 * width, -(-len(tiles) // 2) * height))
    for i, tile in enumerate(tiles):
        sheet.paste(Picture.fromarray(tile), (i % 2 * width, i // 2 * height))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, quality=88, optimize=True)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    known = [*SUPERPIXEL_METHODS, *BASELINE_SUPERPIXEL_METHODS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--methods", nargs="+", choices=known, default=known, metavar="NAME")
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS))
    parser.add_argument("--counts", nargs="+", type=int, default=[200, 400, 600, 1000])
    parser.add_argument("--compactness", nargs="*", type=float, default=[])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args(arguments)
    folder = Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))
    results: dict[str, Any] = {}
    missing: dict[str, str] = {}
    if options.stream:
        results = measure_stream(folder, options.counts[-1] if len(options.counts) == 1 else 600, options.frames)
    else:
        images = berkeley_images(folder)
        if not images:
            raise SystemExit(f"regions.py: no BSDS500 in {folder}. Set CVSEG_DATA to the folder that holds it.")
        methods, missing = chosen_methods(options.methods, options.presets, options.compactness)
        for name, reason in missing.items():
            print(f"left out: {name}. {reason}")
        if not methods:
            raise SystemExit("regions.py: no method is left to measure.")
        widths = (max(len(name) for name in methods), *(max(len(title), 7) for title, _ in COLUMNS))
        for count in options.counts:
            results[str(count)] = measure(images, methods, count, max(1, options.repeats))
            titles = (title.rjust(width) for (title, _), width in zip(COLUMNS, widths[1:], strict=True))
            print_row((f"count {count}", *titles), widths)
            for name, row in results[str(count)].items():
                print_row((name, *(row[key] for _, key in COLUMNS)), widths)
            print()
        if options.picture:
            draw(images, methods, options.counts[0], options.picture)
    record = rounded(
        {"benchmark": "superpixels", "repeats": options.repeats, "threads": thread_count()}
        | {"results": results, "left_out": missing, **environment()}
    )
    write_record(options.json, record)
    return record


if __name__ == "__main__":
    main()
