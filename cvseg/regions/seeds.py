"""Where regions begin to grow: maps of labels, points and boxes, checked and turned into a map."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device
from cvseg.errors import DtypeError, RangeError, ShapeError

LARGEST_LABEL = 2**31 - 1


def seed_map(caller: str, seeds: Any, like: Any) -> Any:
    """`seeds` as a map for the image `like`: (H, W) int32 on its device, 0 where there is none.

    Parameters
    ----------
    caller : first word of messages
    seeds : (H, W) bool or integers; else (n, 2) or (n, 3) numbers, points x, y and label; or (n, 4), boxes
    like : (H, W) or (H, W, 3)

    Raises
    ------
    ShapeError, DtypeError, RangeError
    """
    size_hw = int(like.shape[0]), int(like.shape[1])
    if not hasattr(type(seeds), "__cuda_array_interface__"):
        try:
            seeds = np.asarray(seeds)
        except ValueError:
            raise ShapeError(
                f"{caller}: seeds are lists of different lengths; expected a map, or points with two or three numbers "
                "each, or boxes with four."
            ) from None
    if tuple(seeds.shape) == size_hw:
        return _checked_map(caller, seeds, like)
    if seeds.ndim == 2 and seeds.shape[1] in (2, 3):
        return to_device(point_seeds(_numbers(caller, seeds), size_hw), device_of(like))
    if seeds.ndim == 2 and seeds.shape[1] == 4:
        return to_device(box_seeds(_numbers(caller, seeds), size_hw), device_of(like))
    raise ShapeError(
        f"{caller}: seeds are {tuple(seeds.shape)}; expected {size_hw} as the image, points (n, 2) or (n, 3), or boxes "
        "(n, 4)."
    )


def _numbers(caller: str, seeds: Any) -> NDArray[Any]:
    from cvseg.arrays import to_host

    numbers = to_host(seeds)
    if numbers.dtype.kind not in "iuf":
        raise DtypeError(f"{caller}: seeds are {numbers.dtype}; expected numbers of pixels.")
    return np.asarray(numbers)


def _checked_map(caller: str, seeds: Any, like: Any) -> Any:
    if seeds.dtype.kind not in "biu":
        raise DtypeError(f"{caller}: seeds are {seeds.dtype}; expected a map of bool or whole numbers.")
    if device_of(seeds) != device_of(like):
        seeds = to_device(seeds, device_of(like))
    if seeds.dtype.kind != "b":
        low, high = int(seeds.min()), int(seeds.max())
        if low < 0 or high > LARGEST_LABEL:
            raise RangeError(
                f"{caller}: seeds are {low} to {high}; labels must be 1 to {LARGEST_LABEL}, and 0 where there is no "
                "seed. Give pixels that shall not be labelled as `mask`."
            )
    return array_module(like).ascontiguousarray(seeds.astype(np.int32))


def point_seeds(points: Any, size_hw: tuple[int, int], radius: float = 0.0) -> NDArray[np.int32]:
    """A map of seeds with a disc at every point.

    Parameters
    ----------
    points : (n, 2) x, y in pixels: the first grows label 1, the second 2; or (n, 3) x, y, label. Rounded to the
        nearest pixel; later points cover earlier ones.
    size_hw : of the image
    radius : of the discs in pixels; larger is safer against noise

    Returns
    -------
    seeds : (H, W) int32

    Raises
    ------
    ShapeError, RangeError

    Examples
    --------
    >>> point_seeds([(0, 0), (2, 1)], (2, 3)).tolist()
    [[1, 0, 0], [0, 0, 2]]
    """
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] not in (2, 3):
        raise ShapeError(f"point_seeds: points are {points.shape}; expected (n, 2) x, y or (n, 3) x, y, label.")
    if not 0 <= radius < np.inf:
        raise RangeError(f"point_seeds: radius is {radius}; expected a number of at least 0.")
    height, width = size_hw
    labels = points[:, 2] if points.shape[1] == 3 else np.arange(1, len(points) + 1)
    if len(points) and not (labels.min() >= 1 and labels.max() <= LARGEST_LABEL and (labels == np.rint(labels)).all()):
        raise RangeError(f"point_seeds: labels must be whole numbers from 1 to {LARGEST_LABEL}.")
    seeds = np.zeros((height, width), np.int32)
    for (x, y), label in zip(points[:, :2], labels, strict=True):
        if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
            raise RangeError(
                f"point_seeds: point ({x:g}, {y:g}) lies outside the image of {width} x {height} pixels. "
                "Points are x, y, counted from 0."
            )
        x, y = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        reach = int(radius)
        top, left = max(0, y - reach), max(0, x - reach)
        part = seeds[top : y + reach + 1, left : x + reach + 1]
        rows, columns = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
        part[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = int(label)
    return seeds


def box_seeds(boxes_xyxy: Any, size_hw: tuple[int, int], core: float = 0.5) -> NDArray[np.int32]:
    """A map of seeds from boxes around things: the core of each box, and everything outside all boxes.

    Parameters
    ----------
    boxes_xyxy : (n, 4) half-open boxes in pixels: the first grows label 1, the second 2
    size_hw : of the image
    core : share of the width and height of a box that is surely inside, an ellipse around its centre; larger trusts
        more. At least the middle pixel.

    Returns
    -------
    seeds : (H, W) int32; what lies outside all boxes has label n + 1

    Raises
    ------
    ShapeError, RangeError

    Examples
    --------
    >>> box_seeds([(1, 0, 4, 1)], (1, 5), core=0.3).tolist()
    [[2, 0, 1, 0, 2]]
    """
    boxes = np.asarray(boxes_xyxy, np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ShapeError(f"box_seeds: boxes_xyxy is {boxes.shape}; expected (n, 4).")
    if not 0 <= core <= 1:
        raise RangeError(f"box_seeds: core is {core}; it must be at least 0 and at most 1.")
    height, width = size_hw
    seeds = np.full((height, width), len(boxes) + 1, np.int32)
    rows, columns = np.ogrid[:height, :width]
    corners = []
    for box in boxes:
        if not (0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height):
            raise RangeError(
                f"box_seeds: box {tuple(box.tolist())} is empty or not inside the image of {width} x {height} pixels."
            )
        left, top = int(np.floor(box[0])), int(np.floor(box[1]))
        right, bottom = int(np.ceil(box[2])), int(np.ceil(box[3]))
        seeds[top:bottom, left:right] = 0
        corners.append((left, top, right, bottom))
    for number, (left, top, right, bottom) in enumerate(corners, 1):
        center_x, center_y = (left + right - 1) / 2, (top + bottom - 1) / 2
        half_x, half_y = max(core * (right - left) / 2, 0.51), max(core * (bottom - top) / 2, 0.51)
        seeds[((columns - center_x) / half_x) ** 2 + ((rows - center_y) / half_y) ** 2 <= 1] = number
    return seeds
