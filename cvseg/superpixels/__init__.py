"""Superpixels: an image divided into small connected regions that keep to its edges. One table of methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module, choose_device, device_of, to_device
from cvseg.checks import check_finite, check_range
from cvseg.errors import DtypeError, OptionError, RangeError, ShapeError, nearest_name
from cvseg.options import Options
from cvseg.superpixels.block_moves_2015 import BLOCK_MOVES_PRESETS, BlockMovesOptions, block_moves_2015
from cvseg.superpixels.slic_2012 import SLIC_PRESETS, SlicOptions, slic_2012


@dataclass(frozen=True)
class SuperpixelMethod:
    """One row of `SUPERPIXEL_METHODS`.

    Attributes
    ----------
    segment : ``segment(image, count, options, compactness)`` on (H, W, 3) uint8, returning (H, W) int32 labels
    presets : options by preset name
    takes_compactness : False when the method has no such number
    """

    segment: Callable[..., Any]
    presets: Mapping[str, Options]
    takes_compactness: bool = True


SUPERPIXEL_METHODS = {
    "block_moves": SuperpixelMethod(block_moves_2015, BLOCK_MOVES_PRESETS),
    "slic": SuperpixelMethod(slic_2012, SLIC_PRESETS),
}

__all__ = ["SUPERPIXEL_METHODS", "BlockMovesOptions", "SlicOptions", "SuperpixelMethod", "segment"]


def segment(
    image: Any,
    *,
    method: str = "block_moves",
    count: int = 600,
    compactness: float | None = None,
    preset: str = "balanced",
    options: Options | None = None,
    device: str = "auto",
) -> Any:
    """Divide an image into superpixels.

    Parameters
    ----------
    image : (H, W, 3) RGB or (H, W) grey; uint8, or float32 in [0, 1], which is rounded to 256 values
    method : a key of `SUPERPIXEL_METHODS`
    count : wished number of superpixels, from 1 to H W
    compactness : larger gives rounder superpixels and follows edges less; None takes that of the options
    preset : "fast", "balanced" or "quality"
    options : of the method, instead of a preset
    device : where to compute: "auto" is where the image lives, "cpu" or "cuda" moves it there and the labels back

    Returns
    -------
    labels : (H, W) int32 on the device of the image, 0 to n - 1, every one present and 4-connected; n is near `count`.
        The same on any device and with any number of threads.

    Raises
    ------
    ShapeError, DtypeError
        for an empty image or one of another kind.
    RangeError
        for a count below 1 or above the number of pixels; NaN, infinite or other values outside [0, 1].
    OptionError
        for an unknown method, preset or device, options of another method, and a compactness that cannot be.
    DeviceUnavailableError
        for "cuda" without a GPU.

    Examples
    --------
    >>> image = np.zeros((20, 30), np.uint8)
    >>> image[:, 10:] = 255
    >>> labels = segment(image, count=6)
    >>> labels.max() + 1, bool((labels[:, 9] != labels[:, 10]).all())
    (np.int32(6), True)
    """
    if method not in SUPERPIXEL_METHODS:
        raise OptionError(f"segment: unknown method '{method}'; {nearest_name(method, SUPERPIXEL_METHODS)}")
    row = SUPERPIXEL_METHODS[method]
    if options is None:
        if preset not in row.presets:
            raise OptionError(f"segment: unknown preset '{preset}'; {nearest_name(preset, row.presets)}")
        options = row.presets[preset]
    elif not isinstance(options, type(next(iter(row.presets.values())))):
        needed = type(next(iter(row.presets.values()))).__name__
        raise OptionError(f"segment: options are {type(options).__name__}; method '{method}' needs {needed}.")
    if compactness is not None:
        if not row.takes_compactness:
            raise OptionError(f"segment: method '{method}' has no compactness. Leave it out, or choose another method.")
        if not 0 <= compactness < float("inf"):
            raise OptionError(f"segment: compactness is {compactness}; expected a number of at least 0.")
    here = device_of(image)
    there = here if device == "auto" else choose_device(device)
    picture = superpixel_picture("segment", image)
    check_count("segment", count, picture)
    labels = row.segment(to_device(picture, there), int(count), options, compactness)
    return to_device(labels, here)


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
