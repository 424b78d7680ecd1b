"""Supervoxels on DAVIS: do regions of a video keep to the object's edges and to themselves, and what does a frame cost?

python benchmarks/accuracy/supervoxels.py [--sequences NAME ...] [--wishes 200 500] [--frames 30] [--json FILE]
                                          [--memory FRAMES]

Per sequence and wished number of supervoxels in the whole clip, on the same frames and the same flow:

    hierarchy   `cvseg.supervoxels`, the level whose number is nearest to the wish
    temporal    `SuperpixelStream` alone, with as many superpixels as give that number in the clip
    matched     `segment(method="graph")` frame by frame, with as many regions a frame as the hierarchy has; one goes on
                where two overlap each other best, by over a half. Their number in the clip is what it comes to

Boundary recall (2 px and frames), undersegmentation error, accuracy, explained variation, share of the object that is
covered by supervoxels which are mostly object, over the area of both (IoU), consistency along the flow that
`FlowStream("balanced")` finds, mean duration and number. Then the time of a frame with its flow, and with `--memory`
the memory of the process while one sequence is played back and forth. The data are found by CVSEG_DATA, else in
../shared/data.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from measuring import ROOT, environment, print_row, rounded, write_record
from region_streams import matched, mean_life

from cvseg.evaluation import (
    achievable_accuracy,
    boundary_recall,
    explained_variation,
    label_consistency,
    undersegmentation_error,
)
from cvseg.flow import FlowStream
from cvseg.formats.davis import read_mask
from cvseg.superpixels import SuperpixelStream, segment
from cvseg.supervoxels import Supervoxels, SupervoxelStream
from cvseg.video.still_image import read_image

FIGURES = ("recall", "UE", "ASA", "IoU", "EV", "consist.", "duration", "number", "a frame")
SEARCHES = 3  # for the number of temporal superpixels


def clips(folder: Path, names: Sequence[str], frames: int) -> Iterator[tuple[str, list[np.ndarray], np.ndarray]]:
    """Name, pictures and truth (T, H, W) of each sequence."""
    found = sorted({path.parent for path in (folder / "DAVIS2016" / "JPEGImages").rglob("480p/*/*.jpg")})
    if not found:
        raise SystemExit(f"supervoxels.py: no DAVIS2016 in {folder}. Set CVSEG_DATA to the folder that holds it.")
    for sequence in found:
        if names and sequence.name not in names:
            continue
        paths = sorted(sequence.glob("*.jpg"))[:frames]
        truths = folder / "DAVIS2016" / "Annotations" / "480p" / sequence.name
        truth = np.stack([(read_mask(truths / f"{path.stem}.png") > 0).astype(np.int32) for path in paths])
        yield sequence.name, [read_image(path) for path in paths], truth


def flows_of(images: list[np.ndarray], preset: str) -> list[Any]:
    """Forward flow into each frame; None for the first."""
    stream = FlowStream(preset)
    pairs = [stream.update(image) for image in images]
    return [None if pair is None else pair.forward_xy for pair in pairs]


def hierarchy(images: list[np.ndarray], flows: list[Any]) -> Supervoxels:
    """All levels of a clip."""
    stream = SupervoxelStream()
    parts = [stream.update(image, flow) for image, flow in zip(images, flows, strict=True)]
    return Supervoxels.joined([part for part in (*parts, stream.finish()) if part is not None])


def temporal(images: list[np.ndarray], flows: list[Any], wish: int) -> np.ndarray:
    """Temporal superpixels, about `wish` in the clip."""
    count, best = wish, None
    for _ in range(SEARCHES):
        stream = SuperpixelStream(count=max(1, count))
        labels = np.stack([stream.update(image, flow) for image, flow in zip(images, flows, strict=True)])
        number = len(np.unique(labels))
        if best is None or abs(number - wish) < abs(best[0] - wish):
            best = number, labels
        count = round(count * wish / number)
    return best[1]


def object_iou(labels: np.ndarray, truth: np.ndarray) -> float:
    """Of the object, and what supervoxels that are mostly object cover."""
    _, index = np.unique(labels, return_inverse=True)
    area = np.bincount(index.ravel())
    inside = np.bincount(index.ravel(), truth.ravel())
    mostly = 2 * inside > area
    return float(inside[mostly].sum() / (inside.sum() + (area - inside)[mostly].sum()))


def measure(labels: np.ndarray, truth: np.ndarray, images: np.ndarray, flows_xy: np.ndarray) -> list[float]:
    """A row of `FIGURES`."""
    return [
        boundary_recall(labels, truth),
        undersegmentation_error(labels, truth),
        achievable_accuracy(labels, truth),
        object_iou(labels, truth),
        explained_variation(labels, images),
        label_consistency(labels, flows_xy),
        mean_life(labels),
        float(len(np.unique(labels))),
        float(np.mean([len(np.unique(frame)) for frame in labels])),
    ]


def speed(images: list[np.ndarray]) -> dict[str, float]:
    """Time of a frame, flow included, the clip back and forth, after one window has warmed all up."""
    stream = SupervoxelStream()
    walls, cpus = [], []
    for image in [*images, *images[-2:0:-1]]:
        began, busy = time.perf_counter(), time.process_time()
        stream.update(image)
        walls.append(time.perf_counter() - began)
        cpus.append(time.process_time() - busy)
    # Whole windows: deciding is a part of the cost, in one frame of 16.
    first, window = stream.options.window + stream.options.overlap, stream.options.window
    warm = slice(first, first + max(1, (len(walls) - first) // window) * window)
    wall, cpu = float(np.mean(walls[warm])), float(np.mean(cpus[warm]))
    return {"frames/s": 1 / wall, "ms": 1000 * wall, "CPU ms": 1000 * cpu, "slowest ms": 1000 * max(walls[warm])}


def memory(images: list[np.ndarray], frames: int) -> list[tuple[int, float]]:
    """Memory of the process in MB after so many frames, the clip played back and forth."""
    stream, held = SupervoxelStream(), []
    order = [*range(len(images)), *range(len(images) - 2, 0, -1)]
    for t in range(frames):
        stream.update(images[order[t % len(order)]])
        if (t + 1) % 100 == 0:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            held.append((t + 1, pages * resource.getpagesize() / 1e6))
    return held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", nargs="+", default=[])
    parser.add_argument("--wishes", nargs="+", type=int, default=[200, 500])
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--memory", type=int, default=0, metavar="FRAMES")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))
    results: dict[str, Any] = {"environment": environment()}
    rows: dict[tuple[str, int], list[list[float]]] = {}
    widths = (16, 10, *(8 for _ in FIGURES))
    print_row(("sequence", "method", *(name.rjust(8) for name in FIGURES)), widths)
    speeds = []
    for name, images, truth in clips(folder, options.sequences, options.frames):
        flows, true_xy = flows_of(images, "fast"), np.stack(flows_of(images, "balanced")[1:])
        pictures, tree = np.stack(images), hierarchy(images, flows)
        for wish in options.wishes:
            ours = tree.labels_with(wish)
            a_frame = max(1, round(float(np.mean([len(np.unique(frame)) for frame in ours]))))
            found = {
                "hierarchy": ours,
                "temporal": temporal(images, flows, wish),
                "matched": matched([segment(image, method="graph", count=a_frame) for image in images]),
            }
            for method, labels in found.items():
                row = measure(labels, truth, pictures, true_xy)
                rows.setdefault((method, wish), []).append(row)
                results.setdefault(name, {})[f"{method} {wish}"] = rounded(dict(zip(FIGURES, row, strict=True)))
                print_row((name, method, *row), widths)
                sys.stdout.flush()
        speeds.append(speed(images))
        print(name, rounded(speeds[-1]), flush=True)
    for (method, wish), own in rows.items():
        mean = np.mean(own, axis=0).tolist()
        results.setdefault("mean", {})[f"{method} {wish}"] = rounded(dict(zip(FIGURES, mean, strict=True)))
        print_row((f"mean, {wish}", method, *mean), widths)
    results["speed"] = rounded({key: float(np.median([one[key] for one in speeds])) for key in speeds[0]})
    print("median of sequences:", results["speed"])
    if options.memory:
        results["memory"] = memory(next(clips(folder, options.sequences, 50))[1], options.memory)
        print("MB:", results["memory"])
    write_record(options.json, results)


if __name__ == "__main__":
    main()
