"""Draws why each pixel was taken: a panel per term of the evidence, all in one colour scale, with the outlines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.records import FrameResult
from cvseg.report.overlay import draw_overlay, font_of_size, track_color
from cvseg.report.superpixel_picture import boundary_picture

# What speaks for the object is orange and what speaks for the background blue: told apart by every kind of eye.
FOR_RGB, AGAINST_RGB = (240, 120, 20), (30, 95, 215)
FULL = 1.5  # evidence of this strength, or more, hides the picture under it
OPACITY = 0.9
PANEL_PX = 480  # the longer side of a panel
GAP_PX, TITLE_PX, FOOT_PX, FONT_PX = 8, 24, 34, 14
COLUMNS = 4
LINE_RGB = (255, 255, 255)
PAPER_RGB, INK_RGB, SOFT_RGB = (24, 27, 33), (232, 235, 240), (150, 160, 175)
MOST_NUMBERS = 4  # objects whose means are written over a panel: more have no room
MEANINGS = {
    "motion": "flow of this frame",
    "time": "other frames",
    "location": "surroundings, distance",
    "appearance": "colours",
    "background": "model of a still camera's view",
    "outline": "what the cut overruled",
    "sum": "positive is object",
}


def draw_evidence(result: FrameResult, means: dict[int, dict[str, float]]) -> NDArray[np.uint8]:
    """The frame with its objects, and a panel for each term of its evidence and for their sum.

    Parameters
    ----------
    result : with evidence
    means : of each track, as `Evidence.track_means` gives them: written over the panels

    Returns
    -------
    (rows, columns, 3) uint8 RGB
    """
    from PIL import Image, ImageDraw

    evidence = result.evidence
    assert evidence is not None
    height, width = result.labels.shape
    scale = min(1.0, PANEL_PX / max(height, width))
    size_hw = max(1, round(height * scale)), max(1, round(width * scale))
    overlay = draw_overlay(result.frame.image, result.labels, result.tracks)
    rows, columns = _middles(height, size_hw[0]), _middles(width, size_hw[1])
    labels = result.labels[np.ix_(rows, columns)]
    ground = _ground(_resized(result.frame.image, size_hw))
    # The maps and the frame both begin at 0; the last row and column of the maps may reach out of the frame.
    cells = np.ix_(rows // evidence.factor, columns // evidence.factor)
    maps = evidence.terms() | {"sum": evidence.total}
    panels = [_resized(overlay, size_hw)]
    panels += [boundary_picture(_tinted(values[cells], ground), labels, LINE_RGB) for values in maps.values()]
    panel_rows = -(-len(panels) // COLUMNS)
    step_y, step_x = size_hw[0] + TITLE_PX + GAP_PX, size_hw[1] + GAP_PX
    page = Image.new("RGB", (COLUMNS * step_x + GAP_PX, panel_rows * step_y + FOOT_PX), PAPER_RGB)
    draw: Any = ImageDraw.Draw(page)
    # Large areas are what a reader sees first; small objects have their numbers in explain.csv.
    shown = sorted(sorted(result.tracks, key=lambda track: -track.area_px)[:MOST_NUMBERS], key=lambda track: track.id)
    for i, (name, panel) in enumerate(zip(("", *maps), panels, strict=True)):
        left, top = GAP_PX + i % COLUMNS * step_x, i // COLUMNS * step_y
        page.paste(Image.fromarray(panel), (left, top + TITLE_PX))
        if name:
            numbers = [
                (track.id, sum(means[track.id].values()) if name == "sum" else means[track.id][name]) for track in shown
            ]
            _title(draw, (left, top + TITLE_PX // 2), size_hw[1], name, numbers)
        else:
            caption = f"frame {result.frame.index}   {float(result.frame.time_s):.2f} s"
            draw.text((left, top + TITLE_PX // 2), caption, fill=INK_RGB, font=font_of_size(FONT_PX), anchor="lm")
    _legend(page, draw, GAP_PX, panel_rows * step_y + FOOT_PX // 2 - 2)
    return np.asarray(page)


def evidence_colors(values: NDArray[np.float32], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Evidence over a grey picture: orange for the object, blue for the background, the picture where it is 0.

    Parameters
    ----------
    values : (h, w) float32
    picture : (h, w, 3) uint8 RGB

    Returns
    -------
    (h, w, 3) uint8 RGB
    """
    return _tinted(values, _ground(picture))


