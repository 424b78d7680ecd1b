"""SLIC: superpixels as clusters of colour and place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import RangeError
from cvseg.options import Options, option
from cvseg.superpixels.block_moves_2015 import LAB_UNITS, grid_size, lab_pictures
from cvseg.superpixels.parts import AREA, join_parts

MOST_CLUSTERS = 2**24  # the kernel keeps their numbers in float32


@dataclass(frozen=True, kw_only=True)
class SlicOptions(Options):
    """Weights and length of the clustering.

    Attributes
    ----------
    compactness, iterations, smallest : see their `option`
    """

    compactness: float = option(
        15.0, "distance in L*a*b* that weighs as much as the side of a superpixel; larger is rounder", low=0.0
    )
    iterations: int = option(8, "rounds of assignment; more follow edges a little better", low=1)
    smallest: float = option(
        0.25, "parts below this share of an average superpixel join a neighbour; larger leaves fewer", low=0.0, high=1.0
    )


SLIC_PRESETS = {
    "fast": SlicOptions(iterations=4),
    "balanced": SlicOptions(),
    "quality": SlicOptions(iterations=16),
}


def slic_2012(
    image: Any, count: int, options: SlicOptions = SLIC_PRESETS["balanced"], compactness: float | None = None
) -> Any:
    """Superpixels by k-means of colour and place, then made connected.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB, contiguous
    count : wished number of superpixels, at most H W
    options : SlicOptions
    compactness : instead of that of the options

    Returns
    -------
    labels : (H, W) int32 on the same device, 0 to n - 1, each 4-connected

    Notes
    -----
    Departures from the paper: a pixel looks at the nine centres of the grid cells around it, not at all centres within
    twice the side of a cell; centres start as means of their cells, not at the smallest gradient. Parts that are too
    small join what lies to the left of, or above, their first pixel, as in the authors' program. Synchronises a GPU.

    Raises
    ------
    RangeError
        for more than 2^24 superpixels.

    References
    ----------
    [Achanta2012]_ eq. 3, algorithm 1

    Examples
    --------
    >>> image = np.zeros((12, 20, 3), np.uint8)
    >>> image[:, 9:] = 200
    >>> slic_2012(image, 2)[0].tolist()
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    from cvseg.kernels.superpixels.slic_clusters import slic_clusters

    height, width = image.shape[:2]
    rows, columns = grid_size(height, width, count)
    if rows * columns > MOST_CLUSTERS:
        raise RangeError(f"slic_2012: {rows * columns} superpixels; expected at most {MOST_CLUSTERS}.")
    weight = options.compactness if compactness is None else compactness
    side2 = height * width / (rows * columns)
    labels = slic_clusters(
        lab_pictures(image, 0)[0],
        np.int32(rows),
        np.int32(columns),
        np.int32(options.iterations),
        np.float32((weight * LAB_UNITS) ** 2 / side2),
    )

    def choose(table: NDArray[np.int32]) -> NDArray[np.int32]:
        kept = table[:, AREA] >= options.smallest * side2
        kept[0] = True  # there is nothing before it
        return np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)

    return join_parts(labels, choose)[0]
