"""`SuperpixelFolder`: the superpixels of pictures or of a video as label maps, and what they look like."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cvseg
from cvseg.formats.label_map import write_label_map
from cvseg.records import Frame
from cvseg.report.run_record import machine_mapping
from cvseg.report.superpixel_picture import boundary_picture, mean_picture, number_picture
from cvseg.video import BackgroundSink, PngSequenceSink, SourceInfo, VideoFileSink
from cvseg.video.replace_file import file_in, prepare_folder, prepare_own_folder, replacing
from cvseg.video.source import DEFAULT_RATE

LABELS, SUMMARY = "labels", "summary.json"
# What can be drawn: name for the command line, and of the video or the folder of pictures
VIEWS = {
    "boundaries": boundary_picture,
    "means": mean_picture,
    "numbers": lambda image, labels: number_picture(labels),
}
KINDS: Mapping[str, str] = {"png": ".png", "npz": ".npz"}


class LabelFolder:
    """Label maps of frames and their views: of `SuperpixelFolder`, and of each level of a `SupervoxelFolder`."""

    def __init__(self, path: Path, info: SourceInfo | None, ending: str, views: Sequence[str]) -> None:
        self.seen: set[int] = set()
        self.counts: list[int] = []
        self._folder, self._ending = prepare_folder(path / LABELS), ending
        self._sinks: dict[str, Any] = {}
        for view in views:
            if info is None:
                self._sinks[view] = PngSequenceSink(path / view)
            else:
                rate = info.rate or DEFAULT_RATE
                self._sinks[view] = BackgroundSink(
                    VideoFileSink(path / f"{view}.mp4", rate=rate, time_base=info.time_base)
                )

    def add(self, frame: Frame, labels: NDArray[np.int32]) -> None:
        write_label_map(file_in(self._folder, frame.name, self._ending), labels)
        for view, sink in self._sinks.items():
            sink.write(VIEWS[view](frame.image, labels), frame)
        present = np.unique(labels).tolist()
        self.seen.update(present)
        self.counts.append(len(present))

    def end(self) -> None:
        for sink in self._sinks.values():
            if self.counts:
                sink.close()
            else:
                sink.abort()


class SuperpixelFolder:
    """The folder that `cvseg superpixels INPUT -o` names: ``labels/<frame>.png``, a video for each view, summary.json.

    Parameters
    ----------
    path : made if it is missing
    info : of the source: rate and times of the videos; None for single pictures, whose views are pictures
    kind : "png" or "npz"
    views : keys of `VIEWS`
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
        info: SourceInfo | None,
        *,
        kind: str = "png",
        views: Sequence[str] = ("boundaries",),
        settings: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path = prepare_own_folder(path, "superpixels", overwrite=overwrite)
        self.files = 0
        self._labels = LabelFolder(self.path, info, KINDS[kind], views)
        self._settings = dict(settings or {})
        self._began = time.perf_counter()

    def add(self, frame: Frame, labels: NDArray[np.int32]) -> None:
        """Write the (H, W) int32 labels of `frame`, and draw them."""
        self._labels.add(frame, labels)
        self.files += 1

    def end(self, status: str = "complete", message: str = "") -> None:
        """Finish the videos and write summary.json; files that are written stay, whatever the status."""
        self._labels.end()
        summary = {
            "status": status,
            "message": message,
            "files": self.files,
            "superpixels": self._labels.counts,
            "frames_per_second": round(self.files / max(1e-9, time.perf_counter() - self._began), 2),
            "settings": self._settings,
            "machine": machine_mapping(),
            "written_by": f"cvseg {cvseg.__version__}",
        }
        with replacing(self.path / SUMMARY) as partial:
            partial.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
