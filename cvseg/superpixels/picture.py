"""What superpixels may be asked for, and the form in which methods take a picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.checks import check_finite, check_range
from cvseg.errors import DtypeError, RangeError, ShapeError


def check_count(caller: str, count: int, picture: Any) -> None:
    """Demand a whole number of superpixels that the picture has pixels for.

    Raises
    ------
    DtypeError, RangeError
    """
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)):
        raise DtypeError(f"{caller}: count is {count!r}; expected a whole number.")
    height, width = picture.shape[:2]
    check_range(caller, "count", count, low=1)
    if count > height * width:
        raise RangeError(
            f"{caller}: count is {count}, but the image has {height} x {width} = {height * width} pixels; "
            "ask for at most as many superpixels."
        )


def superpixel_picture(caller: str, image: Any, name: str = "image") -> Any:
    """`image` as contiguous (H, W, 3) uint8 on its device. Float values are tested, which synchronises a GPU.

    Raises
    ------
    ShapeError, DtypeError, RangeError
    """
    xp = array_module(image)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ShapeError(f"{caller}: {name} is {tuple(image.shape)}; expected (H, W, 3) RGB or (H, W) grey.")
    if image.size == 0:
        raise ShapeError(f"{caller}: {name} is {tuple(image.shape)}; expected at least one pixel.")
    if image.dtype == np.dtype(np.float32):
        check_finite(caller, **{name: image})
        low, high = float(image.min()), float(image.max())
        if low < 0 or high > 1:
            raise RangeError(
                f"{caller}: {name} has values from {low:g} to {high:g}; expected float32 in [0, 1]. Divide by the "
                "largest possible value first."
            )
        image = (image * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    elif image.dtype != np.dtype(np.uint8):
        raise DtypeError(f"{caller}: {name} is {image.dtype}; expected uint8, or float32 in [0, 1].")
    if image.ndim == 2:
        picture = xp.empty((*image.shape, 3), np.uint8)
        picture[...] = image[:, :, None]
        return picture
    return xp.ascontiguousarray(image)
