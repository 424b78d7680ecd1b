"""`Components` and `Ownership`: what is to be given to the tracks in one frame, and who got it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.kalman_filter import Box


@dataclass(frozen=True)
class Components:
    """This frame's components in a fixed order, whatever their labels.

    Attributes
    ----------
    area_px : (n,)
    box_xyxy : (n, 4)
    center_xy : (n, 2) centres of the boxes
    numbers : (n,) the same from frame to frame where a component is known to go on; 0 where that is not known
    whole : (n,) bool, known to be one object each: no piece of another, and shared by nobody
    histogram : (n, 512) adding up to 1, or None
    """

    area_px: NDArray[np.int64]
    box_xyxy: NDArray[np.float64]
    center_xy: NDArray[np.float64]
    numbers: NDArray[np.int64]
    whole: NDArray[np.bool_]
    histogram: NDArray[np.float64] | None = None


@dataclass
class Ownership:
    """Outcome. Indices refer to the given lists of tracks and components.

    Attributes
    ----------
    owners : component -> tracks that own it, the first one as its best match
    main : track -> its main component
    parts : track -> further components of it
    expected_xyxy : track -> where it must be inside its component, if not where it is predicted
    newcomers : components that belong to nobody yet
    apart : newcomer -> track that it seems to be a part of, large or far away
    """

    owners: dict[int, list[int]] = field(default_factory=dict)
    main: dict[int, int] = field(default_factory=dict)
    parts: dict[int, list[int]] = field(default_factory=dict)
    expected_xyxy: dict[int, Box] = field(default_factory=dict)
    newcomers: list[int] = field(default_factory=list)
    apart: dict[int, int] = field(default_factory=dict)

    def give(self, component: int, track: int) -> None:
        self.owners.setdefault(component, []).append(track)
        self.main[track] = component

    def take_back(self, track: int) -> None:
        """The track has nothing of its main component after all; it keeps its parts, if there are any."""
        self.owners[self.main.pop(track)].remove(track)
        parts = self.parts.pop(track, [])
        if parts:
            self.main[track] = parts[0]
        if parts[1:]:
            self.parts[track] = parts[1:]