def _ground(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w) float32: grey, darker and with less contrast, so that a bright picture is not taken for evidence."""
    gray = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(np.float32(0.55) * gray + np.float32(20), np.float32)


def _tinted(values: NDArray[np.float32], ground: NDArray[np.float32]) -> NDArray[np.uint8]:
    cover = np.clip(values * np.float32(OPACITY / FULL), np.float32(-OPACITY), np.float32(OPACITY))
    for_it, against = np.maximum(cover, np.float32(0)), np.maximum(-cover, np.float32(0))
    rest = ground * (1 - for_it - against) + np.float32(0.5)
    panel = np.empty((*values.shape, 3), np.uint8)
    for channel, (warm, cold) in enumerate(zip(FOR_RGB, AGAINST_RGB, strict=True)):
        panel[..., channel] = rest + for_it * np.float32(warm) + against * np.float32(cold)
    return panel


def _title(draw: Any, place: tuple[int, int], width: int, name: str, numbers: list[tuple[int, float]]) -> None:
    """The name of a panel on the left, the mean over each object on the right, in its colour."""
    font = font_of_size(FONT_PX)
    x, y = place
    draw.text((x, y), name, fill=INK_RGB, font=font, anchor="lm")
    right = x + width
    for number, mean in reversed(numbers):
        text = f"{number}: {mean:+.2f}"
        # Half-way to white: the palette's blues are hard to read on dark paper.
        color = tuple((value + 255) // 2 for value in track_color(number))
        draw.text((right, y), text, fill=color, font=font, anchor="rm")
        right -= round(draw.textlength(text, font=font)) + 12
    room = right - x - draw.textlength(name, font=font) - 12
    if draw.textlength(MEANINGS[name], font=font) < room:
        draw.text((x + draw.textlength(name, font=font) + 10, y), MEANINGS[name], fill=SOFT_RGB, font=font, anchor="lm")


def _legend(page: Any, draw: Any, x: int, y: int) -> None:
    """The colour scale, from full evidence against the object to full evidence for it."""
    from PIL import Image

    font = font_of_size(FONT_PX)
    ramp = np.tile(np.linspace(-FULL, FULL, 241, dtype=np.float32), (12, 1))
    scale = evidence_colors(ramp, np.full((*ramp.shape, 3), 90, np.uint8))
    words = (f"-{FULL:g} background", f"{FULL:g} object")
    draw.text((x, y), words[0], fill=INK_RGB, font=font, anchor="lm")
    x += round(draw.textlength(words[0], font=font)) + 8
    page.paste(Image.fromarray(scale), (x, y - 6))
    draw.text((x + ramp.shape[1] + 8, y), words[1], fill=INK_RGB, font=font, anchor="lm")
    x += ramp.shape[1] + round(draw.textlength(words[1], font=font)) + 32
    draw.text((x, y), "numbers: mean over an object; white: outlines", fill=SOFT_RGB, font=font, anchor="lm")


def _middles(large: int, small: int) -> NDArray[np.int64]:
    """Where `small` equal parts of a side of `large` pixels have their middles."""
    return np.minimum(((np.arange(small) + 0.5) * large / small).astype(np.int64), large - 1)


def _resized(image: NDArray[np.uint8], size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    from PIL import Image

    if image.shape[:2] == size_hw:
        return image
    size = (size_hw[1], size_hw[0])
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
