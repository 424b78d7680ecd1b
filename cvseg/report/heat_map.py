"""Heat map: how long each place of the picture was occupied, with a scale in seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

HEAT = np.array(
    [(18, 16, 40), (76, 22, 110), (170, 44, 96), (238, 104, 50), (252, 186, 60), (252, 252, 190)], np.float64
)
FULL_SHARE = 0.995  # quantile of the occupied places that gets the brightest colour


def add_boxes(seconds: NDArray[np.float64], boxes_xyxy: Any, duration_s: float) -> None:
    """Add the time of one frame to what its boxes (n, 4) cover, in place; `seconds` is (H, W)."""
    height, width = seconds.shape
    for x0, y0, x1, y1 in np.asarray(boxes_xyxy, np.float64).reshape(-1, 4):
        left, right = (int(np.clip(round(x), 0, width)) for x in (x0, x1))
        top, bottom = (int(np.clip(round(y), 0, height)) for y in (y0, y1))
        seconds[top:bottom, left:right] += duration_s


def draw_heat_map(seconds: NDArray[np.float64], picture: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Colour each place by the time that objects were there, over a darkened picture, with a scale at the bottom.

    Parameters
    ----------
    seconds : (H, W) seconds, objects together: two at once count twice
    picture : (H, W, 3) uint8 RGB, or None for a dark ground

    Returns
    -------
    (H + scale, W, 3) uint8 RGB

    Examples
    --------
    >>> draw_heat_map(np.ones((90, 160))).shape[1:]
    (160, 3)
    """
    from PIL import Image, ImageDraw, ImageFont

    height, width = seconds.shape
    occupied = seconds[seconds > 0]
    full = float(np.quantile(occupied, FULL_SHARE)) if occupied.size else 1.0
    share = np.clip(seconds / full, 0, 1)
    ground = np.full((height, width, 3), 60.0) if picture is None else picture.astype(np.float64)
    gray = ground.mean(2, keepdims=True) * 0.45
    weight = np.where(seconds > 0, 0.35 + 0.5 * share, 0.0)[..., None]
    heated = gray * (1 - weight) + heat_colors(share) * weight
    size = max(11, round(min(height, width) / 28))
    strip = 3 * size
    page = Image.new("RGB", (width, height + strip), (24, 24, 28))
    page.paste(Image.fromarray(heated.round().astype(np.uint8)), (0, 0))
    bar_width = max(width // 2, 8)
    bar = heat_colors(np.tile(np.linspace(0, 1, bar_width), (size, 1)))
    left = (width - bar_width) // 2
    page.paste(Image.fromarray(bar.round().astype(np.uint8)), (left, height + size // 2))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=size)
    for at, text in ((0.0, "0 s"), (0.5, _seconds(full / 2)), (1.0, f"{_seconds(full)} or more")):
        pen.text((left + at * bar_width, height + 1.5 * size + 2), text, fill=(220, 220, 220), font=font, anchor="mt")
    return np.asarray(page)


def heat_colors(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares in [0, 1], any shape, to RGB, dark to bright."""
    steps = np.linspace(0, 1, len(HEAT))
    return np.stack([np.interp(share, steps, HEAT[:, channel]) for channel in range(3)], axis=-1)


def _seconds(value: float) -> str:
    return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"
