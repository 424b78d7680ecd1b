"""File formats of masks, tracks and flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cvseg.formats.coco import read_coco_results, read_coco_truth
from cvseg.formats.coco_rle import decode_rle, encode_rle
from cvseg.formats.davis import MaskSink, read_mask, write_mask
from cvseg.formats.flow_file import FLOW_ENDINGS, read_flow, write_flow
from cvseg.formats.mot_challenge import TracksWriter, TrackTable, read_tracks


@dataclass(frozen=True)
class Format:
    """One format the pipeline can write.

    Attributes
    ----------
    doc : one sentence for the command line
    output : name of the file or folder inside the output folder
    open_writer : called with the path; gives a context manager with ``write_result(FrameResult)``, close and abort
    read : called with a path; reads one file of the format
    """

    doc: str
    output: str
    open_writer: Callable[..., Any]
    read: Callable[..., Any]


FORMATS: dict[str, Format] = {
    "davis": Format("indexed PNG masks, one a frame, pixel = track id", "masks", MaskSink, read_mask),
    "mot_challenge": Format("boxes of the tracks as text, counted from 1", "tracks.txt", TracksWriter, read_tracks),
}

__all__ = [
    "FLOW_ENDINGS",
    "FORMATS",
    "Format",
    "MaskSink",
    "TrackTable",
    "TracksWriter",
    "decode_rle",
    "encode_rle",
    "read_coco_results",
    "read_coco_truth",
    "read_flow",
    "read_mask",
    "read_tracks",
    "write_flow",
    "write_mask",
]
