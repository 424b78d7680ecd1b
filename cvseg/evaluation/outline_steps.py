"""Changes of an outline over a sequence whose frames are measured on several threads, in nearly any order."""

from __future__ import annotations

import math
import threading

from cvseg.evaluation.temporal_stability import OutlineShape, outline_change


class OutlineSteps:
    """Compares the outlines of successive frames as they come in, and lets go of each as soon as it can.

    An outline with its shape contexts takes 100 kB and more: kept for all frames, they would fill the memory.

    Parameters
    ----------
    frames : number of frames of the sequence

    Attributes
    ----------
    changes : `outline_change` from the frame before, by frame; NaN for the first one and until both outlines came
    waiting : outlines that a neighbour still has to be compared with, by frame

    Examples
    --------
    >>> import numpy as np
    >>> from cvseg.evaluation import outline_shape
    >>> mask = np.zeros((40, 60), bool)
    >>> mask[8:30, 10:44] = True
    >>> steps = OutlineSteps(2)
    >>> for place in (1, 0):
    ...     steps.add(place, outline_shape(mask))
    >>> steps.changes, steps.waiting
    ([nan, 0.0], {})
    """

    def __init__(self, frames: int) -> None:
        self.changes = [math.nan] * frames
        self.waiting: dict[int, OutlineShape] = {}
        self._missing = {place: {place - 1, place + 1} & set(range(frames)) for place in range(frames)}
        self._lock = threading.Lock()

    def add(self, place: int, shape: OutlineShape) -> None:
        """Take the outline of a frame; whichever thread brings the later one of two neighbours compares them."""
        with self._lock:
            near = {other: self.waiting[other] for other in sorted(self._missing[place]) if other in self.waiting}
            for other in near:
                self._missing[other].discard(place)
                self._missing[place].discard(other)
                if not self._missing[other]:
                    del self.waiting[other]
            if self._missing[place]:
                self.waiting[place] = shape
        # Outside the lock: the comparison is the long part.
        for other, its in near.items():
            before, after = (its, shape) if other < place else (shape, its)
            self.changes[max(other, place)] = outline_change(before, after)
