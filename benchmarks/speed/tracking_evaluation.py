"""How long all measures of tracks take for MOT16-09, files read each time.

python -m benchmarks.speed.tracking_evaluation [--repeats 5]

The result is made from the truth, as a tracker would give it: boxes shaken by 6 percent of their size, a fifth of them
missed, 8 percent false ones, names that change in 2 percent of the frames. Needs CVSEG_DATA (default ../shared/data).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def write_result(truth: Path, target: Path, seed: int = 0) -> int:
    """Write the result; returns the number of its boxes."""
    rng = np.random.default_rng(seed)
    rows = np.loadtxt(truth, delimiter=",")
    names: dict[int, int] = {}
    fresh, lines = 1, []
    for frame, object_id, *box in rows[np.lexsort((rows[:, 1], rows[:, 0])), :6].tolist():
        if rng.random() < 0.2:
            continue
        if object_id not in names or rng.random() < 0.02:
            names[object_id], fresh = fresh, fresh + 1
        left, top, width, height = box
        place = rng.normal(0, 0.06, 2) * [width, height] + [left, top]
        sides = np.exp(rng.normal(0, 0.08, 2)) * [width, height]
        lines.append((frame, names[object_id], *place, *sides))
        if rng.random() < 0.08:
            lines.append((frame, 100000 + len(lines), *rng.uniform(0, 900, 2), 80, 200))
    text = (f"{f:.0f},{name},{x:.2f},{y:.2f},{w:.2f},{h:.2f},1,-1,-1,-1" for f, name, x, y, w, h in lines)
    target.write_text("\n".join(text) + "\n", encoding="ascii")
    return len(lines)


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(argv)
    data = Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))
    sequence = data / "MOT" / "MOT16-09"  # codespell:ignore mot
    if not sequence.is_dir():
        raise SystemExit(f"tracking_evaluation.py: {sequence} is not there; set CVSEG_DATA.")
    walls, processors = [], []
    with tempfile.TemporaryDirectory() as folder:
        boxes = write_result(sequence / "gt" / "gt.txt", Path(folder) / "MOT16-09.txt")
        for _ in range(options.repeats + 1):
            wall, processor = time.perf_counter(), time.process_time()
            # Imported here: the first time holds it, as in a fresh process.
            from cvseg.evaluation.protocols.tracking import TrackingProtocolOptions, evaluate

            hota = evaluate(Path(folder), sequence, TrackingProtocolOptions()).overall["hota"]
            walls.append(time.perf_counter() - wall)
            processors.append(time.process_time() - processor)
    found = {
        "first_s": walls[0],
        "first_cpu_s": processors[0],
        "again_s": float(np.median(walls[1:] or walls)),
        "again_cpu_s": float(np.median(processors[1:] or processors)),
    }
    print(f"MOT16-09, 525 frames, {boxes} boxes of the result, HOTA {hota:.5f}")
    print(f"first, with imports: {found['first_s']:.2f} s ({found['first_cpu_s']:.2f} s of processor time)")
    print(f"again: {found['again_s']:.2f} s ({found['again_cpu_s']:.2f} s of processor time)")
    return found


if __name__ == "__main__":
    main()
