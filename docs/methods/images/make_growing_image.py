"""Draws region_growing.png: seeds, three methods and two levels of merging on a generated scene.

python docs/methods/images/make_growing_image.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from cvseg.regions import grow, merge_regions, point_seeds
from cvseg.report.superpixel_picture import boundary_picture

rng = np.random.default_rng(4)
size_hw = 160, 240
rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
image = np.empty((*size_hw, 3))
image[:] = (96, 132, 168) - 0.25 * rows[..., None]
image[rows > 105 + 8 * np.sin(columns / 23)] = (92, 118, 70)
image[(rows - 90) ** 2 / 2 + (columns - 80) ** 2 < 900] = (178, 92, 66)
image[(rows - 80) ** 2 + (columns - 175) ** 2 < 800] = (206, 190, 120)
image = ndimage.gaussian_filter(image, (0.8, 0.8, 0)) + rng.normal(0, 7, image.shape)
image = image.clip(0, 255).astype(np.uint8)
seeds = point_seeds([(80, 90, 1), (175, 80, 2), (20, 20, 3), (220, 150, 4), (120, 20, 3)], size_hw, radius=4)
shown = image.copy()
shown[seeds > 0] = (255, 40, 200)
hierarchy = merge_regions(image)
tiles = [shown]
tiles += [
    boundary_picture(image, grow(image, seeds, method=m)) for m in ("watershed", "spanning_forest", "random_walker")
]
tiles += [boundary_picture(image, hierarchy.labels(count)) for count in (12, 4)]
picture = np.vstack([np.hstack(tiles[:3]), np.hstack(tiles[3:])])
Image.fromarray(picture).save(Path(__file__).with_name("region_growing.png"))
