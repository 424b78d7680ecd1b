"""Whether the windows in which a film is decided show in its masks, and whether memory grows with its length.

python benchmarks/accuracy/seams.py [--preset balanced] [--sequences libby] [--frames 2000] [--json FILE]

Each DAVIS sequence is played forth and back until it has that many frames. Change of a frame: 1 - J of its mask and the
mask before, moved along the flow. It is compared where a window of `hop` frames ends and everywhere else.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from davis import data_folder
from measuring import Segment, environment, print_row, rounded, write_record

from cvseg.evaluation import region_similarity
from cvseg.flow import FlowStream
from cvseg.kernels.color.shrink_rgb import shrink_rgb
from cvseg.kernels.warping.warp_backward import warp_backward
from cvseg.pipeline import PRESETS
from cvseg.records import Frame

COLUMNS = ("sequence", "frames", "at seams", "between", "median", "p95", "worst", "seams>p95", "MiB grown")
WIDTHS = (16, 6, 8, 8, 8, 8, 8, 9, 9)
SETTLED = 200  # frames after which memory should not grow


def forth_and_back(folder: Path, count: int) -> Iterator[Frame]:
    """The pictures of a folder, forwards, backwards and again, none twice in a row."""
    from PIL import Image

    paths = sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png"))
    if len(paths) < 2:
        raise SystemExit(f"seams.py: {folder} has {len(paths)} pictures; expected two at least.")
    period = 2 * len(paths) - 2
    for t in range(count):
        place = t % period
        path = paths[place if place < len(paths) else period - place]
        with Image.open(path) as picture:
            image = np.asarray(picture.convert("RGB"))
        yield Frame(t, Fraction(t, 25), image, path.stem)


def unexplained_changes(results: Iterator[Any]) -> Iterator[float]:
    """1 - J of each mask and the one before, moved along the flow; two empty masks have not changed."""
    stream, before = FlowStream("fast"), None
    for result in results:
        factor = np.int32(max(1, result.frame.image.shape[0] // 240))
        pair = stream.update(shrink_rgb(np.ascontiguousarray(result.frame.image), factor))
        mask = np.asarray(result.labels)[factor // 2 :: factor, factor // 2 :: factor] > 0
        if pair is not None and before is not None:
            flow_xy = np.ascontiguousarray(pair.backward_xy[: mask.shape[0], : mask.shape[1]])
            yield 1 - region_similarity(warp_backward(before.astype(np.float32), flow_xy) > 0.5, mask)
        before = mask


def measure(folder: Path, count: int, hop: int, segment: Segment, **settings: Any) -> dict[str, float]:
    """Changes of one sequence, at the ends of windows and between them."""
    changes, memory = [], 0.0
    for t, change in enumerate(unexplained_changes(segment(forth_and_back(folder, count), **settings)), start=1):
        changes.append(change)
        if t == min(SETTLED, count - 1):
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    found = np.array(changes)
    at_seam = np.arange(1, count) % hop == 0
    if not at_seam.any():
        raise SystemExit(f"seams.py: {count} frames hold no end of a window of {hop}; ask for more with --frames.")
    high = float(np.percentile(found[~at_seam], 95))
    return {
        "frames": count,
        "at_seams": float(found[at_seam].mean()),
        "between": float(found[~at_seam].mean()),
        "median": float(np.median(found)),
        "p95": high,
        "worst": float(found.max()),
        "seams_above_p95": float((found[at_seam] > high).mean()),
        "grown_mib": grown / 1024,
    }


def main(argv: Sequence[str] | None = None, segment: Segment | None = None) -> dict[str, Any]:
    """Run the benchmark; `segment` stands in for `cvseg.segment`. Returns what `--json` writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--preset", default="balanced", choices=tuple(PRESETS))
    parser.add_argument("--sequences", nargs="+", metavar="NAME", default=["libby", "car-shadow"])
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(argv)
    if segment is None:
        import cvseg

        segment = cvseg.segment
    hop = PRESETS[options.preset].automatic.consensus.hop
    print_row(COLUMNS, WIDTHS)
    results = {}
    for name in options.sequences:
        folder = data_folder() / "DAVIS2016" / "JPEGImages" / "480p" / name
        if not folder.is_dir():
            raise SystemExit(f"seams.py: no folder {folder}; set CVSEG_DATA to where the data are.")
        results[name] = measure(folder, options.frames, hop, segment, preset=options.preset, device="cpu")
        print_row((name, *results[name].values()), WIDTHS)
    record = rounded(
        {"benchmark": "seams", "preset": options.preset, "hop": hop, "sequences": results, **environment()}
    )
    write_record(options.json, record)
    return record


if __name__ == "__main__":
    main()
