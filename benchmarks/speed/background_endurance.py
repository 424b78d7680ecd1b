"""A million frames of noise through every background model: no drift, no NaN, and an object is still found.

python -m benchmarks.speed.background_endurance [--methods NAME ...] [--frames 1000000] [--size 48x64] [--seconds 300]
    [--json FILE] [--keep FOLDER]

Frames are drawn from 256 pictures of one noisy scene (sigma 5), so that drawing them costs nothing. Printed per method:
frames done (it stops after --seconds), frames/s, false alarms in the last thousand frames, how far the background lies
from the scene, whether all of the state is finite, and the share of a box found at the end. Ends with 1 when one
fails. With --keep the states are saved there, and the next run goes on with the frame after the last one.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.machine import add_to_json, parse_size
from cvseg.background import BACKGROUND_METHODS, background_model
from cvseg.formats.background_state import BackgroundState, restored_model, write_background_state

PICTURES, LAST = 256, 1000
# The box stands still for one frame only: motion energy sees it appear.
LEAST_FOUND, MOST_ALARMS, MOST_DRIFT = 0.6, 0.01, 4.0


def endure(
    method: str, size_hw: tuple[int, int], frames: int, seconds: float, keep: Path | None = None
) -> dict[str, Any]:
    """Run one method; see the first lines of this file for what is returned."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(60, 200, (-(-size_hw[0] // 8), -(-size_hw[1] // 8), 3))
    scene = np.kron(coarse, np.ones((8, 8, 1)))[: size_hw[0], : size_hw[1]]
    pictures = np.clip(scene + rng.normal(0, 5, (PICTURES, *scene.shape)), 0, 255).astype(np.uint8)
    order = rng.integers(0, PICTURES, frames)
    model, alarms, earlier = background_model(method), np.zeros(LAST), 0
    path = None if keep is None else keep / f"{method}.npz"
    if path is not None and path.is_file():
        model = restored_model(path, method, model.options, size_hw)
        earlier = int(model.state_dict()["frames"])
        if earlier >= frames:
            raise SystemExit(f"{path} has seen {earlier} frames; ask for more with --frames, or name another --keep.")
    began, done = time.perf_counter(), earlier
    for done, k in enumerate(order[earlier:], earlier + 1):
        result = model.update(pictures[k])
        alarms[done % LAST] = result.mask.mean()
        if done % LAST == 0 and time.perf_counter() - began > seconds:
            break
    took = time.perf_counter() - began
    if path is not None:
        state = BackgroundState(method, model.options.to_mapping(), size_hw, done, model.state_dict())
        write_background_state(path, state)
    finite = all(np.isfinite(array).all() for array in model.state_dict()["arrays"].values())
    height, width = size_hw
    box = (slice(height // 4, 3 * height // 4), slice(width // 4, 3 * width // 4))
    image = pictures[0].copy()
    image[box] = (image[box].astype(int) + 128) % 256
    found = model.update(image).mask[box].mean()
    return {
        "frames": done,
        "frames_per_s": (done - earlier) / took,
        "alarms": float(alarms.mean()),
        "drift": float(abs(result.background.astype(float) - scene).mean()),
        "finite": bool(finite and np.isfinite(result.foreground).all()),
        "found": float(found),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=list(BACKGROUND_METHODS), default=list(BACKGROUND_METHODS))
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--size", default="48x64", help="HEIGHTxWIDTH")
    parser.add_argument("--seconds", type=float, default=300, help="most time for each method")
    parser.add_argument("--json", type=Path, help="write, or add to, this file")
    parser.add_argument("--keep", type=Path, help="folder of states to go on from")
    options = parser.parse_args()
    _, size_hw = parse_size(options.size)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    failed = 0
    print(f"{'':18}{'frames':>9}{'frames/s':>10}{'alarms':>9}{'drift':>7}{'finite':>8}{'found':>7}")
    for method in options.methods:
        row = endure(method, size_hw, options.frames, options.seconds, options.keep)
        stable = row["finite"] and row["alarms"] <= MOST_ALARMS and row["drift"] <= MOST_DRIFT
        stable = stable and row["found"] >= LEAST_FOUND
        failed += not stable
        print(
            f"{method:18}{row['frames']:9d}{row['frames_per_s']:10.0f}{row['alarms']:9.5f}{row['drift']:7.2f}"
            f"{row['finite']!s:>8}{row['found']:7.2f}{'' if stable else '  NOT STABLE'}",
            flush=True,
        )
        if options.json:
            add_to_json(options.json, {f"endurance_{method}": {"size_hw": size_hw, **row}})
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
