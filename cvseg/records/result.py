"""`FrameResult`: what the pipeline says of one frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cvseg.records.evidence import Evidence
from cvseg.records.frame import Frame
from cvseg.records.track import Track


@dataclass(frozen=True)
class FrameResult:
    """Masks and tracks of one frame.

    Attributes
    ----------
    frame : the frame they belong to
    labels : (H, W) int32, 0 background, else the track id
    tracks : the tracks visible in this frame, by id
    foreground : (H, W) float32 in [0, 1], probability that a pixel belongs to a moving object
    camera : "static" or "moving", what the pipeline took the camera for
    times_s : seconds spent per stage on this frame
    confidence : 0 to 1, how sure the frame's masks are: mean of its tracks' by area; without a track, how surely there
        is nothing
    evidence : what decided, term by term; None unless ``explain=True`` asked for it
    """

    frame: Frame
    labels: NDArray[np.int32]
    tracks: tuple[Track, ...]
    foreground: NDArray[np.float32]
    camera: str
    times_s: Mapping[str, float] = field(default_factory=dict)
    confidence: float = 1.0
    evidence: Evidence | None = None
