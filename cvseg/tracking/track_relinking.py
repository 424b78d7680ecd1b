"""Whole tracks of boxes and what their objects look like: cut where two may have been confused, and joined anew.

A detector's boxes are linked by motion first. Where a box vanished or two met, the link is doubtful. There the tracks
are cut, and one assignment joins ends and beginnings by the same two costs as in the mask tracker: look and way.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.box_filters import boxes_of
from cvseg.tracking.box_tracker_options import OfflineOptions
from cvseg.tracking.identity import NEW, REACH, WORST_WAY, way_cost
from cvseg.tracking.look import Look, size_features, unlikeness
from cvseg.tracking.track_linking import Piece

Array = NDArray[np.float64]

COVERED = 0.15  # share of a box under another from which it shows more than its object
WHOLE = 0.8  # of its usual area from which a box shows the whole object
MET = 0.3  # share of the smaller box from which two met
NEAR = 0.3  # sides by which boxes are enlarged to find who was near when another came or went
GAP = 3  # frames between two boxes of a track from which it may be another's
LEAST = 6  # boxes that tell a look
KEPT = 2.0  # by which the choice of the tracker is preferred
NEVER = 1e6


def relink_pieces(
    pieces: list[Piece], offline: OfflineOptions, extent_xyxy: tuple[float, float, float, float] | None = None
) -> list[Piece]:
    """Cut tracks where they may have been confused, and join ends and beginnings by look and way, all at once.

    Parameters
    ----------
    pieces : with colours
    extent_xyxy : who ends or begins at its left or right border is not joined there across a gap
    """
    clear = clear_boxes(pieces)
    parts: list[Piece] = []
    seen: list[NDArray[np.bool_]] = []
    following: dict[int, int] = {}
    for piece, marks, cuts in zip(pieces, clear, doubtful_frames(pieces), strict=True):
        bounds = np.searchsorted(piece.frames, _apart(cuts, piece.frames[marks]))
        edges = [0, *sorted({int(b) for b in bounds} - {0, len(piece.frames)}), len(piece.frames)]
        for start, stop in pairwise(edges):
            if start:
                following[len(parts) - 1] = len(parts)
            parts.append(Piece(*(getattr(piece, name)[start:stop] for name in Piece.__dataclass_fields__)))
            seen.append(marks[start:stop])
    return _joined(parts, _best_links(parts, seen, following, offline, extent_xyxy))


def clear_boxes(pieces: list[Piece]) -> list[NDArray[np.bool_]]:
    """For each box whether it shows its object, all of it and nobody else."""
    frame = np.concatenate([piece.frames for piece in pieces])
    boxes = boxes_of(np.concatenate([piece.measured for piece in pieces]))
    covered = np.zeros(len(frame), bool)
    for own in np.split(np.argsort(frame, kind="stable"), np.flatnonzero(np.diff(np.sort(frame))) + 1):
        a, b = boxes[own, None], boxes[None, own]
        size = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
        shared = np.maximum(size, 0).prod(-1) / (a[..., 2:] - a[..., :2]).prod(-1)
        np.fill_diagonal(shared, 0)
        covered[own] = shared.max(1) > COVERED
    marks = []
    for piece, hidden in zip(
        pieces, np.split(covered, np.cumsum([len(piece.frames) for piece in pieces])[:-1]), strict=True
    ):
        log_area = piece.measured[:, 2:].sum(1)
        whole = np.ones(len(log_area), bool)
        for row, t in enumerate(piece.frames):
            near = log_area[np.abs(piece.frames - t) <= 20]
            whole[row] = log_area[row] > np.quantile(near, 0.7) + np.log(WHOLE)
        marks.append(whole & ~hidden)
    return marks


def doubtful_frames(pieces: list[Piece]) -> list[list[int]]:
    """For each piece the frames from which on it may be another's."""
    cuts: list[list[int]] = []
    for piece in pieces:
        after = np.flatnonzero(np.diff(piece.frames) >= GAP)
        cuts.append(piece.frames[after + 1].tolist())
    for a, one in enumerate(pieces):
        for b, other in enumerate(pieces):
            first, last = max(one.frames[0], other.frames[0]), min(one.frames[-1], other.frames[-1])
            if a < b and first <= last:
                for middle in _meetings(one, other, int(first), int(last)):
                    cuts[a].append(middle)
                    cuts[b].append(middle)
            if a == b:
                continue
            gone = np.flatnonzero(np.diff(other.frames) >= GAP)
            ends = [*other.frames[gone].tolist(), int(other.frames[-1])]
            starts = [int(other.frames[0]), *other.frames[gone + 1].tolist()]
            cuts[a] += [t + 1 for t in ends if _touch(one, other, t)]
            cuts[a] += [t for t in starts if _touch(one, other, t)]
    return cuts


def _box_at(piece: Piece, frames: NDArray[np.int64]) -> Array:
    rows = [np.interp(frames, piece.frames, piece.measured[:, d]) for d in range(4)]
    return boxes_of(np.stack(rows, axis=1))


