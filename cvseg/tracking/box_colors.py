"""Colours of boxes: a histogram from a grid of samples in each, and what tracks remember of theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.look import color_features

Array = NDArray[np.float64]

BINS = 4  # a channel, so 64 in all, times two halves: dark trousers and a light shirt are not a dark shirt
GRID_HW = (24, 12)
LENGTH = 2 * BINS**3
INNER = 0.75  # of the half sides: outside of this ellipse a box shows what is around its object
RATE = 0.1  # share of the newest histogram


def box_histograms(image: NDArray[np.uint8], boxes_xyxy: Array) -> Array:
    """Colours of the upper and the lower half of every box, weighed towards its middle.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB
    boxes_xyxy : (n, 4) pixels; what lies outside the picture takes its border

    Returns
    -------
    (n, 128) float64, each row adding up to 1
    """
    rows = GRID_HW[0]
    down, right = _grid()
    color = _samples(image, boxes_xyxy) * BINS // 256
    bins = (color[..., 0] * BINS + color[..., 1]) * BINS + color[..., 2]
    bins += np.where(np.arange(rows) < rows // 2, 0, BINS**3)[None, :, None]
    bins += (np.arange(len(boxes_xyxy)) * LENGTH)[:, None, None]
    weight = np.maximum(1 - (2 * down - 1)[:, None] ** 2 * 0.5 - (2 * right - 1)[None, :] ** 2, 0)
    counts = np.bincount(
        bins.ravel(), np.broadcast_to(weight, bins.shape).ravel(), minlength=len(boxes_xyxy) * LENGTH
    ).reshape(-1, LENGTH)
    return np.asarray(counts / counts.sum(1, keepdims=True))


def box_color_features(image: NDArray[np.uint8], boxes_xyxy: Array) -> Array:
    """(n, 12) as `look.color_features`, of the ellipse inside of every box.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB
    boxes_xyxy : (n, 4) pixels; what lies outside the picture takes its border
    """
    down, right = _grid()
    inside = np.hypot(2 * down[:, None] - 1, 2 * right[None, :] - 1) < INNER
    colors = _samples(image, boxes_xyxy)
    # Thirds of what is inside, from above.
    third = np.minimum(((down - 0.5 * (1 - INNER)) / INNER * 3).astype(np.int64).clip(0), 2)
    sums = np.zeros((len(boxes_xyxy), 3, 7))
    for part in range(3):
        own = colors[:, inside & (third == part)[:, None]]
        sums[:, part, 0] = own.shape[1]
        sums[:, part, 1:4], sums[:, part, 4:7] = own.sum(1), (own * own).sum(1)
    return color_features(sums)


def _grid() -> tuple[Array, Array]:
    rows, columns = GRID_HW
    return (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns


def _samples(image: NDArray[np.uint8], boxes_xyxy: Array) -> NDArray[np.int64]:
    """(n, rows, columns, 3) colours on the grid of every box."""
    down, right = _grid()
    y = boxes_xyxy[:, 1, None] + (boxes_xyxy[:, 3] - boxes_xyxy[:, 1])[:, None] * down
    x = boxes_xyxy[:, 0, None] + (boxes_xyxy[:, 2] - boxes_xyxy[:, 0])[:, None] * right
    y = np.clip(y, 0, image.shape[0] - 1).astype(np.int64)
    x = np.clip(x, 0, image.shape[1] - 1).astype(np.int64)
    return np.asarray(image[y[:, :, None], x[:, None, :]].astype(np.int64))


class ColorMemory:
    """One histogram a track; a row of zeros where none has been seen."""

    def __init__(self) -> None:
        self._rows = np.zeros((0, LENGTH))

    def append(self, count: int, histograms: Array | None) -> None:
        self._rows = np.concatenate([self._rows, np.zeros((count, LENGTH)) if histograms is None else histograms])

    def keep(self, rows: NDArray[Any]) -> None:
        self._rows = self._rows[rows]

    def learn(self, rows: NDArray[np.int64], histograms: Array) -> None:
        known = self._rows[rows].any(1)
        rate = np.where(known, RATE, 1.0)[:, None]
        self._rows[rows] = (1 - rate) * self._rows[rows] + rate * histograms

    def likeness(self, rows: NDArray[np.int64], histograms: Array) -> Array:
        """Bhattacharyya coefficient pair by pair; 1 where a track has no colours."""
        own = self._rows[rows]
        return np.where(own.any(1), np.sqrt(own * histograms).sum(1), 1.0)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self._rows.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._rows = np.array(state["rows"])
