"""Reading and writing video: every input is a stream of `Frame` records, every output a sink."""

from __future__ import annotations

from collections.abc import Callable

from cvseg.video.array_source import ArraySource, IteratorSource
from cvseg.video.background_sink import BackgroundSink
from cvseg.video.image_folder import ImageFolderSource
from cvseg.video.png_sequence_sink import PngSequenceSink
from cvseg.video.prefetch import prefetch
from cvseg.video.sink import FrameSink
from cvseg.video.source import FrameSource, SourceInfo, open_source
from cvseg.video.video_file import StandardInputSource, VideoFileSource
from cvseg.video.video_file_sink import VideoFileSink

SOURCES: dict[str, Callable[..., FrameSource]] = {
    "video_file": VideoFileSource,
    "standard_input": StandardInputSource,
    "image_folder": ImageFolderSource,
    "array": ArraySource,
    "iterator": IteratorSource,
}
SINKS: dict[str, Callable[..., FrameSink]] = {
    "video_file": VideoFileSink,
    "png_sequence": PngSequenceSink,
}

__all__ = [
    "SINKS",
    "SOURCES",
    "ArraySource",
    "BackgroundSink",
    "FrameSink",
    "FrameSource",
    "ImageFolderSource",
    "IteratorSource",
    "PngSequenceSink",
    "SourceInfo",
    "StandardInputSource",
    "VideoFileSink",
    "VideoFileSource",
    "open_source",
    "prefetch",
]
