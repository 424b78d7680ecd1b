"""`Tracker`: stable numbers for the components of successive masks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from cvseg.arrays import array_module, common_device, to_device, to_host
from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import InputError, ShapeError
from cvseg.records.region import RegionTable
from cvseg.regions.properties import region_properties
from cvseg.tracking.assignment import assign_components
from cvseg.tracking.association import box_gap
from cvseg.tracking.identity import settle_identities
from cvseg.tracking.kalman_filter import BoxKalmanFilter
from cvseg.tracking.look import color_features
from cvseg.tracking.ownership import Components, Ownership
from cvseg.tracking.slot_map import SlotMap
from cvseg.tracking.track_lifecycle import CONFIRMED, ENDED, LOST, TENTATIVE, TrackState
from cvseg.tracking.tracked_frame import Sighting, TrackedFrame
from cvseg.tracking.tracker_options import TrackerOptions

APART = 1.0  # sides to the next component from which a newcomer is no piece of another
HIDDEN_COVER = 0.3  # share of its last pixels under another from which that one hides it


class Tracker:
    """Links components over time. All state lies in the object: two trackers never share a number.

    Each frame: every track predicts its box (Kalman) and moves its last mask (by the flow, else by the predicted
    step); one joint histogram counts the pixels that moved masks share with the new components; the best one-to-one
    matches are made. Two confirmed tracks in one component keep their numbers and share its pixels; several components
    in one moved mask keep its number until they stay apart. A track that is not seen waits, with a gate that grows.
    A track gets its number when it has been seen in `min_hits` frames, or in all frames of a shot that has fewer;
    frames that are still held then show it too, see `TrackedFrame`. Numbers rise in the order of first appearance and
    are never used again.

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
        self._map = SlotMap()
        self._frame_index = -1
        self._frames = 0  # so far; the tracks count in these, whatever the indices
        self._before_shot = 0  # of them, those before the last cut

    def begin_shot(self) -> None:
        """The film is cut: no track goes on, and no number is used again."""
        self.end_shot()
        self._tracks, self._map, self._before_shot = [], SlotMap(), self._frames

    def end_shot(self) -> None:
        """No frame follows: in a shot shorter than `min_hits`, what was seen in each of its frames gets its number."""
        frames = self._frames - self._before_shot
        if frames >= self.options.min_hits:
            return
        for track in self._tracks:
            if track.status == TENTATIVE and track.hits == frames:
                track.name(self._new_number(), track.first_frame)

    def update(
        self,
        frame_index: int,
        mask_labels: Any,
        *,
        numbers: Any = None,
        whole: Any = None,
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
        numbers : (n,) whole numbers from 1, by label: the same from frame to frame where the label is known to go on;
            None: that is known of no label
        whole : (n,) bool, by label: which are known to be one object each, so that none is a piece of another or
            shared; None: that is known of no label
        probability : (H, W) float32 in [0, 1]; gives the tracks' confidence, which is 1 without it
        flow_backward_xy : (H, W, 2) float32, pixels; this frame's pixel + flow lies in the last frame
        camera_matrix : (3, 3) numbers; takes points (x, y, 1) of the last frame to this one
        image : (H, W, 3) uint8 RGB; colours then help after occlusions

        Returns
        -------
        TrackedFrame : to be read at once, or ``min_hits - 1`` frames later with the beginnings of new tracks

        Raises
        ------
        ShapeError, DtypeError, DeviceMismatchError, InputError
        """
        self._check(frame_index, mask_labels, probability, flow_backward_xy, camera_matrix, image)
        self._frame_index = frame_index
        self._frames += 1
        for track in self._tracks:
            if camera_matrix is not None:
                track.move(np.asarray(camera_matrix, np.float64))
            track.filter.predict()

        mask_labels = array_module(mask_labels).ascontiguousarray(mask_labels)
        table = region_properties(mask_labels)
        components, labels_of = self._in_fixed_order(table, numbers, whole)
        self._map.move(self._tracks, mask_labels, flow_backward_xy)
        overlap_px = self._map.overlap(self._tracks, mask_labels, labels_of, len(table))
        if image is not None and self._colors_matter(len(labels_of), overlap_px):
            counts = self._histograms(mask_labels, image, len(table))[labels_of - 1]
            components = replace(components, histogram=counts / np.maximum(counts.sum(1, keepdims=True), 1))
        ownership = assign_components(self._tracks, components, overlap_px, self.options)
        self._start_tracks(ownership, components)
        final = self._map.divide(
            self._tracks, mask_labels, labels_of, ownership, probability, self.options.hidden_share
        )
        self._learn(final, ownership, components, image, overlap_px)
        return self._result(final)

    def state_dict(self) -> dict[str, Any]:
        """Everything that `update` depends on, as plain numbers and host arrays."""
        return {
            "next_id": self._next_id,
            "frame_index": self._frame_index,
            "frames": self._frames,
            "before_shot": self._before_shot,
            "slots": None if self._map.slots is None else np.array(to_host(self._map.slots)),
            "tracks": [track.state_dict() for track in self._tracks],
            "parents": [-1 if track.parent is None else self._place(track.parent) for track in self._tracks],
            "hosts": [-1 if track.host is None else self._place(track.host) for track in self._tracks],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken; the options stay those of this tracker."""
        self._next_id = int(state["next_id"])
        self._frame_index = int(state["frame_index"])
        self._frames = int(state["frames"])
        self._before_shot = int(state["before_shot"])
        self._map = SlotMap(None if state["slots"] is None else np.array(state["slots"]))
        self._tracks = [TrackState.from_state_dict(track, self.options.kalman) for track in state["tracks"]]
        for track, parent, host in zip(self._tracks, state["parents"], state["hosts"], strict=True):
            track.parent = None if parent < 0 else self._tracks[parent]
            track.host = None if host < 0 else self._tracks[host]

    def _place(self, track: TrackState) -> int:
        return next(t for t, other in enumerate(self._tracks) if other is track)

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
        if self._map.slots is not None and tuple(self._map.slots.shape) != tuple(mask_labels.shape):
            raise ShapeError(
                f"Tracker.update: mask_labels is {tuple(mask_labels.shape)}; the frames before were "
                f"{tuple(self._map.slots.shape)}. Call reset() before another clip."
            )

    @staticmethod
    def _in_fixed_order(table: Any, numbers: Any, whole: Any) -> tuple[Components, Any]:
        """Components sorted by place, not by label: renumbered labels then give the same tracks."""
        present = np.flatnonzero(table.area_px > 0)
        box, center = table.box_xyxy[present], table.centroid_xy[present]
        order = np.lexsort((center[:, 1], center[:, 0], table.area_px[present], *box.T[::-1]))
        present = present[order]
        boxes = table.box_xyxy[present].astype(np.float64)
        centers = 0.5 * (boxes[:, :2] + boxes[:, 2:])
        count = len(table.area_px)
        numbers = np.zeros(count, np.int64) if numbers is None else np.asarray(numbers, np.int64)
        whole = np.zeros(count, bool) if whole is None else np.asarray(whole, bool)
        return Components(table.area_px[present], boxes, centers, numbers[present], whole[present]), present + 1

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

    @staticmethod
    def _color_sums(labels: Any, image: Any, boxes_xyxy: Any) -> Any:
        from cvseg.kernels.regions.band_colors import band_colors

        boxes = to_device(np.ascontiguousarray(boxes_xyxy, np.int32), common_device("Tracker.update", labels))
        return to_host(band_colors(labels, array_module(image).ascontiguousarray(image), boxes))

    def _start_tracks(self, ownership: Ownership, components: Components) -> None:
        for c in ownership.newcomers:
            if components.area_px[c] < self.options.min_area:
                continue
            box = _box(components.box_xyxy[c])
            whole = self._tracks[ownership.apart[c]] if c in ownership.apart else None
            track = TrackState(
                BoxKalmanFilter(box, self.options.kalman),
                slot=0,
                hits=0,
                first_frame=self._frames,
                parent=whole and (whole.parent or whole),
                frames_apart=int(whole is not None),
                born_apart=_nearest(components, c) > APART * max(box[2] - box[0], box[3] - box[1]),
                box_xyxy=box,
            )
            self._tracks.append(track)
            ownership.give(c, len(self._tracks) - 1)

    def _learn(
        self, final: RegionTable, ownership: Ownership, components: Components, image: Any, overlap_px: Any
    ) -> None:
        divided = self._map.slots
        shared = {t for owners in ownership.owners.values() if len(owners) > 1 for t in owners}
        size_hw = (int(divided.shape[0]), int(divided.shape[1]))
        if image is not None:
            counts = self._histograms(divided, image, len(final))
            colors = color_features(self._color_sums(divided, image, final.box_xyxy))
        self._find_hosts(ownership, final, overlap_px)
        self._absorb(ownership, overlap_px)
        # What is seen of these may be more than themselves.
        more = {id(track.host) for t, track in enumerate(self._tracks) if track.host and t not in ownership.main}
        more |= {id(track.parent) for track in self._tracks if track.parent and track.hits == 0}
        for t, track in enumerate(self._tracks):
            row = track.slot - 1
            if t not in ownership.main or final.area_px[row] == 0:
                track.miss(self.options.max_age, size_hw)
                continue
            rows = [row, *(k.slot - 1 for k in self._tracks if k.parent is track and k.slot and not k.far)]
            rows = [r for r in rows if final.area_px[r]]
            boxes = final.box_xyxy[rows]
            number = int(components.numbers[ownership.main[t]])
            followed = number > 0 and track.number_of_label == number
            if t not in shared:
                track.number_of_label = number
            track.see(
                _box((*boxes[:, :2].min(0), *boxes[:, 2:].max(0))),
                float(final.area_px[rows].sum()),
                own_px=float(final.area_px[row]),
                shared=t in shared,
                hides=id(track) in more,
                followed=followed,
                shared_noise=self.options.shared_noise,
            )
            track.group = ownership.main[t] + 1 if t in shared else 0
            if image is not None and t not in shared:
                track.learn_colors(counts[row], colors[row])
        self._drop_pieces(ownership)
        alone = [t for t in ownership.main if t not in shared and self._tracks[t].missed == 0]
        settle_identities(self._tracks, sorted(alone), self._frames, self.options, self._new_number)
        self._confirm()
        self._tracks = [track for track in self._tracks if track.status != ENDED]
        for track in self._tracks:
            if track.parent is not None and track.parent.status == ENDED:
                track.parent = None
            if track.host is not None and track.host.status == ENDED:
                track.host = None

    def _find_hosts(self, ownership: Ownership, final: RegionTable, overlap_px: Any) -> None:
        """Who was seen in the last frame and is not now, while others are where its pixels went: they hide it."""
        for t in range(len(overlap_px) if overlap_px.shape[1] else 0):
            track = self._tracks[t]
            if t in ownership.main or track.missed or track.status != CONFIRMED:
                continue
            c = int(np.argmax(overlap_px[t]))
            owners = ownership.owners.get(c, []) if overlap_px[t, c] >= HIDDEN_COVER * track.mask_px else []
            if track.group:
                owners = [o for o in ownership.main if self._tracks[o].group == track.group]
            owners = [o for o in owners if self._tracks[o].status == CONFIRMED]
            if owners:
                track.host = self._tracks[max(owners, key=lambda o: (self._tracks[o].area_px, -o))]

    def _absorb(self, ownership: Ownership, overlap_px: Any) -> None:
        """Who had no number yet and is where another is seen now was a piece of it, and is shown so."""
        for t in range(len(overlap_px) if overlap_px.shape[1] else 0):
            track = self._tracks[t]
            if track.status != TENTATIVE or t in ownership.main or track.parent is not None:
                continue
            c = int(np.argmax(overlap_px[t]))
            if overlap_px[t, c] < self.options.least_cover * track.mask_px:
                continue
            owners = [self._tracks[o] for o in ownership.owners.get(c, []) if self._tracks[o].status == CONFIRMED]
            if owners:
                track.numbers = [(track.first_frame, owners[0].id)]

    def _drop_pieces(self, ownership: Ownership) -> None:
        """Two tracks of one object began as its pieces: the one that was never for long alone is none."""
        for owners in ownership.owners.values():
            if len(owners) < 2:
                continue
            whole = max(owners, key=lambda t: (self._tracks[t].frames_alone, -t))
            for t in owners:
                track = self._tracks[t]
                if (
                    t != whole
                    and not track.born_apart
                    and track.frames_alone < self.options.proof <= track.frames_shared // 2
                ):
                    track.status = ENDED

    def _confirm(self) -> None:
        for track in self._tracks:
            if track.status != TENTATIVE or track.hits < self.options.min_hits:
                continue
            if track.parent is not None and track.frames_apart < self.options.split_after:
                continue
            # As far back as frames are held; a child was shown with its parent's number before.
            track.parent = None
            track.name(self._new_number(), self._frames - self.options.min_hits + 1)

    def _new_number(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _result(self, final: RegionTable) -> TrackedFrame:
        sightings = []
        for track in self._tracks:
            if track.slot == 0:
                continue
            row = track.slot - 1
            x, y = final.centroid_xy[row]
            sightings.append(
                Sighting(
                    track=track,
                    parent=track.parent,
                    slot=track.slot,
                    box_xyxy=_box(final.box_xyxy[row]),
                    area_px=int(final.area_px[row]),
                    centroid_xy=(float(x), float(y)),
                    velocity_xy=track.filter.velocity_xy,
                    confidence=min(max(float(final.mean_weight[row]), 0.0), 1.0),
                )
            )
        return TrackedFrame(self._map.slots, tuple(sightings), self._frames)


def _box(row: Any) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(value) for value in row)
    return x0, y0, x1, y1


def _nearest(components: Components, c: int) -> float:
    """Pixels between a component and the nearest other one."""
    others = np.delete(components.box_xyxy, c, axis=0)
    return min((box_gap(components.box_xyxy[c], other) for other in others), default=float("inf"))
