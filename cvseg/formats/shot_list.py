"""Lists of shots: PySceneDetect's CSV, JSON lists of cuts, and text with the first and last frame of each shot.

In memory a list is its transitions [begin, end), frames counted from 0; a cut at frame f, the first of the new shot,
is [f, f). In files: the CSV's `Start Frame` and `End Frame` count from 1, both included (its old form has a column
`frame`, the first of each shot, from 0). JSON counts from 0: {"cuts": [30, 180]}, or {"transitions": [[30, 45]]}
half-open, or a list of cuts; JSON Lines hold one such object or number a line. Text counts from 0, both included.
Frames between the last of one shot and the first of the next are a gradual transition.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError

LAST_FRAME = 2**31 - 1  # two years at 30 frames a second
SHOT_ENDINGS = (".csv", ".json", ".jsonl", ".txt")


def read_shot_list(path: str | Path) -> NDArray[np.int64]:
    """Read the transitions of one video.

    Returns
    -------
    (n, 2) int64 [begin, end), rising; n is 0 for a video of one shot

    Raises
    ------
    FormatError
        when the file is missing or damaged, shots overlap, or a cut stands twice; the line is named.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read ({error}); expected a list of shots.") from None
    ending = path.suffix.lower()
    if ending == ".csv":
        transitions = list(_csv_transitions(path, text))
    elif ending == ".json":
        transitions = list(_json_transitions(path, 1, _parsed(path, 1, text)))
    elif ending == ".jsonl":
        transitions = [
            transition
            for number, line in enumerate(text.splitlines(), start=1)
            if line.strip()
            for transition in _json_transitions(path, number, _parsed(path, number, line))
        ]
    elif ending == ".txt":
        transitions = list(_between(path, _text_shots(path, text)))
    else:
        raise FormatError(f"{path} ends in {ending or 'nothing'!r}; expected one of {', '.join(SHOT_ENDINGS)}.")
    transitions.sort()
    if transitions and max(end for _, end in transitions) > LAST_FRAME:
        raise FormatError(
            f"{path}: the transition {list(transitions[-1])} lies behind frame {LAST_FRAME}; expected frame numbers."
        )
    for before, after in itertools.pairwise(transitions):
        if after[0] < before[1] or after == before:
            raise FormatError(
                f"{path}: the transitions {list(before)} and {list(after)} overlap or are one; remove one."
            )
    return np.array(transitions, np.int64).reshape(-1, 2)


def _csv_transitions(path: Path, text: str) -> Iterator[tuple[int, int]]:
    rows = list(enumerate(csv.reader(text.splitlines()), start=1))
    # PySceneDetect writes a line with all timecodes above the heads, unless it is told not to.
    while rows and not _heads(rows[0][1]) & {"start frame", "frame"}:
        if rows[0][1] and not rows[0][1][0].lower().startswith("timecode list"):
            break
        rows.pop(0)
    if not rows or not _heads(rows[0][1]) & {"start frame", "frame"}:
        raise FormatError(
            f"{path}, line 1: no column 'Start Frame' or 'frame'; expected PySceneDetect's list of scenes."
        )
    # The table ends at an empty line; the old form goes on with a list of timecodes.
    heads = [head.strip().lower() for head in rows[0][1]]
    table = list(itertools.takewhile(lambda row: any(cell.strip() for cell in row[1]), rows[1:]))
    if "start frame" not in heads:
        starts = [_number(path, number, row, heads.index("frame")) for number, row in table]
        yield from ((start, start) for start in starts if start > 0)
        return
    if "end frame" not in heads:
        raise FormatError(f"{path}, line {rows[0][0]}: no column 'End Frame'; expected it beside 'Start Frame'.")
    start, end = heads.index("start frame"), heads.index("end frame")
    shots = [
        (number, _number(path, number, row, start) - 1, _number(path, number, row, end) - 1) for number, row in table
    ]
    yield from _between(path, shots)


def _heads(row: list[str]) -> set[str]:
    return {cell.strip().lower() for cell in row}


def _number(path: Path, line: int, row: list[str], column: int) -> int:
    try:
        value = float(row[column])
        if value != int(value) or value < 0:
            raise ValueError
    except (IndexError, ValueError, OverflowError):
        cell = row[column] if column < len(row) else "nothing"
        raise FormatError(f"{path}, line {line}: {cell!r}; expected a frame number.") from None
    return int(value)


def _text_shots(path: Path, text: str) -> list[tuple[int, int, int]]:
    shots = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.replace(",", " ").split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or not all(word.isdigit() for word in words):
            raise FormatError(f"{path}, line {number}: {line[:60]!r}; expected the first and last frame of a shot.")
        shots.append((number, int(words[0]), int(words[1])))
    return shots


def _between(path: Path, shots: list[tuple[int, int, int]]) -> Iterator[tuple[int, int]]:
    """Transitions between shots given as (line, first, last), both included, from 0."""
    last_before = None
    for line, first, last in shots:
        if first < 0 or last < first:
            raise FormatError(f"{path}, line {line}: a shot from frame {first} to {last}; expected a rising range.")
        if last_before is not None:
            if first <= last_before:
                raise FormatError(f"{path}, line {line}: the shot begins at {first}, before the last one ends.")
            yield last_before + 1, first
        last_before = last


def _parsed(path: Path, line: int, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(f"{path}, line {line + error.lineno - 1}: no JSON ({error.msg}). Copy it again.") from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, thousands of brackets
        raise FormatError(f"{path}, line {line}: no list of shots; its numbers or brackets are endless.") from None


def _json_transitions(path: Path, line: int, value: Any) -> Iterator[tuple[int, int]]:
    if isinstance(value, int) and not isinstance(value, bool):
        value = [value]
    if isinstance(value, list):
        value = {"cuts": value}
    if not isinstance(value, dict) or not {"cuts", "transitions"} & set(value):
        raise FormatError(f"{path}, line {line}: {str(value)[:60]}; expected cuts or transitions.")
    for cut in value.get("cuts", ()):
        if not isinstance(cut, int) or isinstance(cut, bool) or cut < 0:
            raise FormatError(f"{path}, line {line}: the cut {cut!r}; expected a frame number from 0.")
        yield cut, cut
    for pair in value.get("transitions", ()):
        whole = isinstance(pair, list) and len(pair) == 2 and all(type(frame) is int for frame in pair)
        if not whole or not 0 <= pair[0] <= pair[1]:
            raise FormatError(f"{path}, line {line}: the transition {pair!r}; expected [begin, end].")
        yield pair[0], pair[1]
