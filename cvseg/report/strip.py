"""`Strip`: a handful of small overlay pictures, evenly spread over a run whose length is not known beforehand."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Picture:
    """One picture of the strip, as a JPEG file in memory."""

    frame_index: int
    time_s: float
    size_hw: tuple[int, int]
    jpeg: bytes

    @property
    def data_url(self) -> str:
        """The picture as the value of an HTML ``src``: the page needs no other file."""
        return "data:image/jpeg;base64," + base64.b64encode(self.jpeg).decode("ascii")


@dataclass
class Strip:
    """Keeps between `length` and twice as many pictures: where it is full, every second one goes.

    Attributes
    ----------
    length : pictures wanted at the end
    width_px : width of each; the height follows the frame
    """

    length: int = 9
    width_px: int = 480
    pictures: list[Picture] = field(default_factory=list)
    _seen: int = 0
    _every: int = 1

    def wants_next(self) -> bool:
        """Whether the next frame belongs to the strip; to be asked before drawing for the strip alone."""
        return self._seen % self._every == 0

    def skip(self) -> None:
        """Pass over the next frame, which the strip does not want."""
        self._seen += 1

    def offer(self, frame_index: int, time_s: float, image: NDArray[np.uint8]) -> None:
        """Show the next frame; (H, W, 3) uint8 RGB. It is kept when its turn has come."""
        wanted = self.wants_next()
        self._seen += 1
        if not wanted:
            return
        self.pictures.append(self._shrink(frame_index, time_s, image))
        if len(self.pictures) == 2 * self.length:
            del self.pictures[1::2]
            self._every *= 2

    def evenly(self) -> list[Picture]:
        """At most `length` pictures, evenly spread, first and last among them."""
        count = len(self.pictures)
        if count <= self.length:
            return list(self.pictures)
        return [self.pictures[round(i * (count - 1) / (self.length - 1))] for i in range(self.length)]

    def _shrink(self, frame_index: int, time_s: float, image: NDArray[np.uint8]) -> Picture:
        from PIL import Image

        height, width = image.shape[:2]
        picture = Image.fromarray(image)
        if width > self.width_px:
            size = (self.width_px, max(1, round(height * self.width_px / width)))
            picture = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=82)
        return Picture(frame_index, time_s, (picture.height, picture.width), stream.getvalue())
