"""Change detection after CDnet 2014: which pixels of a video move.

Truth: CATEGORY/SEQUENCE/groundtruth/gt000001.png with ROI.bmp and temporalROI.txt, or SEQUENCE/groundtruth/...,
or one sequence. Results: CATEGORY/SEQUENCE/bin000001.png; files pair by the last number in their names.

Recall, specificity, FPR, FNR, PWC, F-measure, precision, FPR-S: per sequence from counts over its frames, per
category the mean of its sequences, overall the mean of the categories.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, InputError
from cvseg.evaluation.change_accuracy import (
    MOVING,
    OUTSIDE,
    UNKNOWN,
    ChangeCounts,
    change_counts,
    change_score,
)
from cvseg.evaluation.file_pairs import check_folder, check_same_size, listed
from cvseg.evaluation.frame_images import check_images
from cvseg.evaluation.frame_pool import measure_frames
from cvseg.evaluation.mask_picture import mask_picture
from cvseg.evaluation.numbered_files import frame_number, numbered_files
from cvseg.evaluation.protocols import Progress
from cvseg.evaluation.record import Curve, Evaluation, FrameScore, Measure
from cvseg.formats.cdnet import read_change_labels, read_region_of_interest, read_temporal_region
from cvseg.formats.davis import read_mask
from cvseg.options import Options, option

MASKS = {".png", ".bmp", ".tif", ".tiff", ".gif", ".pgm"}
IMAGES = MASKS | {".jpg", ".jpeg", ".ppm"}
FRAME_FOLDERS = ("input", "in")
WHITE = 255
EMPTY = 1e-9  # keeps a third of 30 frames from being 9

MEASURES = (
    Measure("f_measure", "F-measure", "2 TP / (2 TP + FP + FN), 0 to 1"),
    Measure("precision", "Precision", "TP / (TP + FP): share of what was found that moves"),
    Measure("recall", "Recall", "TP / (TP + FN): share of what moves that was found"),
    Measure("specificity", "Specificity", "TN / (TN + FP): share of the background left alone"),
    Measure("fpr", "FPR", "FP / (FP + TN): false positive rate", rising=False),
    Measure("fnr", "FNR", "FN / (TP + FN): false negative rate", rising=False),
    Measure("pwc", "PWC", "100 (FN + FP) / all: percentage of wrong classifications", rising=False),
    Measure(
        "fpr_shadow", "FPR-S", "share of the shadow pixels taken for motion; no value without shadows", rising=False
    ),
)
FRAME_MEASURES = (
    Measure("f_measure", "F-measure", "of this frame alone; no value when nothing moves and nothing was found"),
    Measure("false_positives", "FP", "background pixels taken for motion", digits=0, rising=False),
    Measure("false_negatives", "FN", "moving pixels missed", digits=0, rising=False),
)


@dataclass(frozen=True, kw_only=True)
class ChangeProtocolOptions(Options):
    """What `evaluate` may be asked."""

    missing_as_empty: bool = option(False, "count a frame without a result as one where nothing moves")
    foreground: str = option(
        "white",
        "which result values mean motion: white = only 255, as CDnet; nonzero = all but 0",
        choices=("white", "nonzero"),
    )
    first_frame: int = option(0, "frames with smaller numbers are not counted", low=0)
    train_share: float = option(
        0.0, "share of each sequence, from its begin, that is not counted: it only trains", low=0.0, high=0.999
    )
    number_offset: int = option(0, "added to the number in the name of a result file")
    images: str = option("", "folder of the frames, laid out as the truth; default input/ or in/ beside the truth")


@dataclass(frozen=True)
class _Sequence:
    """One sequence: its truth files by frame number, and where the results lie."""

    name: str
    category: str
    folder: Path
    truth: Mapping[int, Path]
    results: Mapping[int, Path]
    roi: NDArray[np.bool_] | None


@dataclass(frozen=True)
class _Frame:
    sequence: _Sequence
    number: int
    truth: Path
    result: Path | None


@dataclass(frozen=True)
class _Measured:
    counts: ChangeCounts
    white: bool  # the result holds 255
    strange: bool  # and something else above 0


def evaluate(
    results: Path, truth: Path, options: ChangeProtocolOptions, progress: Progress | None = None
) -> Evaluation:
    """Measure masks of motion.

    Parameters
    ----------
    results, truth : folders, see the head of this file
    options : ChangeProtocolOptions
    progress : told after every frame

    Raises
    ------
    InputError, FormatError, EvaluationStopped
    """
    check_folder("evaluate change", "results", results)
    check_folder("evaluate change", "truth", truth)
    check_images("evaluate change", options.images)
    remarks: list[str] = []
    sequences = _sequences(results, truth, options, remarks)
    frames = [
        _Frame(sequence, number, path, sequence.results.get(number))
        for sequence in sequences
        for number, path in sequence.truth.items()
    ]
    _check_missing(frames, options, remarks)
    measured = measure_frames(functools.partial(_measure, options=options), frames, progress)
    _check_values(frames, measured, options, remarks)
    return _evaluation(sequences, frames, measured, options, remarks)


def _sequences(results: Path, truth: Path, options: ChangeProtocolOptions, remarks: list[str]) -> list[_Sequence]:
    """Sequences below the truth, with their results; what is extra or left out is remarked."""
    folders = _truth_folders(truth)
    found = []
    extra: list[str] = []
    for folder in folders:
        name = "" if folder == truth else folder.relative_to(truth).as_posix()
        labels = folder / "groundtruth"
        files = numbered_files(labels if labels.is_dir() else folder, MASKS)
        result_folder = results / name
        numbered = numbered_files(result_folder, MASKS) if result_folder.is_dir() else {}
        own = {number + options.number_offset: path for number, path in numbered.items()}
        extra += [f"{name}/{own[number].name}" if name else own[number].name for number in own if number not in files]
        counted = _counted_frames(name, folder, files, options, remarks)
        found.append(
            _Sequence(
                name=name,
                category=name.rpartition("/")[0],
                folder=folder,
                truth=counted,
                results=own,
                roi=_region_of_interest(name, folder, files, remarks),
            )
        )
    if not any(sequence.truth for sequence in found):
        raise InputError(
            f"evaluate change: {truth} holds no truth to count; expected SEQUENCE/groundtruth/gt000001.png. "
            "Check --truth, --first-frame and --train-share."
        )
    if extra:
        remarks.append(f"{len(extra)} result files have no truth and were not counted: {listed(extra)}.")
    return [sequence for sequence in found if sequence.truth]


def _truth_folders(truth: Path) -> list[Path]:
    """Folders with a groundtruth/ inside, up to two levels down; without any, folders that hold masks themselves."""
    levels = [truth, *(path for pattern in ("*", "*/*") for path in sorted(truth.glob(pattern)) if path.is_dir())]
    with_labels = [folder for folder in levels if (folder / "groundtruth").is_dir() and folder.name != "groundtruth"]
    return with_labels or [folder for folder in levels if numbered_files(folder, MASKS)]


def _counted_frames(
    name: str, folder: Path, files: Mapping[int, Path], options: ChangeProtocolOptions, remarks: list[str]
) -> dict[int, Path]:
    """Truth files inside the temporal region of interest and behind the frames that only train."""
    first, last = 0, max(files, default=0)
    region = folder / "temporalROI.txt"
    if region.is_file():
        first, last = read_temporal_region(region)
    inside = [number for number in files if first <= number <= last]
    if len(inside) < len(files):
        remarks.append(
            f"{name or folder.name}: {len(files) - len(inside)} frames lie outside {region.name} ({first} to {last}) "
            "and were not counted."
        )
    trained = math.floor(options.train_share * len(inside) + EMPTY)
    return {number: files[number] for number in inside[trained:] if number >= options.first_frame}


def _region_of_interest(
    name: str, folder: Path, files: Mapping[int, Path], remarks: list[str]
) -> NDArray[np.bool_] | None:
    """ROI.bmp, or None where there is none that fits: label 85 keeps the outside out as well."""
    path = folder / "ROI.bmp"
    if not path.is_file() or not files:
        return None
    roi, truth = read_region_of_interest(path), read_mask(next(iter(files.values())))
    if roi.shape != truth.shape:
        remarks.append(
            f"{name or folder.name}: ROI.bmp is {roi.shape[1]}x{roi.shape[0]} pixels, the truth "
            f"{truth.shape[1]}x{truth.shape[0]}; the region of interest was taken from label {OUTSIDE} alone."
        )
        return None
    # CDnet has regions saved with an empty palette: nothing would count.
    if not roi.any():
        remarks.append(f"{name or folder.name}: ROI.bmp is black everywhere and was not used.")
        return None
    return None if roi.all() else roi


def _check_missing(frames: Sequence[_Frame], options: ChangeProtocolOptions, remarks: list[str]) -> None:
    absent = [_label(frame) for frame in frames if frame.result is None]
    if not absent:
        return
    if len(absent) == len(frames) or not options.missing_as_empty:
        advice = (
            "Check that both folders are laid out alike, and --number-offset."
            if len(absent) == len(frames)
            else "Write them, or count them as empty with --missing-as-empty."
        )
        raise InputError(
            f"evaluate change: {len(absent)} of {len(frames)} frames of the truth have no result "
            f"({listed(absent)}). {advice}"
        )
    remarks.append(f"{len(absent)} of {len(frames)} results are missing and counted as empty: {listed(absent)}.")


def _check_values(
    frames: Sequence[_Frame], measured: Sequence[_Measured], options: ChangeProtocolOptions, remarks: list[str]
) -> None:
    """Masks of 0 and 1, or of ids, would count as empty under "white": refuse them; shadows marked 127 are remarked."""
    if options.foreground != "white":
        return
    strange = [_label(frame) for frame, one in zip(frames, measured, strict=True) if one.strange]
    if strange and not any(one.white for one in measured):
        raise FormatError(
            f"evaluate change: no result holds the value 255, but {len(strange)} hold others above 0 "
            f"({listed(strange)}). If these mean motion, pass --foreground nonzero."
        )
    if strange:
        remarks.append(
            f"{len(strange)} results hold values between 0 and 255, which count as background, as in CDnet: "
            f"{listed(strange)}."
        )


def _measure(frame: _Frame, options: ChangeProtocolOptions) -> _Measured:
    truth = read_change_labels(frame.truth)
    result, white, strange = _read_result(frame, truth.shape, options)
    roi = frame.sequence.roi
    if roi is not None and roi.shape != truth.shape:
        roi = None
    return _Measured(change_counts(result, truth, roi), white, strange)


def _read_result(
    frame: _Frame, size_hw: tuple[int, ...], options: ChangeProtocolOptions
) -> tuple[NDArray[np.bool_], bool, bool]:
    """The mask, whether 255 occurs in it, and whether another value above 0 does."""
    if frame.result is None:
        return np.zeros(size_hw, bool), False, False
    values = read_mask(frame.result)
    check_same_size(frame.result, values.shape, frame.truth, size_hw)
    some, white = values != 0, values == WHITE
    strange = np.count_nonzero(some) != np.count_nonzero(white)
    return (white if options.foreground == "white" else some), bool(white.any()), strange


def _evaluation(
    sequences: Sequence[_Sequence],
    frames: Sequence[_Frame],
    measured: Sequence[_Measured],
    options: ChangeProtocolOptions,
    remarks: list[str],
) -> Evaluation:
    counts = {sequence.name: ChangeCounts() for sequence in sequences}
    for frame, one in zip(frames, measured, strict=True):
        counts[frame.sequence.name] += one.counts
    per_sequence = {name: dataclasses.asdict(change_score(total)) for name, total in counts.items()}
    categories: dict[str, list[str]] = {}
    for sequence in sequences:
        categories.setdefault(sequence.category, []).append(sequence.name)
    per_category = {category: _means([per_sequence[name] for name in names]) for category, names in categories.items()}
    rows = {name or sequences[0].folder.name: values for name, values in per_sequence.items()}
    if len(categories) > 1 or any(categories):
        rows |= {f"{category or 'no category'} (mean)": values for category, values in per_category.items()}
    _remark_undefined(per_sequence, counts, remarks)
    scores = [_frame_score(frame, one.counts, options) for frame, one in zip(frames, measured, strict=True)]
    return Evaluation(
        task="change",
        measures=MEASURES,
        overall=_means(list(per_category.values())),
        rows=rows,
        frame_measures=FRAME_MEASURES,
        frames=scores,
        curves=_curves(categories, frames, scores),
        remarks=remarks,
        settings=options.to_mapping(),
        details={"counts": {name: dataclasses.asdict(total) for name, total in counts.items()}},
        overall_doc="mean of the categories, each the mean of its sequences" if any(categories) else _OVERALL,
        group_rows=[name for name in rows if name not in per_sequence],
        picture_doc="Green is right, red a false alarm, blue was missed; the white line is the true outline, dark "
        "pixels do not count",
    )


_OVERALL = "mean of the sequences"


def _means(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each measure over the entries that have it."""
    means = {}
    for measure in MEASURES:
        known = [entry[measure.key] for entry in values if not math.isnan(entry[measure.key])]
        means[measure.key] = sum(known) / len(known) if known else float("nan")
    return means


