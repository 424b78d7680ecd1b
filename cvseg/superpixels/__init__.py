"""Superpixels: an image divided into small connected regions that keep to its edges. One table of methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cvseg.arrays import choose_device, device_of, to_device
from cvseg.errors import OptionError, nearest_name
from cvseg.options import Options
from cvseg.superpixels.block_moves_2015 import BLOCK_MOVES_PRESETS, BlockMovesOptions, block_moves_2015
from cvseg.superpixels.graph_based_2004 import GRAPH_PRESETS, GraphOptions, graph_based_2004
from cvseg.superpixels.picture import check_count, superpixel_picture
from cvseg.superpixels.slic_2012 import SLIC_PRESETS, SlicOptions, slic_2012
from cvseg.superpixels.stream import SuperpixelStream, SuperpixelStreamOptions


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
    "graph": SuperpixelMethod(graph_based_2004, GRAPH_PRESETS, takes_compactness=False),
    "slic": SuperpixelMethod(slic_2012, SLIC_PRESETS),
}

__all__ = [
    "SUPERPIXEL_METHODS",
    "BlockMovesOptions",
    "GraphOptions",
    "SlicOptions",
    "SuperpixelMethod",
    "SuperpixelStream",
    "SuperpixelStreamOptions",
    "segment",
]


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
    labels : (H, W) int32 on the device of the image, 0 to n - 1, every one present and 4-connected; n is near `count`
        (``GraphOptions(exact=True)`` leaves parts together that touch at a corner).
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
    >>> import numpy as np
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
