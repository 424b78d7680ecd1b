"""Shapes of pixels for morphology: rectangles, discs, ellipses, crosses, diamonds."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_range
from cvseg.errors import DtypeError, RangeError, ShapeError

Footprint: TypeAlias = "int | tuple[int, int] | NDArray[np.bool_]"


def rectangle(height: int, width: int) -> NDArray[np.bool_]:
    """All of `height` rows and `width` columns.

    >>> rectangle(1, 3).tolist()
    [[True, True, True]]
    """
    _check_side("rectangle", "height", height)
    _check_side("rectangle", "width", width)
    return np.ones((height, width), np.bool_)


def disc(radius: float) -> NDArray[np.bool_]:
    """Pixels whose centre lies at most `radius` pixels from the middle one: (2 r + 1, 2 r + 1) for a whole radius.

    >>> disc(1).astype(int).tolist()
    [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    """
    check_range("disc", "radius", radius, low=0, high=16383)
    reach = int(radius)
    offset = np.arange(-reach, reach + 1)
    return offset[:, None] ** 2 + offset**2 <= radius * radius


def ellipse(height: int, width: int) -> NDArray[np.bool_]:
    """Pixels whose centre lies in the ellipse that touches the sides of the rectangle.

    >>> ellipse(3, 5).astype(int).tolist()
    [[0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [0, 1, 1, 1, 0]]
    """
    _check_side("ellipse", "height", height)
    _check_side("ellipse", "width", width)
    # Twice the distance from the middle, so that even sides stay whole: (dy / height)^2 + (dx / width)^2 <= 1.
    dy, dx = 2 * np.arange(height)[:, None] - (height - 1), 2 * np.arange(width) - (width - 1)
    return np.asarray((dy * width) ** 2 + (dx * height) ** 2 <= (height * width) ** 2)


def cross(height: int, width: int) -> NDArray[np.bool_]:
    """The middle row and column.

    >>> cross(3, 5).astype(int).tolist()
    [[0, 0, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0]]
    """
    shape = ~rectangle(height, width)
    shape[height // 2], shape[:, width // 2] = True, True
    return shape


def diamond(radius: int) -> NDArray[np.bool_]:
    """Pixels that are at most `radius` steps along rows and columns away.

    >>> diamond(1).astype(int).tolist()
    [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    """
    check_range("diamond", "radius", radius, low=0, high=16383)
    offset = abs(np.arange(-int(radius), int(radius) + 1))
    return np.asarray(offset[:, None] + offset <= radius)


def as_footprint(caller: str, footprint: Any) -> tuple[tuple[int, int], NDArray[np.bool_] | None]:
    """What users give as a footprint: its size, and its pixels unless it is a rectangle.

    Raises
    ------
    ShapeError, DtypeError, RangeError
    """
    if isinstance(footprint, (int, np.integer)) and not isinstance(footprint, bool):
        footprint = (int(footprint), int(footprint))
    if isinstance(footprint, tuple):
        if len(footprint) != 2:
            raise ShapeError(f"{caller}: footprint is {footprint}; expected (height, width), a side, or a bool array.")
        for name, side in zip(("height", "width"), footprint, strict=True):
            _check_side(f"{caller}: footprint", name, side)
        return footprint, None
    if not isinstance(footprint, np.ndarray):
        raise DtypeError(
            f"{caller}: footprint is a {type(footprint).__name__}; expected a side, (height, width) or a bool array of "
            "NumPy: it stays on the CPU."
        )
    if footprint.dtype != np.dtype(bool):
        raise DtypeError(f"{caller}: footprint is {footprint.dtype}; expected bool. Write footprint > 0.")
    if footprint.ndim != 2 or footprint.size == 0:
        raise ShapeError(f"{caller}: footprint is {footprint.shape}; expected (height, width) with at least one pixel.")
    if max(footprint.shape) >= 2**15:
        raise ShapeError(f"{caller}: footprint is {footprint.shape}; expected sides below {2**15}.")
    if not footprint.any():
        raise RangeError(f"{caller}: footprint has no pixel that is set; at least one is needed.")
    return footprint.shape, None if footprint.all() else footprint


def _check_side(caller: str, name: str, side: Any) -> None:
    if isinstance(side, bool) or not isinstance(side, (int, np.integer)):
        raise DtypeError(f"{caller}: {name} is {side!r}; expected a whole number of pixels.")
    check_range(caller, name, int(side), low=1, high=2**15 - 1)
