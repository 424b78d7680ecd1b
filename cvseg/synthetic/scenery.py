"""Scenery: a pillar, a strip of grass, the shadow of a cut-out, and a caption, as textures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvseg.synthetic.backgrounds import Background, background_layer

PILLAR_WIDTH = 0.085  # frame heights
SHADOW_STRENGTH = 0.45
SHADOW_BLUR = 0.018  # frame heights


def pillar_layer(height_px: int, frame_height: int) -> NDArray[np.float32]:
    """An upright round pillar of stone, `height_px` tall and `PILLAR_WIDTH` frame heights wide."""
    width = max(3, round(PILLAR_WIDTH * frame_height))
    stone = Background("moon.png", tile=True)
    layer = background_layer(stone, width, height_px, max(16, round(0.9 * frame_height)))
    # Pale, with the stains taken back.
    layer[..., :3] = (0.60 + 0.6 * (np.maximum(layer[..., :3], 0.36) - 0.44)) * np.array([1.0, 0.95, 0.84], np.float32)
    # A cylinder lit from the left.
    across = (np.arange(width) + 0.5) / width * 2 - 1
    light = 0.35 + 0.65 * np.clip(np.sqrt(1 - across**2) * 0.9 - 0.35 * across, 0, 1)
    layer[..., :3] *= light.astype(np.float32)[None, :, None]
    return np.ascontiguousarray(np.pad(layer, ((0, 0), (2, 2), (0, 0))))


def grass_layer(width_px: int, frame_height: int) -> NDArray[np.float32]:
    """A strip of grass along the bottom edge, centred on it, with a wavy top."""
    height = round(0.56 * frame_height)
    grass = Background("grass.png", tint=(0.58, 0.78, 0.36), tile=True)
    layer = background_layer(grass, width_px, height, max(16, round(0.7 * frame_height)))
    x = np.arange(width_px) / frame_height
    top = (0.10 + 0.02 * np.sin(7.3 * x) + 0.012 * np.sin(17.1 * x + 1)) * frame_height
    cover = np.clip(np.arange(height)[:, None] + 0.5 - top[None, :], 0, 1).astype(np.float32)
    return np.ascontiguousarray(layer * cover[..., None])


def shadow_layer(texture: NDArray[np.float32], frame_height: int) -> NDArray[np.float32]:
    """Soft black shape of a cut-out."""
    from scipy.ndimage import gaussian_filter

    sigma = SHADOW_BLUR * frame_height
    margin = int(3 * sigma) + 1
    alpha = gaussian_filter(np.pad(texture[..., 3], margin), sigma, mode="constant") * np.float32(SHADOW_STRENGTH)
    layer = np.zeros((*alpha.shape, 4), np.float32)
    layer[..., 3] = alpha
    return layer


def caption_layer(text: str, frame_height: int) -> NDArray[np.float32]:
    """White text on a dark, half-transparent plate."""
    from PIL import Image, ImageDraw, ImageFont

    size = max(8, round(0.05 * frame_height))
    font = ImageFont.load_default(size)
    left, top, right, bottom = (round(v) for v in ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font))
    pad = size // 2
    plate = Image.new("L", (right - left + 2 * pad, bottom - top + 2 * pad), 0)
    ImageDraw.Draw(plate).text((pad - left, pad - top), text, fill=255, font=font)
    white = np.asarray(plate, np.float32) / np.float32(255)
    layer = np.empty((*white.shape, 4), np.float32)
    layer[..., :3] = white[..., None]
    layer[..., 3] = np.maximum(white, np.float32(0.6))
    return np.ascontiguousarray(np.pad(layer, ((2, 2), (2, 2), (0, 0))))
