"""Class labels of pixels: mean IoU, pixel accuracy, mean accuracy, frequency-weighted IoU.

Truth and results: label PNGs (grey or indexed, 8 or 16 bit, pixel = class), FRAME.png or SEQUENCE/FRAME.png, laid
out alike. Pixels whose true label is the ignore label do not count. Counts are summed over all frames before anything
is divided.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, InputError
from cvseg.evaluation.file_pairs import FilePair, check_folder, check_same_size, files_below, listed, pair_files
from cvseg.evaluation.frame_images import images_beside
from cvseg.evaluation.frame_pool import measure_frames
from cvseg.evaluation.label_picture import label_picture
from cvseg.evaluation.protocols import Progress
from cvseg.evaluation.record import Evaluation, FrameScore, Measure
from cvseg.evaluation.semantic_accuracy import confusion_matrix, semantic_score, video_consistency
from cvseg.formats.davis import read_mask
from cvseg.options import Options, option

LABELS = {".png", ".bmp", ".tif", ".tiff"}
IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
MOST_CLASSES = 4096  # more is a panoptic label map, and its confusion matrix would not fit
VOID = -1

MEASURES = (
    Measure("mean_iou", "mIoU", "TP / (TP + FP + FN) of a class, 0 to 1; overall the mean of the classes"),
    Measure("mean_accuracy", "Mean acc", "share of the true pixels of a class that are right; overall the mean"),
    Measure("pixel_accuracy", "Pixel acc", "share of all pixels whose class is right"),
    Measure("frequency_weighted_iou", "FW IoU", "mean of the IoU, weighted with the share of each class in the truth"),
)
CLASS_MEASURES = (
    Measure("truth_share", "Share", "share of the class in the truth", rising=None),
    Measure("result_share", "Result share", "share of the class in the result", rising=None),
)
FRAME_MEASURES = (
    Measure("mean_iou", "mIoU", "of this frame alone, over the classes in it"),
    Measure("pixel_accuracy", "Pixel acc", "of this frame alone"),
)


@dataclass(frozen=True, kw_only=True)
class SemanticProtocolOptions(Options):
    """What `evaluate` may be asked."""

    missing_as_empty: bool = option(False, "count a frame without a result as one where every pixel is wrong")
    classes: int = option(0, "number of classes, counted from 0; 0: up to the largest label that occurs", low=0)
    class_names: str = option("", "text file with the name of one class a line, the first is class 0")
    ignore_label: int = option(255, "true pixels with this label do not count; -1: all count", low=-1)
    label_divisor: int = option(1, "class = label // this; 1000 where labels are class * 1000 + instance", low=1)
    consistency: int = option(0, "also measure the consistency VC over windows of this many frames; 0: no", low=0)
    images: str = option(
        "", "folder of the frames, laid out as the truth, for the pictures; default images/ or JPEGImages/ beside it"
    )


@dataclass(frozen=True)
class _Measured:
    confusion: NDArray[np.int64]  # (n, n + 1), n up to the largest label of the frame where no number was given
    strange: bool  # true labels that are neither a class nor the ignore label


def evaluate(
    results: Path, truth: Path, options: SemanticProtocolOptions, progress: Progress | None = None
) -> Evaluation:
    """Measure class labels.

    Parameters
    ----------
    results, truth : folders, see the head of this file
    options : SemanticProtocolOptions
    progress : told after every frame

    Raises
    ------
    InputError, FormatError, EvaluationStopped
    """
    check_folder("evaluate semantic", "results", results)
    check_folder("evaluate semantic", "truth", truth)
    pairs, remarks = pair_files(
        "evaluate semantic",
        files_below(results, LABELS),
        files_below(truth, LABELS),
        missing_as_empty=options.missing_as_empty,
    )
    first = pairs[0]
    images = images_beside("evaluate semantic", options.images, truth, map(_name, pairs), read_mask(first.truth).shape)
    options = dataclasses.replace(options, images=images)
    names = _class_names(options)
    measured = measure_frames(functools.partial(_measure, options=options), pairs, progress)
    classes = options.classes or len(names) or max(len(frame.confusion) for frame in measured)
    confusions = [_grown(frame.confusion, classes) for frame in measured]
    names += [str(class_id) for class_id in range(len(names), classes)]
    strange = [_name(pair) for pair, frame in zip(pairs, measured, strict=True) if frame.strange]
    if strange:
        remarks.append(
            f"{len(strange)} true label maps hold labels that are neither a class (0 to {classes - 1}) nor the ignore "
            f"label {options.ignore_label}; these pixels were not counted: {listed(strange)}."
        )
    return _evaluation(pairs, confusions, names[:classes], remarks, options)


def _class_names(options: SemanticProtocolOptions) -> list[str]:
    if not options.class_names:
        return []
    try:
        lines = Path(options.class_names).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"evaluate semantic: {options.class_names} cannot be read ({error}); expected the name of one class a line."
        ) from None
    names = [line.strip() for line in lines if line.strip()]
    if len(set(names)) != len(names) or not names or (options.classes and len(names) != options.classes):
        raise InputError(
            f"evaluate semantic: {options.class_names} has {len(names)} names, {len(set(names))} different; "
            f"expected {options.classes or 'one'} for each class, no two alike."
        )
    return names


def _labels(pair: FilePair, options: SemanticProtocolOptions) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Classes of result and truth; a missing result is void, as is what has the ignore label."""
    truth = read_mask(pair.truth)
    result = np.full(truth.shape, VOID, np.int32) if pair.result is None else read_mask(pair.result)
    if pair.result is not None:
        check_same_size(pair.result, result.shape, pair.truth, truth.shape)
    found = []
    for labels in (result, truth):
        classes = labels // np.int32(options.label_divisor) if options.label_divisor > 1 else labels
        # The ignore label may be given as label or as class.
        ignored = (labels == options.ignore_label) | (classes == options.ignore_label)
        found.append(np.where(ignored, np.int32(VOID), classes))
    return found[0], found[1]


