"""Scribbles of the interactive track of DAVIS: strokes by frame, as JSON.

    {"sequence": "bear", "annotated_frame": 2, "scribbles": [[], [], [{"path": [[0.25, 0.5], [0.3, 0.5]],
     "object_id": 1, "start_time": 0, "end_time": 640}], ...]}

``scribbles`` has a list for every frame of the sequence, counted from 0. The points of a path are x, y as shares of the
frame: 0 is the middle of the first column or row, 1 of the last, so that a pixel is ``x * (width - 1)``, cut off to a
whole number. Ids count as in the masks: 0 marks background. Times are milliseconds; files may lack them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, RangeError
from cvseg.video.replace_file import replacing


@dataclass(frozen=True)
class Stroke:
    """One stroke of a user.

    Attributes
    ----------
    path_xy : (n, 2) float64 in [0, 1], n at least 1: shares of the width and height of the frame less one pixel
    object_id : 0 background, else the id of the object
    start_ms, end_ms : when it was drawn; None where not known
    """

    path_xy: NDArray[np.float64]
    object_id: int
    start_ms: float | None = None
    end_ms: float | None = None

    def pixels(self, size_hw: tuple[int, int]) -> NDArray[np.int32]:
        """Pixels of the points, (n, 2) int32 x and y, in a frame of (height, width)."""
        height, width = size_hw
        return (self.path_xy * (width - 1, height - 1)).astype(np.int32)


@dataclass(frozen=True)
class Scribbles:
    """Strokes of one sequence.

    Attributes
    ----------
    sequence : its name
    frames : the strokes of every frame, from frame 0
    annotated_frame : the frame on which the user drew; None where not known
    """

    sequence: str
    frames: tuple[tuple[Stroke, ...], ...]
    annotated_frame: int | None = None


def read_scribbles(path: str | Path) -> Scribbles:
    """Read a file of scribbles.

    Raises
    ------
    FormatError
        naming the file, the frame and the stroke.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist; expected scribbles of DAVIS (JSON). Check the path.") from None
    except json.JSONDecodeError as error:
        raise FormatError(f"{path}, line {error.lineno}: {error.msg}; expected JSON. Copy the file again.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read as text ({error}); expected scribbles of DAVIS (JSON).") from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, thousands of brackets
        raise FormatError(f"{path} holds no scribbles of DAVIS; its numbers or brackets are endless.") from None
    frames = content.get("scribbles") if isinstance(content, dict) else None
    if not isinstance(frames, list) or not all(isinstance(frame, list) for frame in frames):
        raise FormatError(f"{path} has no list 'scribbles' with a list a frame; expected scribbles of DAVIS.")
    sequence, annotated = content.get("sequence", ""), content.get("annotated_frame")
    if not isinstance(sequence, str) or not (annotated is None or _is_whole(annotated)):
        raise FormatError(f"{path}: 'sequence' must be text and 'annotated_frame' a whole number.")
    if annotated is not None and not 0 <= annotated < max(len(frames), 1):
        raise FormatError(f"{path}: annotated_frame is {annotated}; expected 0 to {len(frames) - 1}, counted from 0.")
    return Scribbles(
        sequence=sequence,
        frames=tuple(
            tuple(_stroke(stroke, f"{path}, frame {number}, stroke {k}") for k, stroke in enumerate(frame))
            for number, frame in enumerate(frames)
        ),
        annotated_frame=annotated,
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _stroke(value: Any, place: str) -> Stroke:
    path = value.get("path") if isinstance(value, dict) else None
    try:
        path_xy = np.asarray(path, np.float64)
    except (TypeError, ValueError):
        path_xy = np.zeros(0)
    if path_xy.ndim != 2 or path_xy.shape[1] != 2 or not len(path_xy):
        raise FormatError(f"{place}: 'path' is no list of points; expected [[x, y], ...].")
    if not ((path_xy >= 0) & (path_xy <= 1)).all():
        raise FormatError(f"{place}: a point lies outside 0 to 1; expected shares of the width and height, not pixels.")
    object_id = value.get("object_id")
    if not _is_whole(object_id) or object_id < 0:
        raise FormatError(f"{place}: object_id is {object_id!r}; expected a whole number from 0.")
    times = [value.get("start_time"), value.get("end_time")]
    for time in times:
        number = time is None or (isinstance(time, (int, float)) and not isinstance(time, bool) and math.isfinite(time))
        if not number:
            raise FormatError(f"{place}: a time is {time!r}; expected milliseconds.")
    return Stroke(path_xy=path_xy, object_id=object_id, start_ms=times[0], end_ms=times[1])


def write_scribbles(path: str | Path, scribbles: Scribbles) -> None:
    """Write scribbles; the file appears whole or not at all. `read_scribbles` gives the same back.

    Raises
    ------
    RangeError
        when a point lies outside [0, 1].
    OutputError
    """
    content: dict[str, Any] = {"scribbles": [_listing(strokes) for strokes in scribbles.frames]}
    content["sequence"] = scribbles.sequence
    if scribbles.annotated_frame is not None:
        content["annotated_frame"] = scribbles.annotated_frame
    with replacing(path) as partial, open(partial, "w", encoding="utf-8") as file:
        json.dump(content, file)


def _listing(strokes: Sequence[Stroke]) -> list[dict[str, Any]]:
    entries = []
    for stroke in strokes:
        if not ((stroke.path_xy >= 0) & (stroke.path_xy <= 1)).all():
            raise RangeError(
                "write_scribbles: a path_xy leaves 0 to 1; expected shares of the frame. Divide pixels by the size "
                "less one."
            )
        entry: dict[str, Any] = {"path": stroke.path_xy.tolist(), "object_id": stroke.object_id}
        if stroke.start_ms is not None:
            entry["start_time"] = stroke.start_ms
        if stroke.end_ms is not None:
            entry["end_time"] = stroke.end_ms
        entries.append(entry)
    return entries
