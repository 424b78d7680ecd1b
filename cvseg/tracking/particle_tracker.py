"""`ParticleTracker`: several targets, a particle filter each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cvseg.errors import InputError
from cvseg.tracking.particle_estimate import ParticleEstimate
from cvseg.tracking.particle_filter import ParticleFilter
from cvseg.tracking.particle_options import ParticleOptions
from cvseg.tracking.tracked_boxes import TrackedBoxes


class ParticleTracker:
    """Follows targets whose boxes are given once.

    Parameters
    ----------
    options : ParticleOptions
    seed : of the random numbers; every target has a generator of its own, so that one does not change another

    Attributes
    ----------
    filters : id -> `ParticleFilter`
    estimates : id -> `ParticleEstimate` of the last frame

    Examples
    --------
    >>> image = np.full((60, 120, 3), 40, np.uint8)
    >>> image[20:40, 10:30], image[20:40, 80:100] = (200, 30, 30), (30, 60, 200)
    >>> tracker = ParticleTracker()
    >>> tracker.start(0, image, [(10, 20, 30, 40), (80, 20, 100, 40)])
    [1, 2]
    >>> tracker.update(1, image).status
    ['confirmed', 'confirmed']
    """

    def __init__(self, options: ParticleOptions | None = None, seed: int = 0) -> None:
        self.options, self.seed = options or ParticleOptions(), seed
        self.reset()

    def reset(self) -> None:
        """Forget all targets; numbers start at 1 again."""
        self.filters: dict[int, ParticleFilter] = {}
        self.estimates: dict[int, ParticleEstimate] = {}
        self._next_id = 1

    def start(
        self, frame_index: int, image: Any, boxes_xyxy: ArrayLike, masks: Sequence[Any] | None = None
    ) -> list[int]:
        """Begin with the targets in `boxes_xyxy`, (n, 4) half-open boxes, and their (H, W) bool `masks`; their ids.

        Raises
        ------
        ShapeError, DtypeError, RangeError, InputError
        """
        boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
        if masks is not None and len(masks) != len(boxes):
            raise InputError(f"ParticleTracker.start: {len(masks)} masks for {len(boxes)} boxes; expected as many.")
        begun: dict[int, tuple[ParticleFilter, ParticleEstimate]] = {}
        for i, box in enumerate(boxes):
            number = self._next_id + i
            target = ParticleFilter(self.options, np.random.default_rng([self.seed, number]))
            mask = None if masks is None else masks[i]
            begun[number] = target, target.start(image, box, mask, frame_index=frame_index)
        # All of them or, after an error, none.
        for number, (target, estimate) in begun.items():
            self.filters[number], self.estimates[number] = target, estimate
        self._next_id += len(boxes)
        return list(begun)

    def stop(self, track_id: int) -> None:
        """Follow a target no longer; its number is not used again.

        Raises
        ------
        InputError
        """
        if track_id not in self.filters:
            raise InputError(
                f"ParticleTracker.stop: there is no target {track_id}; there are {sorted(self.filters) or 'none'}."
            )
        del self.filters[track_id], self.estimates[track_id]

    def update(
        self,
        frame_index: int,
        image: Any,
        *,
        camera_matrix: ArrayLike | None = None,
        evidence: Any = None,
        proposals_xyxy: ArrayLike | None = None,
    ) -> TrackedBoxes:
        """The next frame; arguments as for `ParticleFilter.update`.

        Returns
        -------
        TrackedBoxes : all targets; the score of a row is its confidence, `detections` are -1

        Raises
        ------
        ShapeError, DtypeError, RangeError, InputError
        """
        for number, target in self.filters.items():
            self.estimates[number] = target.update(
                image,
                frame_index=frame_index,
                camera_matrix=camera_matrix,
                evidence=evidence,
                proposals_xyxy=proposals_xyxy,
            )
        return self.result(frame_index)

    def result(self, frame_index: int) -> TrackedBoxes:
        """The targets as they stand."""
        numbers, estimates = list(self.estimates), list(self.estimates.values())
        rows = {
            "keys": np.array(numbers, np.int64),
            "boxes": np.array([estimate.box_xyxy for estimate in estimates]).reshape(-1, 4),
            "velocity": np.array([estimate.velocity_xy for estimate in estimates]).reshape(-1, 2),
            "scores": np.array([estimate.confidence for estimate in estimates], np.float64),
            "detections": np.full(len(numbers), -1, np.int64),
            "status": np.array([estimate.status for estimate in estimates], str),
        }
        return TrackedBoxes(frame_index, rows, {number: number for number in numbers})

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides what comes next; `load_state_dict` restores it bit for bit."""
        return {
            "next_id": self._next_id,
            "filters": {number: target.state_dict() for number, target in self.filters.items()},
            "estimates": dict(self.estimates),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken; the options stay those of this tracker."""
        self._next_id = int(state["next_id"])
        self.filters = {}
        for number, values in state["filters"].items():
            self.filters[number] = ParticleFilter(self.options)
            self.filters[number].load_state_dict(values)
        self.estimates = dict(state["estimates"])
