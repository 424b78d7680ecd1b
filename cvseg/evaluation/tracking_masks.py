"""Reads a sequence of MOTS masks and their truth, class by class, without what lies in ignored regions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError
from cvseg.evaluation.file_pairs import check_same_size, listed
from cvseg.evaluation.frame_pool import measure_frames
from cvseg.evaluation.numbered_files import numbered_files
from cvseg.evaluation.protocols import Progress, report_progress
from cvseg.evaluation.tracking_accuracy import FrameMatches
from cvseg.evaluation.tracking_data import tracking_sequence
from cvseg.evaluation.tracking_files import LONGEST, Tracked, TrackingFiles, png_files
from cvseg.evaluation.tracking_picture import frame_image, object_picture
from cvseg.evaluation.tracking_preprocessing import outside_ignored
from cvseg.formats.mots import IGNORE_CLASS, IGNORE_ID, MotsFrame, read_mots, read_mots_png
from cvseg.masks.label_runs import label_run_overlaps, paint_masks
from cvseg.video.still_image import IMAGE_SUFFIXES

Load = Callable[[], MotsFrame]


@dataclass(frozen=True)
class _Objects:
    """Everything that one frame adds, before classes are told apart."""

    truth_ids: list[int]
    truth_classes: list[int]
    result_ids: list[int]
    result_classes: list[int]
    iou: NDArray[np.float64]
    ignored_share: NDArray[np.float64]


@dataclass(frozen=True)
class ComparedMasks:
    """All frames of one sequence, before classes are told apart."""

    files: TrackingFiles
    numbers: Sequence[int]
    frames: Sequence[_Objects]
    truth: Mapping[int, Load]
    result: Mapping[int, Load]


def mask_frame_count(files: TrackingFiles) -> int:
    """How many frames `compare_masks` will tell of: those of a folder, or one for a text file."""
    return max(1, len(png_files(files.truth))) if files.truth.is_dir() else 1


def compare_masks(files: TrackingFiles, progress: Progress | None, remarks: list[str]) -> ComparedMasks:
    """Overlaps of all masks of one sequence.

    Parameters
    ----------
    files : where it lies
    progress : told after every frame of a folder, or once for a text file
    remarks : sentences are added

    Raises
    ------
    FormatError
        naming the file and the line or the frame.
    """
    truth = _loaders(files.truth)
    result = _loaders(files.result) if files.result is not None else {}
    numbers = _frame_numbers(files, truth, result, remarks)

    def measure(number: int) -> _Objects:
        return _compare(files, truth.get(number), result.get(number), number)

    of_folder = files.truth.is_dir()
    frames = measure_frames(measure, numbers, progress if of_folder else None)
    if not of_folder:
        report_progress(progress, 1, 1)
    return ComparedMasks(files, numbers, frames, truth, result)


def tracked_classes(
    compared: Sequence[ComparedMasks], *, classes: Sequence[int] = (), preprocessing: str = "auto", remarks: list[str]
) -> list[Tracked]:
    """Each class of each sequence.

    Parameters
    ----------
    compared : all sequences
    classes : those that count; () are all that the truth of any sequence has
    preprocessing : "none" counts also what lies in ignored regions
    remarks : sentences are added
    """
    known = {c for one in compared for frame in one.frames for c in frame.truth_classes}
    wanted = sorted(classes or known) or [0]
    parts = []
    for one in compared:
        name = one.files.name
        found = {c for frame in one.frames for c in frame.result_classes}
        plain = found == {0} and len(wanted) == 1 and wanted != [0]
        if plain:
            remarks.append(
                f"{name}: the ids of the result name no class (class * 1000 + instance); they were taken for class "
                f"{wanted[0]}."
            )
        elif other := sorted(found - set(wanted)):
            remarks.append(f"{name}: objects of the result of class {listed(map(str, other))} were not counted.")
        for kind in wanted:
            chosen = [_of_class(frame, kind, plain, preprocessing != "none") for frame in one.frames]
            removed = sum(part.removed for part in chosen)
            if removed:
                remarks.append(f"{name}: {removed} masks of class {kind} lie in ignored regions and do not count.")
            sequence = tracking_sequence((part.truth_ids, part.result_ids, part.iou) for part in chosen)
            if len(wanted) > 1 and not len(sequence.truth_ids) and not len(sequence.result_ids):
                remarks.append(f"{name}: there is no object of class {kind}, neither true nor found; it has no row.")
                continue
            parts.append(
                Tracked(
                    name=name if len(wanted) == 1 else f"{name} class {kind}",
                    sequence=sequence,
                    numbers=one.numbers,
                    picture=_Picture(one),
                    group=f"class {kind}",
                )
            )
    return parts


def _frame_numbers(
    files: TrackingFiles, truth: Mapping[int, Load], result: Mapping[int, Load], remarks: list[str]
) -> list[int]:
    numbers = sorted(truth.keys() | result.keys())
    if files.truth.is_dir():
        # A PNG stands for its frame also where it is empty: no other frame is part of the sequence.
        if extra := [str(number) for number in sorted(result) if number not in truth]:
            remarks.append(f"{files.name}: frames {listed(extra)} of the result have no truth and were not counted.")
        absent = [str(number) for number in sorted(truth) if number not in result]
        if absent and files.result is not None and files.result.is_dir():
            remarks.append(
                f"{files.name}: {len(absent)} of {len(truth)} frames have no result and count as empty: "
                f"{listed(absent)}."
            )
        return sorted(truth)
    if not numbers:
        return list(range(1, files.info.length + 1)) if files.info is not None else []
    # KITTI counts from 0, MOTChallenge from 1.
    first = min(1, numbers[0])
    if files.info is None:
        if numbers[-1] > LONGEST:
            raise FormatError(
                f"{files.name}: frame {numbers[-1]} occurs; expected at most {LONGEST} without a seqinfo.ini. "
                "Remove its lines, or correct the number."
            )
        return list(range(first, numbers[-1] + 1))
    if numbers[-1] >= first + files.info.length:
        raise FormatError(
            f"{files.name}: frame {numbers[-1]} occurs; expected at most {first + files.info.length - 1} with the "
            f"length {files.info.length} in seqinfo.ini. Remove its lines, or correct the length."
        )
    return list(range(first, first + files.info.length))


def _loaders(path: Path) -> dict[int, Load]:
    """For each frame number, what reads the frame."""
    if path.is_file():
        return {number: _Kept(frame) for number, frame in read_mots(path).items()}
    loaders: dict[int, Load] = {}
    for file in png_files(path):
        if not file.stem.isdecimal():
            raise FormatError(f"{file}: the name is no number; expected frames named by their number, as 000001.png.")
        if int(file.stem) in loaders:
            raise FormatError(f"{file}: two files are frame {int(file.stem)}; expected one. Remove one of them.")
        loaders[int(file.stem)] = _Png(file)
    return loaders


@dataclass(frozen=True)
class _Kept:
    frame: MotsFrame

    def __call__(self) -> MotsFrame:
        return self.frame


@dataclass(frozen=True)
class _Png:
    path: Path

    def __call__(self) -> MotsFrame:
        return read_mots_png(self.path)


def _empty_like(frame: MotsFrame) -> MotsFrame:
    return MotsFrame(frame.frame, paint_masks([], [], frame.labels.size_hw))


def _compare(files: TrackingFiles, load_truth: Load | None, load_result: Load | None, number: int) -> _Objects:
    truth = load_truth() if load_truth is not None else None
    result = load_result() if load_result is not None else None
    some = truth or result
    if some is None:
        return _Objects([], [], [], [], np.zeros((0, 0)), np.zeros(0))
    truth, result = truth or _empty_like(some), result or _empty_like(some)
    check_same_size(f"{files.result}, frame {number}", result.labels.size_hw, f"{files.truth}", truth.labels.size_hw)
    truth_ids, result_ids, shared, truth_areas, result_areas = label_run_overlaps(result.labels, truth.labels)
    union = truth_areas[:, None] + result_areas[None] - shared
    iou = shared / np.maximum(union, 1)
    ignored = np.array([truth.classes[i] == IGNORE_CLASS for i in truth_ids], bool)
    share = shared[ignored].sum(0) / np.maximum(result_areas, 1)
    iou, truth_ids = iou[~ignored], [i for i, skip in zip(truth_ids, ignored, strict=True) if not skip]
    if IGNORE_ID in result.classes and IGNORE_ID in result_ids:
        # Nobody has to find what is ignored.
        own = np.array([i != IGNORE_ID for i in result_ids])
        iou, share, result_ids = iou[:, own], share[own], [i for i in result_ids if i != IGNORE_ID]
    # Objects of text files whose mask has no pixel overlap nothing.
    empty_truth = [i for i in truth.classes if i not in truth_ids and i != IGNORE_ID]
    empty_result = [i for i in result.classes if i not in result_ids and i != IGNORE_ID]
    iou = np.pad(iou, ((0, len(empty_truth)), (0, len(empty_result))))
    share = np.pad(share, (0, len(empty_result)))
    truth_ids, result_ids = truth_ids + empty_truth, result_ids + empty_result
    return _Objects(
        truth_ids,
        [truth.classes[i] for i in truth_ids],
        result_ids,
        [result.classes[i] for i in result_ids],
        iou,
        share,
    )


@dataclass(frozen=True)
class _Chosen:
    """Objects of one class of one frame that count, and how many results were taken out."""

    truth_ids: list[int]
    result_ids: list[int]
    iou: NDArray[np.float64]
    removed: int


def _of_class(frame: _Objects, kind: int, plain: bool, ignore: bool) -> _Chosen:
    truth = np.array([c == kind for c in frame.truth_classes], bool)
    result = np.array([c == kind or plain for c in frame.result_classes], bool)
    iou, share = frame.iou[truth][:, result], frame.ignored_share[result]
    kept = outside_ignored(iou, share) if ignore else np.ones(len(share), bool)
    result_ids = np.array(frame.result_ids, np.int64)[result][kept].tolist()
    truth_ids = np.array(frame.truth_ids, np.int64)[truth].tolist()
    return _Chosen(truth_ids, result_ids, iou[:, kept], int((~kept).sum()))


class _Picture:
    """Draws a frame: reads its masks and its picture again."""

    def __init__(self, compared: ComparedMasks) -> None:
        self._compared = compared

    def __call__(self, index: int, frame: FrameMatches) -> NDArray[np.uint8]:
        one = self._compared
        number = one.numbers[index]
        truth = one.truth[number]() if number in one.truth else None
        result = one.result[number]() if number in one.result else None
        some = truth or result
        folder = one.files.images
        images = numbered_files(folder, IMAGE_SUFFIXES) if folder is not None else {}
        image = frame_image(images.get(number), some.labels.size_hw if some is not None else None)
        if some is None:
            return image
        truth, result = truth or _empty_like(some), result or _empty_like(some)
        return object_picture(image, truth.labels.labels(), result.labels.labels(), frame)
