"""The scale of a graph-based segmentation that leaves as many regions as are wished."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

LARGEST_SCALE = 2.0**40
STEPS_PER_OCTAVE = 24  # scales that are tried: 3 % apart
FIRST_STEP = 48  # of the ladder: four times the scale at which pixels were merged
FIRST_SLOPE = 0.02  # by which power of e there are fewer regions a step later, before two steps are known
TOLERANCE = 0.015  # share by which the number may miss the wish


@dataclass(frozen=True)
class Merged:
    """(n,) int32, the first region of what each belongs to, and how many are left."""

    parent: Any
    count: int


class Graph(Protocol):
    """What `search_scale` looks at.

    Attributes
    ----------
    side_by_side : how many scales cost hardly more than one; results do not depend on it
    """

    side_by_side: int

    def merge_each(self, scales: Sequence[float], smallest: int) -> list[Merged]:
        """What is left at each scale, where regions below `smallest` pixels join a neighbour."""


def search_scale(graph: Graph, low: float, count: int, smallest: int) -> Merged:
    """Regions at the scale from `low` on that leaves about `count`; failing that, with a smaller `smallest`.

    Scales are those of a ladder, and numbers of regions fall about as a power of the scale. What is looked at does not
    depend on the device.
    """
    few = round(TOLERANCE * count)
    last = int(STEPS_PER_OCTAVE * math.log2(LARGEST_SCALE / low))
    tried: dict[int, Merged] = {}

    def merge(step: int) -> Merged:
        if step not in tried:
            width = graph.side_by_side
            steps = range(step // width * width, step // width * width + width)
            found = graph.merge_each([low * 2 ** (one / STEPS_PER_OCTAVE) for one in steps], smallest)
            tried.update(zip(steps, found, strict=True))
        return tried[step]

    looked_at: list[tuple[int, float]] = []  # steps, and by which power of e they leave too many
    below, above = -1, last + 1  # the last step known to leave too many, the first one known not to
    step, best = min(FIRST_STEP, last), None
    while above - below > 1:
        found = merge(step)
        if best is None or abs(found.count - count) < abs(best.count - count):
            best = found
        if abs(found.count - count) <= few:
            break
        looked_at.append((step, math.log(found.count / count)))
        below, above = (step, above) if found.count > count else (below, step)
        step = min(max(_next_step(looked_at, below, above), below + 1), above - 1)
    assert best is not None  # last is at least 0
    if below < 0 and abs(best.count - count) > few and best.count < count:
        return _search_smallest(graph, best, low, count, smallest)
    return best


def _next_step(looked_at: list[tuple[int, float]], below: int, above: int) -> int:
    """Where a line through the two steps last looked at crosses zero; halfway, where that is far from it."""
    step, excess = looked_at[-1]
    slope = FIRST_SLOPE
    if len(looked_at) > 1:
        before, other = looked_at[-2]
        slope = min(max((other - excess) / (step - before), FIRST_SLOPE / 4), 3 * FIRST_SLOPE)
    guess = round(step + excess / slope)
    if len(looked_at) > 4 and not below < guess < above:
        return (below + above) // 2
    return guess


def _search_smallest(graph: Graph, start: Merged, scale: float, count: int, high: int) -> Merged:
    """Regions with a smallest size below `high` that leaves about `count`."""
    low, best = 0, start
    while high - low > 1 and best.count != count:
        middle = (low + high) // 2
        found = graph.merge_each([scale], middle)[0]
        low, high = (middle, high) if found.count > count else (low, middle)
        best = min(best, found, key=lambda one: abs(one.count - count))
    return best
