"""Time of a frame of every background model beside OpenCV's MOG2, on a fixed and on a moving camera.

python -m benchmarks.speed.background [--methods NAME ...] [--size 480p] [--frames 60] [--json FILE]

All models take each frame in turn, so that a busy machine slows all of them alike. "wall" and "CPU" are medians over
the frames after the first eight, in ms, CPU with all threads added up; "of MOG2" and "CPU of" are medians of the ratio
to MOG2 in the same frame, "least of" is the ratio of the shortest times. "MB" is what `state_dict` holds. The fixed
camera is vtest.avi, the moving one a pan over one of its pictures (CVSEG_DATA, else ../shared/data); without the data,
a noisy picture with a moving disc.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.machine import ROOT, add_to_json, parse_size
from cvseg.background import BACKGROUND_METHODS, background_model
from cvseg.baselines.opencv_module import opencv_module
from cvseg.kernels.bands import thread_count

WARM_UP = 8


def _first_picture(size_hw: tuple[int, int]) -> np.ndarray:
    """A picture of many colours and edges, without any data."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(30, 220, (-(-size_hw[0] // 16), -(-size_hw[1] // 16), 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((16, 16, 1), np.uint8))[: size_hw[0], : size_hw[1]]


def fixed_camera(size_hw: tuple[int, int], count: int) -> list[np.ndarray]:
    """`count` frames of the street, or of a noisy picture with a disc that crosses it."""
    cv2 = opencv_module("benchmark", "resize")
    path = Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data")) / "videos" / "opencv" / "vtest.avi"
    if path.is_file():
        import av

        with av.open(str(path)) as container:
            frames = []
            for frame in container.decode(video=0):
                frames.append(cv2.resize(frame.to_ndarray(format="rgb24"), size_hw[::-1]))
                if len(frames) == count:
                    return frames
    rng, scene = np.random.default_rng(1), _first_picture(size_hw)
    y, x = np.ogrid[: size_hw[0], : size_hw[1]]
    frames = []
    for step in range(count):
        image = np.clip(scene + rng.normal(0, 3, scene.shape), 0, 255).astype(np.uint8)
        image[(y - size_hw[0] // 2) ** 2 + (x - 6 * step) ** 2 < 60**2] = 200, 30, 30
        frames.append(image)
    return frames


def moving_camera(size_hw: tuple[int, int], count: int) -> list[np.ndarray]:
    """A pan of 7 pixels a frame: every pixel always shows something new."""
    wide = np.concatenate([fixed_camera(size_hw, 1)[0], _first_picture(size_hw)], axis=1)
    rng = np.random.default_rng(2)
    noise = [rng.normal(0, 2, (*size_hw, 3)) for _ in range(4)]
    return [
        np.clip(np.roll(wide, -7 * step, axis=1)[:, : size_hw[1]] + noise[step % 4], 0, 255).astype(np.uint8)
        for step in range(count)
    ]


def measure(frames: list[np.ndarray], methods: list[str]) -> dict[str, dict[str, float]]:
    """Medians of wall and processor time, and of the ratio to MOG2, by method."""
    cv2 = opencv_module("benchmark", "createBackgroundSubtractorMOG2")
    cv2.setNumThreads(thread_count())
    mog2 = cv2.createBackgroundSubtractorMOG2()
    models = {name: background_model(name) for name in methods}
    updates: dict[str, Callable[[Any], Any]] = {"opencv_mog2": mog2.apply}
    updates |= {name: model.update for name, model in models.items()}
    times = np.zeros((len(frames), len(updates), 2))
    for step, image in enumerate(frames):
        for k, update in enumerate(updates.values()):
            began = time.perf_counter(), time.process_time()
            update(image)
            times[step, k] = time.perf_counter() - began[0], time.process_time() - began[1]
    times = 1000 * times[WARM_UP:]
    table = {}
    for k, name in enumerate(updates):
        wall, cpu = np.median(times[:, k], axis=0)
        ratios = np.median(times[:, k] / np.maximum(times[:, 0], 1e-6), axis=0)
        row = {
            "wall_ms": wall,
            "cpu_ms": cpu,
            "of_mog2": ratios[0],
            "cpu_of_mog2": ratios[1],
            "frames_per_s": 1000 / wall,
        }
        row["least_wall_of_mog2"] = times[:, k, 0].min() / times[:, 0, 0].min()
        if name in models:
            row["state_mb"] = _megabytes(models[name].state_dict())
        table[name] = {key: float(value) for key, value in row.items()}
    return table


def _megabytes(state: Any) -> float:
    if isinstance(state, dict):
        return sum(_megabytes(value) for value in state.values())
    return state.nbytes / 1e6 if isinstance(state, np.ndarray) else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=list(BACKGROUND_METHODS), default=list(BACKGROUND_METHODS))
    parser.add_argument("--size", default="480p", help="480p, 1080p, 2160p or HEIGHTxWIDTH")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--json", type=Path, help="write, or add to, this file")
    options = parser.parse_args()
    if options.frames <= WARM_UP:
        parser.error(f"--frames is {options.frames}; expected more than {WARM_UP}.")
    name, size_hw = parse_size(options.size)
    results = {}
    for camera, make in (("fixed", fixed_camera), ("moving", moving_camera)):
        results[camera] = measure(make(size_hw, options.frames), options.methods)
        print(f"{camera} camera, {name}, {thread_count()} threads")
        print(f"  {'':18}{'wall ms':>9}{'CPU ms':>9}{'of MOG2':>9}{'CPU of':>9}{'least of':>9}{'frames/s':>9}{'MB':>7}")
        for method, row in results[camera].items():
            numbers = (row["wall_ms"], row["cpu_ms"], row["of_mog2"], row["cpu_of_mog2"], row["least_wall_of_mog2"])
            line = "".join(f"{value:9.2f}" for value in numbers)
            print(f"  {method:18}{line}{row['frames_per_s']:9.0f}{row.get('state_mb', float('nan')):7.1f}")
    if options.json:
        add_to_json(options.json, {f"background_{name}": results})


if __name__ == "__main__":
    main()
