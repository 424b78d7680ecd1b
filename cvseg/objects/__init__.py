"""The video-object tasks. Automatic: no help at all."""

from cvseg.objects.automatic import AutomaticOptions, AutomaticSegmenter
from cvseg.objects.work_frame import WorkFrame, WorkFrames

__all__ = ["AutomaticOptions", "AutomaticSegmenter", "WorkFrame", "WorkFrames"]
