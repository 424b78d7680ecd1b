"""`Tracker`: stable numbers for the components of successive masks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cvseg.arrays import array_module, common_device, to_device, to_host
from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import InputError, ShapeError
from cvseg.options import Options, option
from cvseg.records.track import Track
from cvseg.regions.properties import region_properties
from cvseg.tracking.kalman_filter import BoxKalmanFilter, KalmanOptions
from cvseg.tracking.ownership import Components, Ownership, assign_components, lost_twin
from cvseg.tracking.track_lifecycle import CONFIRMED, ENDED, LOST, TENTATIVE, TrackState

MASK_DISCOUNT = np.float32(0.6)  # a pixel of a shared component is this much nearer to whom it belonged before


@dataclass(frozen=True, kw_only=True)
class TrackerOptions(Options):
    """How components are linked over time."""

    min_hits: int = option(3, "frames an object must be seen before it gets a number; larger drops more flicker", low=1)
    max_age: int = option(
        30, "frames an object may stay unseen and keep its number; larger bridges longer occlusions", low=0
    )
    min_area: int = option(1, "smallest component that starts a track; larger ignores more specks", low=0, unit=" px")
    least_fit: float = option(0.15, "worst fit of a track and a component that links them", low=0, high=1)
    least_cover: float = option(
        0.4, "share of a track's moved mask in a component that makes it a co-owner; larger merges less", low=0, high=1
    )
    least_part_cover: float = option(
        0.4, "share of a component in a track's moved mask that makes it a part; larger splits sooner", low=0, high=1
    )
    part_gap: float = option(
        0.35, "gap to the main part that counts as apart, in sizes; larger keeps parts longer", low=0
    )
    part_area: float = option(
        0.4, "area, in areas of the main part, from which a part may be an object; larger keeps parts", low=0
    )
    split_after: int = option(8, "frames apart after which a part becomes an object of its own", low=1)
    hidden_share: float = option(
        0.1, "share of its usual area below which a track in a shared component counts as hidden", low=0, high=1
    )
    shared_noise: float = option(3.0, "how much less a share of a component is trusted than a whole one", low=1)
    return_distance: float = option(2.0, "how far from its prediction a lost object may return, in lengths", low=0)
    least_return_area: float = option(
        0.25, "smallest ratio of areas at which a lost object is recognised", low=0, high=1
    )
    least_color_match: float = option(
        0.6, "least likeness of the colours at which a lost object is recognised; larger is stricter", low=0, high=1
    )
    kalman: KalmanOptions = field(default_factory=KalmanOptions)


@dataclass(frozen=True)
class TrackedFrame:
    """What `Tracker.update` returns.

    Attributes
    ----------
    labels : (H, W) int32 on the input's device; 0 background and objects not confirmed yet, else the track id
    tracks : the tracks that have pixels in `labels`, by id
    """

    labels: Any
    tracks: tuple[Track, ...]


class Tracker:
    """Links components over time. All state lies in the object: two trackers never share a number.

    Each frame: every track predicts its box (Kalman) and moves its last mask (by the flow, else by the predicted
    step); one joint histogram counts the pixels that moved masks share with the new components; the best one-to-one
    matches are made. Two confirmed tracks in one component keep their numbers and share its pixels; several components
    in one moved mask keep its number until they stay apart. A track that is not seen waits, with a gate that grows.
    A track's pixels appear in the output from the frame in which it is confirmed.

    Parameters
    ----------
    options : TrackerOptions

    Examples
    --------
    >>> tracker = Tracker(TrackerOptions(min_hits=2))
    >>> for t in range(3):
    ...     mask = np.zeros((20, 40), np.int32)
    ...     mask[5:15, 3 * t : 3 * t + 8] = 1
    ...     frame = tracker.update(t, mask)
    >>> [(track.id, track.box_xyxy) for track in frame.tracks]
    [(1, (6.0, 5.0, 14.0, 15.0))]
    """

    def __init__(self, options: TrackerOptions | None = None) -> None:
        self.options = options or TrackerOptions()
        self.reset()

    def reset(self) -> None:
        """Forget everything; numbers start at 1 again."""
        self._tracks: list[TrackState] = []
        self._next_id = 1
        self._slots: Any = None  # the last frame's pixels by slot
        self._frame_index = -1

    def update(
        self,
        frame_index: int,
        mask_labels: Any,
        *,
        probability: Any = None,
        flow_backward_xy: Any = None,
        camera_matrix: Any = None,
        image: Any = None,
    ) -> TrackedFrame:
        """Take in the components of the next frame. Synchronises a GPU: small tables are read back.

        Parameters
        ----------
        frame_index : must grow from call to call
        mask_labels : (H, W) int32, 0 background, components 1..n in any order
        probability : (H, W) float32 in [0, 1]; gives the tracks' confidence, which is 1 without it
        flow_backward_xy : (H, W, 2) float32, pixels; this frame's pixel + flow lies in the last frame
        camera_matrix : (3, 3) numbers; takes points (x, y, 1) of the last frame to this one
        image : (H, W, 3) uint8 RGB; colours then help after occlusions

        Returns
        -------
        TrackedFrame

        Raises
        ------
        ShapeError, DtypeError, DeviceMismatchError, InputError
        """
        self._check(frame_index, mask_labels, probability, flow_backward_xy, camera_matrix, image)
        self._frame_index = frame_index
        for track in self._tracks:
            track.age += 1
            if camera_matrix is not None:
                track.filter.move(np.asarray(camera_matrix, np.float64))
            track.filter.predict()

        mask_labels = array_module(mask_labels).ascontiguousarray(mask_labels)
        table = region_properties(mask_labels)
        components, labels_of = self._in_fixed_order(table)
        moved, shifts_xy = self._moved_slots(mask_labels, flow_backward_xy)
        overlap_px = self._overlap(moved, shifts_xy, mask_labels, labels_of, len(table))
        if image is not None and self._colors_matter(len(labels_of), overlap_px):
            counts = self._histograms(mask_labels, image, len(table))[labels_of - 1]
            components = Components(
                components.area_px,
                components.box_xyxy,
                components.center_xy,
                counts / np.maximum(counts.sum(1, keepdims=True), 1),
            )
        ownership = assign_components(self._tracks, components, overlap_px, self.options)
        self._start_tracks(ownership, components)
        divided, final = self._divide(mask_labels, labels_of, moved, shifts_xy, ownership, probability, components)
        self._learn(final, ownership, divided, image, components)
        return self._result(divided, final)

    def state_dict(self) -> dict[str, Any]:
        """Everything that `update` depends on, as plain numbers and host arrays."""
        return {
            "next_id": self._next_id,
            "frame_index": self._frame_index,
            "slots": None if self._slots is None else np.array(to_host(self._slots)),
            "tracks": [track.state_dict() for track in self._tracks],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken; the options stay those of this tracker."""
        self._next_id = int(state["next_id"])
        self._frame_index = int(state["frame_index"])
        self._slots = None if state["slots"] is None else np.array(state["slots"])
        self._tracks = [TrackState.from_state_dict(track, self.options.kalman) for track in state["tracks"]]

    def _check(
        self, frame_index: int, mask_labels: Any, probability: Any, flow_xy: Any, camera_matrix: Any, image: Any
    ) -> None:
        given = {"mask_labels": (mask_labels, "H W")}
        if probability is not None:
            given["probability"] = (probability, "H W")
        if flow_xy is not None:
            given["flow_backward_xy"] = (flow_xy, "H W 2")
        if image is not None:
            given["image"] = (image, "H W 3")
        check_shapes("Tracker.update", **given)
        check_dtype("Tracker.update", np.int32, mask_labels=mask_labels)
        if probability is not None:
            check_dtype("Tracker.update", np.float32, probability=probability)
        if flow_xy is not None:
            check_dtype("Tracker.update", np.float32, flow_backward_xy=flow_xy)
        if image is not None:
            check_dtype("Tracker.update", np.uint8, image=image)
        common_device("Tracker.update", mask_labels, probability, flow_xy, image)
        if camera_matrix is not None and np.shape(camera_matrix) != (3, 3):
            raise ShapeError(f"Tracker.update: camera_matrix is {np.shape(camera_matrix)}; expected (3, 3).")
        if frame_index <= self._frame_index:
            raise InputError(
                f"Tracker.update: frame_index is {frame_index} after {self._frame_index}; frames must come in order. "
                "Call reset() before another clip."
            )
        if self._slots is not None and tuple(self._slots.shape) != tuple(mask_labels.shape):
            raise ShapeError(
                f"Tracker.update: mask_labels is {tuple(mask_labels.shape)}; the frames before were "
                f"{tuple(self._slots.shape)}. Call reset() before another clip."
            )

    @staticmethod
    def _in_fixed_order(table: Any) -> tuple[Components, Any]:
        """Components sorted by place, not by label: renumbered labels then give the same tracks."""
        present = np.flatnonzero(table.area_px > 0)
        box, center = table.box_xyxy[present], table.centroid_xy[present]
        order = np.lexsort((center[:, 1], center[:, 0], table.area_px[present], *box.T[::-1]))
        present = present[order]
        boxes = table.box_xyxy[present].astype(np.float64)
        centers = 0.5 * (boxes[:, :2] + boxes[:, 2:])
        return Components(table.area_px[present], boxes, centers), present + 1

    def _moved_slots(self, mask_labels: Any, flow_xy: Any) -> tuple[Any, Any]:
        """The last frame's slots where they are expected now: a map, and a shift per slot still to be made."""
        from cvseg.kernels.labeling.warp_labels import warp_labels

        xp = array_module(mask_labels)
        most = max((track.slot for track in self._tracks), default=0)
        shifts_xy = np.zeros((most + 1, 2), np.int32)
        if self._slots is None:
            return xp.zeros(mask_labels.shape, np.int32), shifts_xy
        slots = to_device(self._slots, common_device("Tracker.update", mask_labels))
        if flow_xy is not None:
            return warp_labels(slots, xp.ascontiguousarray(flow_xy)), shifts_xy
        for track in self._tracks:
            if track.slot:
                x, y = track.filter.center_xy
                x0, y0, x1, y1 = track.box_xyxy
                shifts_xy[track.slot] = math.floor(x - 0.5 * (x0 + x1) + 0.5), math.floor(y - 0.5 * (y0 + y1) + 0.5)
        return slots, shifts_xy

    def _overlap(self, moved: Any, shifts_xy: Any, mask_labels: Any, labels_of: Any, count: int) -> Any:
        from cvseg.kernels.labeling.label_overlap import label_overlap

        overlap_px = np.zeros((len(self._tracks), len(labels_of)), np.int32)
        if len(shifts_xy) > 1 and len(labels_of):
            shifts = to_device(shifts_xy, common_device("Tracker.update", mask_labels))
            counts = to_host(label_overlap(moved, mask_labels, shifts, np.int32(count + 1)))
            for row, track in enumerate(self._tracks):
                if track.slot:
                    overlap_px[row] = counts[track.slot, labels_of]
        return overlap_px

    def _colors_matter(self, count: int, overlap_px: Any) -> bool:
        """Whether any decision of this frame may look at the components' colours."""
        if not count:
            return False
        return any(
            track.status == LOST or track.frames_since_shared < 10 or not overlap_px[row].any()
            for row, track in enumerate(self._tracks)
        )

    @staticmethod
    def _histograms(labels: Any, image: Any, count: int) -> Any:
        from cvseg.kernels.regions.region_histogram import region_histogram

        return to_host(region_histogram(labels, array_module(image).ascontiguousarray(image), np.int32(count)))

    def _start_tracks(self, ownership: Ownership, components: Components) -> None:
        for c in ownership.newcomers:
            if components.area_px[c] < self.options.min_area:
                continue
            box = _box(components.box_xyxy[c])
            track = TrackState(BoxKalmanFilter(box, self.options.kalman), slot=0, hits=0, box_xyxy=box)
            self._tracks.append(track)
            ownership.give(c, len(self._tracks) - 1)

    def _divide(
        self,
        mask_labels: Any,
        labels_of: Any,
        moved: Any,
        shifts_xy: Any,
        ownership: Ownership,
        probability: Any,
        components: Components,
    ) -> tuple[Any, Any]:
        """Give every pixel a slot and measure the slots. Tracks whose share is a sliver count as hidden."""
        from cvseg.kernels.regions.divide_regions import divide_regions

        self._give_slots(ownership)
        most = max((track.slot for track in self._tracks), default=0)
        device = common_device("Tracker.update", mask_labels)
        shifts = np.zeros((most + 1, 2), np.int32)
        shifts[: len(shifts_xy)] = shifts_xy
        ellipses = np.ones((most + 1, 4), np.float32)
        for track in self._tracks:
            if track.slot:
                width, height = track.filter.size_wh
                ellipses[track.slot] = *track.filter.center_xy, 2 / width, 2 / height
        while True:
            first_owner = np.zeros(int(labels_of.max(initial=0)) + 2, np.int32)
            owners_of = {int(labels_of[c]): owners for c, owners in ownership.owners.items()}
            owners: list[int] = []
            for label in range(len(first_owner) - 1):
                first_owner[label] = len(owners)
                owners.extend(self._tracks[t].slot for t in owners_of.get(label, []))
            first_owner[-1] = len(owners)
            tables = (first_owner, np.array([*owners, 0], np.int32), ellipses, shifts)
            divided = divide_regions(mask_labels, moved, *(to_device(table, device) for table in tables), MASK_DISCOUNT)
            final = region_properties(divided, probability, count=most)
            hidden = [
                t
                for tracks in ownership.owners.values()
                if len(tracks) > 1
                for t in tracks
                if final.area_px[self._tracks[t].slot - 1] < self.options.hidden_share * self._tracks[t].area_px
            ]
            if not hidden:
                return divided, final
            # The most hidden one first: its pixels may be enough for another.
            worst = min(hidden, key=lambda t: (final.area_px[self._tracks[t].slot - 1] / self._tracks[t].area_px, t))
            self._drop(ownership, worst)

    def _drop(self, ownership: Ownership, track: int) -> None:
        ownership.owners[ownership.main.pop(track)].remove(track)
        for c in ownership.parts.pop(track, []):
            ownership.owners[c].remove(track)

    def _give_slots(self, ownership: Ownership) -> None:
        """A new or returned track takes a slot that nobody has in the last frame's map."""
        taken = {track.slot for track in self._tracks}
        free = 1
        for t in sorted(ownership.main):
            if self._tracks[t].slot == 0:
                while free in taken:
                    free += 1
                self._tracks[t].slot = free
                taken.add(free)

    def _learn(self, final: Any, ownership: Ownership, divided: Any, image: Any, components: Components) -> None:
        shared = {t for owners in ownership.owners.values() if len(owners) > 1 for t in owners}
        size_hw = (int(divided.shape[0]), int(divided.shape[1]))
        counts = None if image is None else self._histograms(divided, image, len(final))
        for t, track in enumerate(self._tracks):
            row = track.slot - 1
            if t not in ownership.main or final.area_px[row] == 0:
                track.miss(self.options.max_age, size_hw)
                continue
            track.see(
                _box(final.box_xyxy[row]),
                float(final.area_px[row]),
                shared=t in shared,
                shared_noise=self.options.shared_noise,
            )
            track.group = ownership.main[t] + 1 if t in shared else 0
            if counts is not None and t not in shared:
                track.learn_colors(counts[row])
        self._confirm(ownership, components)
        self._tracks = [track for track in self._tracks if track.status != ENDED]

    def _confirm(self, ownership: Ownership, components: Components) -> None:
        for t, track in enumerate(self._tracks):
            if track.status != TENTATIVE or track.hits < self.options.min_hits:
                continue
            lost = [other for other in self._tracks if other.status == LOST]
            twin = lost_twin(track, lost, components, ownership.main[t], self.options)
            if twin >= 0:
                track.become(lost[twin])
                lost[twin].status = ENDED
            else:
                track.id, track.status = self._next_id, CONFIRMED
                self._next_id += 1

    def _result(self, divided: Any, final: Any) -> TrackedFrame:
        from cvseg.kernels.labeling.relabel import relabel

        self._slots = divided
        ids = np.zeros(len(final) + 1, np.int32)
        tracks = []
        for track in self._tracks:
            if track.status != CONFIRMED or track.slot == 0:
                continue
            row = track.slot - 1
            ids[track.slot] = track.id
            x, y = final.centroid_xy[row]
            tracks.append(
                Track(
                    id=track.id,
                    box_xyxy=track.box_xyxy,
                    area_px=int(final.area_px[row]),
                    centroid_xy=(float(x), float(y)),
                    velocity_xy=track.filter.velocity_xy,
                    confidence=min(max(float(final.mean_weight[row]), 0.0), 1.0),
                    age=track.age,
                )
            )
        labels = relabel(divided, to_device(ids, common_device("Tracker.update", divided)))
        return TrackedFrame(labels, tuple(sorted(tracks, key=lambda track: track.id)))


def _box(row: Any) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(value) for value in row)
    return x0, y0, x1, y1
