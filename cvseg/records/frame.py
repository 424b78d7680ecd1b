"""`Frame`: one picture of a video, with its place in time."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """One picture.

    Attributes
    ----------
    index : from 0, in display order
    time_s : presentation time in seconds, exact; not index / rate, which is wrong at a variable frame rate
    image : (H, W, 3) uint8 RGB, C-contiguous
    name : stem for files made from this frame: the source file's stem for a folder, "00042" for a video
    """

    index: int
    time_s: Fraction
    image: NDArray[np.uint8]
    name: str
