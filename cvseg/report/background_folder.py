"""`BackgroundFolder`: masks of change, the background, the list of events, an overlay video, a page and a summary."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import CvsegError
from cvseg.objects.change_events import ChangeEvent
from cvseg.records import Frame, FrameResult
from cvseg.report.html import escape, render_report
from cvseg.report.overlay import draw_overlay
from cvseg.report.run_record import RunRecord
from cvseg.report.strip import Strip
from cvseg.video import BackgroundSink, PngSequenceSink, SourceInfo, VideoFileSink
from cvseg.video.replace_file import prepare_own_folder, replacing
from cvseg.video.source import DEFAULT_RATE

MASKS, PROBABILITY, PLATE, EVENTS = "masks", "probability", "background.png", "events.csv"
OVERLAY, REPORT, SUMMARY = "overlay.mp4", "report.html", "summary.json"
CODES = {"binary": (0, 0, 255), "cdnet": (0, 50, 255)}  # static, shadow, moving
COLUMNS = (
    "event",
    "first_frame",
    "last_frame",
    "start_s",
    "end_s",
    "frames",
    "left_px",
    "top_px",
    "width_px",
    "height_px",
    "mean_area_px",
    "largest_area_px",
    "first_x_px",
    "first_y_px",
    "last_x_px",
    "last_y_px",
    "confidence",
)
KEEP_EVENTS = 500  # frames between two writings of the list: a power cut loses no more
MOST_ROWS = 200  # events on the page
PLATE_PX = 720  # width of the background on the page
PALE = 0.45  # share of white over what is foreground and no event
OUTSIDE = 0.45  # brightness outside the region of interest


class BackgroundFolder:
    """The folder that `cvseg background INPUT -o` names.

    Parameters
    ----------
    path : made if it is missing
    record : what is known of the run; every frame that comes out is added to it
    info : of the source: rate and times of the video
    events : tells all events so far
    codes : key of `CODES`: whether masks tell shadows
    masks, probability, overlay : what is written frame by frame
    roi : (H, W) bool, the region of interest; darkened outside in the video
    overwrite : write into a folder that holds something, over files of the same names

    Raises
    ------
    OutputError
        when the folder holds something and `overwrite` is not set, or cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        record: RunRecord,
        info: SourceInfo,
        events: Callable[[], Sequence[ChangeEvent]],
        *,
        codes: str = "binary",
        masks: bool = True,
        probability: bool = False,
        overlay: bool = True,
        roi: NDArray[np.bool_] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path = prepare_own_folder(path, "masks and events", overwrite=overwrite)
        self.record = record
        self.remarks: list[str] = []
        self.files = 0
        self.size_hw = (info.height, info.width)
        self._events, self._codes, self._roi = events, CODES[codes], roi
        self._with_masks = masks
        self._masks = PngSequenceSink(self.path / MASKS) if masks else None
        self._probability = PngSequenceSink(self.path / PROBABILITY) if probability else None
        self._sink: BackgroundSink | None = None
        if overlay:
            rate = info.rate or DEFAULT_RATE
            self._sink = BackgroundSink(VideoFileSink(self.path / OVERLAY, rate=rate, time_base=info.time_base))
        self._strip = Strip()
        self._plate: NDArray[np.uint8] | None = None
        self._share = 0.0
        self._waiting: dict[int, NDArray[np.bool_]] = {}

    def add(
        self,
        frame: Frame,
        mask: NDArray[np.bool_],
        foreground: NDArray[np.float32],
        shadow: NDArray[np.bool_] | None,
        background: NDArray[np.uint8],
    ) -> None:
        """Write the mask of a frame. All arrays have its size; the background is kept and written at the end."""
        static, dark, moving = self._codes
        values = np.full(mask.shape, static, np.uint8)
        if shadow is not None:
            values[shadow] = dark
        values[mask] = moving
        if self._masks is not None:
            self._masks.write(values, frame)
        if self._probability is not None:
            self._probability.write(np.round(foreground * 255).astype(np.uint8), frame)
        self._plate = background
        self._waiting[frame.index] = mask
        self._share += float(mask.mean())
        self.files += 1

    def show(self, result: FrameResult) -> None:
        """Draw a frame whose events are known, and note it; in the order of `add`."""
        mask = self._waiting.pop(result.frame.index)
        self.record.add(result)
        if self._sink is None and not self._strip.wants_next():
            self._strip.skip()
        else:
            picture = self._drawn(result, mask)
            self._strip.offer(result.frame.index, float(result.frame.time_s), picture)
            if self._sink is not None:
                self._sink.write(_even(picture), result.frame)
        if self.record.frame_count % KEEP_EVENTS == 0:
            self._write_events()

    def _drawn(self, result: FrameResult, mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
        picture = result.frame.image.copy()
        if self._roi is not None:
            picture[~self._roi] = (picture[~self._roi] * OUTSIDE).astype(np.uint8)
        rest = mask & (result.labels == 0)
        picture[rest] = (picture[rest] * (1 - PALE) + 255 * PALE).astype(np.uint8)
        return draw_overlay(picture, result.labels, result.tracks)

    @property
    def foreground_share(self) -> float:
        """Mean share of foreground pixels over all frames."""
        return self._share / self.files if self.files else 0.0

    def end(self, status: str = "complete", message: str = "") -> None:
        """Finish all files; what is written stays, whatever the status. Without a frame nothing is left.

        Raises
        ------
        OutputError
            after everything else is finished.
        """
        if not self.files:
            if self._sink is not None:
                self._sink.abort()
            for name in (MASKS, PROBABILITY):
                with contextlib.suppress(OSError):
                    (self.path / name).rmdir()
            return
        self.record.end(status, message)
        errors: list[CvsegError] = []
        for step in (self._close_video, self._write_plate, self._write_events, self._write_page, self._write_summary):
            try:
                step()
            except CvsegError as error:
                # A file that cannot be finished does not keep the next one from being finished.
                errors.append(error)
                self.record.end("failed", self.record.message or str(error))
        if errors and status == "complete":
            raise errors[0]

    def _close_video(self) -> None:
        if self._sink is not None:
            self._sink.close()

    def _write_plate(self) -> None:
        from PIL import Image

        with replacing(self.path / PLATE) as partial, open(partial, "wb") as file:
            Image.fromarray(np.ascontiguousarray(self._plate)).save(file, format="PNG")

    def _write_events(self) -> None:
        with replacing(self.path / EVENTS) as partial, open(partial, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(_row(event) for event in self._events())

    def _write_page(self) -> None:
        names = [name for name in (MASKS, PROBABILITY, PLATE, EVENTS, OVERLAY) if (self.path / name).exists()]
        page = render_report(self.record, self._strip.evenly(), [*names, SUMMARY], self._sections())
        with replacing(self.path / REPORT) as partial:
            partial.write_text(page, encoding="utf-8", errors="backslashreplace")

    def _sections(self) -> str:
        remarks = "".join(f'<p class="message warn">{escape(remark)}</p>' for remark in self.remarks)
        small = Strip(width_px=PLATE_PX)
        if self._plate is not None:
            small.offer(0, 0.0, self._plate)
        plate = "".join(f'<img src="{picture.data_url}" alt="The background">' for picture in small.pictures)
        events = list(self._events())
        longest = sorted(sorted(events, key=lambda event: -event.frames)[:MOST_ROWS], key=lambda event: event.id)
        names = ("event", "start", "end", "frames", "box (left, top, width, height)", "mean area", "confidence")
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        rows = "".join(
            f"<tr><td>{event.id}</td><td>{event.start_s:.2f} s</td><td>{event.end_s:.2f} s</td><td>{event.frames}</td>"
            f"<td>{', '.join(f'{number:.0f}' for number in _box(event))}</td><td>{event.mean_area_px:.0f} px</td>"
            f"<td>{event.confidence:.2f}</td></tr>"
            for event in longest
        )
        table = f'<table class="figures"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        table = f'<div class="scroll table">{table}</div>' if events else _NOTHING
        more = f'<p class="quiet">The {MOST_ROWS} longest; all {len(events)} are in {EVENTS}.</p>'
        return (
            f"{remarks}<section><h2>Background at the end</h2><figure>{plate}</figure></section>"
            f"<section><h2>Events</h2>{table}{more if len(events) > MOST_ROWS else ''}</section>"
        )

    def _write_summary(self) -> None:
        summary = self.record.to_mapping()
        summary["masks"] = self.files if self._with_masks else 0
        numbers = {event.id for event in self._events()}
        summary["events"] = len(numbers)
        summary["tracks"] = [track for track in summary["tracks"] if track["id"] in numbers]
        summary["foreground_share"] = round(self.foreground_share, 6)
        summary["remarks"] = self.remarks
        with replacing(self.path / SUMMARY) as partial:
            text = json.dumps(summary, indent=2) + "\n"
            partial.write_text(text, encoding="utf-8", errors="backslashreplace")


_NOTHING = '<p class="quiet">None: nothing moved, or it was too small or gone too soon.</p>'


def _box(event: ChangeEvent) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = event.box_xyxy
    return x0, y0, x1 - x0, y1 - y0


def _row(event: ChangeEvent) -> list[Any]:
    places = (*event.first_xy, *event.last_xy)
    return [
        event.id,
        event.first_frame,
        event.last_frame,
        f"{event.start_s:.6f}",
        f"{event.end_s:.6f}",
        event.frames,
        *(f"{number:.0f}" for number in _box(event)),
        f"{event.mean_area_px:.1f}",
        event.largest_area_px,
        *(f"{number:.1f}" for number in places),
        f"{event.confidence:.3f}",
    ]


def _even(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """H.264 halves its colours: a last odd row or column is shown twice."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
