"""Makes the picture of the page on the filter: `python docs/tracking/images/make_images.py`."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cvseg.synthetic import SCENES, render_clip
from cvseg.tracking import BoxKalmanFilter

HERE = Path(__file__).resolve().parent
SIZE_HW = (240, 427)
GATE = 9.21  # squared Mahalanobis distance that holds 99 %
SIGHT, EXPECTED, PLACE = (255, 255, 255), (255, 190, 40), (70, 220, 255)


def ellipse(center_xy, covariance, squared):
    """Points of the ellipse on which the squared Mahalanobis distance has a value."""
    values, vectors = np.linalg.eigh(covariance)
    turn = np.linspace(0, 2 * np.pi, 90)
    circle = np.stack([np.cos(turn), np.sin(turn)])
    return (np.array(center_xy)[:, None] + vectors @ (np.sqrt(np.maximum(values, 0) * squared)[:, None] * circle)).T


def panel(image, lines, text):
    drawn = Image.fromarray(image)
    pen = ImageDraw.Draw(drawn)
    for points, color, width in lines:
        pen.line([tuple(point) for point in points], fill=color, width=width, joint="curve")
    font = ImageFont.load_default(size=14)
    left, top, right, bottom = pen.textbbox((6, 5), text, font=font)
    pen.rectangle([left - 3, top - 3, right + 3, bottom + 3], fill=(20, 20, 20))
    pen.text((6, 5), text, fill=(240, 240, 240), font=font)
    return np.asarray(drawn)


def box_line(box):
    x0, y0, x1, y1 = box
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]


def main():
    options = dataclasses.replace(SCENES["occluder"], size_hw=SIZE_HW, frames=90, camera="static", speed=1.6)
    clip = render_clip(options)
    sights = {}
    for frame in clip:
        for track in frame.tracks:
            sights.setdefault(track.id, {})[frame.index] = track

    # Who is hidden for longest between two sights.
    def gap(seen):
        clear = sorted(index for index, track in seen.items() if track.visible_fraction > 0.8)
        return max((b - a, a, b) for a, b in itertools.pairwise(clear)) if len(clear) > 10 else (0, 0, 0)

    seen = max(sights.values(), key=gap)
    _, last, back = gap(seen)
    first = min(index for index, track in seen.items() if track.visible_fraction > 0.8)
    wanted = {
        first + 1: "2nd sight: it may go anywhere",
        last: "known: expected within a few pixels",
        (last + back) // 2: "hidden: the doubt grows",
        back: "back inside the gate: it is the same",
        back + 4: "the straight way between was taken in",
    }
    kalman, panels, way = None, [], []
    for index in range(first, back + 6):
        track = seen.get(index)
        clear = track is not None and track.visible_fraction > 0.8
        if kalman is None:
            kalman = BoxKalmanFilter(track.box_xyxy)
            continue
        kalman.predict()
        expected = ellipse(kalman.center_xy, kalman.covariance[:2, :2], GATE)
        if clear:
            kalman.update(track.box_xyxy)
        way.append(kalman.center_xy)
        if index in wanted:
            known = ellipse(kalman.center_xy, kalman.covariance[:2, :2], GATE)
            lines = [(way, PLACE, 1), (expected, EXPECTED, 2)]
            if clear:
                lines += [(box_line(track.box_xyxy), SIGHT, 1), (known, PLACE, 2)]
            panels.append(panel(clip[index].image, lines, f"frame {index}: {wanted[index]}"))
    panels.append(np.full_like(panels[0], 255)) if len(panels) % 2 else None
    rows = [np.concatenate(panels[i : i + 2], axis=1) for i in range(0, len(panels), 2)]
    Image.fromarray(np.concatenate(rows)).save(HERE / "filter.jpg", quality=88)


if __name__ == "__main__":
    main()
