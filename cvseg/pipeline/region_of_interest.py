"""Region of interest: a box, a mask or a picture file, as a mask of the frame's size."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import to_host
from cvseg.errors import OptionError, ShapeError

RegionOfInterest = Any  # (x, y, width, height), (H, W) array, path or None


def read_region_of_interest(roi: RegionOfInterest, size_hw: tuple[int, int]) -> NDArray[np.bool_] | None:
    """True where objects may be found; None for everywhere.

    Parameters
    ----------
    roi : None; (x, y, width, height) in pixels, cut at the frame; an (H, W) array or a picture file, true where not 0.
        An array on a GPU is downloaded
    size_hw : of the frames

    Raises
    ------
    OptionError
        when the box or mask is empty or lies outside the frame, or the file is no picture.
    ShapeError
        when the mask has another size than the frames.

    Examples
    --------
    >>> int(read_region_of_interest((1, 2, 100, 2), (4, 5)).sum())
    8
    """
    if roi is None:
        return None
    if isinstance(roi, (str, os.PathLike)):
        roi = _read_picture(os.fspath(roi))
    elif hasattr(type(roi), "__cuda_array_interface__"):
        roi = to_host(roi)
    height, width = size_hw
    if isinstance(roi, np.ndarray) and roi.ndim == 2:
        if roi.shape != tuple(size_hw):
            raise ShapeError(
                f"roi: the mask is {roi.shape[1]}x{roi.shape[0]}; the frames are {width}x{height}. "
                "Resize the mask to the frame."
            )
        mask: NDArray[np.bool_] = roi != 0
    else:
        try:
            x, y, box_width, box_height = (int(number) for number in roi)
        except (TypeError, ValueError, OverflowError):
            raise OptionError(f"roi is {roi!r}; expected (x, y, width, height) in pixels or a mask.") from None
        mask = np.zeros(size_hw, bool)
        mask[max(0, y) : max(0, y + box_height), max(0, x) : max(0, x + box_width)] = True
    if not mask.any():
        raise OptionError(f"roi: no pixel of the {width}x{height} frame lies inside it. Give a box inside the frame.")
    return mask


def _read_picture(path: str) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            plain = picture if picture.mode in ("L", "P", "1", "I;16") else picture.convert("L")
            return np.array(plain)
    except (OSError, SyntaxError, ValueError):  # Pillow raises all three for damaged files
        raise OptionError(f"roi: {path} is not a picture that can be read. Give a PNG, white inside.") from None
