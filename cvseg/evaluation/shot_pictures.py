"""Shows the frames around wrong shot boundaries, from one pass through each video."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import InputError
from cvseg.evaluation.frame_images import ENDINGS

MOST_PICTURES = 100  # of one video: a report shows fewer
WIDTH_PX = 320
SEAM_PX = 4
NO_FRAME = 92  # grey where the video has no such frame

Picture = Callable[[], NDArray[np.uint8]]


def video_of(caller: str, given: str, name: str, endings: Sequence[str]) -> Path | None:
    """The video of a list of shots: `given` itself, or the file of that name in the folder `given`; None without one.

    Raises
    ------
    InputError
        when `given` does not exist.
    """
    if not given:
        return None
    path = Path(given)
    if not path.exists():
        raise InputError(f"{caller}: {given} does not exist; expected a video, or a folder of videos. Check --video.")
    if path.is_file():
        return path
    candidates = [path / name, *(path / f"{name}{ending}" for ending in endings)]
    found = next((one for one in candidates if one.exists()), None)
    # A folder with a picture a frame is a video itself.
    pictures = found is None and any(one.suffix.lower() in ENDINGS for one in path.iterdir())
    return path if pictures else found


class ShotPictures:
    """Small pictures of the frames around transitions; the video is read once, when the first one is drawn.

    Parameters
    ----------
    video : file, or folder with a picture a frame
    transitions : [begin, end) each; the pictures show the last frame before, the middle of a gradual one, and the
        first frame behind
    """

    def __init__(self, video: Path, transitions: Sequence[tuple[int, int]]) -> None:
        self._video = video
        self._wanted = {number for one in transitions for number in shown_frames(*one)}
        self._frames: dict[int, NDArray[np.uint8]] | None = None

    def of(self, begin: int, end: int) -> Picture:
        """Draws the frames around one transition, side by side."""
        return functools.partial(self._draw, begin, end)

    def _draw(self, begin: int, end: int) -> NDArray[np.uint8]:
        if self._frames is None:
            self._frames = self._read()
        known = next(iter(self._frames.values()), np.full((WIDTH_PX * 9 // 16, WIDTH_PX, 3), NO_FRAME, np.uint8))
        absent = np.full_like(known, NO_FRAME)
        seam = np.full((len(known), SEAM_PX, 3), 255, np.uint8)
        parts: list[NDArray[np.uint8]] = []
        for number in shown_frames(begin, end):
            parts += [seam] if parts else []
            parts.append(self._frames.get(number, absent))
        return np.concatenate(parts, axis=1)

    def _read(self) -> dict[int, NDArray[np.uint8]]:
        from cvseg.video import open_source

        found: dict[int, NDArray[np.uint8]] = {}
        last = max(self._wanted)
        with open_source(self._video, damaged="skip") as source:
            for number, frame in enumerate(source):
                if number in self._wanted:
                    found[number] = _small(frame.image, next(iter(found.values()), None))
                if number >= last:
                    break
        return found


def shown_frames(begin: int, end: int) -> list[int]:
    """Numbers of the frames that show a transition.

    Examples
    --------
    >>> shown_frames(30, 30), shown_frames(30, 40)
    ([29, 30], [29, 35, 40])
    """
    return [begin - 1, end] if begin == end else [begin - 1, (begin + end) // 2, end]


def _small(image: NDArray[np.uint8], like: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    from PIL import Image

    height, width = image.shape[:2]
    size = (WIDTH_PX, max(1, round(height * WIDTH_PX / width))) if like is None else (like.shape[1], like.shape[0])
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))
