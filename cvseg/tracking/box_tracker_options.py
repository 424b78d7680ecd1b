"""`BoxTrackerOptions`: how boxes of a detector are linked over time, and how tracks of a file are finished."""

from __future__ import annotations

from dataclasses import dataclass, field

from cvseg.options import Options, option

MOTION_MODELS = ("velocity", "acceleration", "interacting")


@dataclass(frozen=True, kw_only=True)
class BoxMotionOptions(Options):
    """Noise of the motion of boxes. Lengths are shares of the box, so that one setting serves near and far."""

    model: str = option(
        "velocity",
        "constant velocity, constant acceleration, or both at once, weighed by how well they foretell",
        choices=MOTION_MODELS,
    )
    position_noise: float = option(
        0.1, "noise of a measured centre, in sides of the box; larger trusts the motion more", low=1e-3
    )
    size_noise: float = option(0.12, "noise of a measured log side; larger makes the size steadier", low=1e-3)
    drift: float = option(0.02, "free movement of the centre per frame, in sizes; larger follows unrest", low=0)
    acceleration: float = option(0.01, "change of velocity per frame, in sizes; larger follows turns faster", low=1e-4)
    size_change: float = option(0.02, "change of the log side per frame; larger follows zooming objects", low=1e-4)
    jerk: float = option(
        0.005, "change of acceleration per frame, in sizes, where the model has an acceleration", low=1e-5
    )
    first_speed: float = option(0.2, "speed a new object may have, in sizes per frame", low=1e-3)
    coasting: float = option(0.97, "velocity kept per frame while unseen; 1 goes straight on", low=0, high=1)
    stay: float = option(
        0.95, "interacting models: probability that an object keeps its model in a frame", low=0.5, high=0.999
    )


@dataclass(frozen=True, kw_only=True)
class BoxTrackerOptions(Options):
    """How boxes of any detector are linked over time. Scores may have any scale."""

    strong: float = option(
        0.35, "strength from which a box may start a track; larger starts fewer, see `score_strength`", low=0, high=1
    )
    weak: float = option(0.0, "strength from which a box may go on with a track; larger ignores more", low=0, high=1)
    low_quantile: float = option(0.02, "quantile of all scores that has strength 0", low=0, high=1)
    high_quantile: float = option(0.8, "quantile of all scores that has strength 1", low=0, high=1)
    doubles: float = option(
        0.35, "overlap with a better box at which a box loses two thirds of its strength; larger keeps more", low=1e-3
    )
    min_hits: int = option(3, "boxes a track needs before it gets a number; larger drops more noise", low=1)
    first_at_once: bool = option(
        True, "number what is seen in every frame since the first without waiting for min_hits"
    )
    max_age: int = option(30, "frames a track may stay unseen and keep its number", low=0)
    fresh: int = option(6, "frames unseen up to which a track chooses first, and may take weak boxes", low=1)
    enlarge: float = option(0.3, "share of its sides by which a box is enlarged all around before overlaps", low=0)
    least_overlap: float = option(0.1, "overlap of the enlarged boxes below which they never match", low=0, high=1)
    gate: float = option(5.0, "distance in standard deviations beyond which boxes never match", low=0.1)
    most_cost: float = option(1.2, "worst sum of the costs at which boxes match; larger links more", low=0)
    distance_cost: float = option(0.15, "cost of one standard deviation of distance", low=0)
    size_cost: float = option(0.5, "cost of one unit of both log sides together", low=0)
    direction_cost: float = option(0.1, "cost of a box at a right angle to the movement so far", low=0)
    color_cost: float = option(0.5, "cost of wholly unlike colours, where pictures are given", low=0)
    follow_jolts: bool = option(True, "where most tracks miss, look for one shift that finds them: the camera's")
    occluded: float = option(
        0.5, "share of a predicted box under nearer tracked ones from which it counts as occluded", low=0, high=1
    )
    occluded_age: int = option(60, "frames an occluded track may stay unseen", low=0)
    recover: int = option(
        0,
        "frames for which a particle filter follows an unseen track by its colours, where there are pictures",
        low=0,
    )
    recover_confidence: float = option(
        0.8, "confidence of that filter below which it gives up; larger gives up sooner", low=0, high=1
    )
    shown_unseen: int = option(2, "frames for which an unseen track is still returned, at its prediction", low=0)
    motion: BoxMotionOptions = field(default_factory=BoxMotionOptions)


@dataclass(frozen=True, kw_only=True)
class OfflineOptions(Options):
    """What is done with the tracks of a whole file, when all of them are known."""

    link_gap: int = option(60, "longest gap in frames over which two pieces become one track", low=0)
    link_cost: float = option(1.0, "worst cost at which two pieces become one; larger links more", low=0)
    link_distance: float = option(
        0.5,
        "distance in sizes that costs 1 when two pieces meet in the middle of a short gap; larger links more",
        low=0.01,
    )
    link_unrest: float = option(
        20.0, "gap in frames over which twice that distance may be expected; larger links less over long gaps", low=0.1
    )
    swap_overlap: float = option(0.2, "overlap from which on two tracks meet and may change places", low=0.01, high=1)
    swap_margin: float = option(
        1.0, "cost that an exchange after a meeting must save; larger exchanges less, see `undo_swaps`", low=0
    )
    swap_bend: float = option(5.0, "cost of a change of velocity by one size per frame", low=0)
    link_window: int = option(10, "boxes at an end of a piece that tell its velocity", low=2)
    link_border: float = option(
        0.5, "distance from the left and right border, in widths, within which pieces are not linked", low=0
    )
    link_length: int = option(3, "boxes that a piece needs to be linked", low=1)
    fill_gap: int = option(30, "longest gap in frames that is filled with boxes", low=0)
    min_length: int = option(5, "boxes that a track needs to be kept", low=1)
    min_strength: float = option(0.3, "mean strength that a track needs to be kept; larger drops more", low=0, high=1)
    smooth: bool = option(True, "smooth centres and sides with all boxes before and after")
    smooth_position: float = option(
        1.0, "factor on the noise of measured centres when smoothing; larger smooths more", low=1e-3
    )
    smooth_size: float = option(1.0, "factor on the noise of measured sides when smoothing", low=1e-3)
