"""`HeldFrame`: a tracked frame that waits until the objects that begin in it have their numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from cvseg.arrays import to_host
from cvseg.objects import WorkFrame
from cvseg.objects.mask_confidence import mask_confidences
from cvseg.records import Evidence, FrameResult
from cvseg.tracking import TrackedFrame


@dataclass(frozen=True)
class HeldFrame:
    """Everything that the result needs.

    Attributes
    ----------
    work : the frame
    tracked : its labels and tracks, with the numbers known when they are read
    foreground : (H, W) float32 in host memory
    camera : "static" or "moving"
    votes : (h, w) float32 in host memory: what the confidences are taken from
    evidence : None unless it was asked for
    """

    work: WorkFrame
    tracked: TrackedFrame
    foreground: NDArray[Any]
    camera: str
    votes: NDArray[Any]
    evidence: Evidence | None = None

    def result(self) -> FrameResult:
        """The finished record; downloads the labels, which synchronises a GPU."""
        with self.work.timed("tracking"):
            labels = to_host(self.tracked.labels)
            tracks = self.tracked.tracks
        with self.work.timed("confidence"):
            confidence, each = mask_confidences(self.votes, labels, tracks, self.work.factor)
        return FrameResult(
            frame=self.work.frame,
            labels=labels,
            tracks=tuple(replace(track, confidence=each[track.id]) for track in tracks),
            foreground=self.foreground,
            camera=self.camera,
            times_s=self.work.times_s,
            confidence=confidence,
            evidence=self.evidence,
        )
