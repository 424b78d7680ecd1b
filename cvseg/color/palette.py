"""The DAVIS palette: one colour for every id, the same in every file and run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def davis_palette() -> NDArray[np.uint8]:
    """The 256 colours that the DAVIS and PASCAL VOC benchmarks store in their masks.

    The bits of the id are dealt to red, green and blue in turn, the lowest to the highest bit of a channel, so that
    neighbouring ids get colours far apart. Id 0 is black.

    Returns
    -------
    (256, 3) uint8 RGB

    Examples
    --------
    >>> davis_palette()[:4].tolist()
    [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    """
    ids = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        # Bit 0, 3, 6 of the id belong to red, 1, 4, 7 to green, 2, 5 to blue.
        palette[:, bit % 3] |= (((ids >> bit) & 1) << (7 - bit // 3)).astype(np.uint8)
    return palette


def color_of(track_id: int) -> tuple[int, int, int]:
    """RGB colour of one id; above 255 the colours repeat, and none is black but that of 0.

    >>> color_of(1), color_of(256)
    ((128, 0, 0), (128, 0, 0))
    """
    if track_id == 0:
        return (0, 0, 0)
    red, green, blue = davis_palette()[1 + (track_id - 1) % 255]
    return int(red), int(green), int(blue)
