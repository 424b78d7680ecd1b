"""Zones and lines in the picture: who enters, leaves and crosses them, decided exactly, also between two frames.

Points are floating-point numbers, and those are exact fractions: where a rounded sign might be wrong, fractions decide.
So a path that only touches is never counted, and one that goes exactly through a corner is counted once.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import RangeError

Array = NDArray[np.float64]
Point = tuple[float, float]
Exact = tuple[Fraction, Fraction]

ENTER, LEAVE, CROSS, APPEAR, VANISH = "enter", "leave", "cross", "appear", "vanish"
ROUNDING = 1e-12  # share of the squared size of the coordinates below which the sign of a product may be wrong


@dataclass(frozen=True)
class Zone:
    """A polygon.

    Attributes
    ----------
    name : in the events
    corners_xy : in order, either way round; the last one is joined to the first; edges may not cross

    Raises
    ------
    RangeError
    """

    name: str
    corners_xy: tuple[Point, ...]

    def __post_init__(self) -> None:
        corners = [_exact(point) for point in _finite(self.name, self.corners_xy)]
        count = len(corners)
        if count < 3 or len(set(corners)) < count:
            raise RangeError(f"Zone {self.name!r} has {count} corners; expected 3 or more, each another point.")
        if not sum(_cross(corners[i - 1], corners[i]) for i in range(count)):
            raise RangeError(f"Zone {self.name!r} has no area: its corners lie on one line. Move one of them.")
        for i in range(count):
            for j in range(i + 1, count):
                near = j - i in (1, count - 1)
                a, b, c, d = corners[i], corners[(i + 1) % count], corners[j], corners[(j + 1) % count]
                if _folded(a, b, c, d) if near else _meet(a, b, c, d):
                    raise RangeError(
                        f"Zone {self.name!r}: the edges after corners {i + 1} and {j + 1} meet; expected edges that "
                        "only share corners. Give the corners in the order around the zone."
                    )


@dataclass(frozen=True)
class Line:
    """A straight line between two points, its ends included.

    Attributes
    ----------
    name : in the events
    start_xy, end_xy : who looks from the start to the end, on the screen, has left and right as the events say

    Raises
    ------
    RangeError
    """

    name: str
    start_xy: Point
    end_xy: Point

    def __post_init__(self) -> None:
        start, end = _finite(self.name, (self.start_xy, self.end_xy))
        if start == end:
            raise RangeError(f"Line {self.name!r} begins and ends at {start}; expected two different points.")


@dataclass(frozen=True)
class Passage:
    """Something that one path does at one place.

    Attributes
    ----------
    kind : enter, leave (a zone); cross (a line); appear, vanish: the path begins or ends inside a zone
    row : of the path, the first at which it is so
    share : of the way from the row before to `row`, in (0, 1] or 0 at the first row
    direction : left or right, of a line: the side on which the path goes on; else empty
    """

    kind: str
    row: int
    share: float
    direction: str = ""


def zone_passages(zone: Zone, points_xy: Any) -> list[Passage]:
    """When a path enters and leaves a zone.

    Only the inside counts: a path that touches the border or runs along it from outside has not entered, one that does
    so from inside has not left. Between two points it goes straight, so that it can enter and leave in one step.

    Parameters
    ----------
    zone : of the same coordinates
    points_xy : (n, 2) finite numbers

    Examples
    --------
    >>> square = Zone("yard", ((0, 0), (4, 0), (4, 4), (0, 4)))
    >>> [(p.kind, p.row, p.share) for p in zone_passages(square, [[-1, 2], [1, 2], [4, 2], [9, 2]])]
    [('enter', 1, 0.5), ('leave', 3, 0.0)]
    """
    points = np.asarray(points_xy, np.float64).reshape(-1, 2)
    if not len(points):
        return []
    corners = [_exact(point) for point in zone.corners_xy]
    inside = _place(_exact(points[0]), corners) > 0
    found = [Passage(APPEAR, 0, 0.0)] if inside else []
    for row in np.flatnonzero(_may_meet(points, np.asarray(zone.corners_xy, np.float64))) + 1:
        a, b = _exact(points[row - 1]), _exact(points[row])
        stops = _stops(a, b, corners)
        for t0, t1 in itertools.pairwise(stops):
            middle = (t0 + t1) / 2
            place = _place((a[0] + (b[0] - a[0]) * middle, a[1] + (b[1] - a[1]) * middle), corners)
            if place and (place > 0) != inside:
                inside = place > 0
                found.append(Passage(ENTER if inside else LEAVE, int(row), float(t0)))
    if inside:
        found.append(Passage(VANISH, len(points) - 1, 1.0 if len(points) > 1 else 0.0))
    return found


def line_passages(line: Line, points_xy: Any) -> list[Passage]:
    """When a path crosses a line, and to which side.

    A path has crossed when it was on one side and is on the other, and left the line between its ends or at one of
    them. One that touches the line and turns back has not.

    Parameters
    ----------
    line : of the same coordinates
    points_xy : (n, 2) finite numbers

    Examples
    --------
    >>> gate = Line("gate", (0, 10), (0, 0))  # seen upwards: left is left
    >>> [(p.direction, p.row) for p in line_passages(gate, [[5, 5], [0, 5], [3, 5], [-3, 5], [-3, 50], [9, 50]])]
    [('left', 3)]
    """
    points = np.asarray(points_xy, np.float64).reshape(-1, 2)
    start, end = _exact(line.start_xy), _exact(line.end_xy)
    sides = _sides(points, line.start_xy, line.end_xy)
    found: list[Passage] = []
    last = 0  # side before
    for row in range(len(points)):
        side = int(sides[row])
        if not side:
            continue
        if last and side != last:
            a, b = _exact(points[row - 1]), _exact(points[row])
            away = _turn(start, end, a), _turn(start, end, b)
            share = away[0] / (away[0] - away[1])
            at = (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)
            if all(min(p, q) <= v <= max(p, q) for p, q, v in zip(start, end, at, strict=True)):
                # y points down: a positive turn is to the right hand.
                found.append(Passage(CROSS, row, float(share), "right" if side > 0 else "left"))
        last = side
    return found


def _finite(name: str, points: Any) -> list[Point]:
    plain = [(float(x), float(y)) for x, y in points]
    if not all(math.isfinite(value) for point in plain for value in point):
        raise RangeError(f"{name!r} has the points {plain}; expected finite numbers.")
    return plain


def _exact(point: Any) -> Exact:
    return Fraction(float(point[0])), Fraction(float(point[1]))


def _cross(a: Exact, b: Exact) -> Fraction:
    return a[0] * b[1] - a[1] * b[0]


def _turn(a: Exact, b: Exact, c: Exact) -> Fraction:
    """Positive where c lies to the right of a to b on the screen, 0 on their line."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _between(a: Exact, b: Exact, c: Exact) -> bool:
    """Whether c, on the line through a and b, lies between them or is one of them."""
    return all(min(p, q) <= v <= max(p, q) for p, q, v in zip(a, b, c, strict=True))


