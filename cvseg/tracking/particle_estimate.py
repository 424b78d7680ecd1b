"""`ParticleEstimate`: what the particles of one target say about one frame."""

from __future__ import annotations

from dataclasses import dataclass

from numpy import float64
from numpy.typing import NDArray

Array = NDArray[float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ParticleEstimate:
    """What the particles say about one frame.

    Attributes
    ----------
    frame_index : as given to `update`
    box_xyxy : (4,) half-open box in pixels; a guess while the target is hidden
    velocity_xy : (2,) pixels per frame
    covariance : (4, 4) of centre x, centre y (pixels), log width, log height
    confidence : in [0, 1]; 0 is as unlike as the surroundings, 1 as like as usual
    status : confirmed, occluded or lost
    effective : effective number of particles after weighing
    """

    frame_index: int
    box_xyxy: Array
    velocity_xy: Array
    covariance: Array
    confidence: float
    status: str
    effective: float
