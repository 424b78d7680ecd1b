"""How strong a detection is, from 0 to 1, whatever the scale of the detector's scores; doubles are weakened."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.box_costs import paired_iou, touching

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


def strength_range(scores: Vector, low_quantile: float, high_quantile: float) -> tuple[float, float]:
    """Scores of strength 0 and 1: two quantiles, and the lower at most half of the upper.

    Scores that hardly differ, as 0.8 and 0.9, are then all strong.

    Examples
    --------
    >>> strength_range(np.array([0.8, 0.9, 0.9]), 0.0, 1.0)
    (0.45, 0.9)
    """
    if not len(scores):
        return 0.0, 0.0
    low, high = (float(value) for value in np.quantile(scores, (low_quantile, high_quantile)))
    return min(low, high - 0.5 * abs(high)), high


class ScoreRange:
    """`strength_range` of a stream, over the newest `memory` scores."""

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
            self._range = strength_range(self._scores, *self._quantiles)
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
    order = np.argsort(-strength, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    own, other = touching(boxes_xyxy, boxes_xyxy)
    worse = rank[other] < rank[own]
    own, other = own[worse], other[worse]
    worst = np.zeros(len(strength))
    np.maximum.at(worst, own, paired_iou(boxes_xyxy[own], boxes_xyxy[other]))
    return np.asarray(strength * np.exp(-((worst / width) ** 2)))
