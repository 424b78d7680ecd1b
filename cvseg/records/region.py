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
    perimeter_px : (n,) float64 length of the line through the outermost pixels, as scikit-image measures it; None
        unless it was asked for
    mean_color, std_color : (n, 3) float64 of RGB in [0, 255], NaN for an empty region; None without an image

    Worked out from these when they are read: `axes_px`, `orientation_rad`, `eccentricity`, `extent`.
    """

    area_px: NDArray[np.int64]
    centroid_xy: NDArray[np.float64]
    box_xyxy: NDArray[np.int32]
    covariance: NDArray[np.float64]
    mean_weight: NDArray[np.float64]
    touches_border: NDArray[np.bool_]
    perimeter_px: NDArray[np.float64] | None = None
    mean_color: NDArray[np.float64] | None = None
    std_color: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.area_px)

    @property
    def axes_px(self) -> NDArray[np.float64]:
        """(n, 2) float64: the long and the short axis, whole, of the ellipse with the same second moments."""
        return np.asarray(4 * np.sqrt(self._variances()), np.float64)

    @property
    def orientation_rad(self) -> NDArray[np.float64]:
        """(n,) float64 in (-pi/2, pi/2]: angle of the long axis, from x (right) towards y (down); 0 without one."""
        xx, xy, yy = self.covariance.T
        return np.asarray(0.5 * np.arctan2(2 * xy, xx - yy), np.float64)

    @property
    def eccentricity(self) -> NDArray[np.float64]:
        """(n,) float64 in [0, 1] of that ellipse: 0 for a disc, 1 for a straight line."""
        long, short = self._variances().T
        return np.asarray(np.sqrt(1 - short / np.where(long > 0, long, 1)) * (long > 0), np.float64)

    @property
    def extent(self) -> NDArray[np.float64]:
        """(n,) float64 in [0, 1]: the share of its box that a region fills; 0 for an empty region."""
        x0, y0, x1, y1 = self.box_xyxy.astype(np.int64).T
        return np.asarray(self.area_px / np.maximum((x1 - x0) * (y1 - y0), 1), np.float64)

    def _variances(self) -> NDArray[np.float64]:
        """(n, 2): along the long and along the short axis."""
        xx, xy, yy = self.covariance.T
        middle, reach = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
        return np.stack((middle + reach, np.maximum(middle - reach, 0)), axis=1)
