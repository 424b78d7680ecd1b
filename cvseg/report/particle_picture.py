"""Draws what a particle filter believes: the cloud, the box, and the ellipse of its doubt."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_shapes
from cvseg.report.overlay import draw_overlay, track_color

if TYPE_CHECKING:
    from PIL import ImageDraw

    from cvseg.tracking.particle_tracker import ParticleTracker

MOST_DOTS = 400  # of a target: more are one blot
DEVIATIONS = 2.0  # the ellipse holds 86 % of a normal cloud
ELLIPSE_POINTS = 48


def draw_particles(image: NDArray[np.uint8], tracker: ParticleTracker) -> NDArray[np.uint8]:
    """Every target's particles as dots, its box (dashed while it is hidden), an ellipse of two deviations, its number.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB; not changed
    tracker : after `start` or `update` with this picture

    Returns
    -------
    (H, W, 3) uint8 RGB

    Raises
    ------
    ShapeError, DtypeError
    """
    from PIL import Image, ImageDraw

    from cvseg.records import Track

    check_shapes("draw_particles", image=(image, "H W 3"))
    check_dtype("draw_particles", np.uint8, image=image)
    height, width = image.shape[:2]
    line_px = max(1, round(min(height, width) / 240))
    canvas = Image.fromarray(image)
    pen = ImageDraw.Draw(canvas)
    tracks = []
    for number, estimate in tracker.estimates.items():
        color = track_color(number)
        cloud, weights = tracker.filters[number].particles_xywh, tracker.filters[number].weights
        step = -(-len(cloud) // MOST_DOTS)
        heaviest = float(weights.max())
        for (x, y), weight in zip(cloud[::step, :2].tolist(), weights[::step].tolist(), strict=True):
            radius = line_px * (0.5 + math.sqrt(weight / heaviest))
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
        x0, y0, x1, y1 = estimate.box_xyxy.tolist()
        hidden = estimate.status != "confirmed"
        corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        for start, end in itertools.pairwise(corners):
            _line(pen, start, end, color, line_px, dashed=hidden)
        outline = _ellipse(np.array([(x0 + x1) / 2, (y0 + y1) / 2]), estimate.covariance[:2, :2])
        pen.line([(float(x), float(y)) for x, y in outline], fill=(255, 255, 255), width=line_px)
        if x1 > 0 and y1 > 0 and x0 < width and y0 < height:
            box, center = (x0, y0, x1, y1), ((x0 + x1) / 2, (y0 + y1) / 2)
            tracks.append(Track(number, box, 0, center, (0.0, 0.0), estimate.confidence, 1))
    return draw_overlay(np.asarray(canvas, np.uint8), np.zeros((height, width), np.int32), tracks)


def _ellipse(center: NDArray[np.float64], covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2) points at `DEVIATIONS` from the centre: the root of the covariance turns a circle into them."""
    values, vectors = np.linalg.eigh(covariance)
    angle = np.linspace(0, 2 * math.pi, ELLIPSE_POINTS)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    return np.asarray(center + DEVIATIONS * (vectors @ (np.sqrt(np.maximum(values, 0))[:, None] * circle)).T)


def _line(
    pen: ImageDraw.ImageDraw,
    start: tuple[float, float],
    end: tuple[float, float],
    color: tuple[int, int, int],
    width_px: int,
    *,
    dashed: bool,
) -> None:
    dashes = max(1, round(math.dist(start, end) / (8 * width_px))) if dashed else 1
    for i in range(dashes):
        first, last = i / dashes, (i + (0.5 if dashed else 1)) / dashes
        (ax, ay), (bx, by) = (
            (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share) for share in (first, last)
        )
        pen.line([(ax, ay), (bx, by)], fill=color, width=2 * width_px)
