"""How well a target is followed from its first true box: the particle filter beside OpenCV's trackers.

python benchmarks/accuracy/particle.py [--frames 100] [--methods particle csrt kcf camshift mean_shift] [--json FILE]

DAVIS 2016: the box of the first mask, then the overlap with the boxes of all true masks. Pedestrians: TUD-Campus and
the first frames of PETS09-S2L1 (vtest.avi, truth scaled), every person in view for at least 20 frames, from the fourth
frame on. Figures are mean overlaps (intersection over union), and processor time a frame. Needs CVSEG_DATA.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from benchmarks.accuracy.measuring import ROOT, environment, print_row, rounded, write_record
from cvseg.formats.mot_challenge import read_tracks
from cvseg.tracking import ParticleFilter, ParticleOptions
from cvseg.tracking.association import box_iou
from cvseg.video import open_source
from cvseg.video.still_image import read_image

VTEST_SCALE = 0.625  # the truth was made on pictures of 768 x 576
VTEST_FRAMES = 260
LEAST_FRAMES = 20

Task = tuple[str, list[Any], dict[int, np.ndarray]]


def davis_tasks(data: Path) -> Iterator[Task]:
    for folder in sorted((data / "DAVIS2016").rglob("JPEGImages/480p/*")):
        masks = sorted(Path(str(folder).replace("JPEGImages", "Annotations")).glob("*.png"))
        images = [read_image(path) for path in sorted(folder.glob("*.jpg"))]
        boxes = {}
        for i, path in enumerate(masks):
            ys, xs = np.nonzero(read_image(path)[..., 0] > 127)
            if len(xs):
                boxes[i] = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float64)
        yield folder.name, images, boxes


def people_tasks(truth: Path, video: Path, scale: float, frames: int, longest: int) -> Iterator[Task]:
    with open_source(str(video)) as source:
        images = [frame.image for _, frame in zip(range(frames), source, strict=False)]
    table = read_tracks(truth)
    for number in np.unique(table.ids).tolist():
        rows = np.flatnonzero((table.ids == number) & (table.frames < len(images)))
        rows = rows[np.argsort(table.frames[rows])][:longest]
        if len(rows) >= LEAST_FRAMES:
            boxes = {int(table.frames[row]): table.boxes_xyxy[row] * scale for row in rows[3:]}
            yield f"{truth.parents[1].name} {number}", images, boxes


def particle(particles: int) -> Callable[[Any, np.ndarray], Callable[[Any], np.ndarray]]:
    def start(image: Any, box: np.ndarray) -> Callable[[Any], np.ndarray]:
        target = ParticleFilter(ParticleOptions(particles=particles), np.random.default_rng(0))
        target.start(image, box)
        return lambda picture: target.update(picture).box_xyxy

    return start


def opencv(name: str) -> Callable[[Any, np.ndarray], Callable[[Any], np.ndarray]]:
    def start(image: Any, box: np.ndarray) -> Callable[[Any], np.ndarray]:
        import cv2

        target, last = getattr(cv2, f"Tracker{name}_create")(), [box]
        x0, y0, x1, y1 = (int(v) for v in np.clip(box, 0, [*image.shape[1::-1], *image.shape[1::-1]]))
        target.init(np.ascontiguousarray(image[..., ::-1]), (x0, y0, x1 - x0, y1 - y0))

        def update(picture: Any) -> np.ndarray:
            found, (x, y, w, h) = target.update(np.ascontiguousarray(picture[..., ::-1]))
            if found:
                last[0] = np.array([x, y, x + w, y + h], np.float64)
            return last[0]

        return update

    return start


def opencv_shift(name: str) -> Callable[[Any, np.ndarray], Callable[[Any], np.ndarray]]:
    def start(image: Any, box: np.ndarray) -> Callable[[Any], np.ndarray]:
        import cv2

        x0, y0, x1, y1 = (int(v) for v in np.clip(box, 0, [*image.shape[1::-1], *image.shape[1::-1]]))
        inside = cv2.cvtColor(image[y0:y1, x0:x1], cv2.COLOR_RGB2HSV)
        vivid = cv2.inRange(inside, (0, 60, 32), (180, 255, 255))
        hues = cv2.normalize(cv2.calcHist([inside], [0], vivid, [180], [0, 180]), None, 0, 255, cv2.NORM_MINMAX)
        window = [(x0, y0, x1 - x0, y1 - y0)]
        ends = cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 1

        def update(picture: Any) -> np.ndarray:
            likely = cv2.calcBackProject([cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)], [0], hues, [0, 180], 1)
            _, window[0] = getattr(cv2, name)(likely, window[0], ends)
            x, y, w, h = window[0]
            return np.array([x, y, x + w, y + h], np.float64)

        return update

    return start


METHODS = {
    "particle": particle(300),
    "particle_3000": particle(3000),
    "csrt": opencv("CSRT"),
    "kcf": opencv("KCF"),
    "camshift": opencv_shift("CamShift"),
    "mean_shift": opencv_shift("meanShift"),
}


def measure(method: str, task: Task) -> tuple[float, float]:
    """Mean overlap after the first frame, and milliseconds of processor time a frame."""
    _, images, boxes = task
    first, last = min(boxes), max(boxes)
    update, overlaps, spent = METHODS[method](images[first], boxes[first]), [], 0.0
    for i in range(first + 1, last + 1):
        began = time.process_time()
        box = update(images[i])
        spent += time.process_time() - began
        if i in boxes:
            overlaps.append(float(box_iou(box[None], boxes[i][None])[0, 0]))
    return float(np.mean(overlaps)), 1e3 * spent / (last - first)


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Print a row per target or group and method; return all figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--frames", type=int, default=100, help="longest way of a person")
    parser.add_argument("--sets", nargs="+", choices=("davis", "tud", "pets"), default=["davis", "tud", "pets"])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args(argv)
    data = Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))
    if not data.is_dir():
        raise SystemExit(f"particle.py: {data} is not there; set CVSEG_DATA.")
    mot = data / "MOT"  # codespell:ignore mot
    makers = {
        "davis": lambda: davis_tasks(data),
        "tud": lambda: people_tasks(
            mot / "TUD-Campus" / "gt" / "gt.txt", mot / "TUD-Campus" / "img1", 1.0, 1000, arguments.frames
        ),
        "pets": lambda: people_tasks(
            mot / "PETS09-S2L1" / "gt" / "gt.txt",
            next((data / "videos").rglob("vtest.avi")),
            VTEST_SCALE,
            VTEST_FRAMES,
            arguments.frames,
        ),
    }
    found: dict[str, Any] = {"environment": environment()}
    for name in arguments.sets:
        found[name] = {method: {} for method in arguments.methods}
        for task in makers[name]():
            for method in arguments.methods:
                found[name][method][task[0]] = measure(method, task)
        for method, figures in found[name].items():
            overlap, milliseconds = np.mean(list(figures.values()), axis=0)
            print_row((name, method, len(figures), float(overlap), float(milliseconds)), (8, 14, 4, 7, 9))
    write_record(arguments.json, rounded(found))
    return found


if __name__ == "__main__":
    main()