def _meet(a: Exact, b: Exact, c: Exact, d: Exact) -> bool:
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(not turn and _between(*end) for turn, end in zip(turns, ends, strict=True))


def _folded(a: Exact, b: Exact, c: Exact, d: Exact) -> bool:
    """Whether two edges that share a corner lie on each other."""
    corner, one, other = (b, a, d) if b == c else (a, b, c)
    ahead = (one[0] - corner[0]) * (other[0] - corner[0]) + (one[1] - corner[1]) * (other[1] - corner[1])
    return not _turn(corner, one, other) and ahead > 0


def _place(point: Exact, corners: list[Exact]) -> int:
    """1 inside, -1 outside, 0 on the border."""
    y = point[1]
    inside = False
    for i in range(len(corners)):
        a, b = corners[i - 1], corners[i]
        turn = _turn(a, b, point)
        if not turn and _between(a, b, point):
            return 0
        # Half-open in y: a corner at the point's height belongs to one of its two edges.
        if (a[1] > y) != (b[1] > y) and (turn > 0) == (b[1] < a[1]):
            inside = not inside
    return 1 if inside else -1


def _stops(a: Exact, b: Exact, corners: list[Exact]) -> list[Fraction]:
    """Shares of the way from a to b at which it meets edges, with 0 and 1, rising."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    stops = {Fraction(0), Fraction(1)}
    if not length:
        return sorted(stops)
    off = [_turn(a, b, corner) for corner in corners]
    for i in range(len(corners)):
        p, q = corners[i - 1], corners[i]
        if not off[i]:
            stops.add(((q[0] - a[0]) * dx + (q[1] - a[1]) * dy) / length)
        if off[i - 1] * off[i] < 0:
            before, after = _turn(p, q, a), _turn(p, q, b)
            if before != after:
                stops.add(before / (before - after))
    return sorted(t for t in stops if 0 <= t <= 1)


def _may_meet(points: Array, corners: Array) -> NDArray[np.bool_]:
    """(n - 1,) whether a step may meet an edge; False only where that is certain in spite of rounding."""
    a, b = points[:-1, None], points[1:, None]
    p, q = corners[None], np.roll(corners, -1, axis=0)[None]
    slack = ROUNDING * max(float(np.abs(points).max()), float(np.abs(corners).max()), 1.0) ** 2
    start, end = _turns(p, q, a), _turns(p, q, b)
    one, other = _turns(a, b, p), _turns(a, b, q)
    apart = (np.minimum(start, end) > slack) | (np.maximum(start, end) < -slack)
    apart |= (np.minimum(one, other) > slack) | (np.maximum(one, other) < -slack)
    return np.asarray(~apart.all(1))


def _sides(points: Array, start_xy: Point, end_xy: Point) -> NDArray[np.int64]:
    """(n,) 1 right of the line, -1 left of it, 0 on it."""
    start, end = np.asarray(start_xy, np.float64), np.asarray(end_xy, np.float64)
    turns = _turns(start, end, points)
    sides = np.sign(turns).astype(np.int64)
    size = max(float(np.abs(points).max(initial=0)), float(np.abs([start, end]).max()), 1.0)
    for row in np.flatnonzero(np.abs(turns) <= ROUNDING * size**2):
        turn = _turn(_exact(start_xy), _exact(end_xy), _exact(points[row]))
        sides[row] = (turn > 0) - (turn < 0)
    return sides


def _turns(a: Array, b: Array, c: Array) -> Array:
    return np.asarray(
        (b[..., 0] - a[..., 0]) * (c[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (c[..., 0] - a[..., 0])
    )
