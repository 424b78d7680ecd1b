"""Which tracks own which components in one frame: matches, merges, returns, parts and newcomers. Tables only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.association import (
    best_pairs,
    box_area,
    box_gap,
    box_intersection,
    box_iou,
    box_moved_inside,
    histogram_similarity,
    mask_iou,
    nearness,
    similarity,
)
from cvseg.tracking.group_split import groups_of, split_group, usual_area_inside
from cvseg.tracking.kalman_filter import Box
from cvseg.tracking.track_lifecycle import CONFIRMED, LOST, TENTATIVE, TrackState

STEADY_SHARE = 0.15  # change of a part's share of the area from which it counts as growing or shrinking
COVERED_AREA = 0.9  # share of its usual area below which something may cover an object
PIECE_AREA = 0.5  # share of its usual area up to which a component is only a piece of an object
REJOIN_DISTANCE = 0.1  # lengths that a hidden object may be away from a component which it rejoins, at first
REJOIN_ROOM = 0.3  # share of its area for which there must be room besides the owners
GATE = 9.21  # squared Mahalanobis distance that holds 99 % of the centres of an object


@dataclass(frozen=True)
class Components:
    """This frame's components in a fixed order, whatever their labels.

    Attributes
    ----------
    area_px : (n,)
    box_xyxy : (n, 4)
    center_xy : (n, 2) centres of the boxes
    histogram : (n, 512) adding up to 1, or None
    """

    area_px: NDArray[np.int64]
    box_xyxy: NDArray[np.float64]
    center_xy: NDArray[np.float64]
    histogram: NDArray[np.float64] | None = None


@dataclass
class Ownership:
    """Outcome. Indices refer to the given lists of tracks and components.

    Attributes
    ----------
    owners : component -> tracks that own it, the first one as its best match
    main : track -> its main component
    parts : track -> further components of it
    expected_xyxy : track -> where it must be inside its component, if not where it is predicted
    newcomers : components that belong to nobody yet
    apart : newcomer -> track that it seems to be a part of, large or far away
    """

    owners: dict[int, list[int]] = field(default_factory=dict)
    main: dict[int, int] = field(default_factory=dict)
    parts: dict[int, list[int]] = field(default_factory=dict)
    expected_xyxy: dict[int, Box] = field(default_factory=dict)
    newcomers: list[int] = field(default_factory=list)
    apart: dict[int, int] = field(default_factory=dict)

    def give(self, component: int, track: int) -> None:
        self.owners.setdefault(component, []).append(track)
        self.main[track] = component

    def take_back(self, track: int) -> None:
        """The track has nothing of its main component after all; it keeps its parts, if there are any."""
        self.owners[self.main.pop(track)].remove(track)
        parts = self.parts.pop(track, [])
        if parts:
            self.main[track] = parts[0]
        if parts[1:]:
            self.parts[track] = parts[1:]


def assign_components(
    tracks: list[TrackState], components: Components, overlap_px: NDArray[np.int32], options: Any
) -> Ownership:
    """Decide in the order of certainty: confirmed tracks, tentative ones, merges, returns of lost tracks, parts.

    Parameters
    ----------
    tracks : already predicted to this frame
    components : of this frame
    overlap_px : (tracks, components) pixels of each track's last mask, moved to this frame, in each component
    options : TrackerOptions
    """
    outcome = Ownership()
    if not len(components.area_px):
        return outcome
    predicted = np.array([track.filter.box_xyxy for track in tracks]).reshape(-1, 4)
    mask_area = np.array([max(track.mask_px, 1.0) for track in tracks])
    fit = similarity(
        mask_iou(overlap_px, mask_area, components.area_px),
        box_iou(predicted, components.box_xyxy),
        nearness(predicted, components.box_xyxy),
    )
    fit = _with_colors(fit, tracks, components)
    _split_groups(outcome, tracks, components, overlap_px / mask_area[:, None], options.least_cover)
    confirmed = [t for t, track in enumerate(tracks) if track.status == CONFIRMED and t not in outcome.main]
    _match(outcome, fit, confirmed, options.least_fit)
    _match(outcome, fit, [t for t, track in enumerate(tracks) if track.status == TENTATIVE], options.least_fit)
    _inherit(outcome, tracks, components)
    _merge(outcome, tracks, components, _family_cover(tracks, overlap_px), options.least_cover)
    _return(outcome, tracks, components, options)
    _rejoin(outcome, tracks, components, predicted)
    _expect_inside(outcome, components, predicted)
    _collect_parts(outcome, tracks, components, overlap_px, predicted, options)
    _count_apart(outcome, tracks, components, options)
    outcome.newcomers = [c for c in range(len(components.area_px)) if c not in outcome.owners]
    return outcome


def _with_colors(fit: Any, tracks: list[TrackState], components: Components) -> Any:
    """Tracks that shared a component lately may have been divided wrongly: colours have a say in who is who."""
    if components.histogram is None:
        return fit
    doubtful = [t for t, track in enumerate(tracks) if track.frames_since_shared < 10 and track.histogram is not None]
    if not doubtful:
        return fit
    alike = histogram_similarity(np.array([tracks[t].histogram for t in doubtful]), components.histogram)
    weighed = fit.copy()
    for row, t in enumerate(doubtful):
        group = [o for o, other in enumerate(tracks) if other.group == tracks[t].group]
        if tracks[t].group == 0 or len(group) < 2:
            # A factor, so that alike colours never make a fit where position has none.
            weighed[t] = fit[t] * (0.5 + 0.5 * alike[row])
        else:
            # Until now one component: where one of them may be, any of them may be, if the colours say so clearly.
            weighed[t] = 0.5 * (fit[t] + fit[group].max(0)) * alike[row] ** 2
    return weighed


def _split_groups(
    outcome: Ownership, tracks: list[TrackState], components: Components, cover: Any, least_cover: float
) -> None:
    for members in groups_of(tracks):
        place = split_group(
            [tracks[t] for t in members],
            cover[members],
            components.area_px,
            usual_area_inside(tracks, cover, least_cover, members),
            components.histogram,
        )
        # All in one place is no split.
        if place is not None and len(set(place)) > 1:
            for t, c in zip(members, place, strict=True):
                outcome.give(c, t)


def _match(outcome: Ownership, fit: Any, rows: list[int], least_fit: float) -> None:
    free = [c for c in range(fit.shape[1]) if c not in outcome.owners]
    if not rows or not free:
        return
    for row, column in best_pairs(fit[np.ix_(rows, free)], least_fit):
        outcome.give(free[column], rows[row])


def _merge(
    outcome: Ownership,
    tracks: list[TrackState],
    components: Components,
    cover: Any,
    least_cover: float,
) -> None:
    """A confirmed track with nothing, or a small piece, whose mask lies in a component: it is an owner too."""
    for t, track in enumerate(tracks):
        if track.status != CONFIRMED:
            continue
        best = int(np.argmax(cover[t]))
        piece = outcome.main.get(t, -1)
        if cover[t, best] < least_cover or best == piece or (piece >= 0 and best not in outcome.owners):
            continue
        if piece >= 0:
            if components.area_px[piece] > PIECE_AREA * track.area_px or len(outcome.owners[piece]) > 1:
                continue
            outcome.parts.setdefault(t, []).append(piece)
        # A tentative owner gives way: it was a piece of the confirmed one.
        outcome.owners[best] = [o for o in outcome.owners.get(best, []) if tracks[o].status == CONFIRMED]
        for o in [o for o, c in outcome.main.items() if c == best and tracks[o].status != CONFIRMED]:
            del outcome.main[o]
        outcome.give(best, t)


def _expect_inside(outcome: Ownership, components: Components, predicted: Any) -> None:
    """Owners that share a component are in it, wherever they were predicted."""
    for c, owners in outcome.owners.items():
        if len(owners) > 1:
            for t in owners:
                outcome.expected_xyxy[t] = box_moved_inside(predicted[t], components.box_xyxy[c])


def _family_cover(tracks: list[TrackState], overlap_px: Any) -> Any:
    """(tracks, components) share of the last pixels of a track and its children in each component."""
    shared = overlap_px.astype(np.float64)
    total = np.array([track.mask_px for track in tracks])
    for t, track in enumerate(tracks):
        for o, other in enumerate(tracks):
            if other.parent is track:
                shared[t] += overlap_px[o]
                total[t] += other.mask_px
    return shared / np.maximum(total, 1.0)[:, None]


def _return(outcome: Ownership, tracks: list[TrackState], components: Components, options: Any) -> None:
    """Tracks without a component, lost ones too, take a free one that they can have reached."""
    waiting = [t for t, track in enumerate(tracks) if t not in outcome.main]
    free = [c for c in range(len(components.area_px)) if c not in outcome.owners]
    if not waiting or not free:
        return
    fit = np.array([reach(tracks[t], components, free, options) for t in waiting])
    for row, column in best_pairs(fit, 0.05):
        outcome.give(free[column], waiting[row])


def _rejoin(outcome: Ownership, tracks: list[TrackState], components: Components, predicted: Any) -> None:
    """A component that is too large for its owners holds a lost track too, which is expected there."""
    for t, track in enumerate(tracks):
        if t in outcome.main or track.status == TENTATIVE or track.area_px == 0:
            continue
        # Somebody hidden may have gone on or stopped; the longer ago, the less is known.
        places = np.array([predicted[t], track.filter.seen_box_xyxy])
        centers = np.repeat(0.5 * (places[:, :2] + places[:, 2:]), 2, axis=0).reshape(2, 4)
        away = np.array([min(box_gap(center, box) for center in centers) for box in components.box_xyxy])
        limit = REJOIN_DISTANCE * min(1 + 0.5 * track.missed, 5.0) * max(track.filter.size_wh)
        for c in np.argsort(away, kind="stable"):
            owners = outcome.owners.get(int(c), [])
            if away[c] > limit:
                break
            if not owners or any(tracks[o].status == TENTATIVE for o in owners):
                continue
            room = components.area_px[c] - sum(tracks[o].area_px for o in owners)
            if room >= REJOIN_ROOM * track.area_px and _colors_say_so(
                track, [tracks[o] for o in owners], components, c
            ):
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
    distances = track.filter.center_distances(components.center_xy[which])
    width, height = track.filter.size_wh
    away = components.center_xy[which] - np.array(track.filter.center_xy)
    # Two gates: the filter's own, and a circle for the errors that it does not know of (a half-covered object has a
    # wrong centre and a wrong speed). Both end where nobody would walk unseen.
    length = max(width, height)
    limit = options.return_distance * length + 2.0
    circle = min((0.5 + 0.1 * track.missed) * length + 2.0, limit)
    away_px = np.hypot(away[:, 0], away[:, 1])
    distances = np.minimum(distances, GATE * (away_px / circle) ** 2)
    near = (distances < GATE) & (away_px < limit)
    ratio = components.area_px[which] / max(track.area_px, 1.0)
    near &= (ratio > options.least_return_area) & (ratio < 1 / options.least_return_area)
    fit = np.where(near, 1.0 - 0.8 * distances / GATE, 0.0)
    if components.histogram is not None and track.histogram is not None:
        alike = histogram_similarity(track.histogram[None], components.histogram[which])[0]
        fit = np.where(alike >= options.least_color_match, fit * alike, 0.0)
    return np.asarray(fit)


def _collect_parts(
    outcome: Ownership,
    tracks: list[TrackState],
    components: Components,
    overlap_px: Any,
    predicted: Any,
    options: Any,
) -> None:
    """Free components become parts of the matched track whose moved mask, predicted box or missing half they fit."""
    owners = sorted(outcome.main)
    if not owners:
        return
    boxes, areas = components.box_xyxy, components.area_px
    main_boxes = boxes[[outcome.main[t] for t in owners]]
    main_areas = areas[[outcome.main[t] for t in owners]]
    usual_areas = np.array([max(tracks[t].area_px, 1.0) for t in owners])
    usual_sides = np.array([tracks[t].filter.size_wh for t in owners])
    for c in range(len(areas)):
        if c in outcome.owners:
            continue
        share = overlap_px[owners, c] / areas[c]
        inside = box_intersection(predicted[owners], boxes[c]) / box_area(boxes[c])
        # What comes out on the other side of a post while the rest goes in: together they look like the whole.
        both = np.concatenate((np.minimum(main_boxes, boxes[c])[:, :2], np.maximum(main_boxes, boxes[c])[:, 2:]), 1)
        completes = (
            (main_areas < COVERED_AREA * usual_areas)
            & (main_areas + areas[c] < 1.2 * usual_areas)
            & (both[:, 2:] - both[:, :2] < 1.5 * usual_sides + 2).all(1)
        )
        claim = np.where(
            share >= options.least_part_cover,
            2 + share,
            np.where((inside > 0.7) & (areas[c] < 0.5 * usual_areas), 1 + inside, completes * (0.5 + inside)),
        )
        best = int(np.argmax(claim))
        if claim[best] == 0:
            continue
        track = owners[best]
        large, far = _apart(outcome, track, c, components, options)
        if (large or far) and areas[c] >= options.min_area:
            outcome.apart[c] = track
        else:
            outcome.owners[c] = [track]
            outcome.parts.setdefault(track, []).append(c)


def _apart(outcome: Ownership, parent: int, component: int, components: Components, options: Any) -> tuple[bool, bool]:
    """Whether a component is too large or too far to be just a part of its track's main component."""
    main = outcome.main[parent]
    boxes, areas = components.box_xyxy, components.area_px
    large = areas[component] > options.part_area * areas[main]
    far = box_gap(boxes[main], boxes[component]) > options.part_gap * float(np.sqrt(box_area(boxes[main])))
    return bool(large), far