def _remark_undefined(
    per_sequence: Mapping[str, Mapping[str, float]], counts: Mapping[str, ChangeCounts], remarks: list[str]
) -> None:
    for name, values in per_sequence.items():
        empty = [measure.title for measure in MEASURES[:-1] if math.isnan(values[measure.key])]
        if empty:
            total = counts[name]
            nothing = "moves" if total.true_positives + total.false_negatives == 0 else "was found"
            remarks.append(
                f"{name or 'the sequence'}: nothing {nothing}, so it has no {', '.join(empty)}; means leave it out."
            )


def _label(frame: _Frame) -> str:
    return f"{frame.sequence.name}/{frame.truth.stem}" if frame.sequence.name else frame.truth.stem


def _frame_score(frame: _Frame, counts: ChangeCounts, options: ChangeProtocolOptions) -> FrameScore:
    return FrameScore(
        sequence=frame.sequence.name or frame.sequence.folder.name,
        frame=frame.truth.stem,
        scores={
            "f_measure": change_score(counts).f_measure,
            "false_positives": counts.false_positives,
            "false_negatives": counts.false_negatives,
        },
        picture=functools.partial(_picture, frame, options),
    )


def _picture(frame: _Frame, options: ChangeProtocolOptions) -> NDArray[np.uint8]:
    truth = read_change_labels(frame.truth)
    result, _, _ = _read_result(frame, truth.shape, options)
    void = (truth == UNKNOWN) | (truth == OUTSIDE)
    if frame.sequence.roi is not None and frame.sequence.roi.shape == truth.shape:
        void |= ~frame.sequence.roi
    image = _read_image(frame, options)
    if image is not None and image.shape[:2] != truth.shape:
        image = None
    return mask_picture(result, truth == MOVING, void, image)


