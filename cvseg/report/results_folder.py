"""`ResultsFolder`: writes the results of a run while it goes on: masks, tracks, overlay video, report, summary.

A thread of its own draws and encodes, so that reading, computing and writing overlap. Whatever ends the run, a mask
file is whole or absent, and the other files agree with the masks that are there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import queue
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import CvsegError, OutputError
from cvseg.formats import MaskSink, TracksWriter
from cvseg.records import FrameResult
from cvseg.report.evidence_table import evidence_section
from cvseg.report.explain_folder import EXPLAIN, EXPLAIN_TABLE, ExplainFolder, Means, remove_explanation
from cvseg.report.html import render_report
from cvseg.report.overlay import draw_overlay
from cvseg.report.run_record import RunRecord
from cvseg.report.strip import Strip
from cvseg.video import SourceInfo, VideoFileSink
from cvseg.video.replace_file import PARTIAL_SUFFIX, output_error, prepare_folder, replacing
from cvseg.video.source import DEFAULT_RATE

MASKS, TRACKS, OVERLAY, REPORT, SUMMARY = "masks", "tracks.txt", "overlay.mp4", "report.html", "summary.json"
# Kept free from the start and given back at the end: on a full disk the tracks, the end of the overlay and the report
# still fit.
RESERVE_BYTES = 4 * 2**20
EXPLAIN_SHARE = 0.6  # of explain/*.jpg: bytes per pixel of the frame
# Frames that may wait to be written; each holds a picture and a label map (7 bytes per pixel).
QUEUE_LENGTH = 3
# In place of the probabilities, which no file shows: they would wait along for nothing.
NO_FOREGROUND = np.zeros((0, 0), np.float32)


class ResultsFolder:
    """The folder that `cvseg segment -o` names. A context manager; `add` results, then `end`.

    Parameters
    ----------
    path : made if it is missing; its parent too
    record : what is known of the run; the folder adds each finished frame to it
    info : of the source: size and rate of the overlay, and how much room the results may take
    overlay : whether overlay.mp4 is written
    explain : whether explain/*.jpg and explain.csv are written; the results must carry evidence
    overwrite : replace the results of an earlier run. Only files that cvseg wrote are removed, and only when the first
        new frame is finished.

    Raises
    ------
    OutputError
        when the folder holds something and `overwrite` is not set, or cannot be written, or the disk is nearly full.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        record: RunRecord,
        info: SourceInfo,
        *,
        overlay: bool,
        overwrite: bool,
        explain: bool = False,
    ) -> None:
        self.path = Path(path)
        self.record = record
        self._info = info
        self._with_overlay = overlay
        self._with_explain = explain
        self._explain: ExplainFolder | None = None
        self._strip = Strip()
        self._masks: MaskSink | None = None
        self._tracks: TracksWriter | None = None
        self._sink: VideoFileSink | None = None
        self._begun = self._ended = self._ours = False
        self._error: BaseException | None = None
        self._broken = False
        self._queue: queue.Queue[FrameResult | None] = queue.Queue(QUEUE_LENGTH)
        self._thread: threading.Thread | None = None
        # os.path, because Path.exists raises on a name that is too long and on a folder that may not be entered.
        self._made = [folder for folder in (self.path, *self.path.parents) if not os.path.exists(folder)]
        try:
            prepare_folder(self.path)
            self._check_content(overwrite)
            self._check_room()
        except BaseException:
            self._remove_what_was_made()
            raise

    # What callers use

    def add(self, result: FrameResult) -> None:
        """Hand over one result; waits while `QUEUE_LENGTH` others wait to be written.

        Raises
        ------
        OutputError
            when an earlier one could not be written; the frames before it are kept.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="cvseg-results", daemon=True)
            self._thread.start()
        self._put(dataclasses.replace(result, foreground=NO_FOREGROUND))
        self._raise_error()

    def flush(self) -> None:
        """Wait until everything added is written, and raise what went wrong."""
        if self._thread is not None and self._thread.is_alive():
            self._put(None)
            self._thread.join()
        self._thread = None
        self._raise_error()

    def end(self, status: str, message: str = "") -> None:
        """Finish all files. `status` is one of `RunRecord.status`; what is finished stays, whatever it is."""
        if self._ended:
            return
        self._ended = True
        failure = None
        try:
            self.flush()
        except CvsegError as error:
            failure = error
            status, message = "failed", message or str(error)
        self.record.end(status, message)
        if not self._begun:
            self._remove_what_was_made()
        else:
            self._finish_files()
        if failure is not None:
            raise failure

    def __enter__(self) -> ResultsFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: Any) -> None:
        with contextlib.suppress(CvsegError):  # the first error is on its way already
            self.end(
                "complete" if kind is None else "failed", "" if error is None else f"{type(error).__name__}: {error}"
            )

    @property
    def files(self) -> list[str]:
        """Names of the results that are there."""
        names = (MASKS, TRACKS, OVERLAY, EXPLAIN, EXPLAIN_TABLE, REPORT, SUMMARY)
        return [name for name in names if (self.path / name).exists()]

    # Before the first frame

    def _check_content(self, overwrite: bool) -> None:
        present = sorted(entry.name for entry in os.scandir(self.path))
        if not present:
            return
        ours = self._ours = written_by_cvseg(self.path)
        if not overwrite:
            what = "holds earlier results" if ours else f"is not empty (it holds {present[0]})"
            add = ", or add --overwrite to replace them" if ours else ""
            raise OutputError(f"{self.path} {what}. Name another folder with -o{add}.")
        foreign = [name for name in (MASKS, EXPLAIN)[: 1 + self._with_explain] if (self.path / name).exists()]
        if not ours and foreign:
            raise OutputError(
                f"{self.path} holds a folder {foreign[0]} that cvseg did not write, and --overwrite would delete it. "
                "Name another folder with -o, or move it away."
            )

    def _check_room(self) -> None:
        # Measured on 480p footage: a mask takes 0.01 byte per pixel, an overlay frame 0.05, the panels EXPLAIN_SHARE.
        frame_bytes = (0.06 + EXPLAIN_SHARE * self._with_explain) * self._info.width * self._info.height
        needed = 2 * RESERVE_BYTES + frame_bytes * (self._info.frame_count or 100)
        free = shutil.disk_usage(self.path).free
        if free < needed:
            raise OutputError(
                f"The disk of {self.path} has {free / 1e6:.0f} MB left, and the results may take "
                f"{needed / 1e6:.0f} MB. Free some space, or name a folder on another disk with -o."
            )

    def _begin(self) -> None:
        """Clear the results of the earlier run and open the new ones: there is a first frame to write."""
        # First of all, so that a disk which filled up meanwhile costs no earlier result.
        try:
            self._reserve.write_bytes(bytes(RESERVE_BYTES))
        except OSError:
            self._reserve.unlink(missing_ok=True)
            raise
        self._begun = True
        for name in (TRACKS, OVERLAY, REPORT, SUMMARY):
            (self.path / name).unlink(missing_ok=True)
        masks = self.path / MASKS
        if masks.is_dir():
            for file in masks.glob("*.png"):
                file.unlink()
        masks.mkdir(exist_ok=True)
        if self._ours:
            remove_explanation(self.path)
        self._write_text(SUMMARY, self.record.to_json())
        self._masks = MaskSink(masks)
        self._tracks = TracksWriter(self.path / TRACKS)
        if self._with_explain:
            self._explain = ExplainFolder(self.path)
        if self._with_overlay:
            rate = self._info.rate or DEFAULT_RATE
            self._sink = VideoFileSink(self.path / OVERLAY, rate, time_base=self._info.time_base)

    # The writing thread

    def _write_all(self) -> None:
        while (result := self._queue.get()) is not None:
            if self._broken:
                continue  # drained, so that nobody waits for room
            try:
                self._write(result)
            except OSError as error:
                self._break(error if isinstance(error, CvsegError) else output_error(self.path, error))
            except BaseException as error:  # raised again by the caller's next add or flush
                self._break(error)

    def _break(self, error: BaseException) -> None:
        # Nothing is written any more, also after the error was raised: a frame would be missing in between.
        self._broken = True
        self._error = error

    def _write(self, result: FrameResult) -> None:
        if not self._begun:
            self._begin()
        if shutil.disk_usage(self.path).free < RESERVE_BYTES:
            raise OutputError(f"The disk of {self.path} is full. Free some space, or name a folder on another disk.")
        assert self._masks is not None and self._tracks is not None
        began = time.perf_counter()
        means: Means | None = None
        self._masks.write_result(result)
        try:
            self._tracks.write_result(result)
            masks_done = time.perf_counter()
            self._draw(result)
            drawn = time.perf_counter()
            if self._explain is not None:
                means = self._explain.draw(result)
                self._explain.note(result, means)
                self.record.add_times({"write_explain": time.perf_counter() - drawn})
        except BaseException:
            # A mask without its tracks would contradict the other files.
            with contextlib.suppress(OSError):
                (self.path / MASKS / f"{result.frame.name}.png").unlink()
            if self._explain is not None:
                self._explain.forget(result.frame.name)
            raise
        self.record.add(result, means)
        self.record.add_times({"write_masks": masks_done - began, "write_overlay": drawn - masks_done})

    def _draw(self, result: FrameResult) -> None:
        if self._sink is None and not self._strip.wants_next():
            self._strip.skip()
            return
        image = draw_overlay(result.frame.image, result.labels, result.tracks)
        self._strip.offer(result.frame.index, float(result.frame.time_s), image)
        if self._sink is not None:
            self._sink.write(_even(image), result.frame)

    def _put(self, item: FrameResult | None) -> None:
        # With a limit, so that a Ctrl-C is seen at once and a dead thread does not block for ever.
        while True:
            try:
                return self._queue.put(item, timeout=0.5)
            except queue.Full:
                if self._thread is None or not self._thread.is_alive():
                    return None

    def _raise_error(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    # The end

    def _finish_files(self) -> None:
        self._reserve.unlink(missing_ok=True)
        for sink in (self._tracks, self._explain, self._sink, self._masks):
            if sink is not None:
                with self._reported():
                    sink.close()
        with self._reported():
            names = [name for name in self.files if name not in (REPORT, SUMMARY)] + [SUMMARY]
            page = render_report(self.record, self._strip.evenly(), names, evidence_section(self.record))
            self._write_text(REPORT, page)
        with self._reported():
            self._write_text(SUMMARY, self.record.to_json())

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        """A file that cannot be finished does not keep the next one from being finished."""
        try:
            yield
        except (OSError, CvsegError) as error:
            self.record.status = "failed"
            sentence = error if isinstance(error, CvsegError) else output_error(self.path, error)
            self.record.message = self.record.message or str(sentence)

    def _write_text(self, name: str, text: str) -> None:
        with replacing(self.path / name) as partial:
            # A file name on Linux may hold bytes that are no UTF-8.
            partial.write_text(text, encoding="utf-8", errors="backslashreplace")

    @property
    def _reserve(self) -> Path:
        return self.path / f".reserve{PARTIAL_SUFFIX}"

    def _remove_what_was_made(self) -> None:
        """Folders made for a run that finished nothing; never one that holds anything."""
        for folder in self._made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with an even width and height, its last row or column repeated: browsers play no odd sizes."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def written_by_cvseg(folder: Path) -> bool:
    """Whether an earlier run of cvseg wrote this folder: its summary says so."""
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(summary, dict) and str(summary.get("written_by", "")).startswith("cvseg ")
