"""Methods that are given a scale, not a number of regions: the scale is searched for the wished number."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SEARCHES = 8
NEAR = 0.02  # share by which the number may miss the wish


@dataclass(frozen=True)
class SearchedScale:
    """A method of the form ``method(image, count)``.

    Attributes
    ----------
    divide : ``divide(image, count, scale)`` gives (H, W) int32 labels from 0; a larger scale gives fewer
    low, high : between which the scale is searched
    """

    divide: Callable[[Any, int, float], Any]
    low: float
    high: float

    def __call__(self, image: Any, count: int) -> Any:
        """(H, W, 3) uint8 RGB in, (H, W) int32 labels out; takes as long as the whole search."""
        return self.divide(image, count, self.scale(image, count))

    def ready(self, image: Any, count: int) -> Callable[[Any, int], Any]:
        """The method with the scale of this image: what it takes without the search."""
        scale = self.scale(image, count)
        return lambda image, count: self.divide(image, count, scale)

    def scale(self, image: Any, count: int) -> float:
        """That of those tried that comes nearest to `count`."""
        low, high = self.low, self.high
        best, fault = low, math.inf
        for _ in range(SEARCHES):
            scale = math.sqrt(low * high)
            found = int(self.divide(image, count, scale).max()) + 1
            if abs(math.log(found / count)) < fault:
                best, fault = scale, abs(math.log(found / count))
            if fault < NEAR:
                break
            low, high = (scale, high) if found > count else (low, scale)
        return best
