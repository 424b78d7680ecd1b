"""Components that are pieces of a tracked object, and when a piece has been apart for so long that it is none."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.tracking.association import box_area, box_gap, box_intersection
from cvseg.tracking.ownership import Components, Ownership
from cvseg.tracking.track_lifecycle import TrackState

STEADY_SHARE = 0.15  # change of a part's share of the area from which it counts as growing or shrinking
GAP = 0.15  # sides of an object between where it is predicted and a piece of it, at most
COVERED_AREA = 0.9  # share of its usual area below which something may cover an object


def collect_parts(
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
        if c in outcome.owners or components.whole[c]:
            continue
        share = overlap_px[owners, c] / areas[c]
        inside = box_intersection(predicted[owners], boxes[c]) / box_area(boxes[c])
        # What comes out on the other side of a post while the rest goes in: together they look like the whole.
        both = np.concatenate((np.minimum(main_boxes, boxes[c])[:, :2], np.maximum(main_boxes, boxes[c])[:, 2:]), 1)
        completes = (
            (main_areas < COVERED_AREA * usual_areas)
            & (main_areas + areas[c] < 1.2 * usual_areas)
            & (both[:, 2:] - both[:, :2] < 1.5 * usual_sides + 2).all(1)
            & np.array([box_gap(predicted[t], boxes[c]) for t in owners] < GAP * usual_sides.max(1) + 1)
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


def count_apart(outcome: Ownership, tracks: list[TrackState], components: Components, options: Any) -> None:
    """How long each child has been apart from its parent."""
    number_of = {id(track): t for t, track in enumerate(tracks)}
    for t, track in enumerate(tracks):
        if track.parent is None or t not in outcome.main:
            continue
        parent = number_of[id(track.parent)]
        if parent not in outcome.main:
            track.parent = None
            continue
        large, far = _apart(outcome, parent, outcome.main[t], components, options)
        track.far = far
        area, main_area = components.area_px[[outcome.main[t], outcome.main[parent]]]
        share = float(area / (area + main_area))
        if not (large or far):
            track.frames_apart = 0
        elif track.frames_apart == 0 or (not far and abs(share - track.part_share) > STEADY_SHARE):
            # Behind a post one half shrinks while the other grows; two objects side by side keep their shares.
            track.frames_apart, track.part_share = 1, share
        else:
            track.frames_apart += 1
