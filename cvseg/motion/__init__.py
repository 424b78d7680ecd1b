"""Motion: what the camera does, and what moves against it."""

from cvseg.motion.camera_motion import CameraMotion, CameraMotionOptions, estimate_camera_motion
from cvseg.motion.camera_state import CameraState
from cvseg.motion.causal_consensus import CausalConsensus
from cvseg.motion.motion_layers import LayerMap, MotionLayers
from cvseg.motion.motion_saliency import MotionSaliency, motion_saliency_map
from cvseg.motion.motion_seeds import MotionSeeds, motion_seeds
from cvseg.motion.nonlocal_consensus_2014 import ConsensusOptions, NonlocalConsensus
from cvseg.motion.screen_fixed import ScreenFixed, ScreenFixedMap

__all__ = [
    "CameraMotion",
    "CameraMotionOptions",
    "CameraState",
    "CausalConsensus",
    "ConsensusOptions",
    "LayerMap",
    "MotionLayers",
    "MotionSaliency",
    "MotionSeeds",
    "NonlocalConsensus",
    "ScreenFixed",
    "ScreenFixedMap",
    "estimate_camera_motion",
    "motion_saliency_map",
    "motion_seeds",
]
