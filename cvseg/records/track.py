"""`Track`: what is known of one object in one frame."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Track:
    """One tracked object in one frame.

    Attributes
    ----------
    id : from 1; the value of its pixels in the label map; never reused within a clip
    box_xyxy : half-open box in pixels, x right, y down
    area_px : number of its pixels
    centroid_xy : mean of its pixels
    velocity_xy : filtered motion in pixels per frame
    confidence : 0 to 1, how sure its mask is: from `cvseg.segment` that of `object_confidence`, from a tracker the mean
        foreground probability of its pixels
    age : frames since the track began, 1 for the first
    """

    id: int
    box_xyxy: tuple[float, float, float, float]
    area_px: int
    centroid_xy: tuple[float, float]
    velocity_xy: tuple[float, float]
    confidence: float
    age: int
