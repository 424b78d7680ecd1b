"""Renders a scene before a fixed camera, laid out as CDnet does: frames, true masks, nothing to download.

python docs/background/make_scene.py FOLDER [--frames 150] [--size 320x240]

FOLDER receives input/in000001.png ... and groundtruth/gt000001.png ...: three things cross a garage,
their shadows are background, and the light slowly changes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cvseg.synthetic import ClipOptions, render_clip


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--size", default="320x240")
    options = parser.parse_args(arguments)
    width, height = (int(number) for number in options.size.split("x"))
    clip = render_clip(
        ClipOptions(
            size_hw=(height, width),
            frames=options.frames,
            objects=3,
            cast=("horse", "coffee", "cat"),
            background="garage",
            motion="natural",
            shadow=True,
            light_change=0.1,
            seed=31,
        )
    )
    for name in ("input", "groundtruth"):
        (options.folder / name).mkdir(parents=True, exist_ok=True)
    for frame in clip:
        number = f"{frame.index + 1:06d}.png"
        Image.fromarray(frame.image).save(options.folder / "input" / f"in{number}")
        truth = np.where(frame.labels > 0, 255, 0).astype(np.uint8)
        Image.fromarray(truth).save(options.folder / "groundtruth" / f"gt{number}")


if __name__ == "__main__":
    main()
