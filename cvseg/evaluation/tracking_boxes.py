"""Reads a sequence of MOTChallenge boxes and their truth, and takes out what the benchmark does not count."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError
from cvseg.evaluation.numbered_files import numbered_files
from cvseg.evaluation.tracking_accuracy import FrameMatches
from cvseg.evaluation.tracking_data import TrackingSequence, box_sequence
from cvseg.evaluation.tracking_files import LONGEST, Tracked, TrackingFiles
from cvseg.evaluation.tracking_picture import Box, box_picture, frame_image
from cvseg.evaluation.tracking_preprocessing import DISTRACTORS, without_distractors
from cvseg.formats.mot_challenge import TrackTable, read_tracks
from cvseg.video.still_image import IMAGE_SUFFIXES

PEDESTRIAN = 1
LARGEST_CLASS = 13  # of MOTChallenge


def read_tracked_boxes(
    files: TrackingFiles, *, classes: Sequence[int] = (), preprocessing: str = "auto", remarks: list[str]
) -> Tracked:
    """Ids and overlaps of one sequence.

    Parameters
    ----------
    files : where it lies
    classes : those that count; () is class 1, where the truth has classes and they are looked at
    preprocessing : "auto", "none", "mot16" or "mot20", see `cvseg.evaluation.protocols.tracking`
    remarks : sentences are added

    Raises
    ------
    FormatError
        naming file and line: a damaged line, an id twice in a frame, a box without identity, a frame behind the end.
    """
    truth = read_tracks(files.truth)
    result = read_tracks(files.result) if files.result is not None else _no_boxes()
    for path, table in ((files.truth, truth), (files.result, result)):
        if path is not None:
            _check(path, table, files.info.length if files.info else None)
    length = (
        files.info.length
        if files.info
        else max((int(t.frames.max()) + 1 for t in (truth, result) if len(t)), default=0)
    )
    every = box_sequence(
        (result.frames, result.ids, result.boxes_xyxy), (truth.frames, truth.ids, truth.boxes_xyxy), length
    )
    counted, distractor = _counted(files, truth, classes, preprocessing, remarks)
    sequence = without_distractors(every, counted[every.truth_rows], distractor[every.truth_rows])
    if removed := len(every.result_ids) - len(sequence.result_ids):
        remarks.append(f"{files.name}: {removed} boxes of the result match distractors and were not counted.")
    if left_out := len(every.truth_ids) - len(sequence.truth_ids):
        remarks.append(
            f"{files.name}: {left_out} of {len(every.truth_ids)} true boxes are not counted (flag 0, or another class)."
        )
    size_hw = files.info.size_hw if files.info else None

    images = numbered_files(files.images, IMAGE_SUFFIXES) if files.images is not None else {}

    def picture(index: int, frame: FrameMatches) -> NDArray[np.uint8]:
        image = frame_image(images.get(index + 1), size_hw)
        return box_picture(image, *_frame_boxes(sequence, index, truth, result), frame)

    return Tracked(
        name=files.name,
        sequence=sequence,
        numbers=range(1, length + 1),
        picture=picture if size_hw is not None or images else None,
    )


def _no_boxes() -> TrackTable:
    none = np.zeros(0, np.int32)
    return TrackTable(none, none, np.zeros((0, 4)), np.zeros(0), np.zeros((0, 3)))


def _check(path: Path, table: TrackTable, length: int | None) -> None:
    nameless = np.flatnonzero(table.ids < 0)
    if nameless.size:
        raise FormatError(
            f"{path}, line {_line(path, nameless[0])}: id is {table.ids[nameless[0]]}, a box without identity; "
            "expected the id of a track from 0. Are these detections?"
        )
    late = np.flatnonzero(table.frames >= (LONGEST if length is None else length))
    if late.size:
        known = f"{length}, the length in seqinfo.ini" if length is not None else f"{LONGEST} without a seqinfo.ini"
        raise FormatError(
            f"{path}, line {_line(path, late[0])}: frame {int(table.frames[late[0]]) + 1}; expected at most {known}. "
            "Remove the line, or correct the length."
        )


def _counted(
    files: TrackingFiles, truth: TrackTable, classes: Sequence[int], preprocessing: str, remarks: list[str]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which true boxes count, and which are distractors; one for each line of the file."""
    counted = truth.confidences != 0
    kinds = truth.extra[:, 0]
    odd = np.flatnonzero((kinds != np.round(kinds)) | (kinds < 1) | (kinds > LARGEST_CLASS))
    if preprocessing in DISTRACTORS and odd.size:
        raise FormatError(
            f"{files.truth}, line {_line(files.truth, odd[0])}: class (column 8) is {kinds[odd[0]]:g}; expected a "
            f"whole number from 1 to {LARGEST_CLASS}. Or switch classes off with --preprocessing none."
        )
    distractor = np.zeros(len(truth), bool)
    if preprocessing == "auto" and not odd.size and len(truth):
        preprocessing = "mot20" if files.name.upper().startswith("MOT20") else "mot16"
        remarks.append(
            f"{files.name}: the truth holds classes; class {_named(classes or (PEDESTRIAN,))} counts, and results on "
            f"classes {_named(DISTRACTORS[preprocessing])} are taken out (--preprocessing none: every class counts)."
        )
    if preprocessing in DISTRACTORS:
        wanted = tuple(classes) or (PEDESTRIAN,)
        counted &= np.isin(kinds, wanted)
        distractor = np.isin(kinds, [kind for kind in DISTRACTORS[preprocessing] if kind not in wanted])
    elif classes:
        counted &= np.isin(kinds, classes)
    return counted, distractor


def _named(classes: Sequence[int]) -> str:
    return ", ".join(str(kind) for kind in classes)


def _frame_boxes(
    sequence: TrackingSequence, index: int, truth: TrackTable, result: TrackTable
) -> tuple[dict[int, Box], dict[int, Box]]:
    boxes = []
    for table, starts, rows in (
        (truth, sequence.truth_starts, sequence.truth_rows),
        (result, sequence.result_starts, sequence.result_rows),
    ):
        own = rows[starts[index] : starts[index + 1]]
        boxes.append(
            {
                i: (x0, y0, x1, y1)
                for i, (x0, y0, x1, y1) in zip(table.ids[own].tolist(), table.boxes_xyxy[own].tolist(), strict=True)
            }
        )
    return boxes[0], boxes[1]


def _line(path: Path, row: int) -> int:
    """Line of a row of the table: empty lines are no rows."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return [number for number, line in enumerate(lines, start=1) if line.strip()][int(row)]
