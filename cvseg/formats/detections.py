"""Reads boxes of a detector from MOTChallenge text, strictly: what a tracker cannot use is named with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError
from cvseg.formats.mot_challenge import TrackTable, read_tracks


def read_detections(path: str | Path, *, sort: bool = False) -> TrackTable:
    """Read detections: ``frame, id, left, top, width, height, score``, frames and pixels counted from 1.

    Parameters
    ----------
    path : the file; ids and columns from 8 on are not looked at
    sort : accept frames in any order and sort them; else a frame that goes back is an error, because it usually means
        two files in one

    Returns
    -------
    TrackTable : counted from 0, frames rising

    Raises
    ------
    FormatError
        naming the file, the line and the reason: no number, NaN, a size that is not above 0, a frame that goes back,
        the same box twice in one frame, a file without any box.
    """
    table = read_tracks(path)
    lines = _line_numbers(path)
    if not len(table):
        raise FormatError(
            f"{path}, line 1: the file has no boxes; expected one line a box. Check the detector's output."
        )
    _check_sizes(path, table, lines)
    if sort:
        order = np.argsort(table.frames, kind="stable")
        table = TrackTable(*(getattr(table, name)[order] for name in TrackTable.__dataclass_fields__))
        lines = lines[order]
    else:
        _check_order(path, table, lines)
    _check_twice(path, table, lines)
    return table


def _line_numbers(path: str | Path) -> NDArray[np.int64]:
    text = Path(path).read_text(encoding="utf-8-sig")
    return np.array([number for number, line in enumerate(text.splitlines(), 1) if line.strip()], np.int64)


def _check_sizes(path: str | Path, table: TrackTable, lines: NDArray[np.int64]) -> None:
    sides = table.boxes_xyxy[:, 2:] - table.boxes_xyxy[:, :2]
    empty = np.flatnonzero(~(sides > 0).all(1))
    if empty.size:
        row = int(empty[0])
        raise FormatError(
            f"{path}, line {lines[row]}: the box is {sides[row, 0]:g} x {sides[row, 1]:g} pixels; expected sizes above "
            "0. Remove the line."
        )


def _check_order(path: str | Path, table: TrackTable, lines: NDArray[np.int64]) -> None:
    back = np.flatnonzero(np.diff(table.frames) < 0)
    if back.size:
        row = int(back[0]) + 1
        raise FormatError(
            f"{path}, line {lines[row]}: frame {table.frames[row] + 1} comes after frame {table.frames[row - 1] + 1}; "
            "expected frames in rising order. Sort the file, or allow any order with --sort if it is one sequence."
        )


def _check_twice(path: str | Path, table: TrackTable, lines: NDArray[np.int64]) -> None:
    order = np.lexsort((*table.boxes_xyxy.T[::-1], table.frames))
    frames, boxes = table.frames[order], table.boxes_xyxy[order]
    again = np.flatnonzero((frames[1:] == frames[:-1]) & (boxes[1:] == boxes[:-1]).all(1))
    if again.size:
        pairs = [sorted((int(lines[order[row]]), int(lines[order[row + 1]]))) for row in again]
        first, second = min(pairs, key=lambda pair: pair[1])
        frame = int(table.frames[np.flatnonzero(lines == second)[0]]) + 1
        raise FormatError(
            f"{path}, line {second}: the same box stands in line {first} already, frame {frame}; expected each box "
            "once. Remove one."
        )
