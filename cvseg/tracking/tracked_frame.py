"""`TrackedFrame`: one frame after tracking. Its numbers are looked up when it is read, so they can come late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import common_device, to_device
from cvseg.records.track import Track
from cvseg.tracking.kalman_filter import Box
from cvseg.tracking.track_lifecycle import TrackState


@dataclass(frozen=True)
class Sighting:
    """What was measured of one track in one frame, whether or not it has a number yet.

    Attributes
    ----------
    track : lives on in the tracker, and gets its number there
    parent : the track that it had come off, whose number its pixels carry meanwhile
    slot : value of its pixels in the frame's slot map
    box_xyxy, area_px, centroid_xy, velocity_xy, confidence : as in `Track`
    """

    track: TrackState
    parent: TrackState | None
    slot: int
    box_xyxy: Box
    area_px: int
    centroid_xy: tuple[float, float]
    velocity_xy: tuple[float, float]
    confidence: float


class TrackedFrame:
    """What `Tracker.update` returns: labels and tracks, with the numbers that are known when they are read.

    A track gets its number after `min_hits` frames. Whoever reads a frame at once sees the tracks that have a number
    by then. Whoever keeps it for ``min_hits - 1`` further updates also sees the tracks that were too young before; from
    then on nothing changes any more.

    Attributes
    ----------
    labels : (H, W) int32 on the input's device; 0 background and objects without a number, else the track id
    tracks : the tracks that have pixels in `labels`, by id
    """

    def __init__(self, slots: Any, sightings: tuple[Sighting, ...], frame_number: int) -> None:
        self._slots = slots
        self._sightings = sightings
        self._frame_number = frame_number
        self._labels: Any = None
        self._ids_of_labels: tuple[int, ...] = ()

    @property
    def labels(self) -> Any:
        from cvseg.kernels.labeling.relabel import relabel

        ids = tuple(self._number(sighting) for sighting in self._sightings)
        if self._labels is None or ids != self._ids_of_labels:
            table = np.zeros(max((sighting.slot for sighting in self._sightings), default=0) + 1, np.int32)
            for sighting, number in zip(self._sightings, ids, strict=True):
                table[sighting.slot] = number
            self._labels = relabel(self._slots, to_device(table, common_device("TrackedFrame", self._slots)))
            self._ids_of_labels = ids
        return self._labels

    @property
    def tracks(self) -> tuple[Track, ...]:
        by_number: dict[int, list[Sighting]] = {}
        for sighting in self._sightings:
            number = self._number(sighting)
            if number:
                by_number.setdefault(number, []).append(sighting)
        return tuple(self._record(number, by_number[number]) for number in sorted(by_number))

    def _number(self, sighting: Sighting) -> int:
        for track in (sighting.track, sighting.parent):
            number = track.number_at(self._frame_number) if track is not None else 0
            if number:
                return number
        return 0

    def _record(self, number: int, sightings: list[Sighting]) -> Track:
        """One record for a track and the pieces that carry its number."""
        # The track itself comes before its pieces.
        first = min(sightings, key=lambda sighting: sighting.track.number_at(self._frame_number) != number)
        area_px = np.array([sighting.area_px for sighting in sightings])
        boxes = np.array([sighting.box_xyxy for sighting in sightings])
        share = area_px / area_px.sum()
        x, y = share @ np.array([sighting.centroid_xy for sighting in sightings])
        return Track(
            id=number,
            box_xyxy=(*boxes[:, :2].min(0).tolist(), *boxes[:, 2:].max(0).tolist()),
            area_px=int(area_px.sum()),
            centroid_xy=(float(x), float(y)),
            velocity_xy=first.velocity_xy,
            confidence=float(share @ np.array([sighting.confidence for sighting in sightings])),
            age=self._frame_number - first.track.first_frame + 1,
        )
