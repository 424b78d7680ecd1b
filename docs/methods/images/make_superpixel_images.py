"""Makes the pictures on the pages of superpixels: `python docs/methods/images/make_superpixel_images.py`.

All are of rendered scenes. Left boundaries, in the middle mean colours, right where the method fails.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from PIL import Image

from cvseg.baselines import BASELINE_SUPERPIXEL_METHODS
from cvseg.report.superpixel_picture import boundary_picture, mean_picture
from cvseg.superpixels import segment
from cvseg.synthetic import SCENES, render_clip

HERE = Path(__file__).resolve().parent
SIZE_HW = (240, 360)
GAP = 6
COUNT = 250
# Page: method; of the failure the scene, the frame, the number of superpixels, and the part shown (x0, y0, x1, y1).
PAGES = {
    "block_moves_2015": ("block_moves", "occluder", 12, 60, (120, 80, 300, 200)),
    "slic_2012": ("slic", "crossing", 12, 250, (60, 60, 240, 180)),
    "graph_based_2004": ("graph", "occluder", 12, 120, (0, 0, 360, 240)),
}


def scene_frame(scene, number):
    clip = render_clip(dataclasses.replace(SCENES[scene], frames=number + 1, size_hw=SIZE_HW))
    return list(clip.frames())[number].image


def row_of(tiles):
    height = SIZE_HW[0]
    sheet = np.full((height, len(tiles) * (SIZE_HW[1] + GAP) - GAP, 3), 255, np.uint8)
    for i, tile in enumerate(tiles):
        sheet[:, i * (SIZE_HW[1] + GAP) :][:, : SIZE_HW[1]] = tile
    return sheet


def save(sheet, name):
    for quality in range(88, 40, -4):
        Image.fromarray(sheet).save(HERE / name, quality=quality, optimize=True)
        if (HERE / name).stat().st_size < 118_000:
            return


def main():
    photo = scene_frame("static_camera", 12)
    for page, (method, scene, number, count, box) in PAGES.items():
        labels = segment(photo, method=method, count=COUNT)
        hard = scene_frame(scene, number)
        failed = Image.fromarray(boundary_picture(hard, segment(hard, method=method, count=count))).crop(box)
        failed = failed.resize(SIZE_HW[::-1], Image.Resampling.NEAREST)
        save(row_of([boundary_picture(photo, labels), mean_picture(photo, labels), np.asarray(failed)]), f"{page}.jpg")
    chosen = [segment(photo, method=method, count=COUNT) for method in ("block_moves", "graph")]
    chosen += [BASELINE_SUPERPIXEL_METHODS[name](photo, COUNT) for name in ("opencv_slico", "opencv_lsc")]
    tiles = [boundary_picture(photo, labels) for labels in chosen]
    gap = np.full((GAP, 2 * (SIZE_HW[1] + GAP) - GAP, 3), 255, np.uint8)
    save(np.vstack([row_of(tiles[:2]), gap, row_of(tiles[2:])]), "superpixels.jpg")


if __name__ == "__main__":
    main()