def _read_image(frame: _Frame, options: ChangeProtocolOptions) -> NDArray[np.uint8] | None:
    from PIL import Image

    base = Path(options.images) / frame.sequence.name if options.images else frame.sequence.folder
    for folder in [*(base / name for name in FRAME_FOLDERS), *([base] if options.images else [])]:
        if not folder.is_dir():
            continue
        for path in sorted(folder.glob(f"*{frame.number}.*")):
            if path.suffix.lower() in IMAGES and frame_number(path.stem) == frame.number:
                with Image.open(path) as picture:
                    return np.asarray(picture.convert("RGB"))
    return None


def _curves(
    categories: Mapping[str, Sequence[str]], frames: Sequence[_Frame], scores: Sequence[FrameScore]
) -> list[Curve]:
    """F over time, one picture a category and one line a sequence."""
    lines: dict[str, tuple[list[float], list[float]]] = {}
    for frame, score in zip(frames, scores, strict=True):
        numbers, values = lines.setdefault(frame.sequence.name, ([], []))
        numbers.append(frame.number)
        values.append(score.scores["f_measure"])
    return [
        Curve(
            title=f"F-measure over time{f', {category}' if category else ''}",
            x_label="frame",
            y_label="F-measure",
            lines={name.rpartition("/")[2] or "F-measure": lines[name] for name in names},
        )
        for category, names in categories.items()
    ]
