"""Pairs of pictures with known flow, found in the folder of data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cvseg.formats.flow_file import read_flow

MIDDLEBURY = ("Grove2", "RubberWhale", "Venus")
SIZES_HW = {"480p": (480, 854), "720p": (720, 1280), "1080p": (1080, 1920), "2160p": (2160, 3840)}


@dataclass(frozen=True)
class Pair:
    """Two pictures, (H, W, 3) uint8, and the true flow between them; `valid` says where the truth is known."""

    name: str
    image0: np.ndarray
    image1: np.ndarray
    truth_xy: np.ndarray
    valid: np.ndarray


def read_picture(path: Path) -> np.ndarray:
    from PIL import Image

    with Image.open(path) as picture:
        return np.array(picture.convert("RGB"))


def resized(image: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    from PIL import Image

    return np.array(Image.fromarray(image).resize(size_hw[::-1], Image.Resampling.BICUBIC))


def development_pairs(folder: Path) -> list[Pair]:
    """All pairs with truth below `folder`; those that are absent are left out."""
    found = []

    def add(name: str, image0: Path, image1: Path, truth: Path) -> None:
        if truth.is_file():
            truth_xy = read_flow(truth)
            valid = ~np.isnan(truth_xy).any(axis=2)
            truth_xy = np.where(valid[..., None], truth_xy, np.float32(0))
            found.append(Pair(name, read_picture(image0), read_picture(image1), truth_xy, valid))

    middlebury, sintel, kitti = (folder / name for name in ("Middlebury_flow", "MPI_Sintel", "KITTI2012_flow"))
    for name in MIDDLEBURY:
        images, truth = middlebury / "other-data" / name, middlebury / "other-gt-flow" / name / "flow10.flo"
        add(name, images / "frame10.png", images / "frame11.png", truth)
    for kind in ("final", "clean"):
        images, truth = sintel / kind / "alley_1", sintel / "flow" / "alley_1" / "frame_0002.flo"
        add(f"alley_1 {kind}", images / "frame_0002.png", images / "frame_0003.png", truth)
    images = kitti / "colored_0"
    add("KITTI 157", images / "000157_10.png", images / "000157_11.png", kitti / "flow_noc/000157_10.png")
    chairs = folder / "FlyingChairs_samples"
    add("Chairs 0", *(chairs / f"0000000-{end}" for end in ("img0.ppm", "img1.ppm", "gt.flo")))
    return found
