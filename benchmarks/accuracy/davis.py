"""J, F and T of `cvseg.segment` on DAVIS 2016, beside the published methods; and on variations of the clips.

python benchmarks/accuracy/davis.py [--preset balanced] [--sequences blackswan libby] [--flicker] [--json FILE]
    [--overlays DIR]
python benchmarks/accuracy/davis.py --variations [backwards shake]

J: region similarity, F: boundary accuracy, T: instability of the outline over time. All labels of a frame are merged to
one foreground. The first and the last frame of a sequence are segmented and not scored, as the benchmark prescribes.
`--flicker` adds the change of the mask that the flow does not explain, beside that of the same evidence cut frame by
frame, without neighbours. The data are found by CVSEG_DATA, else in ../shared/data.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from clip_scores import confidence_correlation, mean_of, score_clip
from measuring import ROOT, Segment, environment, print_row, rounded, warm_up, write_record
from overlay_sheet import OverlaySheet
from variation_table import measure_variations
from variations import VARIATIONS, read_truth

from cvseg.errors import nearest_name

COLUMNS = ("sequence", "frames", "J mean", "J recall", "J decay", "F mean", "F recall", "T", "frames/s")
WIDTHS = (16, 6, 8, 8, 8, 8, 8, 8, 8)
FLICKER_COLUMNS = ("flicker", "per frame")
FLICKER_WIDTHS = (8, 9)
# The same votes, each frame cut with its own colours and without its neighbours along the flow.
FRAME_BY_FRAME = {"automatic": {"cut": {"flow_share": 0.0, "colors": {"reach": 0, "rest": 0.0}}}}


def data_folder() -> Path:
    return Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))


def read_truths(folder: Path) -> dict[str, np.ndarray]:
    """Stem to (H, W) bool, in order."""
    truths = {path.stem: read_truth(path) for path in sorted(folder.glob("*.png"))}
    if not truths:
        raise SystemExit(f"davis.py: no masks (*.png) in {folder}.")
    return truths


def measure_sequence(
    frames: Path, truth_folder: Path, segment: Segment, options: argparse.Namespace, **settings: Any
) -> dict[str, Any]:
    """`score_clip` of one folder of frames, with its pictures; `frame_by_frame_flicker` where flicker is asked for."""
    truths = read_truths(truth_folder)
    sheet = OverlaySheet(list(truths), options.overlays and options.overlays / f"{frames.name}.jpg")
    found = score_clip(str(frames), truths, segment, flicker=options.flicker, look=sheet.add, **settings)
    if options.flicker:
        alone = score_clip(str(frames), truths, segment, flicker=True, options=FRAME_BY_FRAME, **settings)
        found["frame_by_frame"] = {key: alone[key] for key in ("J", "F", "T", "flicker")}
    sheet.save()
    return found


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
    parser.add_argument(
        "--variations",
        nargs="*",
        metavar="NAME",
        help=f"run variations of the clips instead: {', '.join(VARIATIONS)}; default: all, as_is beside them",
    )
    parser.add_argument("--flicker", action="store_true", help="also measure flicker: takes another run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    parser.add_argument("--overlays", type=Path, metavar="DIR", help="write a sheet of pictures per sequence")
    options = parser.parse_args(argv)
    for name in options.variations or ():
        if name not in VARIATIONS:
            raise SystemExit(f"davis.py: no variation {name!r}; {nearest_name(name, VARIATIONS)}")
    return options


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
    if options.variations is not None:
        folders = [(frames / name, truths / name) for name in sequences]
        measured = measure_variations(folders, options.variations or list(VARIATIONS), segment, options, **settings)
        record = {"benchmark": "variations of DAVIS 2016, 480p", "settings": settings, **measured}
    else:
        measured = measure(frames, truths, sequences, segment, options, **settings)
        others = published(folder, sequences)
        if others:
            print("\npublished, mean over the same sequences")
            print_row(("kind", "method", "J mean", "F mean"), (22, 8, 8, 8))
            for row in others:
                print_row(row, (22, 8, 8, 8))
        tables = [dict(zip(("kind", "method", "J", "F"), row, strict=True)) for row in others]
        record = {"benchmark": "DAVIS 2016, 480p", "settings": settings, **measured, "published": tables}
    record = rounded({**record, **environment()})
    write_record(options.json, record)
    return record


def measure(
    frames: Path,
    truths: Path,
    sequences: Sequence[str],
    segment: Segment,
    options: argparse.Namespace,
    **settings: Any,
) -> dict[str, Any]:
    """Print a row per sequence, and the means."""
    columns = (COLUMNS + FLICKER_COLUMNS, WIDTHS + FLICKER_WIDTHS) if options.flicker else (COLUMNS, WIDTHS)
    print_row(*columns)
    results: dict[str, dict[str, Any]] = {}
    for name in sequences:
        found = measure_sequence(frames / name, truths / name, segment, options, **settings)
        results[name] = found
        print_row(row(name, found, options.flicker), columns[1])
    mean: dict[str, Any] = {
        letter: {key: float(np.mean([r[letter][key] for r in results.values()])) for key in ("mean", "recall", "decay")}
        for letter in "JF"
    }
    count, seconds = (sum(r[key] for r in results.values()) for key in ("frames", "seconds"))
    mean |= {key: mean_of([r[key] for r in results.values()]) for key in ("T", "flicker")}
    if options.flicker:
        alone = [r["frame_by_frame"] for r in results.values()]
        mean["frame_by_frame"] = {"flicker": mean_of([r["flicker"] for r in alone])}
    mean["frames_per_s"] = count / seconds
    print_row(row("mean", {**mean, "frames": count}, options.flicker), columns[1])
    correlation = confidence_correlation(list(results.values()))
    if correlation is not None:
        print(
            f"\nconfidence against J, {correlation['frames']} frames: "
            f"Pearson {correlation['pearson']:.3f}, Spearman {correlation['spearman']:.3f}"
        )
    return {"sequences": results, "mean": mean, "confidence": correlation}


def row(name: str, found: dict[str, Any], flicker: bool) -> tuple[Any, ...]:
    j, f = found["J"], found["F"]
    figures = (j["mean"], j["recall"], j["decay"], f["mean"], f["recall"], found["T"], found["frames_per_s"])
    more = (found["flicker"], found["frame_by_frame"]["flicker"]) if flicker else ()
    return (name, found["frames"], *figures, *more)


if __name__ == "__main__":
    main()
