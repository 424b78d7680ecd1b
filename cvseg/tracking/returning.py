"""How tracks come back that were not seen where they were expected: alone, into a group, or as a new track."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.association import best_pairs, box_distances, histogram_similarity
from cvseg.tracking.ownership import Components, Ownership
from cvseg.tracking.track_lifecycle import LOST, TENTATIVE, TrackState

REJOIN_DISTANCE = 0.1  # lengths that a hidden object may be away from a component which it rejoins, at first
REJOIN_ROOM = 0.3  # share of its area for which there must be room besides the owners
FASTER = 1.2  # of its last speed, that an unseen object may go on with
CURVE = 0.4  # of the way since the last sight, that an unseen object may be aside of it
TURNED = 0.6  # of the fit is lost by who comes back in the opposite direction
SURE, FARTHER = 0.85, 2.0  # likeness of colours from which a newcomer may have come from so much farther
GROWING = 1.1  # area, in areas of the last frames on average, from which a component grows
GATE = 9.21  # squared Mahalanobis distance that holds 99 % of the centres of an object


def take_free_components(outcome: Ownership, tracks: list[TrackState], components: Components, options: Any) -> None:
    """Tracks without a component, lost ones too, take a free one that they can have reached."""
    waiting = [t for t, track in enumerate(tracks) if t not in outcome.main]
    free = [c for c in range(len(components.area_px)) if c not in outcome.owners]
    if not waiting or not free:
        return
    fit = np.array([reach(tracks[t], components, free, options) for t in waiting])
    for row, column in best_pairs(fit, 0.05):
        outcome.give(free[column], waiting[row])


def rejoin_groups(outcome: Ownership, tracks: list[TrackState], components: Components) -> None:
    """A component that is too large for its owners holds a lost track too, which is expected there."""
    for t, track in enumerate(tracks):
        if t in outcome.main or track.status == TENTATIVE or track.area_px == 0:
            continue
        # Somebody hidden may have gone on or stopped; the longer ago, the less is known.
        places = np.array([track.filter.box_xyxy, track.filter.seen_box_xyxy])
        points = 0.5 * (places[:, :2] + places[:, 2:])
        away = box_distances(points, components.box_xyxy).min(0)
        limit = REJOIN_DISTANCE * min(1 + 0.5 * track.missed, 5.0) * max(track.filter.size_wh)
        for c in np.argsort(away, kind="stable"):
            owners = outcome.owners.get(int(c), [])
            if away[c] > limit:
                break
            if not owners or any(tracks[o].status == TENTATIVE for o in owners):
                continue
            room = components.area_px[c] - sum(tracks[o].area_px for o in owners)
            if room < REJOIN_ROOM * track.area_px:
                continue
            if _colors_say_so(track, [tracks[o] for o in owners], components, int(c)):
                outcome.give(int(c), t)
                break


def _colors_say_so(track: TrackState, owners: list[TrackState], components: Components, c: int) -> bool:
    """Whether a component looks more like its owners and the track together than like its owners alone."""
    everybody = [*owners, track]
    if components.histogram is None or any(one.histogram is None for one in everybody):
        return True
    shares = np.array([max(one.area_px, 1.0) for one in everybody])
    colors = np.array([one.histogram for one in everybody]) * shares[:, None]
    mixed = np.array([colors[:-1].sum(0) / shares[:-1].sum(), colors.sum(0) / shares.sum()])
    alone, together = histogram_similarity(mixed, components.histogram[[c]])[:, 0]
    return bool(together > alone)


def reach(
    track: TrackState,
    components: Components,
    which: list[int],
    options: Any,
    *,
    newcomer: TrackState | None = None,
) -> NDArray[np.float64]:
    """How well components fit a track that has not been seen where it was expected; 0 where they cannot be it.

    A newcomer counts where and when it was first seen; when it is growing it may be small: the rest is still hidden.
    """
    centers = components.center_xy[which]
    missed = track.missed
    growing = False
    if newcomer is None:
        distances = track.filter.center_distances(centers)
    else:
        missed = max(missed - newcomer.back_for + 1, 1)
        centers, distances = np.array([newcomer.birth_xy]), np.array([np.inf])
        growing = bool(components.area_px[which[0]] > GROWING * newcomer.area_px)
    width, height = track.filter.size_wh
    # Two gates: the filter's own, and a band for what it does not know of: who is unseen may stop, go straight on, or
    # be somewhere between. Both end where nobody would walk unseen.
    length = max(width, height)
    limit = options.return_distance * length + 2.0
    band = min((0.5 + 0.1 * missed) * length + 2.0, limit)
    # Who went far may have gone in a curve.
    curve = CURVE * missed * float(np.hypot(*track.filter.seen_velocity_xy))
    limit, band = limit + curve, band + curve
    away_px, progress = _places_by_way(track, centers, missed)
    likeness = np.ones(len(which))
    if components.histogram is not None and track.histogram is not None:
        likeness = histogram_similarity(track.histogram[None], components.histogram[which])[0]
        # Colours that nobody else has speak for a longer or more crooked way.
        more = np.where((likeness >= SURE) & (newcomer is not None), FARTHER, 1.0)
        limit, band = limit * more, band * more
    distances = np.minimum(distances, GATE * (away_px / band) ** 2)
    near = (distances < GATE) & (away_px < limit)
    ratio = components.area_px[which] / max(track.area_px, 1.0)
    near &= (ratio < 1 / options.least_return_area) & (growing | (ratio > options.least_return_area))
    fit = np.where(near, 1.0 - 0.8 * distances / GATE, 0.0)
    fit = np.where(likeness >= options.least_color_match, fit * likeness, 0.0)
    if newcomer is not None:
        # Most go straight on and at their speed: of several that may be it, the one that did.
        aside = away_px / (0.5 * length + 0.1 * float(np.hypot(*track.filter.seen_velocity_xy)) * missed)
        straight = 0.2 + 0.8 * np.exp(-0.5 * aside**2)
        steady = 0.8 + 0.2 * np.exp(-0.5 * ((progress - 1) / 0.25) ** 2)
        fit = fit * straight * steady * (1 - TURNED * turned_back(track, newcomer))
    return np.asarray(fit)


def turned_back(lost: TrackState, track: TrackState) -> float:
    """How far a track that was seen later goes another way: 0 the same direction or unknown, 1 the opposite."""
    before, now = np.array(lost.filter.seen_velocity_xy), np.array(track.filter.velocity_xy)
    product = float(np.hypot(*before) * np.hypot(*now))
    # What hardly moves has no direction.
    slow = 0.02 * max(lost.filter.size_wh)
    if min(float(np.hypot(*before)), float(np.hypot(*now))) < slow:
        return 0.0
    return 0.5 - 0.5 * float(before @ now) / product


def reached_birth(lost: TrackState, track: TrackState, options: Any) -> bool:
    """Whether a lost track can have come out where another was seen first."""
    missed = max(lost.missed - track.back_for + 1, 1)
    length = max(lost.filter.size_wh)
    limit = min((0.5 + 0.1 * missed) * length, options.return_distance * length) + 2.0
    limit += CURVE * missed * float(np.hypot(*lost.filter.seen_velocity_xy))
    return bool(_places_by_way(lost, np.array([track.birth_xy]), missed)[0][0] < limit)


def _places_by_way(track: TrackState, points_xy: Any, missed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) pixels from the straight way that the track may have gone unseen, and (n,) the share of it at its speed."""
    x0, y0, x1, y1 = track.filter.seen_box_xyxy
    start = np.array([0.5 * (x0 + x1), 0.5 * (y0 + y1)])
    way = FASTER * missed * np.array(track.filter.seen_velocity_xy)
    share = np.clip(((points_xy - start) @ way) / max(float(way @ way), 1e-9), 0.0, 1.0)
    away = points_xy - start - share[:, None] * way
    return np.asarray(np.hypot(away[:, 0], away[:, 1])), np.asarray(share * FASTER)


def lost_twin(track: TrackState, lost: list[TrackState], components: Components, row: int, options: Any) -> int:
    """Index in `lost` of the track that a newly confirmed one turns out to be, or -1."""
    fits = [float(reach(other, components, [row], options, newcomer=track)[0]) for other in lost]
    if not fits or max(fits) <= 0 or track.status == LOST:
        return -1
    return int(np.argmax(fits))
