"""Backgrounds: photographs stretched or repeated until the camera never sees their end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.synthetic.photographs import load_photograph, softened
from cvseg.synthetic.street import paint_street, paint_wall


@dataclass(frozen=True)
class Background:
    """A photograph behind everything.

    Attributes
    ----------
    photograph : file name, see `load_photograph`; empty where `paint` makes the picture
    tint : colour that the photograph is multiplied by
    tile : repeat it in mirror image, one frame height each, instead of stretching it over the whole view
    paint : (width_px, height_px, unit_px) to (height_px, width_px, 3) float32, for what is made of several pictures
    """

    photograph: str
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    tile: bool = False
    paint: Callable[[int, int, int], NDArray[np.float32]] | None = None


BACKGROUNDS: dict[str, Background] = {
    "street": Background("", paint=paint_street),
    "wall": Background("", paint=paint_wall),
    "garage": Background("motorcycle_left.png"),
    "table": Background("coffee.png"),
    "launch_pad": Background("rocket.jpg"),
    "sky": Background("hubble_deep_field.jpg"),
    "lawn": Background("camera.png", tint=(1.0, 0.98, 0.92)),
    "meadow": Background("grass.png", tint=(0.62, 0.80, 0.40), tile=True),
    "gravel": Background("gravel.png", tint=(1.0, 0.94, 0.86), tile=True),
    "moon": Background("moon.png", tile=True),
}


def background_layer(background: Background, width_px: int, height_px: int, unit_px: int) -> NDArray[np.float32]:
    """Opaque texture of the whole world behind the objects.

    Parameters
    ----------
    unit_px : pixels per frame height; a background that repeats does so at this height

    Returns
    -------
    (height_px, width_px, 4) float32, RGB in [0, 1], alpha 1
    """
    from PIL import Image

    layer = np.ones((height_px, width_px, 4), np.float32)
    if background.paint is not None:
        layer[..., :3] = softened(background.paint(width_px, height_px, unit_px))
        return layer
    picture = Image.fromarray(load_photograph(background.photograph))
    if background.tile:
        tile = np.asarray(
            picture.resize((unit_px * picture.width // picture.height, unit_px), Image.Resampling.LANCZOS)
        )
        # Mirrored repetition has no seam. Centred, so that another margin shows the same middle.
        rows = _mirrored_indices(height_px, tile.shape[0])
        columns = _mirrored_indices(width_px, tile.shape[1])
        colour = tile[rows[:, None], columns[None, :]]
    else:
        # Cover: the photograph's middle with the right aspect.
        scale = max(width_px / picture.width, height_px / picture.height)
        half_w, half_h = width_px / scale / 2, height_px / scale / 2
        middle_x, middle_y = picture.width / 2, picture.height / 2
        # One of the two differences is 0 but for rounding.
        left, top = max(0.0, middle_x - half_w), max(0.0, middle_y - half_h)
        box = (left, top, min(picture.width, middle_x + half_w), min(picture.height, middle_y + half_h))
        colour = np.asarray(picture.resize((width_px, height_px), Image.Resampling.LANCZOS, box=box))
    tinted = colour.astype(np.float32) / np.float32(255) * np.array(background.tint, np.float32)
    layer[..., :3] = softened(np.clip(tinted, 0, 1))
    return layer


def _mirrored_indices(count: int, period: int) -> NDArray[np.intp]:
    position = (np.arange(count) - count // 2 + period // 2) % (2 * period)
    return np.where(position < period, position, 2 * period - 1 - position)
