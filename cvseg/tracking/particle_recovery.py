"""Where the detector failed: a particle filter follows the colours of each target whose box is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import to_host
from cvseg.tracking.particle_filter import CONFIRMED, ParticleFilter
from cvseg.tracking.particle_options import ParticleOptions

Array = NDArray[np.float64]


class ParticleRecovery:
    """Particle filters of the tracks that have no box, by the inner number of the track.

    A filter begins with the last frame in which its track had a box, and ends when it has one again, when `longest`
    frames have passed, or when its confidence falls below `least_confidence`: whoever is hidden or gone is left to the
    motion model.

    Parameters
    ----------
    longest : frames
    least_confidence : see `ParticleEstimate`
    options : of the filters
    seed : of the random numbers; every track has a generator of its own
    """

    def __init__(
        self, longest: int, least_confidence: float, options: ParticleOptions | None = None, seed: int = 0
    ) -> None:
        self.longest, self.least_confidence = longest, least_confidence
        self.options, self.seed = options or ParticleOptions(particles=100), seed
        self._filters: dict[int, ParticleFilter] = {}
        self._began: dict[int, int] = {}
        self._last_index = -1
        self._last_frame: Any = None
        self._last_boxes: dict[int, Array] = {}

    @property
    def keys(self) -> list[int]:
        """Tracks that are followed now."""
        return sorted(self._filters)

    def remember(self, frame_index: int, frame: Any, keys: list[int], boxes_xyxy: Array) -> None:
        """The frame that was worked on, or None, and the boxes (n, 4) that were seen in it."""
        self._last_index, self._last_frame = frame_index, frame
        self._last_boxes = dict(zip(keys, boxes_xyxy, strict=True)) if frame is not None else {}

    def begin(self, keys: list[int]) -> list[int]:
        """Start with the remembered frame; those of `keys` that were seen there, at least partly in the picture."""
        begun = []
        for key in sorted(set(keys) & self._last_boxes.keys()):
            box = self._last_boxes[key]
            height, width = self._last_frame.shape[:2]
            if (box[:2] < (width, height)).all() and (box[2:] > 0).all():
                target = ParticleFilter(self.options, np.random.default_rng([self.seed, key, self._last_index]))
                target.start(self._last_frame, box, frame_index=self._last_index)
                self._filters[key], self._began[key] = target, self._last_index
                begun.append(key)
        return begun

    def follow(self, frame_index: int, frame: Any, keys: list[int], camera_matrix: Any = None) -> dict[int, Array]:
        """Boxes (4,) of those among `keys` that are still seen; the others are given up."""
        found = {}
        for key in keys:
            estimate = self._filters[key].update(frame, frame_index=frame_index, camera_matrix=camera_matrix)
            good = estimate.status == CONFIRMED and estimate.confidence >= self.least_confidence
            if good and frame_index - self._began[key] <= self.longest:
                found[key] = estimate.box_xyxy
            else:
                del self._filters[key], self._began[key]
        return found

    def keep(self, keys: list[int]) -> None:
        """Follow all others no longer."""
        self._filters = {key: one for key, one in self._filters.items() if key in keys}
        self._began = {key: self._began[key] for key in self._filters}

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides what comes next; arrays on the host."""
        return {
            "began": dict(self._began),
            "filters": {key: one.state_dict() for key, one in self._filters.items()},
            "last_index": self._last_index,
            "last_frame": None if self._last_frame is None else np.array(to_host(self._last_frame)),
            "last_boxes": {key: box.copy() for key, box in self._last_boxes.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken; the options stay those of this object."""
        self._began = dict(state["began"])
        self._last_index, self._last_frame = int(state["last_index"]), state["last_frame"]
        self._last_boxes = dict(state["last_boxes"])
        self._filters = {}
        for key, values in state["filters"].items():
            self._filters[key] = ParticleFilter(self.options)
            self._filters[key].load_state_dict(values)
