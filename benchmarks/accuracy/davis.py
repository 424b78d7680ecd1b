"""Region similarity J and boundary accuracy F of `cvseg.segment` on DAVIS 2016, beside the published methods.

python benchmarks/accuracy/davis.py [--preset balanced] [--sequences blackswan libby] [--json FILE] [--overlays DIR]

All labels of a frame are merged to one foreground. The first and the last frame of a sequence are segmented and not
scored, as the benchmark prescribes. The data are found by CVSEG_DATA, else in ../shared/data.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from measuring import ROOT, Segment, environment, print_row, rounded, timed, warm_up

from cvseg.evaluation import boundary_accuracy, region_similarity, sequence_statistics

COLUMNS = ("sequence", "frames", "J mean", "J recall", "J decay", "F mean", "F recall", "frames/s")
WIDTHS = (16, 6, 8, 8, 8, 8, 8, 8)
PICTURES = 6  # per sequence, with --overlays


def data_folder() -> Path:
    return Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))


def read_truth(path: Path) -> np.ndarray:
    """(H, W) bool from a mask file; any value above 0 is the object."""
    from PIL import Image

    with Image.open(path) as picture:
        mask = np.asarray(picture)
    return (mask if mask.ndim == 2 else mask[..., :3].max(axis=2)) > 0


def score_sequence(
    frames: Path, truths: Path, segment: Segment, overlays: Path | None = None, **settings: Any
) -> dict[str, Any]:
    """Segment one folder of frames and score every frame that has a true mask of the same stem.

    Returns
    -------
    dict : frames, seconds, frames_per_s, J and F (mean, recall, decay), and both per frame. A frame that the
        segmentation leaves out has an empty mask.
    """
    names = sorted(path.stem for path in truths.glob("*.png"))
    if not names:
        raise SystemExit(f"davis.py: no masks (*.png) in {truths}.")
    keep = set(np.linspace(0, len(names) - 1, PICTURES).round().astype(int).tolist()) if overlays else set()
    scores: dict[str, tuple[float, float]] = {}
    pictures, clock, count = [], [0.0], 0
    for result in timed(segment(str(frames), **settings), clock):
        count += 1
        path = truths / f"{result.frame.name}.png"
        if not path.is_file():
            continue
        truth = read_truth(path)
        foreground = np.asarray(result.labels) > 0
        scores[path.stem] = region_similarity(foreground, truth), boundary_accuracy(foreground, truth)
        if names.index(path.stem) in keep:
            pictures.append(draw(result, truth))
    for name in names:
        if name not in scores:
            truth = read_truth(truths / f"{name}.png")
            nothing = np.zeros_like(truth)
            scores[name] = region_similarity(nothing, truth), boundary_accuracy(nothing, truth)
    if overlays and pictures:
        save_pictures(pictures, overlays / f"{frames.name}.jpg")
    per_frame = {letter: [scores[name][i] for name in names] for i, letter in enumerate("JF")}
    return {
        "frames": count,
        "seconds": clock[0],
        "frames_per_s": count / clock[0] if clock[0] else float("nan"),
        **{letter: asdict(sequence_statistics(per_frame[letter])) for letter in "JF"},
        "per_frame": per_frame,
    }


def draw(result: Any, truth: np.ndarray) -> np.ndarray:
    """Overlay of one frame, with the true outline in white."""
    from cvseg.kernels.evaluation.mask_boundary import mask_boundary
    from cvseg.report.overlay import draw_overlay

    picture = draw_overlay(result.frame.image, np.asarray(result.labels), tuple(result.tracks))
    picture[mask_boundary(truth.view(np.uint8)) > 0] = 255
    return picture


def save_pictures(pictures: Sequence[np.ndarray], path: Path) -> None:
    """Three in a row, at half size."""
    from PIL import Image

    height, width = pictures[0].shape[0] // 2, pictures[0].shape[1] // 2
    sheet = Image.new("RGB", (3 * width, -(-len(pictures) // 3) * height))
    for i, picture in enumerate(pictures):
        sheet.paste(Image.fromarray(picture).resize((width, height)), (i % 3 * width, i // 3 * height))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, quality=90)


def published(folder: Path, sequences: Sequence[str]) -> list[tuple[str, str, float, float]]:
    """Kind, method, mean J and mean F over `sequences` of the published methods, best J first."""
    path = folder / "DAVIS2016" / "published_per_sequence.csv"
    if not path.is_file():
        return []
    rows = []
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
        if all(row.get(f"{name}_J") and row.get(f"{name}_F") for name in sequences):
            means = (float(np.mean([float(row[f"{name}_{letter}"]) for name in sequences])) for letter in "JF")
            rows.append((row["task"], row["method"], *means))
    return sorted(rows, key=lambda row: -row[2])


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--sequences", nargs="+", metavar="NAME", help="default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    parser.add_argument("--overlays", type=Path, metavar="DIR", help="write a sheet of pictures per sequence")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, segment: Segment | None = None) -> dict[str, Any]:
    """Run the benchmark; `segment` stands in for `cvseg.segment`. Returns what `--json` writes."""
    options = arguments(argv)
    if segment is None:
        import cvseg

        segment = cvseg.segment
    folder = data_folder()
    frames, truths = (folder / "DAVIS2016" / kind / "480p" for kind in ("JPEGImages", "Annotations"))
    present = sorted(path.name for path in frames.iterdir() if path.is_dir()) if frames.is_dir() else []
    sequences = options.sequences or present
    missing = [name for name in sequences if name not in present]
    if missing or not sequences:
        raise SystemExit(
            f"davis.py: {', '.join(missing) or 'no sequence'} not found in {frames}; present: {', '.join(present)}."
        )
    settings = {"preset": options.preset, "device": options.device}
    warm_up(segment, str(frames / sequences[0]), **settings)

    print_row(COLUMNS, WIDTHS)
    results: dict[str, dict[str, Any]] = {}
    for name in sequences:
        found = score_sequence(frames / name, truths / name, segment, options.overlays, **settings)
        results[name] = found
        figures = (found["J"]["mean"], found["J"]["recall"], found["J"]["decay"], found["F"]["mean"])
        print_row((name, found["frames"], *figures, found["F"]["recall"], found["frames_per_s"]), WIDTHS)
    mean = {
        letter: {key: float(np.mean([r[letter][key] for r in results.values()])) for key in ("mean", "recall", "decay")}
        for letter in "JF"
    }
    count, seconds = (sum(r[key] for r in results.values()) for key in ("frames", "seconds"))
    figures = (mean["J"]["mean"], mean["J"]["recall"], mean["J"]["decay"], mean["F"]["mean"], mean["F"]["recall"])
    print_row(("mean", count, *figures, count / seconds), WIDTHS)

    others = published(folder, sequences)
    if others:
        print("\npublished, mean over the same sequences")
        print_row(("kind", "method", "J mean", "F mean"), (22, 8, 8, 8))
        for row in others:
            print_row(row, (22, 8, 8, 8))
    record = rounded(
        {
            "benchmark": "DAVIS 2016, 480p",
            "settings": settings,
            "sequences": results,
            "mean": {**mean, "frames_per_s": count / seconds},
            "published": [dict(zip(("kind", "method", "J", "F"), row, strict=True)) for row in others],
            **environment(),
        }
    )
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return record


if __name__ == "__main__":
    main()
