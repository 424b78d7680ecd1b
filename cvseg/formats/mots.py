"""MOTS: masks of tracked objects, as text with run-length masks or as a 16-bit PNG a frame.

Rules of the format. Text: ``frame id class height width mask`` separated by blanks, one line an object; the mask is
compressed COCO text (runs down the columns, background first). PNG: one channel of 16 bits, the value of a pixel is
``class * 1000 + instance``, 0 is background, the name is the frame's number. Class 10, as id 10000, marks regions that
are ignored, not an object. Masks of one frame never overlap, and no id stands twice in a frame. MOTSChallenge counts
frames from 1, KITTI MOTS from 0, and the file does not say which: here frames keep the numbers they have in the files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, RangeError
from cvseg.formats.coco_rle import decode_runs, encode_runs
from cvseg.formats.davis import read_mask
from cvseg.masks.label_runs import LabelRuns, OverlapError, label_runs, paint_masks
from cvseg.masks.run_length import Runs
from cvseg.video.replace_file import file_in, prepare_folder, replacing

CLASS_STEP = 1000
IGNORE_CLASS = 10
IGNORE_ID = 10000
LARGEST_ID = 65535  # of a PNG
MOST_PIXELS = 2**30  # of a picture


@dataclass(frozen=True, eq=False)
class MotsFrame:
    """Objects of one frame.

    Attributes
    ----------
    frame : number as in the file
    labels : which pixel belongs to which id; `IGNORE_ID` where nothing counts
    classes : id to class, of the objects and of `IGNORE_ID`
    """

    frame: int
    labels: LabelRuns
    classes: dict[int, int] = field(default_factory=dict)


def mots_frame(frame: int, labels: NDArray[np.integer]) -> MotsFrame:
    """A frame of a label map whose ids are ``class * 1000 + instance``.

    Examples
    --------
    >>> mots_frame(1, np.array([[0, 2001, 10000]])).classes
    {2001: 2, 10000: 10}
    """
    runs = label_runs(labels)
    return MotsFrame(frame, runs, {i: i // CLASS_STEP for i in np.unique(runs.ids).tolist() if i})


def read_mots(path: str | Path) -> dict[int, MotsFrame]:
    """Read a text file.

    Returns
    -------
    dict : number of the frame, as in the file, to its objects; rising; frames without a line are missing

    Raises
    ------
    FormatError
        naming the file and the line: wrong number of columns, no whole number, a damaged mask, an id twice in one
        frame, masks that overlap, or two sizes in one frame.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist; expected a MOTS text file. Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read as text ({error}); expected a MOTS file.") from None
    found: dict[int, _Lines] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            _add_line(found, line, number, path)
    return {frame: _painted(path, frame, found[frame]) for frame in sorted(found)}


def read_mots_png(path: str | Path) -> MotsFrame:
    """Read one frame; its number is the name of the file.

    Raises
    ------
    FormatError
        when the file is damaged, holds colours, or its name is not a number.
    """
    path = Path(path)
    if not path.stem.isdecimal():
        raise FormatError(f"{path}: the name is no number; expected frames named by their number, as 000001.png.")
    return mots_frame(int(path.stem), read_mask(path))


