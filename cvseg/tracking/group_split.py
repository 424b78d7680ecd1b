"""Who is where when a component that several tracks shared comes apart: all ways are tried, the likeliest is taken."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.association import histogram_similarity
from cvseg.tracking.track_lifecycle import TrackState

MOST_WAYS = 2000  # beyond, one by one matching has to do
OBJECT_AREA = 0.4  # area, in usual areas of the smallest member, from which a component may hold one
EMPTY = 2.0  # penalty of a component that nobody is in
ROOM, CROWD = 1.0, 0.5  # penalties per e-fold: too much area for those inside; too little, which overlaps explain too
COLOR = 3.0  # penalty per e-fold of unlikeness of the colours


def split_group(
    members: list[TrackState],
    cover: NDArray[np.float64],
    area_px: NDArray[np.int64],
    others_px: NDArray[np.float64],
    histogram: NDArray[np.float64] | None,
) -> list[int] | None:
    """Component of each member, or None when there is nothing to decide.

    Every component should be as large as those inside together, and have their colours; and each member should be where
    its last pixels went, which alone is little proof: they were divided by guess.

    Parameters
    ----------
    members : tracks that shared one component in the last frame
    cover : (members, components) share of each one's last pixels, moved to this frame, in each component
    area_px : (components,)
    others_px : (components,) usual area of tracks outside the group that are in a component
    histogram : (components, 512) adding up to 1, or None
    """
    usual = np.array([track.area_px for track in members])
    if not (usual > 0).all():
        return None
    which = np.flatnonzero((area_px >= OBJECT_AREA * usual.min()) & (cover.max(0, initial=0) > 0.1))
    if len(which) < 2 or len(which) ** len(members) > MOST_WAYS:
        return None
    colored = histogram is not None and all(track.histogram is not None for track in members)

    @functools.cache
    def worth(row: int, inside: tuple[int, ...]) -> float:
        """How well a component suits those inside."""
        c = which[row]
        held = float(usual[list(inside)].sum() + others_px[c])
        if held == 0:
            return -EMPTY
        excess = math.log(held / area_px[c])
        worth = ROOM * excess if excess < 0 else -CROWD * excess
        if colored and histogram is not None and inside and others_px[c] == 0:
            mixed = sum(usual[m] * np.asarray(members[m].histogram) for m in inside) / usual[list(inside)].sum()
            worth += COLOR * math.log(max(histogram_similarity(mixed[None], histogram[c][None]).item(), 1e-3))
        return worth

    best, best_score = None, -math.inf
    for way in itertools.product(range(len(which)), repeat=len(members)):
        score = sum(float(cover[m, which[row]]) for m, row in enumerate(way))
        for row in range(len(which)):
            score += worth(row, tuple(m for m, place in enumerate(way) if place == row))
        if score > best_score:
            best, best_score = way, score
    return None if best is None else [int(which[row]) for row in best]


def groups_of(tracks: list[TrackState]) -> list[list[int]]:
    """Tracks that shared one component in the last frame, by their places in the list."""
    groups: dict[int, list[int]] = {}
    for t, track in enumerate(tracks):
        if track.group:
            groups.setdefault(track.group, []).append(t)
    return [members for members in groups.values() if len(members) > 1]


def usual_area_inside(tracks: list[TrackState], cover: Any, least_cover: float, without: list[int]) -> Any:
    """(components,) usual area of the tracks that are probably in each component, some left out."""
    rows = [t for t in range(len(tracks)) if t not in without]
    usual = np.array([tracks[t].area_px for t in rows])
    return np.where(cover[rows] >= least_cover, usual[:, None], 0.0).sum(0)
