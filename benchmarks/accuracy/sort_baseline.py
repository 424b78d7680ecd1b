"""SORT as a baseline, written from the equations of its paper, and as plain as they are.

A Kalman filter of (centre, area, aspect) with constant velocity, Hungarian assignment by overlap, two constants for
birth and death. Detection scores are not used.

References
----------
[Bewley2016]_ section 3: state (u, v, s, r, u', v', s'), least overlap 0.3. Noise and ages are those that are usually
taken with it: R = diag(1, 1, 10, 10), velocities begin with a variance of 10^4, a track is shown from three hits in a
row on and ends after one frame unseen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from cvseg.formats.mot_challenge import TrackTable
from cvseg.tracking.association import box_iou
from cvseg.tracking.offline_tracks import no_tracks, rows_by_frame

LEAST_OVERLAP, MAX_AGE, MIN_HITS = 0.3, 1, 3
STEP = np.eye(7) + np.eye(7, k=4) * [0, 0, 0, 0, 1, 1, 1]
SEEN = np.eye(4, 7)
PROCESS_NOISE = np.diag([1, 1, 1, 1, 1e-2, 1e-2, 1e-4])
MEASUREMENT_NOISE = np.diag([1.0, 1.0, 10.0, 10.0])
FIRST_COVARIANCE = np.diag([10.0, 10.0, 10.0, 10.0, 1e4, 1e4, 1e4])


@dataclass
class SortTrack:
    """State of one track; `hits` counts those in a row."""

    number: int
    x: np.ndarray
    p: np.ndarray
    unseen: int = 0
    hits: int = 0

    def predict(self) -> None:
        if self.x[6] + self.x[2] <= 0:
            self.x[6] = 0.0  # an area is never negative
        self.x, self.p = STEP @ self.x, STEP @ self.p @ STEP.T + PROCESS_NOISE
        if self.unseen > 0:
            self.hits = 0
        self.unseen += 1

    def update(self, z: np.ndarray) -> None:
        gain = self.p @ SEEN.T @ np.linalg.inv(SEEN @ self.p @ SEEN.T + MEASUREMENT_NOISE)
        self.x = self.x + gain @ (z - SEEN @ self.x)
        self.p = (np.eye(7) - gain @ SEEN) @ self.p
        self.unseen, self.hits = 0, self.hits + 1

    def box_xyxy(self) -> np.ndarray:
        width = np.sqrt(max(self.x[2] * self.x[3], 1e-6))
        half = 0.5 * np.array([width, self.x[2] / width])
        return np.concatenate([self.x[:2] - half, self.x[:2] + half])


def sort_tracks(table: TrackTable) -> TrackTable:
    """Tracks of all boxes of a table, whatever their scores."""
    tracks: list[SortTrack] = []
    shown: list[tuple[int, int, np.ndarray]] = []
    born = 0
    for t, rows in rows_by_frame(table):
        boxes = table.boxes_xyxy[rows]
        size = boxes[:, 2:] - boxes[:, :2]
        measured = np.column_stack([(boxes[:, :2] + boxes[:, 2:]) / 2, size.prod(1), size[:, 0] / size[:, 1]])
        for track in tracks:
            track.predict()
        free = set(range(len(boxes)))
        if tracks and len(boxes):
            overlap = box_iou(np.array([track.box_xyxy() for track in tracks]), boxes)
            for i, j in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
                if overlap[i, j] >= LEAST_OVERLAP:
                    tracks[i].update(measured[j])
                    free.remove(int(j))
        for j in sorted(free):
            born += 1
            tracks.append(SortTrack(born, np.concatenate([measured[j], np.zeros(3)]), FIRST_COVARIANCE.copy()))
        shown += [
            (t, track.number, track.box_xyxy())
            for track in tracks
            if track.unseen == 0 and (track.hits >= MIN_HITS or t < MIN_HITS)
        ]
        tracks = [track for track in tracks if track.unseen <= MAX_AGE]
    if not shown:
        return no_tracks()
    frames, ids, boxes = (np.array(column) for column in zip(*shown, strict=True))
    return TrackTable(frames.astype(np.int32), ids.astype(np.int32), boxes, np.ones(len(ids)), -np.ones((len(ids), 3)))
