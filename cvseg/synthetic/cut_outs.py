"""Cut-outs: pieces of photographs with an outline, ready to move over a background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.synthetic.photographs import load_photograph, softened

Point = tuple[float, float]


@dataclass(frozen=True)
class CutOut:
    """A piece of a photograph.

    Attributes
    ----------
    photograph : file name, see `load_photograph`
    outlines : closed polygons in photograph pixels, (x, y); the cut-out is their union. Empty: the photograph is
        itself a dark silhouette on white, filled with `fill`.
    height : size in frame heights
    path : how it moves by nature, a key of `PATHS`
    level : vertical place of its centre in frame heights, 0 the middle, 0.5 the bottom edge
    tint : colour that a grey photograph is multiplied by
    faces_right : it is mirrored when it moves to the left
    rounding : passes of corner cutting: hand-set corners become curves
    """

    photograph: str
    outlines: tuple[tuple[Point, ...], ...]
    height: float
    path: str
    level: float
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    faces_right: bool = False
    rounding: int = 0
    fill: str = ""


def ellipse(centre_x: float, centre_y: float, radius_x: float, radius_y: float) -> tuple[Point, ...]:
    """Outline of an ellipse as 256 points."""
    angle = np.arange(256) * (2 * np.pi / 256)
    return tuple(
        zip((centre_x + radius_x * np.cos(angle)).tolist(), (centre_y + radius_y * np.sin(angle)).tolist(), strict=True)
    )


def star(centre_x: float, centre_y: float, radius: float, tips: int, depth: float) -> tuple[Point, ...]:
    """Outline of a star; a larger `depth` in (0, 1) has sharper tips."""
    angle = np.arange(2 * tips) * (np.pi / tips) - np.pi / 2
    reach = np.where(np.arange(2 * tips) % 2 == 0, radius, radius * (1 - depth))
    return tuple(
        zip((centre_x + reach * np.cos(angle)).tolist(), (centre_y + reach * np.sin(angle)).tolist(), strict=True)
    )


# fmt: off
_ASTRONAUT = (
    (30, 514), (23, 480), (21, 440), (21, 400), (25, 340), (40, 300), (46, 272), (60, 252), (78, 234), (96, 221),
    (113, 209), (115, 190), (122, 182), (128, 170), (138, 158), (152, 151), (170, 149), (182, 150), (180, 134),
    (174, 126), (168, 114), (160, 104), (155, 90), (155, 68), (160, 56), (170, 47), (186, 40), (194, 30), (208, 21),
    (226, 17), (244, 17), (260, 22), (276, 31), (288, 40), (296, 54), (300, 72), (300, 92), (296, 106), (288, 119),
    (276, 129), (270, 138), (264, 156), (258, 174), (272, 180), (288, 193), (299, 209), (304, 228), (306, 240),
    (322, 247), (336, 257), (345, 271), (351, 292), (357, 315), (362, 340), (364, 350), (384, 346), (402, 345),
    (424, 348), (444, 355), (462, 368), (476, 384), (486, 402), (493, 424), (496, 448), (497, 470), (496, 490),
    (492, 514),
)
_MOTORCYCLE = (
    (92, 203), (97, 196), (130, 194), (141, 196), (137, 165), (139, 154), (148, 146), (158, 146), (166, 151),
    (168, 161), (185, 164), (205, 170), (240, 168), (252, 172), (262, 184), (275, 192), (300, 196), (325, 190),
    (345, 187), (357, 190), (366, 184), (385, 174), (384, 170), (362, 172), (357, 169), (377, 152), (392, 140),
    (402, 128), (416, 123), (430, 124), (442, 133), (455, 143), (465, 142), (468, 129), (480, 122), (496, 122),
    (503, 115), (504, 104), (496, 94), (496, 82), (506, 80), (518, 84), (530, 95), (535, 108), (536, 118), (545, 124),
    (554, 132), (560, 144), (561, 158), (556, 170), (549, 183), (553, 190), (552, 208), (574, 256), (582, 264),
    (602, 269), (626, 279), (643, 300), (642, 310), (654, 318), (667, 337), (677, 362), (683, 394), (681, 420),
    (672, 440), (656, 451), (634, 453), (606, 444), (580, 427), (560, 409), (545, 390), (530, 365), (519, 340),
    (514, 322), (507, 324), (507, 302), (514, 289), (522, 282), (512, 262), (502, 238), (490, 218), (478, 208),
    (466, 230), (472, 242), (478, 256), (472, 272), (479, 292), (476, 312), (468, 335), (456, 353), (440, 368),
    (416, 377), (394, 378), (365, 371), (340, 371), (318, 370), (292, 357), (280, 362), (269, 375), (254, 388),
    (235, 397), (210, 400), (186, 395), (165, 385), (148, 368), (135, 348), (126, 325), (122, 300), (124, 280),
    (131, 262), (143, 249), (152, 242), (132, 240), (120, 245), (108, 246), (102, 240), (108, 226), (96, 218),
)
# fmt: on

# The order is the order of appearance when no cast is given.
CUT_OUTS: dict[str, CutOut] = {
    "astronaut": CutOut("astronaut.png", (_ASTRONAUT,), 0.76, "walk", 0.21, rounding=2),
    "horse": CutOut("horse.png", (), 0.40, "gallop", 0.16, faces_right=True, fill="coffee.png"),
    "coffee": CutOut("coffee.png", (ellipse(278.5, 222, 198, 165), ellipse(290, 112, 117, 94)), 0.25, "glide", -0.22),
    "coin": CutOut("coins.png", (ellipse(346.5, 187, 30, 29.5),), 0.17, "roll", 0.36, tint=(1.25, 1.02, 0.55)),
    "motorcycle": CutOut("motorcycle_left.png", (_MOTORCYCLE,), 0.42, "drive", 0.17, faces_right=True, rounding=1),
    "cat": CutOut("chelsea.png", (ellipse(196, 150, 147, 147),), 0.30, "bounce", 0.10),
    "star": CutOut("ihc.png", (star(256, 256, 250, 5, 0.45),), 0.28, "spin", -0.20, rounding=1),
    "planet": CutOut("retina.jpg", (ellipse(712, 705, 640, 640),), 0.22, "float", -0.05),
}


def outline_polygons(cut_out: CutOut) -> list[NDArray[np.float64]]:
    """Outlines as (n, 2) arrays of (x, y) in photograph pixels, corners rounded."""
    polygons = []
    for outline in cut_out.outlines:
        points = np.asarray(outline, np.float64)
        for _ in range(cut_out.rounding):
            following = np.roll(points, -1, axis=0)
            # Chaikin's corner cutting: every edge keeps its middle half.
            points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], 1).reshape(-1, 2)
        polygons.append(points)
    return polygons


def cut_out_layer(cut_out: CutOut, height_px: float) -> NDArray[np.float32]:
    """Texture of a cut-out with its outline anti-aliased.

    Parameters
    ----------
    height_px : height of the outline in the texture

    Returns
    -------
    (h, w, 4) float32: RGB in [0, 1] multiplied by alpha, alpha in [0, 1]; two transparent pixels around
    """
    if not cut_out.outlines:
        return _silhouette_layer(cut_out, height_px)
    polygons = outline_polygons(cut_out)
    every = np.concatenate(polygons)
    low, high = every.min(0), every.max(0)
    scale = height_px / (high[1] - low[1])
    width, height = (int(np.ceil(n)) for n in (high - low) * scale)
    alpha = _polygon_alpha([(polygon - low) * scale for polygon in polygons], width, height)
    colour = _resized_region(
        cut_out.photograph, (low[0], low[1], low[0] + width / scale, low[1] + height / scale), width, height
    )
    return _with_margin(colour * np.array(cut_out.tint, np.float32), alpha)


def _resized_region(
    file_name: str, box_xyxy: tuple[float, float, float, float], width: int, height: int
) -> NDArray[np.float32]:
    """Part of a photograph resized to (height, width, 3) float32; parts outside the photograph repeat its edge."""
    from PIL import Image

    photograph = load_photograph(file_name)
    pad = 8
    padded = np.pad(photograph, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    left, top, right, bottom = box_xyxy
    limit_x, limit_y = padded.shape[1], padded.shape[0]
    box = (max(0.0, left + pad), max(0.0, top + pad), min(limit_x, right + pad), min(limit_y, bottom + pad))
    resized = Image.fromarray(padded).resize((width, height), Image.Resampling.BICUBIC, box=box)
    return np.asarray(resized, np.float32) / np.float32(255)


def _polygon_alpha(polygons: list[NDArray[np.float64]], width: int, height: int) -> NDArray[np.float32]:
    """Covered share of each pixel, from 8 x 8 samples."""
    from PIL import Image, ImageDraw

    fine = Image.new("L", (width * 8, height * 8), 0)
    draw = ImageDraw.Draw(fine)
    for polygon in polygons:
        # Pillow paints the pixels on the outline too: half a fine pixel is taken off again.
        draw.polygon([(float(x * 8 - 0.5), float(y * 8 - 0.5)) for x, y in polygon], fill=255)
    return np.asarray(fine.reduce(8), np.float32) / np.float32(255)


def _silhouette_layer(cut_out: CutOut, height_px: float) -> NDArray[np.float32]:
    """A dark silhouette on white becomes the outline; the wood of a table fills it."""
    from PIL import Image

    dark = load_photograph(cut_out.photograph)[..., 0] < 128
    rows, columns = np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))
    dark = dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height = round(height_px)
    width = round(height_px * dark.shape[1] / dark.shape[0])
    picture = Image.fromarray(dark.astype(np.uint8) * 255)
    alpha = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC), np.float32) / np.float32(255)
    # The bare strip of the table at the right, mirrored so that the grain goes on.
    grain = load_photograph(cut_out.fill)[0:390, 490:600]
    grain = np.concatenate([grain, grain[:, ::-1], grain, grain[:, ::-1]], axis=1)
    colour = np.asarray(Image.fromarray(grain).resize((width, height), Image.Resampling.BICUBIC), np.float32)
    return _with_margin(colour / np.float32(255), alpha)


def _with_margin(colour: NDArray[np.float32], alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    layer = np.concatenate([softened(np.clip(colour, 0, 1)) * alpha[..., None], alpha[..., None]], axis=2)
    return np.ascontiguousarray(np.pad(layer, ((2, 2), (2, 2), (0, 0))), dtype=np.float32)
