"""What flashes, black, repeated, missing and cut frames do to the masks of `cvseg.segment`, on rendered scenes.

python benchmarks/accuracy/disturbances.py [--preset balanced] [--scenes crossing demo] [--events flash cut]

J over the whole clip and within three frames of the event, the share of the picture that is wrongly foreground there
("ghost"), and identity switches of the whole clip. A frame keeps its truth whatever is done to its picture.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from measuring import Segment, environment, print_row, rounded, write_record

from cvseg.errors import nearest_name
from cvseg.evaluation import TrackingMeasure, region_similarity
from cvseg.records import Frame
from cvseg.synthetic import SCENES, render_clip

Shown = tuple[np.ndarray, np.ndarray]  # picture, true labels
COLUMNS = ("scene", "event", "frames", "J", "J near", "ghost", "switches")
WIDTHS = (14, 11, 6, 8, 8, 8, 8)
PLACE = 20  # the frame it happens in
NEAR = 3


def _flash(first: int, count: int) -> Callable[[list[Shown]], list[Shown]]:
    def flash(shown: list[Shown]) -> list[Shown]:
        return [
            (np.clip(2.2 * image + 60, 0, 255).astype(np.uint8), labels)
            if first <= t < first + count
            else (image, labels)
            for t, (image, labels) in enumerate(shown)
        ]

    return flash


def _filled(level: int) -> Callable[[list[Shown]], list[Shown]]:
    return lambda shown: [
        (np.full_like(image, level), labels) if t == PLACE else (image, labels)
        for t, (image, labels) in enumerate(shown)
    ]


def _times(counts: Callable[[int], int]) -> Callable[[list[Shown]], list[Shown]]:
    return lambda shown: [one for t, one in enumerate(shown) for _ in range(counts(t))]


EVENTS: dict[str, Callable[[list[Shown]], list[Shown]]] = {
    "none": lambda shown: shown,
    "flash": _flash(PLACE, 1),
    "flash of 3": _flash(PLACE, 3),
    "white": _filled(255),
    "black": _filled(0),
    "duplicate": _times(lambda t: 2 if t == PLACE else 1),
    "pulldown": _times(lambda t: 2 if t % 4 == 0 else 1),
    "twos": _times(lambda t: 2),
    "frozen": _times(lambda t: 40 if t == PLACE else 1),
    "dropped": _times(lambda t: 0 if t in (PLACE, PLACE + 1) else 1),
    "cut": lambda shown: shown,  # the other scene comes behind
}


def shown_clip(scene: str, event: str, size_hw: tuple[int, int], frames: int, seed: int) -> tuple[list[Shown], int]:
    """Pictures with their truth, and the frame the event happens in."""

    def rendered(name: str) -> list[Shown]:
        options = replace(SCENES[name], size_hw=size_hw, frames=frames, seed=SCENES[name].seed + 100 * seed)
        return [(frame.image, frame.labels) for frame in render_clip(options)]

    shown = rendered(scene)
    if event != "cut":
        return EVENTS[event](shown), PLACE
    names = list(SCENES)
    other = names[(names.index(scene) + 1) % len(names)]
    # Other numbers: an object that seems to go on across the cut is a switch.
    behind = [(image, np.where(labels > 0, labels + 1000, 0).astype(np.int32)) for image, labels in rendered(other)]
    return shown[: frames // 2] + behind[: frames // 2], frames // 2


def score(shown: Sequence[Shown], place: int, segment: Segment, **settings: Any) -> dict[str, float]:
    """Segment the pictures and compare each with its truth."""
    frames = [Frame(t, Fraction(t, 25), image, f"{t:05d}") for t, (image, _) in enumerate(shown)]
    tracking, similarities, ghosts = TrackingMeasure(), [], []
    for (_, truth), result in zip(shown, segment(frames, **settings), strict=True):
        labels = np.asarray(result.labels)
        similarities.append(region_similarity(labels > 0, truth > 0))
        ghosts.append(float(((labels > 0) & (truth == 0)).mean()))
        tracking.add_labels(labels, truth)
    near = slice(max(0, place - NEAR), place + NEAR + 1)
    return {
        "frames": len(shown),
        "J": float(np.mean(similarities)),
        "J_near": float(np.mean(similarities[near])),
        "ghost": float(np.mean(ghosts[near])),
        "switches": tracking.score.identity_switches,
    }


def main(argv: Sequence[str] | None = None, segment: Segment | None = None) -> dict[str, Any]:
    """Run the benchmark; `segment` stands in for `cvseg.segment`. Returns what `--json` writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--scenes", nargs="+", metavar="NAME", default=["crossing", "static_camera", "stop_and_go"])
    parser.add_argument("--events", nargs="+", metavar="NAME", default=list(EVENTS))
    parser.add_argument("--size", nargs=2, type=int, metavar=("HEIGHT", "WIDTH"), default=[240, 426])
    parser.add_argument("--frames", type=int, default=44)
    parser.add_argument("--seeds", type=int, default=1, help="takes of each scene")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(argv)
    for given, known in ((options.scenes, SCENES), (options.events, EVENTS)):
        for name in given:
            if name not in known:
                raise SystemExit(f"disturbances.py: {name!r} is not known; {nearest_name(name, known)}")
    if segment is None:
        import cvseg

        segment = cvseg.segment
    print_row(COLUMNS, WIDTHS)
    results: dict[str, list[dict[str, float]]] = {event: [] for event in options.events}
    for scene in options.scenes:
        for seed in range(options.seeds):
            for event in options.events:
                shown, place = shown_clip(scene, event, tuple(options.size), options.frames, seed)
                found = score(shown, place, segment, preset=options.preset, device="cpu")
                results[event].append(found)
                print_row((scene, event, *found.values()), WIDTHS)
    means = {
        event: {key: float(np.mean([found[key] for found in runs])) for key in runs[0]}
        for event, runs in results.items()
    }
    for event, mean in means.items():
        print_row(("mean", event, *mean.values()), WIDTHS)
    record = rounded(
        {"benchmark": "disturbed frames", "preset": options.preset, "events": results, "mean": means, **environment()}
    )
    write_record(options.json, record)
    return record


if __name__ == "__main__":
    main()
