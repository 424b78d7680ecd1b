"""Events from masks of change: each thing that appears, moves and is gone is one event."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import to_host
from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.records import Frame, FrameResult, Track
from cvseg.regions import label_components, remove_small_regions
from cvseg.tracking import Tracker, TrackerOptions

Box = tuple[float, float, float, float]
NO_FOREGROUND = np.zeros((0, 0), np.float32)  # in the results: nobody shows the probabilities


@dataclass(frozen=True)
class ChangeEvent:
    """One thing, from the first frame it is seen in to the last.

    Attributes
    ----------
    id : number of its track, from 1; the value of its pixels in the label maps
    first_frame, last_frame : `Frame.index`, both included
    start_s, end_s : presentation times of these two frames
    frames : in how many it was seen; fewer than lie between the two where it was hidden for a while
    box_xyxy : half-open, in pixels, around everywhere it was seen
    first_xy, last_xy : where its centre was first and last
    mean_area_px, largest_area_px : pixels
    confidence : mean foreground probability of its pixels
    """

    id: int
    first_frame: int
    last_frame: int
    start_s: float
    end_s: float
    frames: int
    box_xyxy: Box
    first_xy: tuple[float, float]
    last_xy: tuple[float, float]
    mean_area_px: float
    largest_area_px: int
    confidence: float


class ChangeEvents:
    """Follows the spots of successive masks; a spot that is seen in at least `min_frames` frames is an event.

    A frame comes out `min_frames` - 1 frames after it went in, so that events are in it from their first frame on.

    Parameters
    ----------
    min_frames : larger leaves out more flicker, and holds as many frames in memory
    min_area : smallest spot, in pixels; larger leaves out more specks
    max_age : frames a thing may be hidden and go on as the same event

    Raises
    ------
    RangeError

    Examples
    --------
    >>> from fractions import Fraction
    >>> events = ChangeEvents(min_frames=2)
    >>> for t in range(4):
    ...     mask = np.zeros((20, 40), bool)
    ...     mask[5:15, 3 * t : 3 * t + 8] = True
    ...     done = events.update(Frame(t, Fraction(t, 25), np.zeros((20, 40, 3), np.uint8), f"{t}"), mask)
    >>> done = events.finish()
    >>> [(event.id, event.first_frame, event.last_frame, event.box_xyxy) for event in events.events]
    [(1, 0, 3, (0.0, 5.0, 17.0, 15.0))]
    """

    def __init__(self, *, min_frames: int = 5, min_area: int = 1, max_age: int = 60) -> None:
        check_range("ChangeEvents", "min_frames", min_frames, low=1)
        check_range("ChangeEvents", "min_area", min_area, low=0)
        self.min_frames, self.min_area = min_frames, min_area
        self._tracker = Tracker(TrackerOptions(min_hits=min_frames, max_age=max_age))
        self._held: deque[tuple[Frame, Any, dict[str, float]]] = deque()
        self._events: dict[int, dict[str, Any]] = {}

    @property
    def events(self) -> list[ChangeEvent]:
        """All events of the frames that came out, by number; those still seen end with the last of these frames.

        A number that was seen in fewer than `min_frames` of them is none: it was soon known to be an older thing again.
        """
        known = [_event(number, self._events[number]) for number in sorted(self._events)]
        return [event for event in known if event.frames >= self.min_frames]

    def update(
        self,
        frame: Frame,
        mask: NDArray[np.bool_],
        foreground: NDArray[np.float32] | None = None,
        times_s: dict[str, float] | None = None,
    ) -> list[FrameResult]:
        """Take in the mask of the next frame.

        Parameters
        ----------
        frame : its index must grow
        mask : (H, W) bool
        foreground : (H, W) float32 in [0, 1], for the confidence of the events
        times_s : seconds spent on this frame so far, by stage; the result has them with those of the events

        Returns
        -------
        list of FrameResult : of the frames that are decided, in order; labels are the numbers of the events
        """
        check_shapes("ChangeEvents.update", image=(frame.image, "H W 3"), mask=(mask, "H W"))
        check_dtype("ChangeEvents.update", np.bool_, mask=mask)
        began = time.perf_counter()
        labels, _ = label_components(remove_small_regions(mask, self.min_area))
        tracked = self._tracker.update(frame.index, labels, probability=foreground, image=frame.image)
        spent = {**(times_s or {}), "events": time.perf_counter() - began}
        self._held.append((frame, tracked, spent))
        return [self._result()] if len(self._held) >= self.min_frames else []

    def finish(self) -> list[FrameResult]:
        """The frames that are still held."""
        return [self._result() for _ in range(len(self._held))]

    def _result(self) -> FrameResult:
        frame, tracked, spent = self._held.popleft()
        tracks = tracked.tracks
        for track in tracks:
            self._note(frame, track)
        return FrameResult(
            frame=frame,
            labels=to_host(tracked.labels),
            tracks=tracks,
            foreground=NO_FOREGROUND,
            camera="static",
            times_s=spent,
        )

    def _note(self, frame: Frame, track: Track) -> None:
        x0, y0, x1, y1 = track.box_xyxy
        now = float(frame.time_s)
        event = self._events.setdefault(
            track.id,
            {
                "first_frame": frame.index,
                "start_s": now,
                "first_xy": track.centroid_xy,
                "box": track.box_xyxy,
                "frames": 0,
                "area": 0,
                "largest": 0,
                "confidence": 0.0,
            },
        )
        left, top, right, bottom = event["box"]
        event["box"] = (min(left, x0), min(top, y0), max(right, x1), max(bottom, y1))
        event["last_frame"], event["end_s"], event["last_xy"] = frame.index, now, track.centroid_xy
        event["frames"] += 1
        event["area"] += track.area_px
        event["largest"] = max(event["largest"], track.area_px)
        event["confidence"] += track.confidence


def _event(number: int, values: dict[str, Any]) -> ChangeEvent:
    return ChangeEvent(
        id=number,
        first_frame=values["first_frame"],
        last_frame=values["last_frame"],
        start_s=values["start_s"],
        end_s=values["end_s"],
        frames=values["frames"],
        box_xyxy=values["box"],
        first_xy=values["first_xy"],
        last_xy=values["last_xy"],
        mean_area_px=values["area"] / values["frames"],
        largest_area_px=values["largest"],
        confidence=values["confidence"] / values["frames"],
    )
