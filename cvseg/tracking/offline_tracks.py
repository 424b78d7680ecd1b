"""Tracks of a whole file of boxes: linked across gaps, filled, smoothed, without noise."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.formats.mot_challenge import TrackTable
from cvseg.tracking.box_colors import box_color_features
from cvseg.tracking.box_filters import boxes_of, measurements_of
from cvseg.tracking.box_tracker import BoxTracker
from cvseg.tracking.box_tracker_options import BoxTrackerOptions, OfflineOptions
from cvseg.tracking.look import COLORS
from cvseg.tracking.score_strength import score_strength, strength_range
from cvseg.tracking.track_linking import Piece, link_pieces
from cvseg.tracking.track_relinking import relink_pieces
from cvseg.tracking.track_smoothing import aligned, smooth_values
from cvseg.tracking.track_swaps import undo_swaps

Array = NDArray[np.float64]


def track_boxes(
    table: TrackTable,
    options: BoxTrackerOptions | None = None,
    offline: OfflineOptions | None = None,
    *,
    frames: Any = None,
) -> TrackTable:
    """Track all boxes of a file, with the knowledge of the whole file.

    Parameters
    ----------
    table : detections in any order; their ids are not looked at
    options : how boxes are linked from frame to frame
    offline : how the tracks are finished
    frames : function of the frame number giving (H, W, 3) uint8 RGB or None; colours then help

    Returns
    -------
    TrackTable : sorted by frame and id; ids from 1 in the order of appearance

    Raises
    ------
    RangeError
        where a box has no size or a number is not finite.

    Examples
    --------
    >>> frames = np.arange(12, dtype=np.int32).repeat(2)
    >>> boxes = np.array([[0.0, 0, 20, 50], [100, 0, 120, 50]])[np.arange(24) % 2] + frames[:, None]
    >>> seen = frames != 6
    >>> given = TrackTable(frames, -np.ones(24, np.int32), boxes, np.ones(24), -np.ones((24, 3)))
    >>> given = TrackTable(*(getattr(given, name)[seen] for name in given.__dataclass_fields__))
    >>> tracks = track_boxes(given)
    >>> len(tracks), sorted(set(tracks.ids.tolist()))
    (24, [1, 2])
    """
    options, offline = options or BoxTrackerOptions(), offline or OfflineOptions()
    if not len(table):
        return no_tracks()
    pieces, path = first_pass(table, options, frames)
    # Where the boxes told that the camera moved, straight paths are straight without its movement.
    pieces = [carried(piece, -path[piece.frames - path_start(table)]) for piece in pieces]
    extent = None if path.any() else extent_of(table.boxes_xyxy)
    if frames is None:
        pieces = link_pieces(undo_swaps(pieces, offline), offline, extent)
    else:
        pieces = relink_pieces(pieces, offline, extent)
    pieces = [
        piece
        for piece in pieces
        if len(piece.frames) >= offline.min_length and piece.strength.mean() >= offline.min_strength
    ]
    tracks = finished(pieces, options, offline)
    back = np.tile(path[tracks.frames - path_start(table)], 2)
    return dataclasses.replace(tracks, boxes_xyxy=tracks.boxes_xyxy + back)


def path_start(table: TrackTable) -> int:
    """First frame that has a box."""
    return int(table.frames.min())


def carried(piece: Piece, by_xy: Array) -> Piece:
    """A piece moved by (k, 2) pixels, a row for each of its boxes."""
    measured = piece.measured.copy()
    measured[:, :2] += by_xy
    return dataclasses.replace(piece, measured=measured)


def track_boxes_online(
    table: TrackTable, options: BoxTrackerOptions | None = None, *, frames: Any = None
) -> TrackTable:
    """What `BoxTracker.update` returns for each frame, as one table: nothing is filled, linked or smoothed.

    Parameters
    ----------
    table : detections in any order
    options : how boxes are linked
    frames : function of the frame number giving (H, W, 3) uint8 RGB or None
    """
    tracker = BoxTracker(options)
    parts = []
    for t, own in rows_by_frame(table):
        result = tracker.update(
            t, table.boxes_xyxy[own], table.confidences[own], frame=None if frames is None else frames(t)
        )
        parts.append((np.full(len(result), t), result.ids, result.boxes_xyxy, result.scores))
    if not parts:
        return no_tracks()
    frame, ids, boxes, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
    return TrackTable(frame.astype(np.int32), ids.astype(np.int32), boxes, scores, np.full((len(frame), 3), -1.0))


def rows_by_frame(table: TrackTable) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Every frame from the first to the last that has a box, and its rows."""
    if not len(table):
        return
    order = np.argsort(table.frames, kind="stable")
    first, last = int(table.frames.min()), int(table.frames.max())
    starts = np.searchsorted(table.frames[order], np.arange(first, last + 2))
    for t in range(first, last + 1):
        yield t, order[starts[t - first] : starts[t - first + 1]]


def no_tracks() -> TrackTable:
    """A table without rows."""
    return TrackTable(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros((0, 4)), np.zeros(0), np.zeros((0, 3)))


