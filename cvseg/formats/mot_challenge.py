"""MOTChallenge text: one line a box, ``frame, id, left, top, width, height, confidence, x, y, z``.

The file counts from 1 where Python counts from 0: frames, and pixels too (the top left pixel of an image is (1, 1)).
So the half-open box_xyxy (0, 0, 10, 5) of frame 0 stands in the file as ``1,<id>,1,1,10,5``. World coordinates are not
known; their place is filled with -1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, RangeError
from cvseg.records.result import FrameResult
from cvseg.records.track import Track
from cvseg.video.growing_text import GrowingText
from cvseg.video.replace_file import prepare_folder, replacing


@dataclass(frozen=True)
class TrackTable:
    """All boxes of a file, in its order; N rows.

    Attributes
    ----------
    frames : (N,) int32, from 0
    ids : (N,) int32; -1 in files of detections without identity
    boxes_xyxy : (N, 4) float64, half-open boxes in pixels, the top left pixel of the image begins at (0, 0)
    confidences : (N,) float64, column 7; in ground truth 1 or 0: counted or not
    extra : (N, 3) float64, columns 8 to 10 as they stand (ground truth: class, visibility, -1); -1 where missing
    """

    frames: NDArray[np.int32]
    ids: NDArray[np.int32]
    boxes_xyxy: NDArray[np.float64]
    confidences: NDArray[np.float64]
    extra: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frames)


class TracksWriter:
    """Writes ``tracks.txt`` frame by frame: beside its name, and renamed by `close`, also after Ctrl-C.

    Parameters
    ----------
    path : file to write; its folder is made when it is missing

    Raises
    ------
    OutputError
    """

    def __init__(self, path: str | Path) -> None:
        self._text = GrowingText(path)

    def write(self, frame_index: int, tracks: Iterable[Track]) -> None:
        """Add the boxes of one frame; `frame_index` counts from 0."""
        self._text.write("".join([_line(frame_index, track) for track in tracks]))

    def write_result(self, result: FrameResult) -> None:
        """Add the tracks of a result of the pipeline."""
        self.write(result.frame.index, result.tracks)

    def close(self) -> None:
        """Finish the file; one without boxes is empty."""
        self._text.close()

    def abort(self) -> None:
        self._text.abort()

    def __enter__(self) -> TracksWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _line(frame_index: int, track: Track) -> str:
    x0, y0, x1, y1 = (float(v) for v in track.box_xyxy)
    if frame_index < 0 or not all(math.isfinite(v) for v in (x0, y0, x1, y1, track.confidence)) or x1 < x0 or y1 < y0:
        raise RangeError(
            f"TracksWriter: frame {frame_index}, track {track.id} has the box {track.box_xyxy} and the confidence "
            f"{track.confidence}; expected finite numbers, x0 <= x1, y0 <= y1 and a frame from 0."
        )
    numbers = (frame_index + 1, track.id, x0 + 1, y0 + 1, x1 - x0, y1 - y0, track.confidence)
    return ",".join(_number(value) for value in numbers) + ",-1,-1,-1\n"


def write_track_table(path: str | Path, table: TrackTable) -> None:
    """Write all boxes of a table in its order: the whole file, or none.

    Raises
    ------
    OutputError
    RangeError
        where a number is not finite or a box is turned around.
    """
    boxes = table.boxes_xyxy
    wrong = np.flatnonzero(
        ~np.isfinite(boxes).all(1) | ~np.isfinite(table.confidences) | (boxes[:, 2:] < boxes[:, :2]).any(1)
    )
    if wrong.size:
        row = int(wrong[0])
        raise RangeError(
            f"write_track_table: row {row} has the box {boxes[row].tolist()} and the confidence "
            f"{table.confidences[row]}; expected finite numbers, x0 <= x1 and y0 <= y1."
        )
    prepare_folder(Path(path).parent)
    numbers = np.concatenate([boxes[:, :2] + 1, boxes[:, 2:] - boxes[:, :2], table.confidences[:, None]], axis=1)
    with replacing(path) as partial, open(partial, "w", encoding="ascii", newline="\n") as file:
        for frame, number, row in zip(table.frames.tolist(), table.ids.tolist(), numbers.tolist(), strict=True):
            file.write(f"{frame + 1},{number}," + ",".join(map(_number, row)) + ",-1,-1,-1\n")


def _number(value: float) -> str:
    # Six places are 1e-6 pixel; whole numbers stay short.
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def read_tracks(path: str | Path) -> TrackTable:
    """Read a MOTChallenge file: results, detections or ground truth.

    Returns
    -------
    TrackTable : counted from 0; sorted as the file is

    Raises
    ------
    FormatError
        naming the file and the line: too few or too many columns, no number, a frame below 1, a size below 0, or an
        id twice in one frame.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist; expected a MOTChallenge text file. Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read as text ({error}); expected a MOTChallenge file.") from None
    rows: list[list[float]] = []
    seen: dict[tuple[int, int], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        row = _row(line, f"{path}, line {number}")
        key = (int(row[0]), int(row[1]))
        if key[1] >= 0 and key in seen:
            raise FormatError(
                f"{path}, line {number}: id {key[1]} stands twice in frame {key[0]} (first in line {seen[key]}); "
                "expected one box a frame. Remove one."
            )
        seen[key] = number
        rows.append(row)
    table = np.array(rows, np.float64).reshape(-1, 10)
    left_top = table[:, 2:4] - 1.0
    return TrackTable(
        frames=(table[:, 0] - 1).astype(np.int32),
        ids=table[:, 1].astype(np.int32),
        boxes_xyxy=np.concatenate([left_top, left_top + table[:, 4:6]], axis=1),
        confidences=table[:, 6].copy(),
        extra=table[:, 7:10].copy(),
    )


def _row(line: str, place: str) -> list[float]:
    words: list[Any] = line.split(",") if "," in line else line.split()
    if not 6 <= len(words) <= 10:
        raise FormatError(
            f"{place}: {len(words)} columns; expected 6 to 10 (frame, id, left, top, width, height, confidence, ...)."
        )
    row = []
    for column, word in enumerate(words, start=1):
        try:
            value = float(word)
        except ValueError:
            raise FormatError(f"{place}: column {column} is {word.strip()!r}; expected a number.") from None
        if not math.isfinite(value):
            raise FormatError(f"{place}: column {column} is {word.strip()}; expected a finite number.")
        row.append(value)
    if row[0] != int(row[0]) or not 1 <= row[0] < 2**31:
        raise FormatError(f"{place}: frame is {words[0].strip()}; expected a whole number from 1.")
    if row[1] != int(row[1]) or abs(row[1]) >= 2**31:
        raise FormatError(f"{place}: id is {words[1].strip()}; expected a whole number.")
    if row[4] < 0 or row[5] < 0:
        raise FormatError(f"{place}: the box is {row[4]:g} x {row[5]:g} pixels; expected sizes from 0.")
    # Without a confidence the box counts; unknown world coordinates are -1.
    return row + [1.0, -1.0, -1.0, -1.0][len(row) - 6 :]
