"""`RegionTable`: what is measured of every region of a label map, as arrays with one row a region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RegionTable:
    """Measures of regions 1..n; row ``k`` belongs to label ``k + 1``. All arrays lie in host memory.

    Attributes
    ----------
    area_px : (n,) int64 number of pixels; 0 for a label that does not occur
    centroid_xy : (n, 2) float64 mean of the pixels' coordinates; NaN for an empty region
    box_xyxy : (n, 4) int32 half-open box; (0, 0, 0, 0) for an empty region
    covariance : (n, 3) float64 variance of x, covariance of x and y, variance of y, in square pixels
    mean_weight : (n,) float64 mean of the weights that were given, 1 without weights
    touches_border : (n,) bool, a pixel lies in the first or last row or column
    """

    area_px: NDArray[np.int64]
    centroid_xy: NDArray[np.float64]
    box_xyxy: NDArray[np.int32]
    covariance: NDArray[np.float64]
    mean_weight: NDArray[np.float64]
    touches_border: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.area_px)
