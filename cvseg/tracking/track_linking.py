"""Pieces of one object's path become one track: ends are linked to beginnings where motion and size agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.box_costs import Pairs, cheapest_pairs
from cvseg.tracking.box_tracker_options import OfflineOptions

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Piece:
    """Boxes of one object.

    Attributes
    ----------
    frames : (k,) int64, rising
    measured : (k, 4) cx, cy, log w, log h
    scores, strength : (k,) as given, and in [0, 1]
    colors : (k, 12) `box_color_features`, or (k, 0) without pictures
    """

    frames: NDArray[np.int64]
    measured: Array
    scores: Array
    strength: Array
    colors: Array


def link_pieces(
    pieces: list[Piece], offline: OfflineOptions, extent_xyxy: tuple[float, float, float, float] | None = None
) -> list[Piece]:
    """Join ends and beginnings, one to one, so that the sum of what is saved by each link is greatest.

    Both sides are carried to the middle of the gap with their own velocities. The cost is the distance of the two
    places, in sizes of the object and in what may be expected after such a gap, plus the difference of the log sides.
    Where `extent_xyxy` is given, pieces that end or begin at its left or right border are not linked there: one leaves,
    another comes.

    References
    ----------
    [Zhang2008]_ section 3. Departure: every piece has at most one link on each side, so that the network flow is an
    assignment; pieces, not boxes, are linked.
    """
    if len(pieces) < 2 or offline.link_gap < 1:
        return pieces
    ends = np.array([side_of(piece, offline.link_window, last=True) for piece in pieces])
    starts = np.array([side_of(piece, offline.link_window, last=False) for piece in pieces])
    first = np.array([int(piece.frames[0]) for piece in pieces])
    last = np.array([int(piece.frames[-1]) for piece in pieces])
    lengths = np.array([len(piece.frames) for piece in pieces])
    gap = first[None, :] - last[:, None]
    long = lengths >= offline.link_length
    ends_inside, starts_inside = (_inside(sides, extent_xyxy, offline.link_border) for sides in (ends, starts))
    usable = (long & ends_inside)[:, None] & (long & starts_inside)[None, :]
    i, j = np.nonzero((gap >= 1) & (gap <= offline.link_gap) & usable)
    if not len(i):
        return pieces
    gap_of = gap[i, j].astype(np.float64)
    half = 0.5 * gap_of[:, None]
    away = (starts[j, :2] - half * starts[j, 4:]) - (ends[i, :2] + half * ends[i, 4:])
    size = np.exp(0.25 * (ends[i, 2:4] + starts[j, 2:4]).sum(1))
    distance = np.hypot(away[:, 0], away[:, 1]) / size / (offline.link_distance * (1 + gap_of / offline.link_unrest))
    change = np.abs(starts[j, 2:4] - ends[i, 2:4]).sum(1)
    cost = distance + change
    kept = cost < offline.link_cost
    rows, columns = cheapest_pairs(Pairs(i[kept], j[kept], cost[kept]), offline.link_cost)
    following = dict(zip(rows.tolist(), columns.tolist(), strict=True))
    heads = sorted(set(range(len(pieces))) - set(following.values()))
    return [_joined(pieces, following, head) for head in heads]


def side_of(piece: Piece, window: int, *, last: bool) -> Array:
    """(cx, cy, log w, log h, vx, vy) at the last or the first box, from a straight line through the nearest boxes."""
    end = int(piece.frames[-1 if last else 0])
    near = np.abs(piece.frames - end) < window
    steps, rows = (piece.frames[near] - end).astype(np.float64), piece.measured[near]
    middle, mean = steps.mean(), rows[:, :2].mean(0)
    spread = ((steps - middle) ** 2).sum()
    # Few boxes tell little about the velocity: it shrinks towards 0.
    velocity = ((steps - middle)[:, None] * (rows[:, :2] - mean)).sum(0) / (spread + window)
    return np.concatenate([mean - velocity * middle, np.median(rows[:, 2:], axis=0), velocity])


def _inside(sides: Array, extent_xyxy: tuple[float, float, float, float] | None, border: float) -> NDArray[np.bool_]:
    if extent_xyxy is None:
        return np.ones(len(sides), bool)
    width = np.exp(sides[:, 2])
    left, right = sides[:, 0] - 0.5 * width, sides[:, 0] + 0.5 * width
    return np.asarray((left > extent_xyxy[0] + border * width) & (right < extent_xyxy[2] - border * width), bool)


def _joined(pieces: list[Piece], following: dict[int, int], head: int) -> Piece:
    chain = [head]
    while chain[-1] in following:
        chain.append(following[chain[-1]])
    if len(chain) == 1:
        return pieces[head]
    parts = [pieces[number] for number in chain]
    return Piece(*(np.concatenate([getattr(part, name) for part in parts]) for name in Piece.__dataclass_fields__))
