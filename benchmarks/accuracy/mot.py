"""Accuracy and speed of the box tracker against SORT, on the same detections, in one run.

python benchmarks/accuracy/mot.py [--sets NAME ...] [--methods sort online offline] [--speed] [--plateaus] [--left-out]
                                  [--json FILE]

A set is SEQUENCE/DETECTIONS, a folder of the MOTChallenge data with det.txt; its truth is SEQUENCE/gt/gt.txt, rows with
a flag above 0, in MOT16 and later of class 1 (pedestrians). No ignored regions: every result box counts. Per set and
method: HOTA, DetA, AssA, IDF1, MOTA in percent, identity switches. SORT is `sort_baseline.py`; online is what
`BoxTracker.update` returns in each frame; offline is `track_boxes`, what `cvseg track` writes.

`--speed`: frames per second on MOT16-09, and milliseconds per frame with 1,000 live tracks; processor time.
`--plateaus`: every number among the options 30 percent smaller and larger, and what that does to the mean HOTA.
`--left-out`: for each sequence in turn, the best of those variants by the other sequences, and its HOTA on the one left
out, beside the defaults'. The data are found by CVSEG_DATA, else in ../shared/data.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from measuring import ROOT, environment, print_row, rounded, write_record
from sort_baseline import sort_tracks

from cvseg.evaluation.higher_order_tracking_accuracy import higher_order_tracking_accuracy
from cvseg.evaluation.identity_accuracy import identity_accuracy
from cvseg.evaluation.tracking_accuracy import tracking_accuracy
from cvseg.evaluation.tracking_data import box_sequence
from cvseg.formats.detections import read_detections
from cvseg.formats.mot_challenge import TrackTable, read_tracks
from cvseg.options import Options
from cvseg.tracking import BoxTracker, BoxTrackerOptions, OfflineOptions, track_boxes, track_boxes_online

SETS = (
    "MOT16-09/det",
    "PETS09-S2L1/det",
    "PETS09-S2L1/det_fasterrcnn_sort",
    "TUD-Campus/det",
    "TUD-Campus/det_fasterrcnn_sort",
)
METHODS: dict[str, Callable[[TrackTable], TrackTable]] = {
    "sort": sort_tracks,
    "online": track_boxes_online,
    "offline": track_boxes,
}
COLUMNS = ("hota", "det_a", "ass_a", "idf1", "mota", "switches")
Truth = tuple[np.ndarray, np.ndarray, np.ndarray]


def data_folder() -> Path:
    """Where the MOTChallenge sequences lie."""
    return Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data")) / "MOT"


def load(name: str) -> tuple[TrackTable, Truth]:
    """Detections and counted truth of a set."""
    sequence, detections = name.split("/")
    truth = read_tracks(data_folder() / sequence / "gt" / "gt.txt")
    counted = truth.confidences > 0
    if sequence.startswith(("MOT16", "MOT17", "MOT20")):
        counted &= truth.extra[:, 0] == 1
    return (
        read_detections(data_folder() / sequence / detections / "det.txt"),
        (truth.frames[counted], truth.ids[counted], truth.boxes_xyxy[counted]),
    )


def scores(tracks: TrackTable, truth: Truth) -> dict[str, float]:
    """All columns of one result."""
    sequence = box_sequence((tracks.frames, tracks.ids, tracks.boxes_xyxy), truth)
    means = higher_order_tracking_accuracy(sequence).means()
    clear = tracking_accuracy(sequence)
    return {name: 100 * means[name] for name in ("hota", "det_a", "ass_a")} | {
        "idf1": 100 * identity_accuracy(sequence).idf1,
        "mota": 100 * clear.mota,
        "switches": float(clear.identity_switches),
    }


def mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of each column over the sets."""
    return {name: float(np.mean([row[name] for row in rows])) for name in COLUMNS}


def print_table(results: dict[str, dict[str, dict[str, float]]]) -> None:
    """A line for each set and method, and the means."""
    widths = (max(len(name) for name in (*SETS, "mean")), 8, *[8] * len(COLUMNS))
    print_row(["set", "method", *(name.rjust(8) for name in COLUMNS)], widths)
    for method, rows in results.items():
        for name, row in [*rows.items(), ("mean", mean(list(rows.values())))]:
            print_row([name, method, *(row[column] for column in COLUMNS)], widths)


