"""A camera that shakes: where a picture lies on the background, the picture moved onto it, and masks moved back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device
from cvseg.background.result import BackgroundResult
from cvseg.flow import estimate_flow
from cvseg.kernels.warping.warp_backward import warp_backward
from cvseg.motion.camera_motion import CameraMotionOptions, estimate_camera_motion

FIT = CameraMotionOptions(samples=1500)  # flow vectors that the position is fitted to
LEAST_PX = 0.05  # a smaller motion is the noise of the fit: moving the picture by it would only blur it
FARTHEST = 0.1  # of the picture's width: a corner that has gone farther shows other things, or the fit is wrong
LEAST_GAIN = 0.9  # the moved background must fit at least so much better
LARGEST_ERROR = 40 / 255  # objects do not count more than this


@dataclass(frozen=True)
class Position:
    """Where a picture lies on the background.

    Attributes
    ----------
    matrix : (3, 3) float64; (x, y, 1) of a pixel of the background times this is where the picture shows it
    size_hw : of both
    """

    matrix: NDArray[np.float64]
    size_hw: tuple[int, int]

    def scaled(self, factor: int, size_hw: tuple[int, int]) -> Position:
        """The same for pictures that are `factor` times as large."""
        middle = (factor - 1) / 2
        larger = np.array([[factor, 0, middle], [0, factor, middle], [0, 0, 1.0]])
        return Position(larger @ self.matrix @ np.linalg.inv(larger), size_hw)

    @cached_property
    def shift_xy(self) -> NDArray[np.float64]:
        """How far the middle of the background has gone, in pixels."""
        middle = np.array([self.size_hw[1] / 2, self.size_hw[0] / 2, 1.0])
        shift: NDArray[np.float64] = (self.matrix @ middle)[:2] - middle[:2]
        return shift

    @property
    def farthest_px(self) -> float:
        """How far the corner of the background has gone that has gone farthest."""
        right, bottom = self.size_hw[1] - 1, self.size_hw[0] - 1
        corners = np.array([[0, right, 0, right], [0, 0, bottom, bottom], [1, 1, 1, 1.0]])
        return float(np.abs((self.matrix @ corners)[:2] - corners[:2]).max())

    def _field(self, matrix: NDArray[np.float64], like: Any) -> tuple[Any, Any]:
        """Displacement by `matrix` of each pixel, and 1 where it stays inside the picture."""
        height, width = self.size_hw
        x, y = np.arange(width)[None], np.arange(height)[:, None]
        away_x = (matrix[0, 0] - 1) * x + (matrix[0, 1] * y + matrix[0, 2])
        away_y = matrix[1, 0] * x + ((matrix[1, 1] - 1) * y + matrix[1, 2])
        inside = (x + away_x > -0.5) & (x + away_x < width - 0.5) & (y + away_y > -0.5) & (y + away_y < height - 0.5)
        field_xy = np.stack([away_x, away_y], axis=2).astype(np.float32)
        return to_device(field_xy, device_of(like)), to_device(inside, device_of(like))

    def onto_background(self, image: Any) -> tuple[Any, Any]:
        """The picture as the background's pixels see it, (h, w, 3) uint8, and (h, w) bool where it shows them."""
        field_xy, inside = self._field(self.matrix, image)
        moved = warp_backward(image.astype(np.float32), field_xy)
        return (moved + np.float32(0.5)).astype(np.uint8), inside

    def onto_picture(self, result: BackgroundResult) -> BackgroundResult:
        """A result on the background's pixels, on those of the picture; what lies beyond it is no object."""
        xp = array_module(result.foreground)
        field_xy, inside = self._field(np.linalg.inv(self.matrix).astype(np.float64), result.foreground)
        half = np.float32(0.5)
        planes = xp.stack([result.foreground, result.mask.astype(np.float32), result.shadow.astype(np.float32)], axis=2)
        planes = warp_backward(xp.ascontiguousarray(planes), field_xy) * inside[..., None]
        mask = planes[..., 1] > half
        foreground = xp.where(mask, xp.maximum(planes[..., 0], half), xp.minimum(planes[..., 0], half))
        background = warp_backward(result.background.astype(np.float32), field_xy)
        return replace(
            result,
            foreground=xp.ascontiguousarray(foreground.astype(np.float32)),
            mask=xp.ascontiguousarray(mask),
            shadow=xp.ascontiguousarray((planes[..., 2] > half) & ~mask),
            background=(background + half).astype(np.uint8),
        )


def find_position(picture: Any, background: Any) -> Position | None:
    """Fit the motion of the camera since the background.

    Parameters
    ----------
    picture, background : (h, w) float32 grey in [0, 1], on one device; read back in part, which synchronises

    Returns
    -------
    Position, or None when no single motion explains the picture better than none

    Examples
    --------
    >>> y, x = np.mgrid[0:60, 0:80].astype(np.float32)
    >>> scene = 0.5 + 0.2 * np.sin(x / 3) * np.cos(y / 4 + x / 9)
    >>> position = find_position(np.roll(scene, 2, axis=1), scene)
    >>> position.shift_xy.round().tolist()
    [2.0, 0.0]
    """
    xp, size_hw = array_module(picture), (int(picture.shape[0]), int(picture.shape[1]))
    flow_xy = estimate_flow(background, picture, method="dis", preset="balanced")
    camera = estimate_camera_motion(flow_xy, FIT)
    if camera.inlier_share <= 0.5 or camera.displacement_px < LEAST_PX:
        return None
    position = Position(camera.matrix, size_hw)
    if position.farthest_px > FARTHEST * size_hw[1]:
        return None
    field_xy, inside = position._field(position.matrix, picture)
    limit = np.float32(LARGEST_ERROR)
    without = xp.minimum(xp.abs(picture - background), limit)[inside]
    moved = xp.minimum(xp.abs(warp_backward(picture, field_xy) - background), limit)[inside]
    return position if float(moved.mean()) < LEAST_GAIN * float(without.mean()) else None
