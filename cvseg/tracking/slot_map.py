"""`SlotMap`: which pixels belonged to which track in the last frame, carried on to the next one.

A slot is the tracker's own number for the pixels of a track: small, taken again when it is free, and there before a
track has its public number.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, common_device, to_device, to_host
from cvseg.records.region import RegionTable
from cvseg.regions.properties import region_properties
from cvseg.tracking.ownership import Ownership
from cvseg.tracking.track_lifecycle import TrackState

MASK_DISCOUNT = np.float32(0.6)  # a pixel of a shared component is this much nearer to whom it belonged before


class SlotMap:
    """Pixels by slot.

    Attributes
    ----------
    slots : (H, W) int32 of the last frame on its device, or None before the first
    """

    def __init__(self, slots: Any = None) -> None:
        self.slots = slots
        self._moved: Any = None
        self._shifts_xy: NDArray[np.int32] = np.zeros((1, 2), np.int32)

    def move(self, tracks: list[TrackState], mask_labels: Any, flow_xy: Any) -> None:
        """Expect the pixels where the flow, or without it the predicted step of their track, carries them."""
        from cvseg.kernels.labeling.warp_labels import warp_labels

        xp = array_module(mask_labels)
        self._shifts_xy = np.zeros((_most(tracks) + 1, 2), np.int32)
        if self.slots is None:
            self._moved = xp.zeros(mask_labels.shape, np.int32)
            return
        self._moved = to_device(self.slots, common_device("Tracker.update", mask_labels))
        if flow_xy is not None:
            self._moved = warp_labels(self._moved, xp.ascontiguousarray(flow_xy))
            return
        # The step of a track is left to the kernels that read the map.
        for track in tracks:
            if track.slot:
                x, y = track.filter.center_xy
                # From the estimated centre, not the measured one: who was divided wrongly jumps.
                last_x, last_y = track.center_xy
                self._shifts_xy[track.slot] = math.floor(x - last_x + 0.5), math.floor(y - last_y + 0.5)

    def overlap(
        self, tracks: list[TrackState], mask_labels: Any, labels_of: NDArray[np.int64], count: int
    ) -> NDArray[np.int32]:
        """Pixels that the moved mask of each track shares with each component, (tracks, components).

        Parameters
        ----------
        tracks : as given to `move`
        mask_labels : (H, W) int32, labels up to `count`
        labels_of : (components,) label of each component
        count : highest label
        """
        from cvseg.kernels.labeling.label_overlap import label_overlap

        overlap_px = np.zeros((len(tracks), len(labels_of)), np.int32)
        if len(self._shifts_xy) > 1 and len(labels_of):
            shifts = to_device(self._shifts_xy, common_device("Tracker.update", mask_labels))
            counts = to_host(label_overlap(self._moved, mask_labels, shifts, np.int32(count + 1)))
            for row, track in enumerate(tracks):
                if track.slot:
                    overlap_px[row] = counts[track.slot, labels_of]
        return overlap_px

    def divide(
        self,
        tracks: list[TrackState],
        mask_labels: Any,
        labels_of: NDArray[np.int64],
        ownership: Ownership,
        probability: Any,
        hidden_share: float,
    ) -> RegionTable:
        """Give every pixel of this frame a slot and measure the slots; row k of the table is slot k + 1.

        Tracks without a slot get one. Owners whose share is less than `hidden_share` of their usual area are taken out
        of `ownership`: they are hidden.
        """
        from cvseg.kernels.regions.divide_regions import divide_regions

        _give_slots(tracks, ownership)
        most = _most(tracks)
        device = common_device("Tracker.update", mask_labels)
        shifts = np.zeros((most + 1, 2), np.int32)
        shifts[: len(self._shifts_xy)] = self._shifts_xy
        ellipses = np.ones((most + 1, 4), np.float32)
        for t, track in enumerate(tracks):
            if track.slot:
                x0, y0, x1, y1 = ownership.expected_xyxy.get(t, track.filter.box_xyxy)
                ellipses[track.slot] = (x0 + x1) / 2, (y0 + y1) / 2, 2 / (x1 - x0), 2 / (y1 - y0)
        while True:
            first_owner = np.zeros(int(labels_of.max(initial=0)) + 2, np.int32)
            owners_of = {int(labels_of[c]): owners for c, owners in ownership.owners.items()}
            owners: list[int] = []
            for label in range(len(first_owner) - 1):
                first_owner[label] = len(owners)
                owners.extend(tracks[t].slot for t in owners_of.get(label, []))
            first_owner[-1] = len(owners)
            tables = (first_owner, np.array([*owners, 0], np.int32), ellipses, shifts)
            divided = divide_regions(
                mask_labels, self._moved, *(to_device(table, device) for table in tables), MASK_DISCOUNT
            )
            final = region_properties(divided, probability, count=most)
            hidden = [
                t
                for sharing in ownership.owners.values()
                if len(sharing) > 1
                for t in sharing
                if final.area_px[tracks[t].slot - 1] < hidden_share * tracks[t].area_px
            ]
            if not hidden:
                self.slots, self._moved = divided, None
                return final
            # The most hidden one first: its pixels may be enough for another.
            worst = min(hidden, key=lambda t: (final.area_px[tracks[t].slot - 1] / tracks[t].area_px, t))
            ownership.take_back(worst)


def _most(tracks: list[TrackState]) -> int:
    return max((track.slot for track in tracks), default=0)


def _give_slots(tracks: list[TrackState], ownership: Ownership) -> None:
    """A new or returned track takes a slot that nobody has in the last frame's map."""
    taken = {track.slot for track in tracks}
    free = 1
    for t in sorted(ownership.main):
        if tracks[t].slot == 0:
            while free in taken:
                free += 1
            tracks[t].slot = free
            taken.add(free)
