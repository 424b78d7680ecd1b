"""A second look at tracks that came back: seen longer, another one may suit the object better than the first guess.

What comes out from behind something is small at first, and several may be hidden together. The first sight decides by
place, one after the other. Then the size, the colours, the direction and the way of all that came back lately are
compared with those of all that were lost, and the best choice for all of them together is taken.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.association import histogram_similarity
from cvseg.tracking.returning import reached_birth
from cvseg.tracking.track_lifecycle import CONFIRMED, LOST, TrackState

SETTLED_AFTER = 4  # frames since the return, at least
LATEST = 60  # frames since the return, at most
STEADY = 1.05  # newest area per area of late, up to which it does not grow
CLEARLY = 1.0  # by which another choice must be better in all
COLOR = 12.0  # weight of unlike colours
SIZE = 3.0  # weight of an e-fold of area or of a side
TOO_LARGE = 0.1  # e-folds that are no reason for doubt while it grows
ASIDE, ASIDE_WAY = 0.4, 0.3  # spread across the way: in lengths, and per pixel of way
OVERSHOOT = 0.2  # spread of the share of the way beyond what its speed allows
STOPPED = 0.5  # penalty of who cannot have gone at its speed all the time
TURNED = 2.5  # penalty of who comes back where it went in
DIRECTION = 1.5  # penalty of a right angle between the directions before and after
WORST_WAY = 6.0
NEVER = 1e3


def exchange_numbers(tracks: list[TrackState], seen: dict[int, NDArray[np.float64] | None], options: Any) -> None:
    """Give tracks that came back lately each other's past, or that of lost ones, where that suits clearly better.

    Parameters
    ----------
    tracks : all
    seen : track -> its colours in this frame (512,) adding up to 1 or None; those that are alone in a component
    options : TrackerOptions
    """
    back = [t for t in seen if _came_back(tracks[t])]
    if not back:
        return
    pasts = [tracks[t] for t in back]
    pasts += [other for other in tracks if other.status == LOST and other.before_area > 0]
    if len(pasts) < 2:
        return
    from scipy.optimize import linear_sum_assignment

    cost = np.full((len(back), len(pasts)), NEVER)
    for row, t in enumerate(back):
        track = tracks[t]
        for column, past in enumerate(pasts):
            reachable = past is track or past.lost_for >= track.back_for
            if past.status == LOST:
                reachable = reachable and (reached_birth(past, track, options) or way_penalty(track, past) < WORST_WAY)
            if reachable:
                cost[row, column] = unlikeness(track, past, seen[t])
    rows, columns = linear_sum_assignment(cost)
    if cost[rows, rows].sum() - cost[rows, columns].sum() <= CLEARLY:
        return
    # Who holds which past; each exchange puts one right.
    holder = list(pasts)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        mine = next(p for p, one in enumerate(holder) if one is tracks[back[row]])
        if mine != column:
            tracks[back[row]].exchange_past(holder[column])
            holder[mine], holder[column] = holder[column], holder[mine]


def _came_back(track: TrackState) -> bool:
    return (
        track.status == CONFIRMED
        and track.before_area > 0
        and SETTLED_AFTER <= track.back_for <= LATEST
        and not track.group
    )


def unlikeness(track: TrackState, past: TrackState, colors: NDArray[np.float64] | None) -> float:
    """How badly what is seen of a track suits what another was before it was lost; 0 is a perfect fit."""
    growing = track.mask_px > STEADY * track.late_px
    width, height = track.box_xyxy[2] - track.box_xyxy[0], track.box_xyxy[3] - track.box_xyxy[1]
    sizes = ((track.mask_px, past.before_area), (width, past.before_wh[0]), (height, past.before_wh[1]))
    result = 0.0
    for now, before in sizes:
        larger = math.log(max(now, 1.0) / max(before, 1.0))
        result += SIZE * (max(larger - TOO_LARGE, 0.0) if growing else abs(larger))
    if colors is not None and past.before_histogram is not None:
        result += COLOR * (1 - float(histogram_similarity(colors[None], past.before_histogram[None])[0, 0]))
    return result + way_penalty(track, past)


def way_penalty(track: TrackState, past: TrackState) -> float:
    """How unlikely it is to go unseen from where one was lost to where another was seen first, and on as that one does.

    Straight on, in a curve or with a rest are all likely; to turn round less so.
    """
    gap = max(past.lost_for - track.back_for + 1, 1)
    length = max(*past.before_wh, 1.0)
    before, now = np.array(past.before_velocity_xy), np.array(track.filter.velocity_xy)
    way = np.array(track.birth_xy) - np.array(past.before_xy)
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
