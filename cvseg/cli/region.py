"""Regions of interest as users write them: a box, a polygon, or the name of a mask picture."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.cli.segment import parse_roi
from cvseg.errors import OptionError

Points = tuple[tuple[float, float], ...]


def parse_region(text: str | None) -> Points | tuple[int, int, int, int] | str | None:
    """``"X,Y,W,H"`` as four numbers, ``"x,y x,y x,y ..."`` as corners, else the name of an existing mask picture.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> parse_region("0,0 40,0 20,30")
    ((0.0, 0.0), (40.0, 0.0), (20.0, 30.0))
    """
    points = re.findall(r"([^\s,;]+)\s*,\s*([^\s,;]+)", text or "")
    separate = re.fullmatch(r"\s*[^\s,;]+,[^\s,;]+([\s;]+[^\s,;]+,[^\s,;]+)+\s*", text or "")
    if text is None or not separate:
        return parse_roi(text)
    try:
        corners = tuple((float(x), float(y)) for x, y in points)
    except ValueError:
        return parse_roi(text)
    if len(corners) < 3 or not all(math.isfinite(number) for corner in corners for number in corner):
        raise OptionError(f"--roi is {text!r}; expected three or more corners 'x,y x,y x,y' with finite numbers.")
    return corners


def region_mask(region: Any, size_hw: tuple[int, int]) -> NDArray[np.bool_] | None:
    """True inside the region, for pictures of `size_hw`; None for everywhere.

    A pixel belongs to a polygon when its centre lies inside or on the line.

    Raises
    ------
    OptionError, ShapeError

    Examples
    --------
    >>> region_mask(((-1, -1), (3, -1), (3, 1), (-1, 1)), (3, 5)).sum(1).tolist()
    [4, 4, 0]
    """
    from cvseg.pipeline.region_of_interest import read_region_of_interest

    if isinstance(region, tuple) and region and isinstance(region[0], tuple):
        from skimage.draw import polygon

        mask = np.zeros(size_hw, bool)
        rows, columns = polygon([y for _, y in region], [x for x, _ in region], size_hw)
        mask[rows, columns] = True
        if not mask.any():
            raise OptionError(
                f"--roi: no pixel of the {size_hw[1]}x{size_hw[0]} frame lies inside the polygon. Move its corners."
            )
        return mask
    return read_region_of_interest(region, size_hw)
