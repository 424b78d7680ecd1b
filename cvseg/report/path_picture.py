"""Path picture: the ways of all tracks over a frame, with their numbers, and with zones and lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.report.overlay import track_color
from cvseg.tracking.track_motion import TrackPath
from cvseg.tracking.zones import Line, Zone

PLACES = (255, 255, 255)


def draw_paths(
    paths: Sequence[TrackPath],
    size_hw: tuple[int, int],
    picture: NDArray[np.uint8] | None = None,
    zones: Sequence[Zone] = (),
    lines: Sequence[Line] = (),
) -> NDArray[np.uint8]:
    """Draw a line along each track's points in its colour: a ring where it begins, a dot and its number where it ends.

    Gaps in which a track was not seen are thin lines.

    Parameters
    ----------
    paths : in pixels
    size_hw : height and width
    picture : (H, W, 3) uint8 RGB, or None for a plain ground
    zones, lines : in white, with their names; an arrow on a line points to its left side

    Returns
    -------
    (H, W, 3) uint8 RGB
    """
    from PIL import Image, ImageDraw, ImageFont

    height, width = size_hw
    ground = np.full((height, width, 3), 235, np.uint8) if picture is None else (picture * 0.6 + 40).astype(np.uint8)
    page = Image.fromarray(ground)
    pen = ImageDraw.Draw(page)
    thick = max(2, round(min(size_hw) / 200))
    font = ImageFont.load_default(size=max(10, round(min(size_hw) / 32)))
    for zone in zones:
        corners = [tuple(corner) for corner in zone.corners_xy]
        pen.line([*corners, corners[0]], fill=PLACES if picture is not None else (60, 60, 60), width=thick)
        _label(pen, font, zone.corners_xy[0], zone.name, (60, 60, 60))
    for line in lines:
        start, end = np.array(line.start_xy), np.array(line.end_xy)
        pen.line([tuple(start), tuple(end)], fill=PLACES if picture is not None else (60, 60, 60), width=thick)
        along = (end - start) / max(float(np.hypot(*(end - start))), 1e-9)
        # Left of who looks from start to end, y down.
        left, middle = np.array([along[1], -along[0]]), 0.5 * (start + end)
        tip = middle + left * 8 * thick
        pen.line([tuple(middle), tuple(tip)], fill=(250, 220, 80), width=thick)
        for side in (-1, 1):
            pen.line(
                [tuple(tip), tuple(tip - left * 3 * thick + side * along * 2 * thick)], fill=(250, 220, 80), width=thick
            )
        _label(pen, font, line.start_xy, line.name, (60, 60, 60))
    for path in paths:
        color = track_color(path.id)
        points = [(float(x), float(y)) for x, y in path.points_xy]
        for i in range(1, len(points)):
            gap = path.frames[i] - path.frames[i - 1] > 1
            pen.line([points[i - 1], points[i]], fill=color, width=1 if gap else thick, joint="curve")
        _dot(pen, points[0], 1.5 * thick, None, color)
        _dot(pen, points[-1], 1.5 * thick, color, color)
    for path in paths:
        x, y = path.points_xy[-1]
        _label(pen, font, (float(x) + 2 * thick, float(y)), str(path.id), track_color(path.id))
    return np.asarray(page)


def _dot(pen: Any, at: Any, radius: float, fill: Any, outline: Any) -> None:
    x, y = at
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=fill, outline=outline)


def _label(pen: Any, font: Any, at: Any, text: str, color: tuple[int, int, int]) -> None:
    left, top, right, bottom = pen.textbbox(at, text, font=font)
    pen.rectangle([left - 2, top - 1, right + 2, bottom + 1], fill=color)
    bright = sum(color) > 380
    pen.text(at, text, fill=(16, 16, 16) if bright else (250, 250, 250), font=font)
