"""Draws masks over pictures: a tint, a line along the edge, and the track's number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.records import Track

# Share of the palette colour inside a mask, of 256: the object stays recognisable under it.
OPACITY = 112


def track_color(track_id: int) -> tuple[int, int, int]:
    """Colour of a track in overlays and reports, RGB; ids above 255 take the colours 1 to 255 again.

    The DAVIS palette's colour of that id, each channel 60 brighter: as they are, its first colours vanish over a dark
    scene.

    >>> track_color(1), track_color(2), track_color(256) == track_color(1)
    ((188, 60, 60), (60, 188, 60), True)
    """
    red, green, blue = (int(value) for value in overlay_palette()[(track_id - 1) % 255 + 1])
    return red, green, blue


@lru_cache(maxsize=1)
def overlay_palette() -> NDArray[np.uint8]:
    """(256, 3) uint8 RGB: `track_color` of every index; 0 is black."""
    from cvseg.color.palette import davis_palette

    lifted = davis_palette().astype(np.int32) + 60
    lifted[0] = 0
    return np.ascontiguousarray(np.minimum(lifted, 255).astype(np.uint8))


@lru_cache(maxsize=1)
def _line_palette() -> NDArray[np.uint8]:
    """The fill colours on their way to white: a line of the fill's own colour would vanish in it."""
    fill = overlay_palette().astype(np.int32)
    return np.ascontiguousarray((fill + (255 - fill) * 2 // 5).astype(np.uint8))


def draw_overlay(
    image: NDArray[np.uint8], labels: NDArray[np.int32], tracks: Sequence[Track] = (), *, opacity: int = OPACITY
) -> NDArray[np.uint8]:
    """Tint every labelled region in its track's colour, line its edge, and write the track's number at its box.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB; not changed
    labels : (H, W) int32, 0 background, else the track id
    tracks : those whose number is written
    opacity : 0 to 256; larger shows more of the colour and less of the picture

    Returns
    -------
    (H, W, 3) uint8 RGB

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Examples
    --------
    >>> image = np.zeros((4, 5, 3), np.uint8)
    >>> bool((draw_overlay(image, np.zeros((4, 5), np.int32)) == image).all())
    True
    """
    check_shapes("draw_overlay", image=(image, "H W 3"), labels=(labels, "H W"))
    check_dtype("draw_overlay", np.uint8, image=image)
    check_dtype("draw_overlay", np.int32, labels=labels)
    check_range("draw_overlay", "opacity", opacity, 0, 256)
    from cvseg.kernels.compositing.tint_labels import tint_labels

    height, width = labels.shape
    line_px = max(1, round(min(height, width) / 320))
    image, labels = np.ascontiguousarray(image), np.ascontiguousarray(labels)
    drawn: NDArray[np.uint8] = tint_labels(
        image, labels, overlay_palette(), _line_palette(), np.int32(opacity), np.int32(line_px)
    )
    for track in tracks:
        _write_number(drawn, track)
    return drawn


def _write_number(image: NDArray[np.uint8], track: Track) -> None:
    """A plate with the track's number above the middle of its mask, or inside its box where there is no room above."""
    height, width = image.shape[:2]
    font_px = max(10, round(min(height, width) / 26))
    plate, alpha = _number_plate(track.id, font_px)
    plate_h, plate_w = alpha.shape[:2]
    if plate_h > height or plate_w > width:
        return
    # The mean of the pixels, not of the box: over an object that is hidden on one side the plate stays with the rest.
    x = min(max(round(track.centroid_xy[0]) - plate_w // 2, 0), width - plate_w)
    y = min(max(round(track.box_xyxy[1]) - plate_h - 2, 0), height - plate_h)
    under = image[y : y + plate_h, x : x + plate_w]
    mixed = under * (255 - alpha) + plate * alpha + 127
    under[...] = (mixed // 255).astype(np.uint8)


@lru_cache(maxsize=128)  # more tracks than are seen at once; a plate takes 7 kB
def _number_plate(track_id: int, font_px: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """A rounded plate in the track's colour with its number: colours (h, w, 3) and coverage (h, w, 1), 0 to 255."""
    from PIL import Image, ImageDraw

    font: Any = font_of_size(font_px)
    left, top, right, bottom = (int(edge) for edge in font.getbbox("0" * len(str(track_id))))
    margin_x, margin_y = font_px // 3, font_px // 5
    size = (right - left + 2 * margin_x, bottom - top + 2 * margin_y)
    # Drawn four times as large and shrunk: Pillow does not smooth rounded corners.
    cover = Image.new("L", (size[0] * 4, size[1] * 4), 0)
    ImageDraw.Draw(cover).rounded_rectangle((0, 0, size[0] * 4 - 1, size[1] * 4 - 1), radius=font_px, fill=225)
    cover = cover.resize(size, Image.Resampling.LANCZOS)
    color = track_color(track_id)
    luma = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    plate = Image.new("RGB", size, color)
    text_color = (16, 16, 16) if luma > 140 else (255, 255, 255)
    ImageDraw.Draw(plate).text((size[0] / 2, size[1] / 2), str(track_id), font=font, fill=text_color, anchor="mm")
    return np.asarray(plate, np.uint16), np.asarray(cover, np.uint16)[..., None]


@lru_cache(maxsize=8)
def font_of_size(size_px: int) -> Any:
    """The font of all pictures, which comes with Pillow."""
    from PIL import ImageFont

    return ImageFont.load_default(size=size_px)
