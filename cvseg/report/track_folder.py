"""`TrackFolder`: tracks of a video as text, as a video with everything drawn in, and a summary."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import cvseg
from cvseg.errors import CvsegError, OutputError
from cvseg.formats.mot_challenge import TracksWriter
from cvseg.records import Frame, Track
from cvseg.report.run_record import machine_mapping
from cvseg.video import BackgroundSink, SourceInfo, VideoFileSink
from cvseg.video.replace_file import prepare_own_folder, replacing
from cvseg.video.source import DEFAULT_RATE

TRACKS, OVERLAY, SUMMARY = "tracks.txt", "overlay.mp4", "summary.json"


class TrackFolder:
    """The folder that ``cvseg track VIDEO -o`` names: ``tracks.txt``, ``overlay.mp4``, ``summary.json``.

    Parameters
    ----------
    path : made if it is missing
    info : of the source: rate and times of the video
    overlay : whether overlay.mp4 is written
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
        overlay: bool = True,
        settings: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path = prepare_own_folder(path, "tracks", overwrite=overwrite)
        self.files = 0
        self._info, self._settings = info, dict(settings or {})
        self._tracks = TracksWriter(self.path / TRACKS)
        self._sink: BackgroundSink | None = None
        if overlay:
            rate = info.rate or DEFAULT_RATE
            self._sink = BackgroundSink(VideoFileSink(self.path / OVERLAY, rate=rate, time_base=info.time_base))
        self._status: dict[int, dict[str, int]] = {}
        self._began = time.perf_counter()

    def add(self, frame: Frame, tracks: Sequence[Track], status: Sequence[str], picture: NDArray[np.uint8]) -> None:
        """Write the tracks of a frame; `status` says how each of them is known, and `picture` is what is shown.

        Only those that are seen stand in tracks.txt: a guess is no measurement.
        """
        seen = [track for track, word in zip(tracks, status, strict=True) if word == "confirmed"]
        self._tracks.write(frame.index, seen)
        for track, word in zip(tracks, status, strict=True):
            counts = self._status.setdefault(track.id, {})
            counts[word] = counts.get(word, 0) + 1
        self.files += 1
        if self._sink is not None:
            self._sink.write(_even(picture), frame)

    def end(self, status: str = "complete", message: str = "") -> None:
        """Finish all files, whatever the status; without a single frame none of them is left."""
        if not self.files:
            self._tracks.abort()
            if self._sink is not None:
                self._sink.abort()
        else:
            self._tracks.close()
            if self._sink is not None:
                # The tracks are more than their picture: a video that fails leaves them whole, and says so.
                try:
                    self._sink.close()
                except CvsegError as error:
                    self._write_summary("failed", str(error))
                    raise
        with contextlib.suppress(OutputError) if status != "complete" else contextlib.nullcontext():
            self._write_summary(status, message)

    def _write_summary(self, status: str, message: str) -> None:
        seconds = time.perf_counter() - self._began
        summary = {
            "status": status,
            "message": message,
            "frames": self.files,
            "video": {"width": self._info.width, "height": self._info.height, "name": self._info.name},
            "tracks": [{"id": number, "frames": counts} for number, counts in sorted(self._status.items())],
            "frames_per_second": round(self.files / max(1e-9, seconds), 2),
            "settings": self._settings,
            "machine": machine_mapping(),
            "written_by": f"cvseg {cvseg.__version__}",
        }
        with replacing(self.path / SUMMARY) as partial:
            partial.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """H.264 halves its colours: a last odd row or column is shown twice."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
