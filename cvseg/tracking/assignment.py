"""Which tracks own which components in one frame: splits, matches, merges, returns, parts, newcomers. Tables only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.association import (
    best_pairs,
    box_iou,
    box_moved_inside,
    histogram_similarity,
    mask_iou,
    nearness,
    similarity,
)
from cvseg.tracking.group_split import groups_of, hide_absent, split_group, usual_area_inside
from cvseg.tracking.ownership import Components, Ownership
from cvseg.tracking.pieces import collect_parts, count_apart
from cvseg.tracking.returning import rejoin_groups, take_free_components
from cvseg.tracking.track_lifecycle import CONFIRMED, TENTATIVE, TrackState

PIECE_AREA = 0.5  # share of its usual area up to which a component is only a piece of an object


def assign_components(
    tracks: list[TrackState], components: Components, overlap_px: NDArray[np.int32], options: Any
) -> Ownership:
    """Decide in the order of certainty: labels that go on, confirmed tracks, tentative ones, merges, returns, parts.

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
    _follow(outcome, tracks, components)
    _split_groups(outcome, tracks, components, overlap_px / mask_area[:, None], options.least_cover)
    confirmed = [t for t, track in enumerate(tracks) if track.status == CONFIRMED and t not in outcome.main]
    _match(outcome, fit, confirmed, options.least_fit)
    tentative = [t for t, track in enumerate(tracks) if track.status == TENTATIVE and t not in outcome.main]
    _match(outcome, fit, tentative, options.least_fit)
    _merge(outcome, tracks, components, _family_cover(tracks, overlap_px), options.least_cover)
    take_free_components(outcome, tracks, components, options)
    rejoin_groups(outcome, tracks, components)
    hide_absent(outcome, tracks, components)
    _expect_inside(outcome, components, predicted)
    collect_parts(outcome, tracks, components, overlap_px, predicted, options)
    count_apart(outcome, tracks, components, options)
    outcome.newcomers = [c for c in range(len(components.area_px)) if c not in outcome.owners]
    return outcome


def _follow(outcome: Ownership, tracks: list[TrackState], components: Components) -> None:
    """Components that are known to go on belong to whom they belonged to."""
    track_of = {track.number_of_label: t for t, track in enumerate(tracks) if track.number_of_label and track.slot}
    for c, number in enumerate(components.numbers.tolist()):
        if number in track_of:
            outcome.give(c, track_of[number])


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
    """Tracks that shared one component which has come apart."""
    for group in groups_of(tracks):
        members = [t for t in group if t not in outcome.main]
        if len(members) < 2:
            continue
        place = split_group(
            [tracks[t] for t in members],
            cover[members],
            components.area_px,
            usual_area_inside(tracks, cover, least_cover, members),
            components.histogram,
        )
        # All in one place is no split.
        if place is not None and len(set(place) - {-1}) > 1:
            for t, c in zip(members, place, strict=True):
                if c >= 0:
                    outcome.give(c, t)


def _match(outcome: Ownership, fit: Any, rows: list[int], least_fit: float) -> None:
    free = [c for c in range(fit.shape[1]) if c not in outcome.owners]
    if not rows or not free:
        return
    for row, column in best_pairs(fit[np.ix_(rows, free)], least_fit):
        outcome.give(free[column], rows[row])


def _merge(
    outcome: Ownership, tracks: list[TrackState], components: Components, cover: Any, least_cover: float
) -> None:
    """A confirmed track with nothing, or a small piece, whose mask lies in a component: it is an owner too."""
    for t, track in enumerate(tracks):
        if track.status != CONFIRMED:
            continue
        best = int(np.argmax(cover[t]))
        piece = outcome.main.get(t, -1)
        if (
            components.whole[best]
            or cover[t, best] < least_cover
            or best == piece
            or (piece >= 0 and best not in outcome.owners)
        ):
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
    number_of = {id(track): t for t, track in enumerate(tracks)}
    for o, other in enumerate(tracks):
        if other.parent is not None and not other.far:
            t = number_of[id(other.parent)]
            shared[t] += overlap_px[o]
            total[t] += other.mask_px
    return shared / np.maximum(total, 1.0)[:, None]
