"""The video-object tasks. Automatic: no help at all."""

from cvseg.objects.automatic import AutomaticOptions, AutomaticSegmenter
from cvseg.objects.frame_cuts import FrameCut, FrameCutOptions, FrameCuts, cut_frames
from cvseg.objects.shot_segmenter import ShotSegmenter
from cvseg.objects.work_frame import WorkFrame, WorkFrames

__all__ = [
    "AutomaticOptions",
    "AutomaticSegmenter",
    "FrameCut",
    "FrameCutOptions",
    "FrameCuts",
    "ShotSegmenter",
    "WorkFrame",
    "WorkFrames",
    "cut_frames",
]
