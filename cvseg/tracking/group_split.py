"""Who is where when a component that several tracks shared comes apart: all ways are tried, the likeliest is taken."""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.association import histogram_similarity
from cvseg.tracking.ownership import Components, Ownership
from cvseg.tracking.track_lifecycle import TrackState

MOST_WAYS = 2000  # beyond, one by one matching has to do
OBJECT_AREA = 0.4  # area, in usual areas of the smallest member, from which a component may hold one
EMPTY = 2.0  # penalty of a component that nobody is in
ROOM, CROWD = 1.0, 0.5  # penalties per e-fold: too much area for those inside; too little, which overlaps explain too
VISIBLE = np.array([0.0, 0.25, 0.5, 0.75, 1.0])  # shares of a member that are tried
UNALIKE = 0.7  # likeness of colours up to which they tell whether a member is there
FULL = 1.25  # area, in areas of the other members, from which there must be more than they
COLOR = 3.0  # penalty per e-fold of unlikeness of the colours


def split_group(
    members: list[TrackState],
    cover: NDArray[np.float64],
    area_px: NDArray[np.int64],
    others_px: NDArray[np.float64],
    histogram: NDArray[np.float64] | None,
) -> list[int] | None:
    """Component of each member, -1 for one that stays hidden, or None when there is nothing to decide.

    Every component should be as large as those inside together, and have their colours; and each member should be where
    its last pixels went, which alone is little proof: they were divided by guess.

    Parameters
    ----------
    members : tracks that shared one component in the last frame, or are hidden behind one of them
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
    places = [range(-1 if member.host is not None else 0, len(which)) for member in members]
    for way in itertools.product(*places):
        score = sum(float(cover[m, which[row]]) for m, row in enumerate(way) if row >= 0)
        for row in range(len(which)):
            score += worth(row, tuple(m for m, place in enumerate(way) if place == row))
        if score > best_score:
            best, best_score = way, score
    return None if best is None else [int(which[row]) if row >= 0 else -1 for row in best]


def groups_of(tracks: list[TrackState]) -> list[list[int]]:
    """Tracks that shared one component in the last frame, and who is hidden there, by their places in the list."""
    groups: dict[int, list[int]] = {}
    component_of: dict[int, int] = {}
    for t, track in enumerate(tracks):
        # Whoever hides somebody is a group with him.
        component_of[id(track)] = track.group or -1 - t
    for t, track in enumerate(tracks):
        number = component_of[id(track)] if track.host is None else component_of[id(track.host)]
        groups.setdefault(number, []).append(t)
    return [members for members in groups.values() if len(members) > 1]


def usual_area_inside(tracks: list[TrackState], cover: Any, least_cover: float, without: list[int]) -> Any:
    """(components,) usual area of the tracks that are probably in each component, some left out."""
    rows = [t for t in range(len(tracks)) if t not in without]
    usual = np.array([tracks[t].area_px for t in rows])
    return np.where(cover[rows] >= least_cover, usual[:, None], 0.0).sum(0)


def hide_absent(outcome: Ownership, tracks: list[TrackState], components: Components) -> None:
    """Who shares a component whose colours and area show nothing of it is hidden, or was never there."""
    if components.histogram is None:
        return
    for c, owners in outcome.owners.items():
        for t in sorted(owners, key=lambda o: (tracks[o].area_px, o)):
            others = [tracks[o] for o in owners if o != t]
            if not others or any(one.histogram is None or one.area_px == 0 for one in (tracks[t], *others)):
                continue
            if components.area_px[c] > FULL * sum(one.area_px for one in others):
                continue
            rest = np.sum([one.area_px * np.asarray(one.histogram) for one in others], axis=0)
            rest = rest / rest.sum()
            if histogram_similarity(rest[None], np.asarray(tracks[t].histogram)[None])[0, 0] > UNALIKE:
                continue
            own = VISIBLE[:, None] * tracks[t].area_px * np.asarray(tracks[t].histogram)
            mixed = own + rest * np.maximum(components.area_px[c] - own.sum(1, keepdims=True), 1.0)
            alike = histogram_similarity(mixed / mixed.sum(1, keepdims=True), components.histogram[c][None])[:, 0]
            if int(alike.argmax()) == 0:
                outcome.take_back(t)
