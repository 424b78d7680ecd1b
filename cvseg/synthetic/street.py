"""The street: a brick wall hung with photographs, over a road of gravel. A background made of several pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvseg.synthetic.photographs import load_photograph

HORIZON = 0.13  # where the wall meets the road, in frame heights below the middle
KERB = 0.022
COURSE = 0.042  # height of one course of bricks

# Posters: file, part of the photograph (x0, y0, x1, y1), centre and height in frame heights from the middle.
POSTERS: tuple[tuple[str, tuple[int, int, int, int], float, float, float], ...] = (
    ("hubble_deep_field.jpg", (100, 60, 800, 760), -1.32, -0.20, 0.36),
    ("chelsea.png", (20, 0, 440, 300), -0.76, -0.21, 0.34),
    ("rocket.jpg", (140, 0, 460, 427), -0.22, -0.20, 0.42),
    ("retina.jpg", (150, 150, 1261, 1261), 0.22, -0.21, 0.30),
    ("ihc.png", (0, 0, 512, 400), 0.68, -0.20, 0.36),
    ("coffee.png", (40, 0, 560, 400), 1.30, -0.21, 0.34),
)


def paint_street(width_px: int, height_px: int, unit_px: int) -> NDArray[np.float32]:
    """The street as far as it is asked for, centred.

    Parameters
    ----------
    width_px, height_px : size of the part
    unit_px : pixels per frame height

    Returns
    -------
    (height_px, width_px, 3) float32 in [0, 1]
    """
    horizon = round(height_px / 2 + HORIZON * unit_px)
    colour = np.empty((height_px, width_px, 3), np.float32)
    colour[:horizon] = paint_wall(width_px, horizon, unit_px)
    colour[horizon:] = _road(width_px, height_px - horizon, unit_px)
    for file_name, part, centre_x, centre_y, height in POSTERS:
        _hang(colour, file_name, part, (centre_x, centre_y), height, unit_px)
    kerb = slice(horizon, horizon + max(1, round(KERB * unit_px)))
    # A kerb lies in light, and the foot of the wall in shade.
    colour[kerb] = 0.35 * colour[kerb] + 0.65 * np.array([0.72, 0.70, 0.66], np.float32)
    below = np.arange(height_px - kerb.stop, dtype=np.float32) / (0.05 * unit_px)
    colour[kerb.stop :] *= (0.55 + 0.45 * np.clip(below, 0, 1))[:, None, None]
    return np.clip(colour, 0, 1)


def paint_wall(width_px: int, height_px: int, unit_px: int) -> NDArray[np.float32]:
    """A brick wall, with the arguments of `paint_street`; the courses are counted from the lower edge."""
    # The photograph looks along its courses; four joints of it, pulled straight, are a wall seen from the front.
    tile = _straightened(
        load_photograph("brick.png"),
        ((68, 0), (397, 0), (8, 511), (470, 511)),
        round(11 * COURSE * unit_px),
        round(13.5 * COURSE * unit_px),
    )
    wall = _mirror(np.ascontiguousarray(np.rot90(tile)), height_px, width_px, from_bottom=True)
    contrast = np.clip((wall - 0.42) * 1.25 + 0.55, 0, 1)
    return contrast * np.array([0.95, 0.70, 0.57], np.float32)


def _mirror(picture: NDArray[np.float32], height: int, width: int, *, from_bottom: bool) -> NDArray[np.float32]:
    """`picture` repeated in mirror image, centred in x."""
    y = np.arange(height)[::-1] if from_bottom else np.arange(height)
    x = np.arange(width) - width // 2 + picture.shape[1] // 2
    rows, columns = (
        np.where(i % (2 * n) < n, i % (2 * n), 2 * n - 1 - i % (2 * n))
        for i, n in ((y, picture.shape[0]), (x, picture.shape[1]))
    )
    return picture[rows[:, None], columns[None, :]]


def _resized(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.float32]:
    from PIL import Image

    resized = Image.fromarray(pixels).resize((max(1, width), max(1, height)), Image.Resampling.LANCZOS)
    return np.asarray(resized, np.float32) / np.float32(255)


def _straightened(
    pixels: NDArray[np.uint8], corners: tuple[tuple[float, float], ...], width: int, height: int
) -> NDArray[np.float32]:
    """The plane between four corners (x, y; upper left, upper right, lower left, lower right), seen from the front."""
    from PIL import Image

    rows, values = [], []
    targets = ((0, 0), (width, 0), (0, height), (width, height))
    for (x, y), (u, v) in zip(corners, targets, strict=True):
        # x = (a u + b v + c) / (g u + h v + 1), y = (d u + e v + f) / (g u + h v + 1)
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
        values += [x, y]
    coefficients = np.linalg.solve(np.array(rows, np.float64), np.array(values, np.float64))
    straight = Image.fromarray(pixels).transform(
        (width, height), Image.Transform.PERSPECTIVE, coefficients.tolist(), Image.Resampling.BICUBIC
    )
    return np.asarray(straight, np.float32) / np.float32(255)


def _road(width: int, height: int, unit_px: int) -> NDArray[np.float32]:
    # Seen from the side the stones lie flat: squeezed to half their height.
    tile = _resized(load_photograph("gravel.png"), round(0.80 * unit_px), round(0.42 * unit_px))
    road = _mirror(tile, height, width, from_bottom=False)
    return np.clip((road - 0.5) * 0.8 + 0.56, 0, 1) * np.array([0.90, 0.88, 0.84], np.float32)


def _hang(
    colour: NDArray[np.float32],
    file_name: str,
    part: tuple[int, int, int, int],
    centre_xy: tuple[float, float],
    height: float,
    unit_px: int,
) -> None:
    """Hang one framed photograph on the wall; what lies outside the picture is cut off."""
    x0, y0, x1, y1 = part
    rows = round(height * unit_px)
    picture = _resized(load_photograph(file_name)[y0:y1, x0:x1], round(rows * (x1 - x0) / (y1 - y0)), rows)
    border, rim = max(1, round(0.016 * unit_px)), max(1, round(0.007 * unit_px))
    framed = np.pad(picture, ((border, border), (border, border), (0, 0)), constant_values=0.94)
    framed = np.pad(framed, ((rim, rim), (rim, rim), (0, 0)), constant_values=0.13)
    left = round(colour.shape[1] / 2 + centre_xy[0] * unit_px - framed.shape[1] / 2)
    top = round(colour.shape[0] / 2 + centre_xy[1] * unit_px - framed.shape[0] / 2)
    # The frame's shadow on the bricks first.
    drop = max(1, round(0.012 * unit_px))
    _visible(colour, left + drop, top + drop, framed.shape)[...] *= 0.6
    target = _visible(colour, left, top, framed.shape)
    cut_x, cut_y = max(0, -left), max(0, -top)
    target[...] = framed[cut_y : cut_y + target.shape[0], cut_x : cut_x + target.shape[1]]


def _visible(colour: NDArray[np.float32], left: int, top: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return colour[max(0, top) : max(0, top + shape[0]), max(0, left) : max(0, left + shape[1])]