def variants(options: Options, share: float = 0.3) -> list[tuple[str, Any]]:
    """Name and changed options, for every number above 0, smaller and larger; nested options included."""
    changed: list[tuple[str, Any]] = []
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if isinstance(value, Options):
            changed += [(name, dataclasses.replace(options, **{field.name: inner})) for name, inner in variants(value)]
            continue
        if isinstance(value, (bool, str)) or value == 0:
            continue
        for factor in (1 - share, 1 + share):
            new = value * factor if isinstance(value, float) else round(value * factor)
            high = field.metadata["high"]
            new = new if high is None else min(new, type(value)(high))
            if new != value:
                changed.append((f"{field.name} {new:.4g}", dataclasses.replace(options, **{field.name: new})))
    return changed


def plateaus(data: dict[str, tuple[TrackTable, Truth]]) -> dict[str, dict[str, float]]:
    """HOTA of every set for the defaults and for each variant."""
    online, offline = BoxTrackerOptions(), OfflineOptions()
    runs = [("defaults", online, offline)]
    runs += [(name, changed, offline) for name, changed in variants(online)]
    runs += [(name, online, changed) for name, changed in variants(offline)]
    found = {}
    for name, first, second in runs:
        found[name] = {
            of: scores(track_boxes(table, first, second), truth)["hota"] for of, (table, truth) in data.items()
        }
        change = np.mean(list(found[name].values())) - np.mean(list(found["defaults"].values()))
        print_row([name, float(np.mean(list(found[name].values()))), float(change)], (32, 8, 8))
    return found


def left_out(found: dict[str, dict[str, float]]) -> dict[str, dict[str, Any]]:
    """For each sequence the variant that is best on all others, judged on it."""
    sequences = sorted({name.split("/")[0] for name in found["defaults"]})
    outcome: dict[str, dict[str, Any]] = {}
    for sequence in sequences:
        own = [name for name in found["defaults"] if name.startswith(sequence)]
        others = [name for name in found["defaults"] if name not in own]
        best = max(found, key=lambda variant: np.mean([found[variant][name] for name in others]))
        outcome[sequence] = {
            "chosen": best,
            "hota": float(np.mean([found[best][name] for name in own])),
            "defaults": float(np.mean([found["defaults"][name] for name in own])),
        }
        print_row([sequence, best, outcome[sequence]["hota"], outcome[sequence]["defaults"]], (14, 28, 8, 8))
    return outcome


def speed(repeats: int = 5) -> dict[str, float]:
    """Processor time, medians; after one run that imports and warms everything."""
    table, _ = load(SETS[0])
    frames = int(table.frames.max()) + 1
    times: dict[str, list[float]] = {"online": [], "offline": []}
    for turn in range(repeats + 1):
        for name in times:
            began = time.process_time()
            METHODS[name](table)
            if turn:
                times[name].append(time.process_time() - began)
    rng = np.random.default_rng(0)
    place, velocity = rng.uniform(0, 1, (1000, 2)) * [1920, 1080], rng.normal(0, 2, (1000, 2))
    half = 0.5 * rng.uniform(20, 60, (1000, 1)) * [1, 2]
    tracker, crowd = BoxTracker(), []
    for t in range(40):
        center = place + t * velocity + rng.normal(0, 1, (1000, 2))
        began = time.process_time()
        tracker.update(t, np.concatenate([center - half, center + half], axis=1), rng.uniform(0.5, 1, 1000))
        crowd.append(time.process_time() - began)
    return {f"{name}_frames_per_s": frames / float(np.median(values)) for name, values in times.items()} | {
        "live_tracks": float(len(tracker)),
        "ms_per_frame_1000_tracks": 1000 * float(np.median(crowd[10:])),
    }


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print, and return what `--json` writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="*", default=list(SETS), metavar="NAME")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--plateaus", action="store_true")
    parser.add_argument("--left-out", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)

    data = {name: load(name) for name in options.sets}
    results = {
        method: {name: scores(METHODS[method](table), truth) for name, (table, truth) in data.items()}
        for method in options.methods
    }
    print_table(results)
    record: dict[str, Any] = {"benchmark": "tracking of boxes", "results": results}
    record["means"] = {method: mean(list(rows.values())) for method, rows in results.items()}
    if options.speed:
        record["speed"] = speed()
        for name, value in record["speed"].items():
            print_row([name, value], (28, 10))
    if options.plateaus or options.left_out:
        record["plateaus"] = plateaus(data)
        if options.left_out:
            record["left_out"] = left_out(record["plateaus"])
    record = rounded(record | environment())
    write_record(options.json, record)
    return record


if __name__ == "__main__":
    main()