def first_pass(table: TrackTable, options: BoxTrackerOptions, frames: Any = None) -> tuple[list[Piece], Array]:
    """Run the tracker over a file that has boxes.

    Returns
    -------
    its tracks, those without a number included, by first appearance
    path : (frames, 2) way of the camera since the first frame that has a box, as far as the boxes tell it; pixels
    """
    tracker = BoxTracker(options)
    low, high = strength_range(table.confidences, options.low_quantile, options.high_quantile)
    boxes = table.boxes_xyxy
    tracker.expect(score_range=(low, high), extent_xyxy=extent_of(boxes))
    shifts = []
    keys, rows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    colors = np.zeros((len(table), 0 if frames is None else COLORS))
    for t, own in rows_by_frame(table):
        frame = None if frames is None else frames(t)
        result = tracker.update(t, boxes[own], table.confidences[own], frame=frame)
        if frame is not None and len(own):
            colors[own] = box_color_features(frame, boxes[own])
        found = result.all_detections >= 0
        shifts.append(result.shift_xy)
        keys.append(result.keys[found])
        rows.append(own[result.all_detections[found]])
    key, row = np.concatenate(keys), np.concatenate(rows)
    by_key = np.argsort(key, kind="stable")
    key, row = key[by_key], row[by_key]
    measured = measurements_of(boxes)
    strength = score_strength(table.confidences, low, high)
    pieces = [
        Piece(table.frames[own].astype(np.int64), measured[own], table.confidences[own], strength[own], colors[own])
        for own in np.split(row, np.flatnonzero(np.diff(key)) + 1)
        if len(own)
    ]
    return pieces, np.cumsum(shifts, axis=0)


def extent_of(boxes_xyxy: Array) -> tuple[float, float, float, float]:
    """Smallest box around all boxes: about the picture, whose size no file of boxes tells."""
    x0, y0 = boxes_xyxy[:, :2].min(0).tolist()
    x1, y1 = boxes_xyxy[:, 2:].max(0).tolist()
    return x0, y0, x1, y1


def finished(pieces: list[Piece], options: BoxTrackerOptions, offline: OfflineOptions) -> TrackTable:
    """Smooth and fill the tracks, and number them by first appearance."""
    if not pieces:
        return no_tracks()
    pieces = sorted(pieces, key=lambda piece: (int(piece.frames[0]), *piece.measured[0].tolist()))
    values, seen = aligned([(piece.frames, piece.measured) for piece in pieces])
    filled = interpolated(values, seen)
    if offline.smooth:
        values = smoothed(values, seen, pieces, options, offline)
    else:
        values = filled
    scores = interpolated(aligned([(piece.frames, piece.scores[:, None]) for piece in pieces])[0], seen)[..., 0]
    shown = shown_frames(seen, offline.fill_gap)
    step, column = np.nonzero(shown)
    frame = step + np.array([piece.frames[0] for piece in pieces])[column]
    order = np.lexsort((column, frame))
    step, column, frame = step[order], column[order], frame[order]
    return TrackTable(
        frames=frame.astype(np.int32),
        ids=(column + 1).astype(np.int32),
        boxes_xyxy=boxes_of(values[step, column]),
        confidences=scores[step, column],
        extra=np.full((len(frame), 3), -1.0),
    )


def smoothed(
    values: Array, seen: NDArray[np.bool_], pieces: list[Piece], options: BoxTrackerOptions, offline: OfflineOptions
) -> Array:
    """(frames, tracks, 4) with the noise of the tracker's motion; the sides of a track set the scale for all of it."""
    motion = options.motion
    log_sides = np.array([np.median(piece.measured[:, 2:], axis=0) for piece in pieces])
    sides, size = np.exp(log_sides), np.exp(log_sides.mean(1))
    noise = np.concatenate(
        [
            (offline.smooth_position * (motion.position_noise * sides + 0.5)) ** 2,
            (offline.smooth_size * (motion.size_noise + 0.5 / sides)) ** 2,
        ],
        axis=1,
    )
    # Unrest of the tracker's model is what jumps of a detector need; a path that is known as a whole is smoother.
    push = np.stack([(motion.acceleration * size) ** 2] * 2 + [np.zeros(len(size))] * 2, axis=1)
    drift = np.stack([np.full(len(size), 1e-6)] * 2 + [np.full(len(size), motion.size_change**2)] * 2, axis=1)
    frames, tracks, count = values.shape
    flat = smooth_values(
        values.reshape(frames, -1),
        np.repeat(seen, count, axis=1),
        np.broadcast_to(noise.ravel(), (frames, tracks * count)),
        drift.ravel(),
        push.ravel(),
    )
    return flat.reshape(values.shape)


def interpolated(values: Array, seen: NDArray[np.bool_]) -> Array:
    """(frames, tracks, d) with straight lines over what is not seen."""
    filled = values.copy()
    steps = np.arange(len(values))
    for column in range(values.shape[1]):
        known = np.flatnonzero(seen[:, column])
        for d in range(values.shape[2]):
            filled[:, column, d] = np.interp(steps, known, values[known, column, d])
    return filled


def shown_frames(seen: NDArray[np.bool_], fill_gap: int) -> NDArray[np.bool_]:
    """Frames in which a track is shown: seen ones, and gaps of up to `fill_gap` frames between two sights.

    Examples
    --------
    >>> shown_frames(np.array([[1, 0, 1, 0, 0, 1, 0]], bool).T, 1).ravel().astype(int).tolist()
    [1, 1, 1, 0, 0, 1, 0]
    """
    step = np.arange(len(seen))[:, None]
    before = np.maximum.accumulate(np.where(seen, step, -1), axis=0)
    after = np.minimum.accumulate(np.where(seen, step, len(seen) * 2)[::-1], axis=0)[::-1]
    inside = (before >= 0) & (after < len(seen))
    return np.asarray(seen | (inside & (after - before - 1 <= fill_gap)))
