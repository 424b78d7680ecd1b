"""How well tracks and components fit, and the best one-to-one choice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def box_iou(boxes_a: Any, boxes_b: Any) -> Matrix:
    """Intersection over union of all pairs of half-open boxes.

    Parameters
    ----------
    boxes_a : (n, 4) xyxy, pixels
    boxes_b : (m, 4) xyxy, pixels

    Returns
    -------
    (n, m) float64 in [0, 1]

    Examples
    --------
    >>> box_iou([[0, 0, 2, 2]], [[1, 0, 3, 2], [5, 5, 6, 6]]).round(2).tolist()
    [[0.33, 0.0]]
    """
    a = np.asarray(boxes_a, np.float64).reshape(-1, 1, 4)
    b = np.asarray(boxes_b, np.float64).reshape(1, -1, 4)
    shared = box_intersection(a, b)
    union = box_area(a) + box_area(b) - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


def box_intersection(a: Matrix, b: Matrix) -> Matrix:
    """Shared area of boxes (..., 4) that broadcast against each other."""
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    return np.asarray(np.maximum(width, 0) * np.maximum(height, 0))


def box_gap(a: Any, b: Any) -> float:
    """Distance between two boxes in pixels, 0 when they touch or overlap."""
    dx = max(a[0] - b[2], b[0] - a[2], 0.0)
    dy = max(a[1] - b[3], b[1] - a[3], 0.0)
    return float(np.hypot(dx, dy))


def box_distances(points_xy: Matrix, boxes_xyxy: Matrix) -> Matrix:
    """Distances of points (n, 2) from boxes (m, 4) in pixels, 0 inside; (n, m).

    Examples
    --------
    >>> box_distances(np.array([[5.0, 5.0], [0.0, 6.0]]), np.array([[3.0, 2.0, 9.0, 9.0]])).tolist()
    [[0.0], [3.0]]
    """
    x, y = points_xy[:, 0, None], points_xy[:, 1, None]
    dx = np.maximum(np.maximum(boxes_xyxy[:, 0] - x, x - boxes_xyxy[:, 2]), 0)
    dy = np.maximum(np.maximum(boxes_xyxy[:, 1] - y, y - boxes_xyxy[:, 3]), 0)
    return np.asarray(np.hypot(dx, dy))


def box_moved_inside(box_xyxy: Any, outer_xyxy: Any) -> tuple[float, float, float, float]:
    """The box moved as little as needed to lie inside another, or around it where it is the larger.

    Examples
    --------
    >>> box_moved_inside((8, 0, 12, 9), (0, 1, 10, 5))
    (6.0, 0.0, 10.0, 9.0)
    """
    x0, y0, x1, y1 = (float(value) for value in box_xyxy)
    left, top, right, bottom = (float(value) for value in outer_xyxy)
    dx = min(max(x0, min(left, right - x1 + x0)), max(left, right - x1 + x0)) - x0
    dy = min(max(y0, min(top, bottom - y1 + y0)), max(top, bottom - y1 + y0)) - y0
    return x0 + dx, y0 + dy, x1 + dx, y1 + dy


def box_area(boxes: Matrix) -> Matrix:
    """Area of boxes (..., 4), square pixels."""
    return np.asarray(np.maximum(boxes[..., 2] - boxes[..., 0], 0) * np.maximum(boxes[..., 3] - boxes[..., 1], 0))


def mask_iou(overlap_px: Any, area_a: Any, area_b: Any) -> Matrix:
    """Intersection over union of masks, from their shared pixels (n, m) and their areas (n,) and (m,)."""
    shared = np.asarray(overlap_px, np.float64)
    union = np.asarray(area_a, np.float64)[:, None] + np.asarray(area_b, np.float64)[None, :] - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


def nearness(predicted_xyxy: Any, boxes_xyxy: Any) -> Matrix:
    """exp(-d^2 / 2), d = distance of the centres in half sides of the predicted box; (n, m) in [0, 1]."""
    a = np.asarray(predicted_xyxy, np.float64).reshape(-1, 1, 4)
    b = np.asarray(boxes_xyxy, np.float64).reshape(1, -1, 4)
    half_w = np.maximum(a[..., 2] - a[..., 0], 1) / 2
    half_h = np.maximum(a[..., 3] - a[..., 1], 1) / 2
    dx = (a[..., 0] + a[..., 2] - b[..., 0] - b[..., 2]) / 2 / half_w
    dy = (a[..., 1] + a[..., 3] - b[..., 1] - b[..., 3]) / 2 / half_h
    return np.asarray(np.exp(-0.5 * (dx * dx + dy * dy)))


def similarity(mask_ious: Matrix, box_ious: Matrix, near: Matrix) -> Matrix:
    """Fit of tracks and components in [0, 1]: mostly shared pixels, then the predicted box, then the distance."""
    return 0.5 * mask_ious + 0.3 * box_ious + 0.2 * near


def best_pairs(fit: Matrix, least: float) -> list[tuple[int, int]]:
    """One-to-one pairs (row, column) with the greatest total fit; pairs below `least` are not made.

    Examples
    --------
    >>> best_pairs(np.array([[0.9, 0.8], [0.8, 0.1]]), 0.2)
    [(0, 1), (1, 0)]
    """
    if fit.size == 0 or not (fit >= least).any():
        return []
    from scipy.optimize import linear_sum_assignment

    # A forbidden pair costs as much as no pair, so it never pushes a good one aside.
    rows, columns = linear_sum_assignment(np.where(fit >= least, fit, 0.0), maximize=True)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if fit[r, c] >= least]


def histogram_similarity(a: Any, b: Any) -> Matrix:
    """Bhattacharyya coefficient of all pairs of histograms whose bins add up to 1; (n, m) in [0, 1]."""
    # Not a matrix product, which would spread over BLAS threads and might round by their number.
    return np.asarray(np.einsum("nk,mk->nm", np.sqrt(np.asarray(a, np.float64)), np.sqrt(np.asarray(b, np.float64))))
