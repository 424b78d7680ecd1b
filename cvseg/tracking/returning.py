"""How tracks come back that were not seen where they were expected: alone, into a group, or as a new track."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.association import best_pairs, box_distances, histogram_similarity
from cvseg.tracking.ownership import Components, Ownership
from cvseg.tracking.track_lifecycle import TENTATIVE, TrackState

REJOIN_DISTANCE = 0.1  # lengths that a hidden object may be away from a component which it rejoins, at first
REJOIN_ROOM = 0.3  # share of its area for which there must be room besides the owners
FASTER = 1.2  # of its last speed, that an unseen object may go on with
CURVE = 0.4  # of the way since the last sight, that an unseen object may be aside of it
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
            if not owners or components.whole[c] or any(tracks[o].status == TENTATIVE for o in owners):
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


def reach(track: TrackState, components: Components, which: list[int], options: Any) -> NDArray[np.float64]:
    """How well components fit a track that has not been seen where it was expected; 0 where they cannot be it."""
    centers, missed = components.center_xy[which], track.missed
    # Two gates: the filter's own, and a band for what it does not know of: who is unseen may stop, go straight on, or
    # be somewhere between. Both end where nobody would walk unseen.
    length = max(track.filter.size_wh)
    limit = options.return_distance * length + 2.0
    band = min((0.5 + 0.1 * missed) * length + 2.0, limit)
    # Who went far may have gone in a curve.
    curve = CURVE * missed * float(np.hypot(*track.filter.seen_velocity_xy))
    away_px = _away_from_way(track, centers, missed)
    distances = np.minimum(track.filter.center_distances(centers), GATE * (away_px / (band + curve)) ** 2)
    ratio = components.area_px[which] / max(track.area_px, 1.0)
    near = (distances < GATE) & (away_px < limit + curve)
    near &= (ratio < 1 / options.least_return_area) & (ratio > options.least_return_area)
    fit = np.where(near, 1.0 - 0.8 * distances / GATE, 0.0)
    if components.histogram is not None and track.histogram is not None:
        likeness = histogram_similarity(track.histogram[None], components.histogram[which])[0]
        fit = np.where(likeness >= options.least_color_match, fit * likeness, 0.0)
    return np.asarray(fit)


def _away_from_way(track: TrackState, points_xy: Any, missed: int) -> NDArray[np.float64]:
    """(n,) pixels from the straight way that the track may have gone unseen."""
    x0, y0, x1, y1 = track.filter.seen_box_xyxy
    start = np.array([0.5 * (x0 + x1), 0.5 * (y0 + y1)])
    way = FASTER * missed * np.array(track.filter.seen_velocity_xy)
    share = np.clip(((points_xy - start) @ way) / max(float(way @ way), 1e-9), 0.0, 1.0)
    away = points_xy - start - share[:, None] * way
    return np.asarray(np.hypot(away[:, 0], away[:, 1]))
