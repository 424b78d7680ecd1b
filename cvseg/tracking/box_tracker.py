"""`BoxTracker`: boxes of any detector in, boxes with lasting numbers out, frame by frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvseg.errors import InputError, RangeError, ShapeError
from cvseg.tracking.box_colors import ColorMemory, box_histograms
from cvseg.tracking.box_costs import Pairs, cheaper_pairs, cheapest_pairs, covered_share, overlapping, pair_costs
from cvseg.tracking.box_filters import BoxFilters, boxes_of, measurements_of, moved_states
from cvseg.tracking.box_tracker_options import BoxTrackerOptions
from cvseg.tracking.camera_jolt import LEAST_TRACKS, voted_shift
from cvseg.tracking.particle_recovery import ParticleRecovery
from cvseg.tracking.score_strength import ScoreRange, score_strength, weakened_doubles
from cvseg.tracking.tracked_boxes import TrackedBoxes

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

TENTATIVE, CONFIRMED, OCCLUDED, LOST = "tentative", "confirmed", "occluded", "lost"
TAKEN = 0.4  # overlap with a seen box at which a followed track is given up
DIRECTION_RATE = 0.3  # share of the newest step in the direction of a track

# What is remembered of each track beside its filter: column, type, number of values.
COLUMNS = {
    "key": (np.int64, 0),
    "hits": (np.int64, 0),
    "unseen": (np.int64, 0),
    "hidden": (np.bool_, 0),
    "followed": (np.bool_, 0),  # unseen, but seen by its particle filter
    "followed_at": (np.float64, 4),  # where: cx, cy, log w, log h
    "first_frame": (np.int64, 0),
    "score": (np.float64, 0),
    "seen": (np.float64, 4),  # last measured cx, cy, log w, log h, carried along with the camera
    "direction": (np.float64, 2),
}


class BoxTracker:
    """Links boxes over time by motion, overlap, size and direction.

    In each frame the strong boxes go to the tracks seen lately, then to those unseen for longer, then the weak ones to
    tracks seen lately, then the strong ones left to the tentative tracks; what is left begins new ones. The order of
    the boxes within a frame is of no account.

    tentative --(min_hits boxes)--> confirmed --(not seen)--> lost, or occluded under a nearer one --> ended

    Parameters
    ----------
    options : BoxTrackerOptions

    References
    ----------
    Strong boxes before weak ones: [Zhang2022]_. After a gap the filter goes along the straight line between both sights
    anew: [Cao2023]_ section 3.3. [Bewley2016]_ is the tracker that these began from.

    Examples
    --------
    >>> tracker = BoxTracker()
    >>> for t in range(4):
    ...     frame = tracker.update(t, [[10 + 2 * t, 10, 30 + 2 * t, 60], [90, 10, 110, 60]])
    >>> frame.ids.tolist(), frame.boxes_xyxy.round().tolist()
    ([1, 2], [[16.0, 10.0, 36.0, 60.0], [90.0, 10.0, 110.0, 60.0]])
    """

    def __init__(self, options: BoxTrackerOptions | None = None) -> None:
        self.options = options or BoxTrackerOptions()
        self.reset()

    def reset(self) -> None:
        """Forget everything; numbers start at 1 again."""
        self._filters = BoxFilters(self.options.motion)
        self._table: dict[str, NDArray[Any]] = {
            name: np.zeros((0, size) if size else 0, dtype) for name, (dtype, size) in COLUMNS.items()
        }
        self._sights = _empty_sights(self._filters)
        self._colors = ColorMemory()
        self._recovery = ParticleRecovery(self.options.recover, self.options.recover_confidence)
        self._scores = ScoreRange(self.options.low_quantile, self.options.high_quantile)
        self._fixed_range: tuple[float, float] | None = None
        self._extent: tuple[float, float, float, float] | None = None
        self._shift = np.zeros(2)
        self._numbers: dict[int, int] = {}
        self._next_key = 0
        self._next_id = 1
        self._frames = 0  # since the first
        self._frame_index = -1

    def expect(
        self,
        *,
        score_range: tuple[float, float] | None = None,
        extent_xyxy: tuple[float, float, float, float] | None = None,
    ) -> None:
        """Tell what is known before the first frame.

        Parameters
        ----------
        score_range : scores of strength 0 and 1; else the scores seen so far tell
        extent_xyxy : the picture; tracks that leave it end. Else the size of `frame` tells, where there is one
        """
        self._fixed_range, self._extent = score_range, extent_xyxy

    def __len__(self) -> int:
        """Number of live tracks."""
        return len(self._filters)

    def update(
        self,
        frame_index: int,
        boxes_xyxy: ArrayLike,
        scores: ArrayLike | None = None,
        *,
        frame: Any = None,
        camera_matrix: ArrayLike | None = None,
    ) -> TrackedBoxes:
        """Take in the boxes of the next frame; indices may be skipped, that time passes without boxes.

        Parameters
        ----------
        frame_index : must grow from call to call
        boxes_xyxy : (n, 4) half-open boxes in pixels
        scores : (n,) of any scale, larger is surer; all are alike when None
        frame : (H, W, 3) uint8 RGB; colours then help
        camera_matrix : (3, 3) takes points (x, y, 1) of the last frame given to this one

        Raises
        ------
        ShapeError, RangeError, InputError
        """
        boxes, values = self._checked(frame_index, boxes_xyxy, scores, frame, camera_matrix)
        # A fixed order: sums, ties and new numbers then do not depend on the order that came.
        order = np.lexsort((values, *boxes.T[::-1]))
        boxes, values = boxes[order], values[order]
        self._scores.add(values)
        strength = score_strength(values, *(self._fixed_range or self._scores.range))
        strength = weakened_doubles(boxes, strength, self.options.doubles)
        measured = measurements_of(boxes)
        self._pass_time(frame_index, camera_matrix)
        if frame is not None and self._extent is None:
            self._extent = (0.0, 0.0, float(frame.shape[1]), float(frame.shape[0]))
        histograms = box_histograms(frame, boxes) if frame is not None and len(boxes) else None
        self._follow(self._recovery.keys, frame, camera_matrix)

        partner = self._associate(boxes, measured, strength, histograms)
        found = np.flatnonzero(partner >= 0)
        self._see(found, partner[found], measured, values, histograms)
        self._mark_hidden()
        self._recover(frame, camera_matrix)
        partner = self._end_tracks(partner)
        begun = self._begin_tracks(partner, boxes, measured, values, strength, histograms)
        partner = np.concatenate([partner, begun])
        self._number_tracks()
        return self._result(partner, order)

    def _checked(
        self, frame_index: int, boxes_xyxy: ArrayLike, scores: ArrayLike | None, frame: Any, matrix: Any
    ) -> tuple[Array, Array]:
        boxes = np.asarray(boxes_xyxy, np.float64)
        if boxes.size == 0:
            boxes = boxes.reshape(0, 4)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ShapeError(f"BoxTracker.update: boxes_xyxy is {boxes.shape}; expected (n, 4).")
        values = np.ones(len(boxes)) if scores is None else np.asarray(scores, np.float64).reshape(-1)
        if len(values) != len(boxes):
            raise ShapeError(
                f"BoxTracker.update: scores is ({len(values)},); expected ({len(boxes)},), one for each box."
            )
        wrong = ~np.isfinite(boxes).all(1) | ~np.isfinite(values) | ~(boxes[:, 2:] > boxes[:, :2]).all(1)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise RangeError(
                f"BoxTracker.update: box {row} of frame {frame_index} is {boxes[row].tolist()} with the score "
                f"{values[row]}; expected finite numbers, x0 < x1 and y0 < y1. Remove it."
            )
        if frame_index <= self._frame_index:
            raise InputError(
                f"BoxTracker.update: frame_index is {frame_index} after {self._frame_index}; frames must come in "
                "order. Call reset() before another clip."
            )
        if frame is not None and (np.ndim(frame) != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8):
            raise ShapeError(
                f"BoxTracker.update: frame is {np.shape(frame)} {getattr(frame, 'dtype', '')}; expected (H, W, 3) "
                "uint8."
            )
        if matrix is not None and (np.shape(matrix) != (3, 3) or not np.isfinite(np.asarray(matrix, np.float64)).all()):
            raise ShapeError(f"BoxTracker.update: camera_matrix is {np.shape(matrix)}; expected (3, 3) finite numbers.")
        return boxes, values

    def _pass_time(self, frame_index: int, camera_matrix: ArrayLike | None) -> None:
        if camera_matrix is not None and len(self):
            self._move_all(np.asarray(camera_matrix, np.float64))
        # Beyond the longest life nothing is left to be predicted.
        longest = max(self.options.max_age, self.options.occluded_age) + 1
        for _ in range(min(frame_index - self._frame_index, longest + 1)):
            self._table["unseen"] += 1
            self._filters.predict(self._table["unseen"] > 1)
        if frame_index - self._frame_index > 1:
            # Skipped frames are frames without boxes: nothing hides anything, and lives end.
            self._table["hidden"][:] = False
            self._keep(np.flatnonzero(self._table["unseen"] <= self._longest_unseen() + 1))
        self._table["followed"][:] = False
        self._frames += 1 if self._frame_index < 0 else frame_index - self._frame_index
        self._frame_index = frame_index

    def _move_all(self, matrix: Array) -> None:
        """Carry everything that is remembered along with the camera."""
        self._filters.move(matrix)
        sights = self._sights
        sights["x"], sights["P"] = moved_states(sights["x"], sights["P"], matrix)
        seen = self._table["seen"]
        as_states = np.concatenate([seen[:, :2], self._table["direction"], seen[:, 2:]], axis=1)
        moved = moved_states(as_states, np.broadcast_to(np.eye(6), (len(seen), 6, 6)), matrix)[0]
        self._table["seen"] = moved[:, [0, 1, 4, 5]]
        self._table["direction"] = moved[:, 2:4]

    def _associate(self, boxes: Array, measured: Array, strength: Array, histograms: Array | None) -> Rows:
        """(tracks,) row of the box of each, or -1."""
        partner = np.full(len(self), -1)
        self._shift = np.zeros(2)
        if not len(self) or not len(boxes):
            return partner
        pairs = self._costs(boxes, measured, histograms)
        table, options = self._table, self.options
        confirmed = table["hits"] >= options.min_hits
        fresh = confirmed & ((table["unseen"] <= options.fresh) | table["followed"])
        strong = strength >= options.strong
        if options.follow_jolts and fresh.sum() >= LEAST_TRACKS:
            rows, _ = cheapest_pairs(pairs.among(fresh, strong), options.most_cost)
            if len(rows) < 0.5 * fresh.sum():
                predicted = self._filters.mean[np.ix_(fresh, self._filters.measured)]
                self._shift = voted_shift(predicted, measured[strong])
            if self._shift.any():
                self._move_all(np.array([[1, 0, self._shift[0]], [0, 1, self._shift[1]], [0, 0, 1.0]]))
                pairs = self._costs(boxes, measured, histograms)
        for tracks, usable in (
            (fresh, strong),
            (confirmed, strong),
            (fresh, strength >= options.weak),
            (~confirmed, strong),
        ):
            self._take(partner, pairs, tracks, usable)
        return partner

    def _costs(self, boxes: Array, measured: Array, histograms: Array | None) -> Pairs:
        filters, table = self._filters, self._table
        predicted = filters.mean[:, filters.measured]
        variance = filters.spread[:, (0, 1), (0, 1)] + filters.noise(predicted)[:, :2]
        pairs = self._costs_at(predicted, variance, boxes, measured, histograms)
        followed = table["followed"]
        if not followed.any():
            return pairs
        # Either where motion says or where its colours are seen.
        seen = np.where(followed[:, None], table["followed_at"], predicted)
        noise = 2 * filters.noise(seen)[:, :2]
        others = self._costs_at(seen, noise, boxes, measured, histograms).among(followed, np.ones(len(boxes), bool))
        return cheaper_pairs(pairs, others)

    def _costs_at(
        self, predicted: Array, variance_xy: Array, boxes: Array, measured: Array, histograms: Array | None
    ) -> Pairs:
        table, colors = self._table, self._colors
        return pair_costs(
            predicted=predicted,
            predicted_boxes=boxes_of(predicted),
            variance_xy=variance_xy,
            direction_xy=table["direction"],
            seen_xy=table["seen"][:, :2],
            boxes=boxes,
            measured=measured,
            likeness=None if histograms is None else lambda t, b: colors.likeness(t, histograms[b]),
            options=self.options,
        )

    def _take(self, partner: Rows, pairs: Pairs, tracks: NDArray[np.bool_], usable: NDArray[np.bool_]) -> None:
        free = usable.copy()
        free[partner[partner >= 0]] = False
        rows, columns = cheapest_pairs(pairs.among(tracks & (partner < 0), free), self.options.most_cost)
        partner[rows] = columns

    def _see(self, rows: Rows, boxes: Rows, measured: Array, values: Array, histograms: Array | None) -> None:
        table, filters = self._table, self._filters
        if not len(rows):
            return
        now, gap = measured[boxes], table["unseen"][rows]
        step = (now[:, :2] - table["seen"][rows, :2]) / gap[:, None]
        self._walk_gaps(rows[gap > 1], now[gap > 1], gap[gap > 1])
        straight = gap == 1
        filters.update(rows[straight], now[straight])
        rate = np.where(table["hits"][rows] == 1, 1.0, DIRECTION_RATE)[:, None]
        table["direction"][rows] = (1 - rate) * table["direction"][rows] + rate * step
        table["seen"][rows] = now
        table["score"][rows] = values[boxes]
        table["hits"][rows] += 1
        table["unseen"][rows] = 0
        self._remember_sights(rows)
        if histograms is not None:
            self._colors.learn(rows, histograms[boxes])

    def _walk_gaps(self, rows: Rows, now: Array, gap: Rows) -> None:
        """Back after a gap, the velocity has drifted: from the last sight straight to this one, step by step."""
        if not len(rows):
            return
        walkers = BoxFilters(self.options.motion)
        walkers.x, walkers.P = self._sights["x"][:, rows].copy(), self._sights["P"][:, rows].copy()
        walkers.weight = self._sights["weight"][rows].copy()
        walkers.refresh()
        start = self._table["seen"][rows]
        for count in range(1, int(gap.max()) + 1):
            walking = np.flatnonzero(gap >= count)
            others = np.flatnonzero(gap < count)
            held = walkers.x[:, others], walkers.P[:, others], walkers.weight[others]
            walkers.predict()
            walkers.update(walking, start[walking] + (now - start)[walking] * (count / gap[walking])[:, None])
            walkers.x[:, others], walkers.P[:, others], walkers.weight[others] = held
        self._filters.x[:, rows], self._filters.P[:, rows] = walkers.x, walkers.P
        self._filters.weight[rows] = walkers.weight
        self._filters.refresh()

    def _remember_sights(self, rows: Rows) -> None:
        filters, sights = self._filters, self._sights
        sights["x"][:, rows], sights["P"][:, rows] = filters.x[:, rows], filters.P[:, rows]
        sights["weight"][rows] = filters.weight[rows]

    def _mark_hidden(self) -> None:
        """Unseen tracks whose predicted box lies under seen ones that stand nearer, with a lower lower edge."""
        table = self._table
        table["hidden"][:] = False
        unseen, seen = np.flatnonzero(table["unseen"] > 0), np.flatnonzero(table["unseen"] == 0)
        if not len(unseen) or not len(seen):
            return
        boxes = self._filters.boxes_xyxy
        table["hidden"][unseen] = covered_share(boxes[unseen], boxes[seen]) >= self.options.occluded

    def _recover(self, frame: Any, camera_matrix: Any) -> None:
        """Whose box is missing for the first time, though nobody hides it, is looked for by its colours."""
        table, recovery = self._table, self._recovery
        table["followed"] &= table["unseen"] > 0
        if not self.options.recover:
            return
        missing = (table["unseen"] == 1) & ~table["hidden"] & (table["hits"] >= self.options.min_hits)
        if frame is not None:
            self._follow(recovery.begin(table["key"][missing].tolist()), frame, camera_matrix)
        seen = table["unseen"] == 0
        # Who seems to be where another one is seen is behind that one, or taken for it.
        rows = np.flatnonzero(table["followed"])
        places = boxes_of(table["seen"][seen])
        table["followed"][rows] = ~overlapping(boxes_of(table["followed_at"][rows]), places, TAKEN)
        recovery.keep(table["key"][table["followed"]].tolist())
        recovery.remember(self._frame_index, frame, table["key"][seen].tolist(), places)

    def _follow(self, keys: list[int], frame: Any, camera_matrix: Any) -> None:
        """Move the tracks that particle filters follow to where those see them."""
        table = self._table
        if frame is None or not keys:
            return
        found = self._recovery.follow(self._frame_index, frame, keys, camera_matrix)
        for row in np.flatnonzero(np.isin(table["key"], list(found))):
            table["followed"][row] = True
            table["followed_at"][row] = measurements_of(found[int(table["key"][row])][None])[0]

    def _end_tracks(self, partner: Rows) -> Rows:
        """Drop the tracks whose time is over; `partner` of those that are left."""
        table = self._table
        kept = table["unseen"] <= self._longest_unseen()
        if self._extent is not None:
            x0, y0, x1, y1 = self._extent
            center = self._filters.mean[:, :2]
            inside = (center[:, 0] > x0) & (center[:, 0] < x1) & (center[:, 1] > y0) & (center[:, 1] < y1)
            kept &= inside | (table["unseen"] == 0)
        rows = np.flatnonzero(kept)
        self._keep(rows)
        return partner[rows]

    def _longest_unseen(self) -> Rows:
        """(n,) frames that each track may stay unseen."""
        options, table = self.options, self._table
        most = np.where(table["hidden"], options.occluded_age, options.max_age)
        return np.asarray(np.where(table["hits"] < options.min_hits, np.minimum(most, 1), most))

    def _keep(self, kept: Rows) -> None:
        table = self._table
        if len(kept) == len(self):
            return
        for name in table:
            table[name] = table[name][kept]
        self._filters.keep(kept)
        sights = self._sights
        sights["x"], sights["P"], sights["weight"] = sights["x"][:, kept], sights["P"][:, kept], sights["weight"][kept]
        self._colors.keep(kept)

    def _begin_tracks(
        self, partner: Rows, boxes: Array, measured: Array, values: Array, strength: Array, histograms: Array | None
    ) -> Rows:
        free = strength >= self.options.strong
        free[partner[partner >= 0]] = False
        begun = np.flatnonzero(free)
        count = len(begun)
        if not count:
            return begun
        table = self._table
        new = {name: np.zeros((count, *column.shape[1:]), column.dtype) for name, column in table.items()}
        new["key"][:] = np.arange(self._next_key, self._next_key + count)
        new["hits"][:] = 1
        new["first_frame"][:] = self._frame_index
        new["score"][:], new["seen"][:] = values[begun], measured[begun]
        self._next_key += count
        for name in table:
            table[name] = np.concatenate([table[name], new[name]])
        before = len(self._filters)
        self._filters.append(measured[begun])
        grown = _empty_sights(self._filters)
        for name, axis in (("x", 1), ("P", 1), ("weight", 0)):
            fresh = getattr(self._filters, name)
            fresh = fresh[before:] if axis == 0 else fresh[:, before:]
            grown[name] = np.concatenate([self._sights[name], fresh], axis=axis)
        self._sights = grown
        self._colors.append(count, None if histograms is None else histograms[begun])
        return begun

    def _number_tracks(self) -> None:
        table = self._table
        needed = self.options.min_hits
        if self.options.first_at_once:
            # Who is there when the stream begins has not just come.
            needed = min(needed, self._frames)
        for row in np.flatnonzero(table["hits"] >= needed):
            key = int(table["key"][row])
            if key not in self._numbers:
                self._numbers[key] = self._next_id
                self._next_id += 1

    def _result(self, partner: Rows, order: Rows) -> TrackedBoxes:
        table = self._table
        shown = np.flatnonzero(
            (partner >= 0)
            | table["followed"]
            | ((table["unseen"] <= self.options.shown_unseen) & (table["hits"] >= self.options.min_hits))
        )
        status = np.where(table["unseen"][shown] == 0, CONFIRMED, np.where(table["hidden"][shown], OCCLUDED, LOST))
        given = partner[shown]
        rows = {
            "keys": table["key"][shown],
            "boxes": np.where(
                table["followed"][shown, None], boxes_of(table["followed_at"][shown]), self._filters.boxes_xyxy[shown]
            ),
            "velocity": self._filters.velocity_xy[shown].copy(),
            "scores": table["score"][shown],
            "detections": np.where(given >= 0, order[given] if len(order) else -1, -1),
            "status": status,
            "followed": table["followed"][shown],
            "shift": self._shift,
        }
        return TrackedBoxes(self._frame_index, rows, self._numbers)

    def state_dict(self) -> dict[str, Any]:
        """Everything that `update` depends on, as plain numbers and arrays."""
        return {
            "filters": self._filters.state_dict(),
            "table": {name: column.copy() for name, column in self._table.items()},
            "sights": {name: array.copy() for name, array in self._sights.items()},
            "colors": self._colors.state_dict(),
            "recovery": self._recovery.state_dict(),
            "scores": self._scores.state_dict(),
            "fixed_range": self._fixed_range,
            "extent": self._extent,
            "numbers": dict(self._numbers),
            "next_key": self._next_key,
            "next_id": self._next_id,
            "frames": self._frames,
            "frame_index": self._frame_index,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken; the options stay those of this tracker."""
        self.reset()
        self._filters.load_state_dict(state["filters"])
        self._table = {name: np.array(state["table"][name], dtype) for name, (dtype, _) in COLUMNS.items()}
        self._sights = {name: np.array(array) for name, array in state["sights"].items()}
        self._colors.load_state_dict(state["colors"])
        self._recovery.load_state_dict(state["recovery"])
        self._scores.load_state_dict(state["scores"])
        self._fixed_range, self._extent = state["fixed_range"], state["extent"]
        self._numbers = {int(key): int(number) for key, number in state["numbers"].items()}
        self._frames = int(state["frames"])
        self._next_key, self._next_id = int(state["next_key"]), int(state["next_id"])
        self._frame_index = int(state["frame_index"])


def _empty_sights(filters: BoxFilters) -> dict[str, Array]:
    models, size = len(filters.models), filters.size
    return {
        "x": np.zeros((models, 0, size)),
        "P": np.zeros((models, 0, size, size)),
        "weight": np.zeros((0, models)),
    }
