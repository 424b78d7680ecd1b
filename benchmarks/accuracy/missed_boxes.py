"""What a particle filter is worth where a detector fails: boxes taken away in bursts, tracked with and without it.

python benchmarks/accuracy/missed_boxes.py [--shares 0 0.3] [--confidence 0.8] [--seeds 3] [--longest 20] [--offline]

Sets: both detections of TUD-Campus and of the first 200 frames of PETS09-S2L1 (vtest.avi, everything scaled), and three
rendered clips with a box for every object of which 40 % are seen. For every true object bursts of 5 to 20 frames are
drawn until they hold the share, and all boxes that overlap it by 0.4 are taken away there. Truth is left as it is, so
that nobody can reach 100. Per set: HOTA, IDF1 and MOTA without and with the filter, processor seconds. --offline
measures `track_boxes` instead of what `BoxTracker.update` returns. The data are found by CVSEG_DATA, else in
../shared/data.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from measuring import print_row
from mot import Truth, data_folder, load, scores

from cvseg.formats.mot_challenge import TrackTable
from cvseg.synthetic import ClipOptions, render_clip
from cvseg.tracking import BoxTrackerOptions, track_boxes, track_boxes_online
from cvseg.tracking.association import box_iou
from cvseg.video import open_source

FRAMES = 200
VTEST_SCALE = 0.625  # the truth was made on pictures of 768 x 576
PEOPLE = ("TUD-Campus/det", "TUD-Campus/det_fasterrcnn_sort", "PETS09-S2L1/det", "PETS09-S2L1/det_fasterrcnn_sort")
CLIPS = (("static", "garage", 11), ("shake", "street", 12), ("pan", "garage", 13))
OVERLAP, SEEN, JITTER = 0.4, 0.4, 1.0
Set = tuple[str, list[Any], TrackTable, Truth]


def rows_of(table: TrackTable, kept: Any) -> TrackTable:
    """Some rows of a table."""
    return TrackTable(*(getattr(table, field.name)[kept] for field in dataclasses.fields(table)))


def people(name: str) -> Set:
    """Pictures, detections and truth of pedestrians."""
    table, truth = load(name)
    sequence = name.split("/")[0]
    tud = sequence.startswith("TUD")
    video = data_folder() / sequence / "img1" if tud else data_folder().parent / "videos" / "opencv" / "vtest.avi"
    with open_source(str(video)) as source:
        images = [frame.image for _, frame in zip(range(FRAMES), source, strict=False)]
    scale = 1.0 if tud else VTEST_SCALE
    table, early = rows_of(table, table.frames < len(images)), truth[0] < len(images)
    table = dataclasses.replace(table, boxes_xyxy=table.boxes_xyxy * scale)
    return name, images, table, (truth[0][early], truth[1][early], truth[2][early] * scale)


def rendered(camera: str, background: str, seed: int) -> Set:
    """A clip made from photographs; boxes around what is seen of each object, moved a little."""
    clip = render_clip(
        options=ClipOptions(
            size_hw=(240, 426), frames=100, objects=6, camera=camera, background=background, speed=1.5, seed=seed
        )
    )
    images, rows = [], []
    for frame in clip:
        images.append(frame.image)
        rows += [(frame.index, t.id, *t.box_xyxy) for t in frame.tracks if t.visible_fraction >= SEEN]
    given = np.array(rows)
    frames, boxes = given[:, 0].astype(np.int32), given[:, 2:]
    noisy = boxes + np.random.default_rng(seed).normal(0, JITTER, boxes.shape)
    count = len(given)
    table = TrackTable(frames, -np.ones(count, np.int32), noisy, np.ones(count), -np.ones((count, 3)))
    return f"clip/{camera}", images, table, (frames, given[:, 1].astype(np.int32), boxes)


def without_bursts(table: TrackTable, truth: Truth, share: float, seed: int) -> TrackTable:
    """The detections without those of each object in bursts of frames."""
    rng = np.random.default_rng(seed)
    missing: dict[int, set[int]] = {}
    for number in np.unique(truth[1]).tolist():
        own = truth[0][truth[1] == number]
        off = np.zeros(int(own.max() - own.min() + 1), bool)
        while len(off) > 30 and off.mean() < share:
            start = rng.integers(4, len(off) - 4)
            off[start : start + rng.integers(5, 21)] = True
        missing[number] = set((np.flatnonzero(off) + own.min()).tolist())
    kept = np.ones(len(table), bool)
    for t in np.unique(table.frames).tolist():
        own, true = np.flatnonzero(table.frames == t), np.flatnonzero(truth[0] == t)
        if len(true):
            overlap = box_iou(table.boxes_xyxy[own], truth[2][true])
            best = overlap.argmax(1)
            gone = [t in missing[int(truth[1][true[b]])] for b in best]
            kept[own] = ~((overlap.max(1) > OVERLAP) & gone)
    return rows_of(table, kept)


def sets() -> Iterator[Set]:
    """All sets, one after the other."""
    for name in PEOPLE:
        yield people(name)
    for clip in CLIPS:
        yield rendered(*clip)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shares", nargs="+", type=float, default=[0.0, 0.3])
    parser.add_argument("--confidence", nargs="+", type=float, default=[0.8])
    parser.add_argument("--longest", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--offline", action="store_true")
    options = parser.parse_args(arguments)
    run: Any = track_boxes if options.offline else track_boxes_online
    trackers = {"without": BoxTrackerOptions()}
    for confidence in options.confidence:
        trackers[f"with {confidence}"] = BoxTrackerOptions(recover=options.longest, recover_confidence=confidence)
    widths = (32, 6, 10, 8, 8, 8, 8)
    print_row(["set", "share", "filter", *(name.rjust(8) for name in ("hota", "idf1", "mota", "cpu s"))], widths)
    totals: dict[tuple[float, str], list[list[float]]] = {}
    for name, images, table, truth in sets():
        for share in options.shares:
            for label, tracker in trackers.items():
                rows = []
                for seed in range(options.first, options.first + (options.seeds if share else 1)):
                    given = without_bursts(table, truth, share, seed)
                    began = time.process_time()
                    result = scores(run(given, tracker, frames=images.__getitem__), truth)
                    spent = time.process_time() - began
                    rows.append([*(result[key] for key in ("hota", "idf1", "mota")), spent])
                totals.setdefault((share, label), []).append(np.mean(rows, axis=0).tolist())
                print_row([name, share, label, *totals[share, label][-1]], widths)
    for (share, label), rows in totals.items():
        print_row(["mean", share, label, *np.mean(rows, axis=0).tolist()], widths)


if __name__ == "__main__":
    main()