def _count_apart(outcome: Ownership, tracks: list[TrackState], components: Components, options: Any) -> None:
    """How long each child has been apart from its parent."""
    number_of = {id(track): t for t, track in enumerate(tracks)}
    for t, track in enumerate(tracks):
        if track.parent is None or t not in outcome.main:
            continue
        parent = number_of.get(id(track.parent), -1)
        if parent not in outcome.main:
            track.parent = None
            continue
        large, far = _apart(outcome, parent, outcome.main[t], components, options)
        area, main_area = components.area_px[[outcome.main[t], outcome.main[parent]]]
        share = float(area / (area + main_area))
        if not (large or far):
            track.frames_apart = 0
        elif track.frames_apart == 0 or (not far and abs(share - track.part_share) > STEADY_SHARE):
            # Behind a post one half shrinks while the other grows; two objects side by side keep their shares.
            track.frames_apart, track.part_share = 1, share
        else:
            track.frames_apart += 1


def _inherit(outcome: Ownership, tracks: list[TrackState], components: Components) -> None:
    """A track that is not seen, while a child of it is: it goes on there. The child was a part of it."""
    for t, track in enumerate(tracks):
        if t in outcome.main:
            continue
        children = [o for o, other in enumerate(tracks) if other.parent is track and o in outcome.main]
        if not children:
            continue
        heir = max(children, key=lambda o: (components.area_px[outcome.main[o]], -o))
        component = outcome.main.pop(heir)
        outcome.owners[component].remove(heir)
        outcome.give(component, t)


def lost_twin(track: TrackState, lost: list[TrackState], components: Components, row: int, options: Any) -> int:
    """Index in `lost` of the track that a newly confirmed one turns out to be, or -1."""
    fits = [float(reach(other, components, [row], options)[0]) for other in lost]
    if not fits or max(fits) < 0.05 or track.status == LOST:
        return -1
    return int(np.argmax(fits))