def _meetings(one: Piece, other: Piece, first: int, last: int) -> list[int]:
    steps = np.arange(first, last + 1)
    a, b = _box_at(one, steps), _box_at(other, steps)
    size = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0).prod(1)
    least = np.minimum((a[:, 2:] - a[:, :2]).prod(1), (b[:, 2:] - b[:, :2]).prod(1))
    together = np.concatenate([[0], (size > MET * least).astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(together)).reshape(-1, 2)
    return [int(first + (start + stop) // 2) for start, stop in edges]


def _touch(one: Piece, other: Piece, frame: int) -> bool:
    if not one.frames[0] < frame < one.frames[-1]:
        return False
    at = np.array([frame])
    a, b = _box_at(one, at)[0], _box_at(other, at)[0]
    room = NEAR * np.maximum(a[2:] - a[:2], b[2:] - b[:2])
    return bool((np.minimum(a[2:], b[2:]) + room > np.maximum(a[:2], b[:2])).all())


def _apart(cuts: list[int], clear: NDArray[np.int64]) -> list[int]:
    """The cuts between which there is enough to tell a look by; of several close together the middle one."""
    groups: list[list[int]] = []
    for cut in sorted(set(cuts)):
        if groups and ((clear >= groups[-1][-1]) & (clear < cut)).sum() < LEAST:
            groups[-1].append(cut)
        else:
            groups.append([cut])
    return [group[len(group) // 2] for group in groups]


def _best_links(
    parts: list[Piece],
    clear: list[NDArray[np.bool_]],
    following: dict[int, int],
    offline: OfflineOptions,
    extent_xyxy: tuple[float, float, float, float] | None,
) -> dict[int, int]:
    from scipy.optimize import linear_sum_assignment

    count = len(parts)
    looks = [_look(part, marks) for part, marks in zip(parts, clear, strict=True)]
    ends = [_side(part, marks, offline.link_window, last=True) for part, marks in zip(parts, clear, strict=True)]
    starts = [_side(part, marks, offline.link_window, last=False) for part, marks in zip(parts, clear, strict=True)]
    cost = np.full((count, 2 * count), NEVER)
    cost[np.arange(count), count + np.arange(count)] = NEW
    for i in range(count):
        for j in range(count):
            gap = int(parts[j].frames[0] - parts[i].frames[-1])
            if not 1 <= gap <= offline.link_gap + 15:
                continue
            own = following.get(i) == j
            place, before, length = ends[i]
            there, now, other = starts[j]
            way = there - place
            length = max(length, other)
            speed = max(float(np.hypot(*before)), float(np.hypot(*now)))
            near = float(np.hypot(*way)) < (1.0 + min(0.1 * gap, 2.0)) * length + REACH * speed * gap + 2.0
            if not near and not own:
                continue
            if (
                not own
                and gap > GAP
                and extent_xyxy is not None
                and (
                    _at_border(parts[i], -1, extent_xyxy, offline.link_border)
                    or _at_border(parts[j], 0, extent_xyxy, offline.link_border)
                )
            ):
                continue
            first, second = looks[i], looks[j]
            known = min(first.sizes.n, second.sizes.n) > 0
            if not known and not own:
                continue
            look = unlikeness(first, second, partial=False) if known else NEW
            total = (way_cost(gap, length, before, way, now) if near else WORST_WAY) + look
            cost[i, j] = min(total, NEW) - KEPT if own else total
    rows, columns = linear_sum_assignment(cost)
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if j < count}


def _look(part: Piece, clear: NDArray[np.bool_]) -> Look:
    look = Look.unknown()
    for row in np.flatnonzero(clear):
        width, height = np.exp(part.measured[row, 2:])
        look.sizes.learn(size_features((0.0, 0.0, float(width), float(height)), float(width * height)))
        look.colors.learn(part.colors[row])
    return look


def _side(part: Piece, clear: NDArray[np.bool_], window: int, *, last: bool) -> tuple[Array, Array, float]:
    """Place at an end, velocity there as the whole boxes tell it, and length."""
    end = -1 if last else 0
    usable = np.flatnonzero(clear) if clear.sum() >= 2 else np.arange(len(part.frames))
    rows = usable[-window:] if last else usable[:window]
    steps, places = part.frames[rows].astype(np.float64), part.measured[rows, :2]
    away = steps - steps.mean()
    velocity = away @ (places - places.mean(0)) / ((away**2).sum() + 1.0)
    length = float(np.exp(part.measured[rows, 2:]).max(1).mean())
    return part.measured[end, :2], velocity, max(length, 1.0)


def _at_border(part: Piece, row: int, extent_xyxy: tuple[float, float, float, float], border: float) -> bool:
    x, width = part.measured[row, 0], float(np.exp(part.measured[row, 2]))
    room = (0.5 + border) * width
    return bool(x - room <= extent_xyxy[0] or x + room >= extent_xyxy[2])


def _joined(parts: list[Piece], following: dict[int, int]) -> list[Piece]:
    joined = []
    for head in sorted(set(range(len(parts))) - set(following.values())):
        chain = [head]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        rows = [parts[number] for number in chain]
        joined.append(
            Piece(*(np.concatenate([getattr(part, name) for part in rows]) for name in Piece.__dataclass_fields__))
        )
    return joined