def _measure(pair: FilePair, options: SemanticProtocolOptions) -> _Measured:
    result, truth = _labels(pair, options)
    classes = options.classes or len(_class_names(options))
    largest = int(truth.max()) if classes else int(max(truth.max(), result.max()))
    if not classes and largest >= MOST_CLASSES:
        raise FormatError(
            f"{pair.truth if truth.max() == largest else pair.result} holds the label {largest}; expected classes "
            f"below {MOST_CLASSES}. Is it class * 1000 + instance? Then use --label-divisor 1000."
        )
    return _Measured(
        confusion_matrix(result, truth, classes or max(largest + 1, 1), ignore=None),
        bool(classes) and largest >= classes,
    )


def _grown(confusion: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """The same counts for more classes."""
    n = len(confusion)
    grown = np.zeros((classes, classes + 1), np.int64)
    grown[:n, :n] = confusion[:, :n]
    grown[:n, -1] = confusion[:, -1]
    return grown


def _evaluation(
    pairs: Sequence[FilePair],
    confusions: Sequence[NDArray[np.int64]],
    names: Sequence[str],
    remarks: list[str],
    options: SemanticProtocolOptions,
) -> Evaluation:
    total = np.sum(confusions, axis=0)
    score = semantic_score(total)
    counted = max(int(total.sum()), 1)
    overall = {measure.key: getattr(score, measure.key) for measure in MEASURES}
    rows: dict[str, Mapping[str, float]] = {
        name: {
            "mean_iou": float(score.class_iou[k]),
            "mean_accuracy": float(score.class_accuracy[k]),
            "truth_share": float(score.truth_pixels[k] / counted),
            "result_share": float(score.result_pixels[k] / counted),
        }
        for k, name in enumerate(names)
    }
    frames = []
    for pair, confusion in zip(pairs, confusions, strict=True):
        own = semantic_score(confusion)
        scores = {measure.key: getattr(own, measure.key) for measure in FRAME_MEASURES}
        frames.append(FrameScore(pair.sequence, pair.frame, scores, functools.partial(_picture, pair, options)))
    measures = [*MEASURES]
    if options.consistency:
        overall["consistency"] = _consistency(pairs, options, remarks)
        measures.append(
            Measure("consistency", f"VC{options.consistency}", "share of the unchanging pixels right in whole windows")
        )
    absent = [name for k, name in enumerate(names) if not score.truth_pixels[k] and not score.result_pixels[k]]
    if absent:
        remarks.append(f"{len(absent)} classes are in neither truth nor result, and in no mean: {listed(absent)}.")
    alone = [name for k, name in enumerate(names) if not score.truth_pixels[k] and score.result_pixels[k]]
    if alone:
        remarks.append(f"{len(alone)} classes are in the result only; their IoU is 0 and counts: {listed(alone)}.")
    nowhere = int(total[:, -1].sum())
    if nowhere:
        remarks.append(f"{nowhere} pixels of the result have no class (void or too large); they count as wrong.")
    return Evaluation(
        task="semantic",
        measures=[*measures, *CLASS_MEASURES],
        overall=overall,
        rows=rows,
        row_title="class",
        frame_measures=FRAME_MEASURES,
        frames=frames,
        remarks=remarks,
        settings=options.to_mapping(),
        details={"confusion": total.tolist(), "sequences": _sequences(pairs, confusions)},
        overall_doc="mIoU and mean accuracy: means of the classes that have a value; the others: over all pixels",
        picture_doc="Green pixels are right, red ones wrong, dark ones do not count; lines are the true edges",
    )


def _sequences(pairs: Sequence[FilePair], confusions: Sequence[NDArray[np.int64]]) -> dict[str, dict[str, float]]:
    """The measures of each sequence alone."""
    sums: dict[str, NDArray[np.int64]] = {}
    for pair, confusion in zip(pairs, confusions, strict=True):
        sums[pair.sequence] = sums[pair.sequence] + confusion if pair.sequence in sums else confusion
    return {
        name: {measure.key: getattr(semantic_score(confusion), measure.key) for measure in MEASURES}
        for name, confusion in sums.items()
    }


def _consistency(pairs: Sequence[FilePair], options: SemanticProtocolOptions, remarks: list[str]) -> float:
    """Mean of the video consistency of all sequences that are long enough."""
    sequences: dict[str, list[FilePair]] = {}
    for pair in pairs:
        sequences.setdefault(pair.sequence, []).append(pair)
    short = [name or "the only sequence" for name, frames in sequences.items() if len(frames) < options.consistency]

    def measured(frames: Sequence[FilePair]) -> float:
        # Both files of a frame are read once; the two sides are taken in turn.
        results, truths = itertools.tee(_labels(pair, options) for pair in frames)
        sides = (labels for labels, _ in results), (labels for _, labels in truths)
        return video_consistency(*sides, frames=options.consistency, ignore=VOID)

    long_enough = [frames for frames in sequences.values() if len(frames) >= options.consistency]
    values = measure_frames(measured, long_enough)
    if short:
        remarks.append(
            f"{len(short)} sequences are shorter than {options.consistency} frames, without VC: {listed(short)}."
        )
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _picture(pair: FilePair, options: SemanticProtocolOptions) -> NDArray[np.uint8]:
    result, truth = _labels(pair, options)
    image = image_of(options.images, pair.sequence, pair.frame, truth.shape)
    return label_picture(result == truth, truth, truth == VOID, image)


def image_of(folder: str, sequence: str, frame: str, size_hw: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """The frame as (H, W, 3) uint8 RGB; None when no folder was given or it does not hold the frame.

    Raises
    ------
    FormatError
        when it has another size.
    """
    if not folder:
        return None
    path = next((p for end in IMAGES if (p := Path(folder) / sequence / f"{frame}{end}").is_file()), None)
    if path is None:
        return None
    from cvseg.video.still_image import read_image

    picture = read_image(path)
    check_same_size(path, picture.shape[:2], "the truth", size_hw)
    return picture


def _name(pair: FilePair) -> str:
    return f"{pair.sequence}/{pair.frame}" if pair.sequence else pair.frame
