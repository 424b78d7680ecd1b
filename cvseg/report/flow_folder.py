"""`FlowFolder`: the flow of a video as one file a frame, and as a video in the colours of the wheel."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cvseg
from cvseg.formats.flow_file import write_flow
from cvseg.records import Frame
from cvseg.report.flow_picture import flow_picture, full_color_px
from cvseg.report.run_record import machine_mapping
from cvseg.video import BackgroundSink, PngSequenceSink, SourceInfo, VideoFileSink
from cvseg.video.replace_file import file_in, prepare_folder, prepare_own_folder, replacing
from cvseg.video.source import DEFAULT_RATE

FLOW, CONFIDENCE, VIDEO, SUMMARY = "flow", "confidence", "flow.mp4", "summary.json"
# Pairs whose motion decides the scale of the colours: one scale for the whole video, or colours would mean nothing.
SCALE_PAIRS = 8
# Kinds of files: name for the command line -> ending
KINDS: Mapping[str, str] = {"flo": ".flo", "kitti": ".png", "npy": ".npy"}


class FlowFolder:
    """The folder that `cvseg flow VIDEO -o` names: ``flow/<frame>.flo``, ``flow.mp4``, ``summary.json``.

    The file of a frame holds the flow from it to the next one, so that the last frame has none.

    Parameters
    ----------
    path : made if it is missing
    info : of the source: rate and times of the video
    kind : "flo", "kitti" or "npy"
    video : whether flow.mp4 is written
    largest_px : length of motion shown in full colour; None takes the 99th percentile of the first pairs
    settings : for summary.json
    overwrite : write into a folder that holds something, over files of the same names

    Raises
    ------
    OutputError
        when the folder holds something and `overwrite` is not set, or cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        info: SourceInfo,
        *,
        kind: str = "flo",
        video: bool = True,
        largest_px: float | None = None,
        settings: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path = prepare_own_folder(path, "flows", overwrite=overwrite)
        self.files = 0
        self._folder = prepare_folder(self.path / FLOW)
        self._info, self._ending, self._largest_px = info, KINDS[kind], largest_px
        self._settings = dict(settings or {})
        self._sink: BackgroundSink | None = None
        if video:
            rate = info.rate or DEFAULT_RATE
            self._sink = BackgroundSink(VideoFileSink(self.path / VIDEO, rate=rate, time_base=info.time_base))
        self._waiting: list[tuple[Frame, NDArray[np.float32]]] = []
        self._lengths: list[float] = []
        self._began = time.perf_counter()

    def add(self, frame: Frame, flow_xy: NDArray[np.float32], confidence: NDArray[np.float32] | None = None) -> None:
        """Write the flow from `frame` to the next one, (H, W, 2) float32, and its confidence as an 8-bit picture."""
        write_flow(file_in(self._folder, frame.name, self._ending), flow_xy)
        if confidence is not None:
            PngSequenceSink(self.path / CONFIDENCE).write(np.round(confidence * 255).astype(np.uint8), frame)
        self._lengths.append(float(np.hypot(flow_xy[..., 0], flow_xy[..., 1]).mean()))
        self.files += 1
        if self._sink is None:
            return
        if self._largest_px is None:
            self._waiting.append((frame, flow_xy))
            if len(self._waiting) == SCALE_PAIRS:
                self._draw_waiting(self._sink)
        else:
            self._sink.write(flow_picture(flow_xy, self._largest_px), frame)

    def end(self, status: str = "complete", message: str = "") -> None:
        """Finish the video and write summary.json; files that are written stay, whatever the status."""
        if self._sink is not None:
            if self._waiting:
                self._draw_waiting(self._sink)
            if self.files:
                self._sink.close()
            else:
                self._sink.abort()
        summary = {
            "status": status,
            "message": message,
            "files": self.files,
            "video": {"width": self._info.width, "height": self._info.height, "name": self._info.name},
            "mean_length_px": [round(length, 4) for length in self._lengths],
            "full_color_px": self._largest_px,
            "pairs_per_second": round(self.files / max(1e-9, time.perf_counter() - self._began), 2),
            "settings": self._settings,
            "machine": machine_mapping(),
            "written_by": f"cvseg {cvseg.__version__}",
        }
        with replacing(self.path / SUMMARY) as partial:
            partial.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")

    def _draw_waiting(self, sink: BackgroundSink) -> None:
        self._largest_px = full_color_px([flow_xy for _, flow_xy in self._waiting])
        waiting, self._waiting = self._waiting, []
        for frame, flow_xy in waiting:
            sink.write(flow_picture(flow_xy, self._largest_px), frame)
