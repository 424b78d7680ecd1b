"""Draws the pictures of docs/background/README.md: where the background models fail, and the example.

python docs/background/make_pictures.py [--out docs/background/images] [--methods NAME ...]

Needs the data (CVSEG_DATA, else ../shared/data) for the failures; without them only the example is drawn. Green is
right, red a false alarm, blue was missed, the white line is the true outline.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "accuracy"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import make_scene
from change import chosen_methods, find_sequences

from cvseg.evaluation.change_accuracy import MOVING, OUTSIDE, UNKNOWN
from cvseg.evaluation.mask_picture import mask_picture
from cvseg.formats.cdnet import read_change_labels
from cvseg.video.still_image import read_image

ROOT = Path(__file__).resolve().parents[2]
# Sequence, and which of its frames is shown, as a share of its length.
FAILURES = (("SBI2015/CaVignal", 0.85), ("UCSD_background/surf", 0.7), ("UCSD_background/cyclists", 0.6))
EXAMPLE_FRAMES = (30, 75, 120)
BASELINE = "opencv_mog2"
WIDTH = 300


def draw(frames: dict[int, Path], truths: dict[int, Path], shown: int, methods: list[str]) -> list[np.ndarray]:
    """The frame `shown`, and what each method makes of it after all frames before."""
    makers, _ = chosen_methods(methods, [BASELINE])
    updates = {name: make() for name, make in makers.items()}
    for number, path in frames.items():
        image = read_image(path)
        masks = {name: update(image) for name, update in updates.items()}
        if number == shown:
            break
    truth = read_change_labels(truths[shown])
    void = (truth == UNKNOWN) | (truth == OUTSIDE)
    return [image, *(mask_picture(mask, truth == MOVING, void, image) for mask in masks.values())]


def sheet(rows: list[list[np.ndarray]], titles: list[str]) -> Image.Image:
    """Rows of pictures, all of one width, under the titles of their columns."""
    font = ImageFont.load_default(size=15)
    heights = [round(row[0].shape[0] * WIDTH / row[0].shape[1]) for row in rows]
    page = Image.new("RGB", (len(titles) * (WIDTH + 4), sum(heights) + 4 * len(rows) + 24), "white")
    for column, title in enumerate(titles):
        ImageDraw.Draw(page).text((column * (WIDTH + 4) + 4, 2), title, fill="black", font=font)
    top = 24
    for row, height in zip(rows, heights, strict=True):
        for column, picture in enumerate(row):
            page.paste(Image.fromarray(picture).resize((WIDTH, height)), (column * (WIDTH + 4), top))
        top += height + 4
    return page


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / "images")
    parser.add_argument("--methods", nargs="+", default=["fused", "gaussian_mixture", "sample_consensus"])
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    titles = ["frame", *options.methods, "OpenCV MOG2"]
    with tempfile.TemporaryDirectory() as folder:
        make_scene.main([folder])
        frames, truths = (dict(enumerate(sorted(Path(folder, name).iterdir()))) for name in ("input", "groundtruth"))
        rows = [draw(frames, truths, shown, options.methods) for shown in EXAMPLE_FRAMES]
    sheet(rows, titles).save(options.out / "example.jpg", quality=88)
    data = Path(os.environ.get("CVSEG_DATA", ROOT.parent / "shared" / "data"))
    present = {sequence.name: sequence for sequence in find_sequences(data)}
    rows = []
    for name, share in FAILURES:
        if name in present:
            numbers = list(present[name].truths)
            shown = numbers[int(share * len(numbers))]
            rows.append(draw(present[name].frames, present[name].truths, shown, options.methods))
    if rows:
        sheet(rows, titles).save(options.out / "failures.jpg", quality=88)


if __name__ == "__main__":
    main()
