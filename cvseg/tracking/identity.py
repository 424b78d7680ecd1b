"""Who is who: all that are seen again are given the pasts of all that were hidden, in the likeliest way together.

What comes out from behind something is small at first, and several may be hidden together. Where each one was expected
gives a first guess. From then on, for as long as it is seen, every track that was hidden or is new is compared with
everybody who was hidden meanwhile: one cost, - log likelihood of appearance and way, and one assignment.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.look import Look, Running, size_features, unlikeness
from cvseg.tracking.track_lifecycle import CONFIRMED, ENDED, LOST, TENTATIVE, Past, TrackState

SETTLED_AFTER = 3  # frames seen alone since the return, at least
LATEST = 60  # frames since the return, at most
NEW = 10.0  # cost of being nobody who was there before
RENOUNCE = 3.0  # cost of giving up a past to another
CLEARLY = 1.0  # by which another choice must be better in all
ASIDE, ASIDE_WAY = 0.4, 0.3  # spread across the way: in lengths, and per pixel of way
OVERSHOOT = 0.2  # spread of the share of the way beyond what its speed allows
STOPPED = 0.5  # penalty of who cannot have gone at its speed all the time
TURNED = 2.5  # penalty of who comes back where it went in
DIRECTION = 1.5  # penalty of a right angle between the directions before and after
WORST_WAY = 6.0
REACH = 1.5  # times its speed that somebody unseen may go
NEVER = 1e3


def settle_identities(
    tracks: list[TrackState], alone: list[int], frame: int, options: Any, next_number: Callable[[], int]
) -> None:
    """Give tracks that are new or came back lately the pasts that suit them all best; `tracks` may grow.

    Parameters
    ----------
    tracks : all
    alone : those that have a component to themselves in this frame
    frame : its number
    options : TrackerOptions
    next_number : gives a number that nobody had
    """
    rows = [tracks[t] for t in alone if _in_question(tracks[t], options.min_hits)]
    lost = [track for track in tracks if track.status == LOST and track.past is not None]
    holders = [track for track in rows if track.past is not None] + lost
    pasts = [holder.past for holder in holders if holder.past is not None]
    if not rows or not pasts or (not lost and len(rows) < 2):
        return
    cost = np.full((len(rows), len(holders) + len(rows)), NEVER)
    for row, track in enumerate(rows):
        now, partial = _present_look(track)
        for column, past in enumerate(pasts):
            own = past is track.past
            if own or _reachable(past, track):
                # Who was seen all the time has come its way.
                way = 0.0 if own and not past.unseen else way_unlikeness(past, track)
                cost[row, column] = way + unlikeness(past.look, now, partial=partial)
        # Who was taken for somebody is nobody only if another suits that past.
        stay = cost[row, holders.index(track)] + RENOUNCE if track.past is not None else NEW
        cost[row, len(holders) + row] = max(stay, NEW)
    present = [holders.index(t) if t.past is not None else len(holders) + row for row, t in enumerate(rows)]
    from scipy.optimize import linear_sum_assignment

    best = linear_sum_assignment(cost)[1]
    order = np.arange(len(rows))
    if cost[order, present].sum() - cost[order, best].sum() <= CLEARLY:
        return
    taken = {int(c) for c in best if c < len(holders)}
    for track, old, new in zip(rows, present, best.tolist(), strict=True):
        if old == new:
            continue
        # As far back as frames are held, and as it was seen.
        since = frame - min(options.min_hits, track.back_for) + 1
        if new < len(holders):
            track.parent = None
            track.take(pasts[new], since)
        else:
            track.past, track.first_frame = None, frame - track.back_for + 1
            track.name(next_number(), since)
    for column in taken:
        if holders[column].status == LOST:
            holders[column].status = ENDED
    for row, column in enumerate(present):
        if column < len(holders) and column not in taken:
            past = pasts[column]
            tracks.append(TrackState.lost(past, past.unseen + rows[row].back_for, options.kalman))


def _in_question(track: TrackState, min_hits: int) -> bool:
    if track.status == TENTATIVE:
        return track.back_for >= min_hits
    if track.in_doubt:
        return False
    new = track.past is not None or track.hits <= LATEST
    return track.status == CONFIRMED and new and SETTLED_AFTER <= track.back_for <= LATEST and not track.group


def _present_look(track: TrackState) -> tuple[Look, bool]:
    if track.look.sizes.n:
        return track.look, False
    sizes = Running(1.0, size_features(track.box_xyxy, track.mask_px), np.zeros(3))
    return Look(sizes, track.look.colors), True


def _reachable(past: Past, track: TrackState) -> bool:
    if past.lost_for < track.back_for:
        return False
    gap = past.lost_for - track.back_for + 1
    length = max(*past.wh, 1.0)
    speed = max(float(np.hypot(*past.velocity_xy)), float(np.hypot(*track.filter.velocity_xy)))
    way = float(np.hypot(*(np.array(track.birth_xy) - np.array(past.xy))))
    return way < (1.0 + min(0.1 * gap, 2.0)) * length + REACH * speed * gap + 2.0


def way_unlikeness(past: Past, track: TrackState) -> float:
    """How unlikely it is to go unseen from where one was lost to where another was seen first; see `way_cost`."""
    return way_cost(
        max(past.lost_for - track.back_for + 1, 1),
        max(*past.wh, 1.0),
        np.array(past.velocity_xy),
        np.array(track.birth_xy) - np.array(past.xy),
        np.array(track.filter.velocity_xy),
    )


def way_cost(
    gap: float,
    length: float,
    before: NDArray[np.float64],
    way: NDArray[np.float64],
    now: NDArray[np.float64],
) -> float:
    """- log likelihood of a way that nobody saw, up to a constant.

    Straight on, in a curve or with a rest are all likely; to turn round less so.

    Parameters
    ----------
    gap : frames
    length : longer side of the object, pixels
    before, now : (2,) velocity at the last sight and at the next one
    way : (2,) from the one to the other, pixels
    """
    speed = float(np.hypot(*before))
    moves = min(speed, float(np.hypot(*now))) > 0.02 * length
    cosine = float(before @ now) / (speed * float(np.hypot(*now))) if moves else 1.0
    ahead = float(way @ before) / max(speed, 1e-6) if speed > 0.02 * length else 0.0
    aside = math.sqrt(max(float(way @ way) - ahead**2, 0.0))
    # What is seen first and last is one edge.
    beyond = max(ahead - 0.5 * length, 0.0) / max(speed * gap, 0.5) - 1
    on = 0.5 * (max(aside - 1, 0) / (ASIDE * length + ASIDE_WAY * max(ahead, 0.0))) ** 2
    on += 0.5 * (max(beyond, 0.0) / OVERSHOOT) ** 2 + (STOPPED if beyond < -0.5 else 0.0)
    on += 0.5 * (max(-ahead - length, 0.0) / (ASIDE * length)) ** 2 + DIRECTION * (1 - cosine)
    round_ = TURNED + 0.5 * (max(math.sqrt(float(way @ way)) - 0.5 * length, 0) / (ASIDE * length)) ** 2
    round_ += DIRECTION * (1 + cosine)
    return min(on, round_, WORST_WAY)
