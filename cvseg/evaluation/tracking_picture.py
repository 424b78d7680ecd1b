"""Pictures of a frame of tracks: what is matched, missed, wrong, and where a number changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.evaluation.mask_picture import FALSE_ALARM, HIT, MISS, OPACITY
from cvseg.evaluation.tracking_accuracy import FrameMatches

SWITCH = (255, 190, 0)
GREY = 92  # where there is no picture
LEAST_FOR_TEXT = 100  # height and width below which numbers would cover everything
UNKNOWN_HW = (48, 64)  # of a frame that nothing says the size of: it is empty

Box = tuple[float, float, float, float]


def frame_image(path: Path | None, size_hw: tuple[int, int] | None) -> NDArray[np.uint8]:
    """The picture of a frame; grey of that size where there is none, or where it has another size.

    Parameters
    ----------
    path : picture, or None
    size_hw : None takes the picture's
    """
    if path is not None:
        from cvseg.video.still_image import read_image

        image = read_image(path)
        if size_hw is None or image.shape[:2] == size_hw:
            return image
    return np.full((*(size_hw or UNKNOWN_HW), 3), GREY, np.uint8)


def box_picture(
    image: NDArray[np.uint8], truth: Mapping[int, Box], result: Mapping[int, Box], frame: FrameMatches
) -> NDArray[np.uint8]:
    """Draw the boxes of one frame.

    Result boxes: green where they are matched, orange where the match is a switch, red where they are wrong; boxes of
    the truth: blue where they are missed. Numbers: "true id: result id" at matches.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB; not changed
    truth, result : id to half-open box x0, y0, x1, y1 in pixels
    frame : what was matched

    Examples
    --------
    >>> frame = FrameMatches({}, frozenset(), (), (4,))
    >>> box_picture(np.zeros((9, 9, 3), np.uint8), {}, {4: (1, 1, 6, 6)}, frame)[1, 3].tolist()
    [235, 50, 50]
    """
    from PIL import Image, ImageDraw

    drawn = Image.fromarray(image)
    pen = ImageDraw.Draw(drawn)
    line = max(1, round(min(image.shape[:2]) / 240))
    for truth_id in frame.misses:
        _box(pen, truth[truth_id], MISS, line, str(truth_id), image.shape)
    for result_id in frame.false_positives:
        _box(pen, result[result_id], FALSE_ALARM, line, str(result_id), image.shape)
    for truth_id, result_id in frame.matches.items():
        color = SWITCH if truth_id in frame.switched else HIT
        _box(pen, result[result_id], color, line, f"{truth_id}: {result_id}", image.shape)
    return np.asarray(drawn)


def object_picture(
    image: NDArray[np.uint8], truth: NDArray[np.int32], result: NDArray[np.int32], frame: FrameMatches
) -> NDArray[np.uint8]:
    """Tint the masks of one frame in the colours of `box_picture`.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB; not changed
    truth, result : (H, W) int32 label maps
    frame : what was matched
    """
    from PIL import Image, ImageDraw

    picture = image.astype(np.float32)
    labels: list[tuple[NDArray[np.bool_], tuple[int, int, int], str]] = [
        *((truth == t, MISS, str(t)) for t in frame.misses),
        *((result == r, FALSE_ALARM, str(r)) for r in frame.false_positives),
        *((result == r, SWITCH if t in frame.switched else HIT, f"{t}: {r}") for t, r in frame.matches.items()),
    ]
    for mask, color, _ in labels:
        picture[mask] += OPACITY * (np.array(color, np.float32) - picture[mask])
    drawn = Image.fromarray(picture.astype(np.uint8))
    pen = ImageDraw.Draw(drawn)
    for mask, color, text in labels if min(image.shape[:2]) >= LEAST_FOR_TEXT else []:
        rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
        if rows.size:
            _text(pen, float(columns.mean()), float(rows[0]), color, text, image.shape)
    return np.asarray(drawn)


def _box(pen: Any, box: Box, color: tuple[int, int, int], line: int, text: str, shape: tuple[int, ...]) -> None:
    # Half-open: the last pixel inside is one before the end.
    x0, y0, x1, y1 = (round(value) for value in box)
    pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=color, width=line)
    if min(shape[:2]) >= LEAST_FOR_TEXT:
        _text(pen, x0, y0, color, text, shape)


def _text(pen: Any, x: float, y: float, color: tuple[int, int, int], text: str, shape: tuple[int, ...]) -> None:
    from PIL import ImageFont

    size = max(10, round(min(shape[:2]) / 36))
    font = ImageFont.load_default(size=size)
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    x = min(max(0, x), max(0, shape[1] - right))
    y = max(0, y - (bottom - top) - 4)
    pen.rectangle((x, y, x + right - left + 3, y + bottom - top + 3), fill=color)
    pen.text((x + 2 - left, y + 2 - top), text, fill=(16, 16, 16), font=font)
