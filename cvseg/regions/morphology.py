"""Grow, shrink, open and close masks and pictures by a shape of pixels."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device
from cvseg.checks import check_range, check_shapes
from cvseg.errors import DtypeError, RangeError
from cvseg.regions.footprints import Footprint, as_footprint

# What the CPU compares, by dtype: bits of float32 are made whole numbers of the same order.
_BOOL, _FLOAT32 = np.dtype(np.bool_), np.dtype(np.float32)
_STORED = {
    np.dtype(np.bool_): np.uint8,
    np.dtype(np.uint8): np.uint8,
    np.dtype(np.uint16): np.uint16,
    np.dtype(np.float32): np.int32,
}
# Turns the order round, so that the least is the largest.
_FLIPS = {np.dtype(np.bool_): 1, np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535, np.dtype(np.float32): -1}


def erode(image: Any, footprint: Footprint = 3, *, border_value: float | None = None) -> Any:
    """Shrink a mask, or take the least value around each pixel of a picture.

    eroded(p) = min over b in the footprint of image(p + b)

    Parameters
    ----------
    image : (H, W) bool, uint8, uint16 or float32; no NaN. A mask of 0 and 255 in uint8 is a picture of two values.
    footprint : offsets b. An odd or even side k of a square, (height, width) of a rectangle, or any (h, w) bool array,
        such as `cvseg.regions.disc` gives; offset 0 is its pixel (h // 2, w // 2). Larger removes more.
    border_value : what pixels beyond the image count; None leaves them out, so that a mask is not eaten from the border

    Returns
    -------
    eroded : as `image`, on the same device. float32 is looked through for NaN, which synchronises a GPU; other dtypes
        do not.

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Notes
    -----
    Equal to ``scipy.ndimage.binary_erosion(image, footprint, border_value=0)`` and ``grey_erosion(..., mode="constant",
    cval=v)`` with the same border value. None equals SciPy's ``mode="reflect"`` where the footprint has its left half
    mirrored in its right and its upper in its lower, without gaps, and OpenCV's default always. n times a rectangle of
    side k is one of side n (k - 1) + 1, in the time of one.

    References
    ----------
    Rectangles: running minima from block ends [Herk1992]_ down the columns, doubled windows along the rows.
    Departure: other shapes are runs of pixels, two doubled windows each.

    Examples
    --------
    >>> mask = np.array([[0, 1, 1, 1, 0, 1]], bool)
    >>> erode(mask, (1, 3)).tolist(), erode(mask, (1, 3), border_value=0).tolist()
    ([[False, False, True, False, False, False]], [[False, False, True, False, False, False]])
    """
    return _extreme("erode", image, footprint, border_value, dilates=False)


def dilate(image: Any, footprint: Footprint = 3, *, border_value: float | None = None) -> Any:
    """Grow a mask, or take the largest value around each pixel of a picture.

    dilated(p) = max over b in the footprint of image(p - b)

    The offsets are subtracted, as in the definition: a set pixel spreads over the footprint laid upon it. OpenCV adds
    them, which is another result for footprints that are not symmetric.

    Parameters, result, errors and notes as in `erode`; larger footprints add more.

    Examples
    --------
    >>> dilate(np.array([[0, 0, 1, 0, 0, 0]], bool), np.array([[0, 1, 1]], bool)).astype(int).tolist()
    [[0, 0, 1, 1, 0, 0]]
    """
    return _extreme("dilate", image, footprint, border_value, dilates=True)


def opening(image: Any, footprint: Footprint = 3, *, border_value: float | None = None) -> Any:
    """Erode, then dilate: what the footprint does not fit into goes, the rest keeps its outline.

    Parameters, result and errors as in `erode`.

    Examples
    --------
    >>> opening(np.array([[0, 1, 0, 1, 1, 1, 0]], bool), (1, 3)).astype(int).tolist()
    [[0, 0, 0, 1, 1, 1, 0]]
    """
    return _extreme(
        "opening", _extreme("opening", image, footprint, border_value, False), footprint, border_value, True
    )


def closing(image: Any, footprint: Footprint = 3, *, border_value: float | None = None) -> Any:
    """Dilate, then erode: gaps and bays that the footprint does not fit into close.

    Parameters, result and errors as in `erode`.

    Examples
    --------
    >>> closing(np.array([[0, 0, 1, 0, 1, 0, 0]], bool), (1, 3)).astype(int).tolist()
    [[0, 0, 1, 1, 1, 0, 0]]
    """
    return _extreme(
        "closing", _extreme("closing", image, footprint, border_value, True), footprint, border_value, False
    )


def morphological_gradient(image: Any, footprint: Footprint = 3, *, border_value: float | None = None) -> Any:
    """Dilated less eroded: how much the picture changes around each pixel; of a mask, a band on both sides of its edge.

    Parameters, result and errors as in `erode`.

    Examples
    --------
    >>> morphological_gradient(np.array([[0, 0, 9, 9, 9]], np.uint8), (1, 3)).tolist()
    [[0, 9, 9, 0, 0]]
    """
    largest = _extreme("morphological_gradient", image, footprint, border_value, True)
    return _less(largest, _extreme("morphological_gradient", image, footprint, border_value, False))


def top_hat(image: Any, footprint: Footprint = 3, *, border_value: float | None = None) -> Any:
    """The picture less its opening: bright details that are smaller than the footprint.

    Parameters, result and errors as in `erode`.

    Examples
    --------
    >>> top_hat(np.array([[3, 9, 3, 5, 5, 5]], np.uint8), (1, 3)).tolist()
    [[0, 6, 0, 0, 0, 0]]
    """
    return _less(image, opening(image, footprint, border_value=border_value))


def black_hat(image: Any, footprint: Footprint = 3, *, border_value: float | None = None) -> Any:
    """The closing less the picture: dark details that are smaller than the footprint.

    Parameters, result and errors as in `erode`.

    Examples
    --------
    >>> black_hat(np.array([[9, 3, 9, 9]], np.uint8), (1, 3)).tolist()
    [[0, 6, 0, 0]]
    """
    return _less(closing(image, footprint, border_value=border_value), image)


def _less(larger: Any, smaller: Any) -> Any:
    # The smaller of two masks lies in the larger: what differs is what is only there.
    return larger ^ smaller if larger.dtype == np.dtype(bool) else larger - smaller


def _extreme(caller: str, image: Any, footprint: Footprint, border_value: float | None, dilates: bool) -> Any:
    check_shapes(caller, image=(image, "H W"))
    if image.dtype not in _STORED:
        raise DtypeError(f"{caller}: image is {image.dtype}; expected bool, uint8, uint16 or float32.")
    (rows, columns), shape = as_footprint(caller, footprint)
    outside = _outside(caller, image.dtype, border_value, dilates)
    xp = array_module(image)
    if image.dtype == _FLOAT32 and image.size and bool(xp.isnan(image.min())):
        raise RangeError(f"{caller}: image holds NaN. Fill it first: neither the least nor the largest value is known.")
    if image.size == 0:
        return image.copy()
    given = xp.ascontiguousarray(image)
    # From the centre to the first and last row and column; the mirrored centre of an even side is the pixel before.
    up, left = ((side - 1) // 2 if dilates else side // 2 for side in (rows, columns))
    if shape is not None and image.dtype == _BOOL:
        from cvseg.kernels.morphology.mask_in_shape import mask_in_shape

        windows, cells = _windows(shape[::-1, ::-1] if dilates else shape, up, left, device_of(image))
        set_outside = np.int32(1 if border_value is None else bool(border_value) != dilates)
        return mask_in_shape(given.view(np.uint8), windows, cells, np.int32(dilates), set_outside).view(bool)
    given = given.view(_STORED[image.dtype])
    flip = np.int32(_FLIPS[image.dtype] if dilates else 0)
    if shape is None:
        from cvseg.kernels.morphology.least_in_box import least_in_box

        reach = (np.int32(up), np.int32(rows - 1 - up), np.int32(left), np.int32(columns - 1 - left))
        return least_in_box(given, *reach, flip, outside).view(image.dtype)
    from cvseg.kernels.morphology.least_in_shape import least_in_shape

    windows, cells = _windows(shape[::-1, ::-1] if dilates else shape, up, left, device_of(image))
    return least_in_shape(given, windows, cells, flip, outside).view(image.dtype)


def _outside(caller: str, dtype: Any, border_value: float | None, dilates: bool) -> np.int32:
    """What counts beyond the image, as the kernels compare it: the largest number leaves it out."""
    if dtype == np.dtype(np.float32):
        if border_value is None:
            return np.int32(2**31 - 1)
        if np.isnan(border_value):
            raise RangeError(f"{caller}: border_value is NaN; give a number, or None to leave the outside out.")
        bits = np.float32(border_value).view(np.int32)
        ordered = bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF))
        return np.int32(~ordered if dilates else ordered)
    most = 1 if dtype == np.dtype(bool) else int(np.iinfo(dtype).max)
    if border_value is None:
        return np.int32(most)
    check_range(caller, "border_value", border_value, low=0, high=most)
    if border_value != int(border_value):
        raise RangeError(f"{caller}: border_value is {border_value}; a picture of {dtype} needs a whole number.")
    return np.int32(most - int(border_value) if dilates else int(border_value))


def _windows(shape: NDArray[np.bool_], up: int, left: int, device: Any) -> tuple[Any, Any]:
    return _kept_windows(shape.tobytes(), shape.shape, up, left, device)


@lru_cache(maxsize=64)
def _kept_windows(pixels: bytes, size: tuple[int, int], up: int, left: int, device: Any) -> tuple[Any, Any]:
    # Kept, as a video uses one footprint for all frames: on a GPU an upload would wait for it.
    from cvseg.kernels.morphology.shape_windows import CELL, shape_windows

    shape = np.frombuffer(pixels, np.bool_).reshape(size)
    tables = shape_windows(shape, up, left, CELL if device == "cuda" else 0)
    return tuple(to_device(table, device) for table in tables)
