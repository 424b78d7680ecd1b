"""How many frames a second the measures of evaluation take, arrays in memory, on all threads.

python -m benchmarks.speed.evaluation [--frames 60] [--repeats 3] [--rows J F]

The masks are the results of OSVOS against DAVIS 2016 at 854x480 where CVSEG_DATA (default ../shared/data) has them,
else drawn ones of the same size. One line of `ROWS` a measure.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cvseg.evaluation import (
    boundary_accuracy,
    outline_change,
    outline_shape,
    pair_scores,
    region_similarity,
)
from cvseg.evaluation.frame_pool import measure_frames

ROOT = Path(__file__).resolve().parents[2]
SEQUENCES = ("kite-surf", "horsejump-high", "motocross-jump", "libby", "blackswan")


@dataclass(frozen=True)
class Material:
    """What is measured: masks and label maps of one size; the objects of `labels` are 1 to 3."""

    result: list[np.ndarray]
    truth: list[np.ndarray]
    result_labels: list[np.ndarray]
    truth_labels: list[np.ndarray]


def both(material: Material, i: int) -> Any:
    masks = material.result[i], material.truth[i]
    return region_similarity(*masks), boundary_accuracy(*masks)


def all_pairs(material: Material, i: int) -> Any:
    return pair_scores(material.result_labels[i], material.truth_labels[i], (1, 2, 3), (1, 2, 3))


def pair_by_pair(material: Material, i: int) -> Any:
    result, truth = material.result_labels[i], material.truth_labels[i]
    for mine in (1, 2, 3):
        for true in (1, 2, 3):
            region_similarity(result == mine, truth == true)
            boundary_accuracy(result == mine, truth == true)


def stability(material: Material, i: int) -> Any:
    # In a sequence each outline is made once; here the pair of a frame is its result and its truth.
    return outline_change(outline_shape(material.result[i]), outline_shape(material.truth[i]))


ROWS: dict[str, Callable[[Material, int], Any]] = {
    "J": lambda material, i: region_similarity(material.result[i], material.truth[i]),
    "F": lambda material, i: boundary_accuracy(material.result[i], material.truth[i]),
    "J+F": both,
    "J+F 3x3 objects": all_pairs,
    "J+F 3x3 one by one": pair_by_pair,
    "T (two outlines)": stability,
}


def real_material(frames: int) -> Material | None:
    """Masks of OSVOS and of DAVIS 2016, evenly from all sequences; None where they are absent."""
    from cvseg.formats.davis import read_mask

    folder = Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))
    results = folder / "davis2017_eval_results" / "osvos"
    paths = [path for name in SEQUENCES for path in sorted((results / name).glob("*.png"))]
    if not paths:
        return None
    chosen = [paths[k] for k in np.linspace(0, len(paths) - 1, frames).round().astype(int)]
    labels = [read_mask(path) for path in chosen]
    masks = folder / "DAVIS2016" / "Annotations" / "480p"
    truth = [read_mask(masks / path.parent.name / path.name) > 0 for path in chosen]
    # DAVIS 2016 has one object: the true mask is divided as the result is, three pixels further right.
    divided = [
        np.where(mask, np.maximum(np.roll(ids, 3, axis=1), 1), 0).astype(np.int32)
        for mask, ids in zip(truth, labels, strict=True)
    ]
    return Material([ids > 0 for ids in labels], truth, labels, divided)


def drawn_material(frames: int, size_hw: tuple[int, int] = (480, 854)) -> Material:
    """Three wavy disks, the result a little beside the truth."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: size_hw[0], : size_hw[1]].astype(np.float32)
    labels = []
    for _ in range(2 * frames):
        ids = np.zeros(size_hw, np.int32)
        for k in range(3):
            dx, dy = x - size_hw[1] * (0.25 + 0.25 * k) - rng.normal() * 4, y - size_hw[0] * 0.5 - rng.normal() * 4
            angle = np.arctan2(dy, dx)
            ids[np.hypot(dx, dy) < size_hw[0] * (0.2 + 0.03 * np.sin(7 * angle + rng.normal()))] = k + 1
        labels.append(ids)
    masks = [ids > 0 for ids in labels]
    return Material(masks[:frames], masks[frames:], labels[:frames], labels[frames:])


def time_row(row: Callable[[Material, int], Any], material: Material, repeats: int) -> tuple[float, float]:
    """Frames a second by the wall clock, and processor time in ms a frame: medians."""
    frames = range(len(material.result))
    row(material, 0)
    walls, processors = [], []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        measure_frames(lambda i: row(material, i), frames)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    count = len(frames)
    return count / float(np.median(walls)), 1e3 * float(np.median(processors)) / count


def main(argv: Sequence[str] | None = None) -> dict[str, tuple[float, float]]:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS), metavar="ROW")
    options = parser.parse_args(argv)
    material = real_material(options.frames)
    where = "OSVOS against DAVIS 2016" if material else "drawn masks"
    material = material or drawn_material(options.frames)
    height, width = material.truth[0].shape
    print(f"{options.frames} frames of {width}x{height}, {where}")
    print(f"{'measure':<20} {'frames/s':>9} {'cpu ms/frame':>13}")
    found = {}
    for name in options.rows:
        found[name] = time_row(ROWS[name], material, options.repeats)
        print(f"{name:<20} {found[name][0]:9.0f} {found[name][1]:13.2f}")
    return found


if __name__ == "__main__":
    main()
