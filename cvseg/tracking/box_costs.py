"""What it costs to take a detection for a track, for all pairs that come into question and no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.box_tracker_options import BoxTrackerOptions

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

MOST_DENSE = 20_000  # pairs up to which all are looked at; beyond, the boxes are sorted first
SLOWEST = 0.02  # sizes per frame: slower movement has no direction


@dataclass(frozen=True)
class Pairs:
    """Pairs of a track and a detection with their costs, sorted by track and detection."""

    track: Rows
    box: Rows
    cost: Array

    def among(self, tracks: NDArray[np.bool_], boxes: NDArray[np.bool_]) -> Pairs:
        """Those whose track and box are marked."""
        kept = tracks[self.track] & boxes[self.box]
        return Pairs(self.track[kept], self.box[kept], self.cost[kept])


def touching(boxes_a: Array, boxes_b: Array) -> tuple[Rows, Rows]:
    """Pairs of boxes that share area, sorted.

    Examples
    --------
    >>> a, b = np.array([[0.0, 0, 2, 2], [8, 8, 9, 9]]), np.array([[1.0, 1, 3, 3], [5, 5, 8.5, 8.5]])
    >>> [rows.tolist() for rows in touching(a, b)]
    [[0, 1], [0, 1]]
    """
    if len(boxes_a) * len(boxes_b) <= MOST_DENSE:
        shared = (
            (boxes_a[:, None, 0] < boxes_b[None, :, 2])
            & (boxes_b[None, :, 0] < boxes_a[:, None, 2])
            & (boxes_a[:, None, 1] < boxes_b[None, :, 3])
            & (boxes_b[None, :, 1] < boxes_a[:, None, 3])
        )
        rows, columns = np.nonzero(shared)
        return rows, columns
    order = np.argsort(boxes_b[:, 0], kind="stable")
    left = boxes_b[order, 0]
    widest = float((boxes_b[:, 2] - boxes_b[:, 0]).max())
    first = np.searchsorted(left, boxes_a[:, 0] - widest, side="left")
    count = np.maximum(np.searchsorted(left, boxes_a[:, 2], side="left") - first, 0)
    rows = np.repeat(np.arange(len(boxes_a)), count)
    columns = order[np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count) + first[rows]]
    a, b = boxes_a[rows], boxes_b[columns]
    kept = (a[:, 0] < b[:, 2]) & (b[:, 0] < a[:, 2]) & (a[:, 1] < b[:, 3]) & (b[:, 1] < a[:, 3])
    rows, columns = rows[kept], columns[kept]
    order = np.lexsort((columns, rows))
    return rows[order], columns[order]


def enlarged(boxes: Array, share: float) -> Array:
    """Boxes with `share` of their sides added on every side."""
    by = (boxes[:, 2:] - boxes[:, :2]) * share
    return np.concatenate([boxes[:, :2] - by, boxes[:, 2:] + by], axis=1)


def paired_iou(a: Array, b: Array) -> Array:
    """Intersection over union, row by row."""
    size = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.maximum(size[:, 0], 0) * np.maximum(size[:, 1], 0)
    area = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1]) + (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    return np.asarray(shared / np.maximum(area - shared, 1e-9))


def pair_costs(
    *,
    predicted: Array,
    predicted_boxes: Array,
    variance_xy: Array,
    direction_xy: Array,
    seen_xy: Array,
    boxes: Array,
    measured: Array,
    likeness: Any,
    options: BoxTrackerOptions,
) -> Pairs:
    """All pairs within the gates.

    cost = 1 - IoU of the enlarged boxes + distance_cost * d + size_cost * (|dlog w| + |dlog h|)
    + direction_cost * (1 - cos angle) + color_cost * (1 - likeness),

    d = distance of the centres in standard deviations of prediction and measurement.

    Parameters
    ----------
    predicted : (n, 4) cx, cy, log w, log h of the tracks
    predicted_boxes : (n, 4) the same as boxes
    variance_xy : (n, 2) of predicted centre and measurement together
    direction_xy : (n, 2) movement per frame so far, pixels; 0 where it is not known
    seen_xy : (n, 2) where each was last seen, in this frame's pixels
    boxes, measured : (m, 4) detections as boxes, and as cx, cy, log w, log h
    likeness : function of track and box numbers, giving likeness of colours in [0, 1]; or None

    References
    ----------
    Enlarged boxes: [Yang2023]_; consistent direction: [Cao2023]_ section 3.2. Departure: one sum with the distance and
    the size, which separate those that stand in each other's way.
    """
    tracks, columns = touching(enlarged(predicted_boxes, options.enlarge), enlarged(boxes, options.enlarge))
    a, b = predicted_boxes[tracks], boxes[columns]
    away = measured[columns] - predicted[tracks]
    distance = np.sqrt((away[:, :2] ** 2 / variance_xy[tracks]).sum(1))
    overlap = paired_iou(enlarged(a, options.enlarge), enlarged(b, options.enlarge))
    cost = 1 - overlap + options.distance_cost * distance + options.size_cost * np.abs(away[:, 2:]).sum(1)
    kept = (overlap >= options.least_overlap) & (distance <= options.gate)
    if options.direction_cost > 0:
        cost += options.direction_cost * _turn(direction_xy[tracks], measured[columns, :2] - seen_xy[tracks], b)
    if likeness is not None:
        cost += options.color_cost * (1 - likeness(tracks, columns))
    kept &= cost < options.most_cost
    return Pairs(tracks[kept], columns[kept], cost[kept])


def _turn(direction: Array, step: Array, boxes: Array) -> Array:
    """1 - cosine of the angle between the movement so far and the step to the box; 0 where one hardly moves."""
    size = np.sqrt(np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1.0))
    speed, length = np.hypot(direction[:, 0], direction[:, 1]), np.hypot(step[:, 0], step[:, 1])
    known = (speed > SLOWEST * size) & (length > 5 * SLOWEST * size)
    cosine = (direction * step).sum(1) / np.maximum(speed * length, 1e-9)
    return np.where(known, 1 - cosine, 0.0)


def cheaper_pairs(pairs: Pairs, others: Pairs) -> Pairs:
    """All pairs of both, each at the lower of its costs.

    Examples
    --------
    >>> a, b = np.array([0, 1]), np.array([0.5, 0.9])
    >>> both = cheaper_pairs(Pairs(a, a, b), Pairs(a[1:], a[1:], b[:1]))
    >>> both.track.tolist(), both.cost.tolist()
    ([0, 1], [0.5, 0.5])
    """
    track, box, cost = (
        np.concatenate([getattr(pairs, name), getattr(others, name)]) for name in ("track", "box", "cost")
    )
    order = np.lexsort((cost, box, track))
    track, box, cost = track[order], box[order], cost[order]
    first = np.ones(len(track), bool)
    first[1:] = (np.diff(track) != 0) | (np.diff(box) != 0)
    return Pairs(track[first], box[first], cost[first])


def overlapping(boxes: Array, others: Array, least: float) -> NDArray[np.bool_]:
    """(n,) whether each box overlaps one of the others by more than `least`, intersection over union."""
    own, other = touching(boxes, others)
    found = np.zeros(len(boxes), bool)
    found[own[paired_iou(boxes[own], others[other]) > least]] = True
    return found


def covered_share(boxes: Array, others: Array) -> Array:
    """(n,) largest share of each box under one of the others whose lower edge is lower in the picture.

    Examples
    --------
    >>> covered_share(np.array([[0.0, 0, 4, 4]]), np.array([[2.0, 0, 9, 5], [0, 0, 4, 3]])).tolist()
    [0.5]
    """
    own, other = touching(boxes, others)
    nearer = others[other, 3] >= boxes[own, 3]
    own, other = own[nearer], other[nearer]
    size = np.minimum(boxes[own, 2:], others[other, 2:]) - np.maximum(boxes[own, :2], others[other, :2])
    covered = np.zeros(len(boxes))
    np.maximum.at(covered, own, size.prod(1) / (boxes[own, 2:] - boxes[own, :2]).prod(1))
    return covered


def cheapest_pairs(pairs: Pairs, limit: float) -> tuple[Rows, Rows]:
    """One-to-one pairs with the greatest sum of `limit - cost`, sorted by track.

    Pairs that stand in nobody's way are taken at once, the others by Hungarian method, group by group.
    """
    tracks, boxes, gain = pairs.track, pairs.box, limit - pairs.cost
    if not len(tracks):
        return tracks, boxes
    alone = (np.bincount(tracks)[tracks] == 1) & (np.bincount(boxes)[boxes] == 1)
    if alone.all():
        return tracks, boxes
    from scipy.optimize import linear_sum_assignment

    chosen = alone.copy()
    rest = np.flatnonzero(~alone)
    for members in _groups(tracks[rest], boxes[rest]):
        numbers = rest[members]
        row_names, rows = np.unique(tracks[numbers], return_inverse=True)
        column_names, columns = np.unique(boxes[numbers], return_inverse=True)
        worth = np.zeros((len(row_names), len(column_names)))
        worth[rows, columns] = gain[numbers]
        partner = np.full(len(row_names), -1)
        best_rows, best_columns = linear_sum_assignment(worth, maximize=True)
        partner[best_rows] = best_columns
        chosen[numbers[(partner[rows] == columns) & (gain[numbers] > 0)]] = True
    return tracks[chosen], boxes[chosen]


def _groups(tracks: Rows, boxes: Rows) -> list[Rows]:
    """Numbers of the pairs, apart for groups that have neither a track nor a box in common."""
    if len(tracks) <= 400:
        return [np.arange(len(tracks))]
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first_box = int(tracks.max()) + 1
    size = first_box + int(boxes.max()) + 1
    links = coo_array((np.ones(len(tracks), np.int8), (tracks, boxes + first_box)), shape=(size, size))
    group = connected_components(links, directed=False)[1][tracks]
    order = np.argsort(group, kind="stable")
    return list(np.split(order, np.flatnonzero(np.diff(group[order])) + 1))
