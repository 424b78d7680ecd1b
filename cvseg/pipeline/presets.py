"""Options of the pipeline, and the three presets."""

from __future__ import annotations

from dataclasses import dataclass, field

from cvseg.motion import ConsensusOptions
from cvseg.motion.object_cells import ObjectOptions
from cvseg.motion.stable_components import ScoreOptions
from cvseg.objects import AutomaticOptions
from cvseg.options import Options, option
from cvseg.tracking import TrackerOptions

FLOW_PRESETS = ("fast", "balanced", "quality")


@dataclass(frozen=True, kw_only=True)
class PipelineOptions(Options):
    """Everything that decides the result."""

    work_height: int = option(
        240, "rows of the small image that motion is computed on; larger sees smaller objects", low=16, unit=" px"
    )
    flow: str = option("balanced", "preset of the optical flow", choices=FLOW_PRESETS)
    min_area: float = option(
        0.0005, "smallest object, as a share of the frame; larger drops more specks", low=0.0, high=1.0
    )
    hole_area: float = option(0.002, "largest hole that is filled, as a share of the frame", low=0.0, high=1.0)
    automatic: AutomaticOptions = field(default_factory=AutomaticOptions)
    tracker: TrackerOptions = field(default_factory=TrackerOptions)


PRESETS = {
    # Live: past frames only. Single frames count for more than where the future is known, and new objects at once.
    "fast": PipelineOptions(
        flow="fast",
        automatic=AutomaticOptions(
            evidence="causal",
            # Of sharp outlines and large areas: votes of past frames alone are less sharp.
            consensus=ConsensusOptions(
                reach=30,
                step=3,
                hop=4,
                rounds=5,
                restart=0.2,
                objects=ObjectOptions(score=ScoreOptions(steepness=2.25, fall=0.3)),
            ),
        ),
        tracker=TrackerOptions(min_hits=1),
    ),
    "balanced": PipelineOptions(),
    # Asks three times.
    "quality": PipelineOptions(automatic=AutomaticOptions(consensus=ConsensusOptions(opinions=3))),
}
