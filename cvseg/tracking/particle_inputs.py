"""What a particle filter refuses: pictures of another kind, boxes that hold nothing, evidence that is none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvseg.checks import check_shapes
from cvseg.errors import InputError, RangeError, ShapeError

Array = NDArray[np.float64]


def check_image(caller: str, image: Any) -> None:
    from cvseg.checks import check_dtype

    check_shapes(caller, image=(image, "H W 3"))
    check_dtype(caller, "uint8", image=image)
    if not image.flags.c_contiguous:
        raise InputError(f"{caller}: image is not C-contiguous; copy it with numpy.ascontiguousarray first.")


def checked_box(box_xyxy: ArrayLike, shape: tuple[int, ...]) -> Array:
    box = np.asarray(box_xyxy, np.float64).reshape(-1)
    if box.shape != (4,):
        raise ShapeError(f"ParticleFilter.start: box_xyxy is {np.shape(box_xyxy)}; expected (4,).")
    x0, y0, x1, y1 = box.tolist()
    if not np.isfinite(box).all() or x1 <= x0 or y1 <= y0:
        raise RangeError(
            f"ParticleFilter.start: box_xyxy is {box.tolist()}; expected finite numbers, x0 < x1 and y0 < y1."
        )
    if x1 <= 0 or y1 <= 0 or x0 >= shape[1] or y0 >= shape[0]:
        raise RangeError(
            f"ParticleFilter.start: box_xyxy is {box.tolist()}, outside the picture of {shape[1]} x {shape[0]} pixels. "
            "Give the box of something that is seen."
        )
    return box


def checked_evidence(image: Any, evidence: Any) -> Array:
    """(H, W) float64 on the host."""
    from cvseg.arrays import to_host

    check_shapes("ParticleFilter.update", image=(image, "H W 3"), evidence=(evidence, "H W"))
    values = np.asarray(to_host(evidence), np.float64)
    if not np.isfinite(values.sum()) or values.min() < 0:
        raise RangeError("ParticleFilter.update: evidence holds NaN or negative values; expected at least 0.")
    return values


def checked_boxes(boxes_xyxy: ArrayLike) -> Array:
    """(n, 4) proposed boxes."""
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    if not np.isfinite(boxes).all() or (boxes[:, 2:] <= boxes[:, :2]).any():
        raise RangeError(
            "ParticleFilter.update: proposals_xyxy holds a box that is not finite or empty; expected "
            "x0 < x1 and y0 < y1. Remove it."
        )
    return boxes
