"""`TrackerOptions`: how components are linked over time."""

from __future__ import annotations

from dataclasses import dataclass, field

from cvseg.options import Options, option
from cvseg.tracking.kalman_filter import KalmanOptions


@dataclass(frozen=True, kw_only=True)
class TrackerOptions(Options):
    """How components are linked over time."""

    min_hits: int = option(3, "frames an object must be seen before it gets a number; larger drops more flicker", low=1)
    max_age: int = option(
        60, "frames an object may stay unseen and keep its number; larger bridges longer occlusions", low=0
    )
    min_area: int = option(1, "smallest component that starts a track; larger ignores more specks", low=0, unit=" px")
    least_fit: float = option(0.15, "worst fit of a track and a component that links them", low=0, high=1)
    least_cover: float = option(
        0.55, "share of a track's moved mask in a component that makes it a co-owner; larger merges less", low=0, high=1
    )
    least_part_cover: float = option(
        0.4, "share of a component in a track's moved mask that makes it a part; larger splits sooner", low=0, high=1
    )
    part_gap: float = option(
        0.2, "gap to the main part that counts as apart, in sizes; larger keeps parts longer", low=0
    )
    part_area: float = option(
        0.4, "area, in areas of the main part, from which a part may be an object; larger keeps parts", low=0
    )
    split_after: int = option(6, "frames apart after which a part becomes an object of its own", low=1)
    proof: int = option(
        10, "frames alone that prove an object; one that shares for twice as long before is dropped as a piece", low=1
    )
    hidden_share: float = option(
        0.2, "share of its usual area below which a track in a shared component counts as hidden", low=0, high=1
    )
    shared_noise: float = option(3.0, "how much less a share of a component is trusted than a whole one", low=1)
    return_distance: float = option(3.0, "how far from its prediction a lost object may return, in lengths", low=0)
    least_return_area: float = option(
        0.25, "smallest ratio of areas at which a lost object is recognised", low=0, high=1
    )
    least_color_match: float = option(
        0.6, "least likeness of the colours at which a lost object is recognised; larger is stricter", low=0, high=1
    )
    kalman: KalmanOptions = field(default_factory=KalmanOptions)
