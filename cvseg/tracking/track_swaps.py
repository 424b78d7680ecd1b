"""Two tracks that met may have changed places: seen from both sides, the better way to go on is taken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.box_costs import paired_iou
from cvseg.tracking.box_filters import boxes_of
from cvseg.tracking.box_tracker_options import OfflineOptions
from cvseg.tracking.track_linking import Piece, side_of

Array = NDArray[np.float64]


def undo_swaps(pieces: list[Piece], offline: OfflineOptions) -> list[Piece]:
    """Exchange what follows a meeting of two tracks where that makes both paths straighter.

    A meeting is a time in which the boxes of two tracks overlap. Before and after it both have a place, a velocity
    and a size. Going on straight and going on exchanged are compared by the distance in the middle of the meeting and
    by the change of velocity and size; exchanged must be better by `swap_margin`.
    """
    pieces = list(pieces)
    done: set[tuple[int, int, int]] = set()
    # In the order of time, because an exchange changes what follows.
    for _ in range(4 * len(pieces) + 20):
        meeting = _next_swap(pieces, offline, done)
        if meeting is None:
            break
        a, b, start, stop = meeting
        pieces[a], pieces[b] = exchanged(pieces[a], pieces[b], start, stop)
    return [piece for piece in pieces if len(piece.frames)]


def _next_swap(
    pieces: list[Piece], offline: OfflineOptions, done: set[tuple[int, int, int]]
) -> tuple[int, int, int, int] | None:
    found = []
    for a in range(len(pieces)):
        for b in range(a + 1, len(pieces)):
            for start, stop in meetings(pieces[a], pieces[b], offline.swap_overlap):
                if (a, b, start) in done:
                    continue
                found.append((start, stop, a, b))
    for start, stop, a, b in sorted(found):
        done.add((a, b, start))
        gain = swap_gain(pieces[a], pieces[b], start, stop, offline)
        if gain is not None and gain > offline.swap_margin:
            return a, b, start, stop
    return None


def meetings(a: Piece, b: Piece, least_overlap: float) -> list[tuple[int, int]]:
    """First and last frame of each time in which both tracks, gaps filled, overlap."""
    first, last = max(a.frames[0], b.frames[0]), min(a.frames[-1], b.frames[-1])
    if first >= last:
        return []
    steps = np.arange(first, last + 1)
    box_a, box_b = (
        boxes_of(np.stack([np.interp(steps, p.frames, p.measured[:, d]) for d in range(4)], axis=1)) for p in (a, b)
    )
    near = paired_iou(box_a, box_b) > least_overlap
    if not near.any():
        return []
    edges = np.diff(np.concatenate([[0], near.astype(np.int8), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    merged: list[tuple[int, int]] = []
    for start, stop in zip(steps[starts].tolist(), steps[stops].tolist(), strict=True):
        if merged and start - merged[-1][1] <= 5:
            merged[-1] = (merged[-1][0], stop)
        else:
            merged.append((start, stop))
    return merged


def swap_gain(a: Piece, b: Piece, start: int, stop: int, offline: OfflineOptions) -> float | None:
    """Cost of going on straight minus cost of going on exchanged; None where a side is too short to tell."""
    sides = []
    for piece in (a, b):
        before, after = piece.frames < start, piece.frames > stop
        if before.sum() < 4 or after.sum() < 4:
            return None
        early, late = _cut(piece, before), _cut(piece, after)
        sides.append(
            (
                side_of(early, offline.link_window, last=True),
                int(early.frames[-1]),
                side_of(late, offline.link_window, last=False),
                int(late.frames[0]),
            )
        )
    (a0, ta0, a1, ta1), (b0, tb0, b1, tb1) = sides
    return float(
        _cost(a0, ta0, a1, ta1, offline)
        + _cost(b0, tb0, b1, tb1, offline)
        - _cost(a0, ta0, b1, tb1, offline)
        - _cost(b0, tb0, a1, ta1, offline)
    )


def _cost(before: Array, t0: int, after: Array, t1: int, offline: OfflineOptions) -> float:
    gap = max(t1 - t0, 1)
    size = np.exp(0.25 * (before[2:4] + after[2:4]).sum())
    away = (after[:2] - 0.5 * gap * after[4:]) - (before[:2] + 0.5 * gap * before[4:])
    bend = np.hypot(*(after[4:] - before[4:])) / size
    unrest = offline.link_distance * (1 + gap / offline.link_unrest)
    return float(np.hypot(*away) / size / unrest + offline.swap_bend * bend + np.abs(after[2:4] - before[2:4]).sum())


def exchanged(a: Piece, b: Piece, start: int, stop: int) -> tuple[Piece, Piece]:
    """Both tracks, with what follows the middle of the meeting exchanged."""
    middle = 0.5 * (start + stop)
    return _spliced(a, b, middle), _spliced(b, a, middle)


def _spliced(a: Piece, b: Piece, middle: float) -> Piece:
    early, late = a.frames <= middle, b.frames > middle
    return Piece(
        *(np.concatenate([getattr(a, name)[early], getattr(b, name)[late]]) for name in Piece.__dataclass_fields__)
    )


def _cut(piece: Piece, kept: NDArray[np.bool_]) -> Piece:
    return Piece(*(getattr(piece, name)[kept] for name in Piece.__dataclass_fields__))
