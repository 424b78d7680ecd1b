"""The whole way from frames to masks and tracks."""

from cvseg.pipeline.pipeline import Pipeline, segment
from cvseg.pipeline.presets import PRESETS, PipelineOptions

__all__ = ["PRESETS", "Pipeline", "PipelineOptions", "segment"]
