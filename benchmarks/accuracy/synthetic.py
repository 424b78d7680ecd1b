"""J, F, identity switches and MOTA of `cvseg.segment` on the rendered scenes, whose truth is exact.

python benchmarks/accuracy/synthetic.py [--preset balanced] [--scenes demo crossing] [--size 480 854] [--json FILE]
python benchmarks/accuracy/synthetic.py --suite [--size 240 427 --frames 60]

`--suite` runs every scene of `cvseg.synthetic.SUITE`, and names the lowest. J and F are of the merged foreground, and
per object through the best assignment of tracks over the whole clip. A scene without objects scores 1 in a frame where
nothing is found, and 0 where something is.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from clip_scores import confidence_correlation, mean_of
from measuring import Segment, environment, print_row, rounded, timed, warm_up, write_record

from cvseg.errors import nearest_name
from cvseg.evaluation import (
    ObjectOverlaps,
    TrackingMeasure,
    boundary_accuracy,
    region_similarity,
)
from cvseg.synthetic import SCENES, SUITE, ClipOptions, render_clip

COLUMNS = ("scene", "frames", "J mean", "F mean", "J object", "switches", "MOTA", "false px", "frames/s")
LOWEST = 10  # scenes named below the table
WIDTHS = (26, 6, 8, 8, 8, 8, 8, 8, 8)


def score_clip(options: ClipOptions, segment: Segment, **settings: Any) -> dict[str, Any]:
    """Segment one rendered clip and compare every frame with its truth.

    Returns
    -------
    dict : frames, seconds, frames_per_s; J, F: mean over the frames; J_object: mean over the true objects of the
        overlap of whole tubes, NaN without objects; false_share: mean share of the frame that is wrongly foreground;
        tracking: the CLEAR measures; J and confidence per frame
    """
    clip = render_clip(options)
    tracking, overlaps = TrackingMeasure(), ObjectOverlaps()
    similarities, accuracies, false_shares, confidences, clock = [], [], [], [], [0.0]
    # Rendered beforehand, so that the time is that of the segmentation.
    frames = list(clip.frames())
    for result in timed(segment(frames, **settings), clock):
        truth = clip[result.frame.index].labels
        labels = np.asarray(result.labels)
        similarities.append(region_similarity(labels > 0, truth > 0))
        confidences.append(float(getattr(result, "confidence", math.nan)))
        accuracies.append(boundary_accuracy(labels > 0, truth > 0))
        false_shares.append(float(((labels > 0) & (truth == 0)).mean()))
        tracking.add_labels(labels, truth)
        overlaps.add(labels, truth)
    if not similarities:
        raise SystemExit("synthetic.py: the segmentation gave no frame.")
    return {
        "frames": len(similarities),
        "seconds": clock[0],
        "frames_per_s": len(similarities) / clock[0] if clock[0] else float("nan"),
        "J": float(np.mean(similarities)),
        "F": float(np.mean(accuracies)),
        "J_object": overlaps.mean_overlap(),
        "false_share": float(np.mean(false_shares)),
        "tracking": asdict(tracking.score),
        "per_frame": {"J": similarities, "confidence": confidences},
    }


def main(argv: Sequence[str] | None = None, segment: Segment | None = None) -> dict[str, Any]:
    """Run the benchmark; `segment` stands in for `cvseg.segment`. Returns what `--json` writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--scenes", nargs="+", metavar="NAME", help="of the suite; default: the named scenes of the demo"
    )
    parser.add_argument("--suite", action="store_true", help="all scenes of the suite")
    parser.add_argument("--size", nargs=2, type=int, metavar=("HEIGHT", "WIDTH"), default=[480, 854])
    parser.add_argument("--frames", type=int, help="only the first frames of each scene")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(argv)
    names = options.scenes or list(SUITE if options.suite else SCENES)
    for name in names:
        if name not in SUITE:
            raise SystemExit(f"synthetic.py: no scene {name!r}; {nearest_name(name, SUITE)}")
    if segment is None:
        import cvseg

        segment = cvseg.segment
    settings = {"preset": options.preset, "device": options.device}

    def scene(name: str) -> ClipOptions:
        count = min(SUITE[name].frames, options.frames or SUITE[name].frames)
        return replace(SUITE[name], size_hw=tuple(options.size), frames=count)

    warm_up(segment, list(render_clip(replace(scene(names[0]), frames=2)).frames()), **settings)
    print_row(COLUMNS, WIDTHS)
    results: dict[str, dict[str, Any]] = {}
    for name in names:
        found = score_clip(scene(name), segment, **settings)
        results[name] = found
        score = found["tracking"]
        print_row(
            (
                name,
                found["frames"],
                found["J"],
                found["F"],
                found["J_object"],
                score["identity_switches"],
                score["mota"],
                found["false_share"],
                found["frames_per_s"],
            ),
            WIDTHS,
        )
    record = rounded(
        {
            "benchmark": "rendered scenes",
            "size_hw": options.size,
            "settings": settings,
            "scenes": results,
            "mean": {key: float(np.mean([r[key] for r in results.values()])) for key in ("J", "F")},
            "mean_with_objects": {
                key: mean_of([r[key] for name, r in results.items() if SUITE[name].objects]) for key in ("J", "F")
            },
            "confidence": confidence_correlation(list(results.values())),
            "lowest": sorted(results, key=lambda name: results[name]["J"])[:LOWEST],
            "identity_switches": sum(r["tracking"]["identity_switches"] for r in results.values()),
            **environment(),
        }
    )
    for title in ("mean", "mean with objects"):
        figures = record[title.replace(" ", "_")]
        print_row((title, "", *(math.nan if figures[key] is None else figures[key] for key in "JF")), WIDTHS[:4])
    if record["confidence"]:
        correlation = record["confidence"]
        # None where one of the two never changes, as on scenes without objects.
        values = ("undefined" if correlation[k] is None else f"{correlation[k]:.3f}" for k in ("pearson", "spearman"))
        print("confidence against J, {} frames: Pearson {}, Spearman {}".format(correlation["frames"], *values))
    if len(results) > LOWEST:
        print("lowest J:", ", ".join(f"{name} {results[name]['J']:.3f}" for name in record["lowest"]))
    write_record(options.json, record)
    return record


if __name__ == "__main__":
    main()