def write_mots(path: str | Path, frames: Iterable[MotsFrame]) -> None:
    """Write a text file; it appears whole or not at all.

    Raises
    ------
    OutputError
    """
    with replacing(path) as partial, open(partial, "w", encoding="ascii", newline="\n") as file:
        for frame in frames:
            height, width = frame.labels.size_hw
            for object_id, runs in split_masks(frame.labels).items():
                object_class = frame.classes.get(object_id, object_id // CLASS_STEP)
                mask = encode_runs(runs).decode("ascii")
                file.write(f"{frame.frame} {object_id} {object_class} {height} {width} {mask}\n")


def write_mots_png(folder: str | Path, frames: Iterable[MotsFrame]) -> None:
    """Write ``folder/000001.png``, ..., 16 bits a pixel.

    Raises
    ------
    OutputError
    RangeError
        when an id is above 65535.
    """
    from PIL import Image

    folder = prepare_folder(folder)
    for frame in frames:
        labels = frame.labels.labels()
        if labels.size and int(labels.max()) > LARGEST_ID:
            raise RangeError(
                f"write_mots_png: frame {frame.frame} has id {int(labels.max())}; expected at most {LARGEST_ID}. "
                "Write the masks as text, or renumber them."
            )
        with replacing(file_in(folder, f"{frame.frame:06d}", ".png")) as partial, open(partial, "wb") as file:
            Image.fromarray(labels.astype(np.uint16)).save(file, format="PNG")


def split_masks(labels: LabelRuns) -> dict[int, Runs]:
    """Id to runs of its mask, ids rising."""
    pixels = labels.size_hw[0] * labels.size_hw[1]
    ends = labels.starts + labels.lengths
    masks = {}
    for object_id in np.unique(labels.ids[labels.ids > 0]).tolist():
        own = labels.ids == object_id
        edges = np.stack([labels.starts[own], ends[own]], axis=1).ravel()
        runs = np.diff(edges, prepend=0, append=pixels)
        masks[object_id] = runs if runs[-1] else runs[:-1]
    return masks


@dataclass
class _Lines:
    """What stands about one frame, and in which line each id."""

    size_hw: tuple[int, int]
    lines: dict[int, int] = field(default_factory=dict)
    masks: dict[int, Runs] = field(default_factory=dict)
    classes: dict[int, int] = field(default_factory=dict)
    ignored: list[Runs] = field(default_factory=list)


def _add_line(found: dict[int, _Lines], line: str, number: int, path: str | Path) -> None:
    place = f"{path}, line {number}"
    words = line.split()
    if len(words) != 6:
        raise FormatError(f"{place}: {len(words)} columns; expected 6 (frame, id, class, height, width, mask).")
    numbers = []
    for column, word in enumerate(words[:5]):
        if not word.isascii() or not word.isdecimal() or int(word) >= 2**31:
            name = ("frame", "id", "class", "height", "width")[column]
            raise FormatError(f"{place}: {name} is {word!r}; expected a whole number from 0.")
        numbers.append(int(word))
    frame, object_id, object_class, height, width = numbers
    if not 0 < height * width <= MOST_PIXELS:
        raise FormatError(f"{place}: the mask is {width}x{height} pixels; expected a picture of 1 to {MOST_PIXELS}.")
    try:
        runs = decode_runs(words[5])
    except FormatError as error:
        raise FormatError(f"{place}: {error}") from None
    if int(runs.sum()) != height * width:
        raise FormatError(
            f"{place}: the mask has {int(runs.sum())} pixels; expected {height * width} ({width}x{height})."
        )
    known = found.setdefault(frame, _Lines((height, width)))
    if known.size_hw != (height, width):
        raise FormatError(
            f"{place}: the mask is {width}x{height} pixels; expected {known.size_hw[1]}x{known.size_hw[0]} as the "
            f"first of frame {frame}."
        )
    if object_class == IGNORE_CLASS:
        known.ignored.append(runs)
        return
    if not object_id:
        raise FormatError(f"{place}: id is 0, the background; expected ids from 1.")
    if object_id in known.lines:
        raise FormatError(
            f"{place}: id {object_id} stands twice in frame {frame} (first in line {known.lines[object_id]}); "
            "expected one mask a frame. Remove one."
        )
    known.lines[object_id] = number
    known.masks[object_id] = runs
    known.classes[object_id] = object_class


def _painted(path: str | Path, frame: int, known: _Lines) -> MotsFrame:
    from cvseg.masks.run_length import merge_runs

    masks, classes = dict(known.masks), dict(known.classes)
    if known.ignored:
        if IGNORE_ID in masks:
            raise FormatError(
                f"{path}, line {known.lines[IGNORE_ID]}: id {IGNORE_ID} has class {classes[IGNORE_ID]}; expected "
                f"class {IGNORE_CLASS}, the region to ignore."
            )
        masks[IGNORE_ID], classes[IGNORE_ID] = merge_runs(known.ignored), IGNORE_CLASS
    try:
        return MotsFrame(frame, paint_masks(list(masks), list(masks.values()), known.size_hw), classes)
    except OverlapError as error:
        lines = ", ".join(str(line) for line in sorted(known.lines.values())[:8])
        raise FormatError(f"{path}, frame {frame} (lines {lines}): {error}") from None
