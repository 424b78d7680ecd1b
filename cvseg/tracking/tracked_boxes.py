"""`TrackedBoxes`: what a `BoxTracker` returns for one frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrackedBoxes:
    """Tracks of one frame. Read at once, it holds the confirmed; read later, also those confirmed meanwhile.

    All attributes have one row for each track that has a number by now.

    Attributes
    ----------
    frame_index : as given to `update`
    ids : (n,) int64 from 1, never reused
    boxes_xyxy : (n, 4) float64 half-open boxes in pixels, as filtered
    velocity_xy : (n, 2) float64 pixels per frame
    scores : (n,) float64 scores of the last detection
    detections : (n,) int64 row of the detection in the arrays given to `update`, -1 where it is only predicted
    status : n words: confirmed, occluded, lost
    """

    frame_index: int
    _all: dict[str, NDArray[Any]] = field(repr=False)
    _numbers: dict[int, int] = field(repr=False)

    @property
    def keys(self) -> Rows:
        """(m,) inner numbers of all tracks, those without a public number included."""
        return self._all["keys"]

    @property
    def all_detections(self) -> Rows:
        """(m,) as `detections`, for all tracks."""
        return self._all["detections"]

    @property
    def shift_xy(self) -> Array:
        """(2,) jolt of the camera since the last frame, as the boxes tell it; pixels."""
        return np.array(self._all["shift"])

    @property
    def _named(self) -> NDArray[np.bool_]:
        return np.array([int(key) in self._numbers for key in self.keys], bool)

    @property
    def ids(self) -> Rows:
        return np.array([self._numbers[int(key)] for key in self.keys if int(key) in self._numbers], np.int64)

    @property
    def boxes_xyxy(self) -> Array:
        return self._all["boxes"][self._named]

    @property
    def velocity_xy(self) -> Array:
        return self._all["velocity"][self._named]

    @property
    def scores(self) -> Array:
        return self._all["scores"][self._named]

    @property
    def detections(self) -> Rows:
        return self._all["detections"][self._named]

    @property
    def status(self) -> list[str]:
        return [str(word) for word in self._all["status"][self._named]]

    def __len__(self) -> int:
        return len(self.ids)
