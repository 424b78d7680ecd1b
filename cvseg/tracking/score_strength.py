"""How strong a detection is, from 0 to 1, whatever the scale of the detector's scores; doubles are weakened."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.association import box_iou

Vector = NDArray[np.float64]


def score_strength(scores: Any, low: float, high: float) -> Vector:
    """Straight line from 0 at the score `low` to 1 at `high`.

    Where margins of a classifier spread over a wide range, much lies in the lower half; where probabilities crowd
    below 1, hardly anything does. So one threshold on the strength serves both, which a quantile does not.

    Examples
    --------
    >>> score_strength([-0.5, 0.5, 3.0], -0.5, 1.5).tolist()
    [0.0, 0.5, 1.0]
    >>> score_strength([1.0, 1.0], 1.0, 1.0).tolist()
    [1.0, 1.0]
    """
    values = np.asarray(scores, np.float64)
    if not high > low:
        return np.where(values >= high, 1.0, 0.0)
    return np.asarray(np.clip((values - low) / (high - low), 0.0, 1.0))


class ScoreRange:
    """Running quantiles of the scores of a stream: exact over the newest `memory` scores."""

    def __init__(self, low_quantile: float, high_quantile: float, memory: int = 4096) -> None:
        self._quantiles = low_quantile, high_quantile
        self._scores = np.zeros(0)
        self._memory = memory
        self._known_at = -1
        self._seen = 0
        self._range = (0.0, 0.0)

    def add(self, scores: Vector) -> None:
        self._scores = np.concatenate([self._scores, scores])[-self._memory :]
        self._seen += len(scores)

    @property
    def range(self) -> tuple[float, float]:
        """Scores of strength 0 and 1. Looked up again when the number of scores has grown by a fiftieth."""
        if self._known_at < 0 or self._seen > 1.02 * self._known_at:
            if len(self._scores):
                low, high = np.quantile(self._scores, self._quantiles)
                self._range = float(low), float(high)
            self._known_at = self._seen
        return self._range

    def state_dict(self) -> dict[str, Any]:
        return {
            "scores": self._scores.copy(),
            "known_at": self._known_at,
            "seen": self._seen,
            "range": tuple(self._range),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._scores = np.array(state["scores"])
        self._known_at, self._seen = int(state["known_at"]), int(state["seen"])
        self._range = (float(state["range"][0]), float(state["range"][1]))


def weakened_doubles(boxes_xyxy: NDArray[np.float64], strength: Vector, width: float) -> Vector:
    """Strength times exp(-(o / width)^2), o = largest overlap with a stronger box of the same frame.

    Parameters
    ----------
    boxes_xyxy : (n, 4) of one frame, pixels
    strength : (n,) in [0, 1]; of two equal ones the first is the better
    width : overlap at which 1 / e is left

    References
    ----------
    [Bodla2017]_ eq. 3. Departure: one pass, the overlap counts and not the order of removal.
    """
    if len(strength) < 2:
        return strength
    overlap = box_iou(boxes_xyxy, boxes_xyxy)
    order = np.argsort(-strength, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    worst = np.where(rank[None, :] < rank[:, None], overlap, 0.0).max(1)
    return np.asarray(strength * np.exp(-((worst / width) ** 2)))
