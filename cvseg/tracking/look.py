"""`Look`: what is known of the appearance of one object, and how unlike two sights of objects are.

Every feature has a mean and a variance of its own, learned from the frames in which the object was seen alone: what
flickers on this object says little, what never changes says much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.kalman_filter import Box

Array = NDArray[np.float64]

SIZES, COLORS = 3, 12  # log w, log h, log fill; mean RGB of three thirds from above, spread of RGB
LONGEST = 40  # frames that weigh: older ones fade
PRIOR_FRAMES = 5.0  # frames that the prior weighs
# Standard deviations to be expected of an object of which nothing is known, and what is always left between two sights.
SIZE_PRIOR, SIZE_FLOOR = np.array([0.07, 0.07, 0.06]), np.array([0.03, 0.03, 0.02])
COLOR_PRIOR = np.array([4.0] * 9 + [2.5] * 3)
COLOR_FLOOR = np.array([1.5] * 9 + [1.0] * 3)  # of 255
COLOR_WEIGHT = np.array([1 / 3] * 9 + [0.5] * 3)  # the thirds mostly say the same
PARTIAL_COLOR = 6.0  # further deviation where only a part is seen
TAIL = 4.0  # degrees of freedom of Student's distribution: a single odd feature does not decide


@dataclass
class Running:
    """Mean and variance of some features over frames.

    Attributes
    ----------
    n : frames that they are worth, at most `LONGEST`
    mean, variance : (d,)
    """

    n: float
    mean: Array
    variance: Array

    @classmethod
    def empty(cls, size: int) -> Running:
        return cls(0.0, np.zeros(size), np.zeros(size))

    def learn(self, values: Array) -> None:
        """Take in one frame."""
        self.n = min(self.n + 1.0, LONGEST)
        step = values - self.mean
        self.mean = self.mean + step / self.n
        self.variance = (1 - 1 / self.n) * (self.variance + step * step / self.n)

    def merged(self, newer: Running) -> Running:
        """Both together; the newer one whole."""
        if newer.n == 0 or self.n == 0:
            return self if newer.n == 0 else newer
        older = min(self.n, max(LONGEST - newer.n, 1.0))
        n = older + newer.n
        a, b = older / n, newer.n / n
        step = newer.mean - self.mean
        variance = a * self.variance + b * newer.variance + a * b * step * step
        return Running(n, a * self.mean + b * newer.mean, variance)

    def expected(self, prior: Array) -> Array:
        """Variance, with a prior of what objects do."""
        return np.asarray((self.n * self.variance + PRIOR_FRAMES * prior**2) / (self.n + PRIOR_FRAMES))


@dataclass
class Look:
    """Sizes, from frames in which the object was whole, and colours; without images no colours are ever learned."""

    sizes: Running
    colors: Running

    @classmethod
    def unknown(cls) -> Look:
        return cls(Running.empty(SIZES), Running.empty(COLORS))

    def merged(self, newer: Look) -> Look:
        return Look(self.sizes.merged(newer.sizes), self.colors.merged(newer.colors))

    def state_dict(self) -> dict[str, Any]:
        return {name: [part.n, part.mean.copy(), part.variance.copy()] for name, part in vars(self).items()}

    @classmethod
    def from_state_dict(cls, state: dict[str, Any]) -> Look:
        return cls(*(Running(float(n), np.array(m), np.array(v)) for n, m, v in (state["sizes"], state["colors"])))


def size_features(box_xyxy: Box, area_px: float) -> Array:
    """(3,) log width, log height, log of the share of the box that is filled.

    >>> size_features((2, 2, 6, 12), 20).round(2).tolist()
    [1.39, 2.3, -0.69]
    """
    width, height = max(box_xyxy[2] - box_xyxy[0], 1.0), max(box_xyxy[3] - box_xyxy[1], 1.0)
    return np.array([math.log(width), math.log(height), math.log(max(area_px, 1.0) / (width * height))])


def color_features(sums: Any) -> Array:
    """(n, 12) mean RGB of the thirds and spread of RGB, from the sums (n, 3, 7) of `band_colors`.

    A third without pixels takes the mean of the whole.

    >>> sums = np.zeros((1, 3, 7), np.int64)
    >>> sums[0, :, 0], sums[0, :, 1], sums[0, :, 4] = 2, (20, 40, 60), (200, 800, 1800)
    >>> color_features(sums)[0, [0, 3, 6, 9]].round(2).tolist()
    [10.0, 20.0, 30.0, 8.16]
    """
    values = np.asarray(sums, np.float64)
    whole = values.sum(1)
    n = np.maximum(whole[:, :1], 1.0)
    mean = whole[:, 1:4] / n
    spread = np.sqrt(np.maximum(whole[:, 4:7] / n - mean * mean, 0.0))
    counts = values[:, :, :1]
    thirds = np.where(counts > 0, values[:, :, 1:4] / np.maximum(counts, 1.0), mean[:, None])
    return np.concatenate([thirds.reshape(len(values), 9), spread], axis=1)


def unlikeness(before: Look, now: Look, *, partial: bool) -> float:
    """- log likelihood that two sights are of one object, up to a constant; 0 is a perfect fit.

    Parameters
    ----------
    partial : what is seen now may be a part: it can be smaller, but not larger
    """
    result = 0.0
    if before.sizes.n and now.sizes.n:
        step = now.sizes.mean - before.sizes.mean
        if partial:
            step = np.array([max(step[0], 0.0), max(step[1], 0.0), 0.0])
        variance = before.sizes.expected(SIZE_PRIOR) + now.sizes.expected(SIZE_PRIOR) + SIZE_FLOOR**2
        result += float(_cost(step, variance).sum())
    if before.colors.n and now.colors.n:
        step = now.colors.mean - before.colors.mean
        variance = before.colors.expected(COLOR_PRIOR) + now.colors.expected(COLOR_PRIOR) + COLOR_FLOOR**2
        if partial:
            variance = variance + PARTIAL_COLOR**2
        result += float((COLOR_WEIGHT * _cost(step, variance)).sum())
    return result


def color_unlikeness(before: Running, features: Array) -> float:
    """As `unlikeness`, of the colours of one frame (12,)."""
    if not before.n:
        return 0.0
    variance = 2 * before.expected(COLOR_PRIOR) + COLOR_FLOOR**2
    return float((COLOR_WEIGHT * _cost(features - before.mean, variance)).sum())


def _cost(step: Array, variance: Array) -> Array:
    return np.asarray(0.5 * (TAIL + 1) * np.log1p(step * step / (TAIL * variance)))
