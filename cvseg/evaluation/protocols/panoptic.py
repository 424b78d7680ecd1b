"""Panoptic segmentation of images and videos: PQ, VPQ, STQ, and the depth-aware DVPQ.

Truth and results, laid out alike: a COCO panoptic JSON file (or a folder that holds one) with its PNGs, or folders of
label PNGs, FRAME.png or SEQUENCE/FRAME.png, whose ids are class * label_divisor + instance.

PQ is SQ x RQ, mean over classes; VPQ the mean of PQ over windows of 1, 5, 10 and 15 frames; STQ the geometric mean of
association and segmentation quality; DVPQ the VPQ after pixels of wrong depth are void.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.evaluation.file_pairs import listed
from cvseg.evaluation.frame_images import images_beside, picture_size_hw
from cvseg.evaluation.frame_pool import measure_frames
from cvseg.evaluation.label_picture import label_picture
from cvseg.evaluation.panoptic_layout import (
    MeasuredFrame,
    PanopticFrame,
    PanopticLayout,
    PanopticProtocolOptions,
    check_options,
    classes_of,
    coco_layout,
    folder_layout,
    meaning_of,
    measure_frame,
    read_ids,
)
from cvseg.evaluation.panoptic_quality import (
    DEPTH_ERRORS,
    ClassQuality,
    PanopticMeasure,
    add_video,
    match_segments,
    mean_of_windows,
)
from cvseg.evaluation.panoptic_segments import SegmentPairs, Segments, segment_pairs
from cvseg.evaluation.protocols import Progress
from cvseg.evaluation.protocols.semantic import image_of
from cvseg.evaluation.record import Evaluation, FrameScore, Measure
from cvseg.evaluation.segmentation_tracking_quality import SegmentationTrackingMeasure

__all__ = ["PanopticProtocolOptions", "evaluate"]

PARTS = (
    ("pq", "PQ", "panoptic quality SQ x RQ"),
    ("sq", "SQ", "segmentation quality: mean overlap of the matched segments"),
    ("rq", "RQ", "recognition quality: F1 of finding the segments"),
)
CLASS_MEASURES = (
    Measure("matched", "TP", "segments with a partner that overlaps by more than a half", digits=0),
    Measure("false", "FP", "segments of the result without; not those mostly in void or crowd", digits=0, rising=False),
    Measure("missed", "FN", "segments of the truth without one", digits=0, rising=False),
    Measure("thing", "Thing", "1 for a class whose objects are counted, 0 for stuff", digits=0, rising=None),
)
FRAME_MEASURES = (
    Measure("pq", "PQ", "of this frame alone, mean over its classes"),
    Measure("false", "FP", "segments of the result without a partner", digits=0, rising=False),
    Measure("missed", "FN", "segments of the truth without a partner", digits=0, rising=False),
)
VIDEO_MEASURES = (
    Measure("vpq", "VPQ", "mean of VPQ over the windows; no value when no video is as long as one of them"),
    Measure("vpq_things", "VPQ things", "VPQ over things"),
    Measure("vpq_stuff", "VPQ stuff", "VPQ over stuff"),
    Measure("stq", "STQ", "geometric mean of AQ and the mean IoU of the classes"),
    Measure("aq", "AQ", "association: how well the pixels of each true object carry one id"),
    Measure("stq_sq", "mIoU", "mean IoU of the classes: the segmentation part of STQ"),
)


@dataclass(frozen=True)
class _Data:
    """Everything that was measured, frame by frame, and what the ids mean."""

    layout: PanopticLayout
    measured: Sequence[MeasuredFrame]
    classes: Mapping[int, str]
    things: frozenset[int]
    options: PanopticProtocolOptions

    def measure(self) -> PanopticMeasure:
        return PanopticMeasure(list(self.classes), self.things)

    def meaning(self, frame: PanopticFrame, pairs: SegmentPairs) -> tuple[Segments, Segments]:
        return meaning_of(frame, pairs, self.classes, self.things, self.options)

    def row(self, class_id: int) -> str:
        """Name of a class; two classes may have one name, and a row is found by its name."""
        name = self.classes[class_id]
        return name if list(self.classes.values()).count(name) == 1 else f"{name} ({class_id})"

    def sequences(self) -> dict[str, list[int]]:
        """Frame numbers of each sequence, in order."""
        found: dict[str, list[int]] = {}
        for k, frame in enumerate(self.layout.frames):
            found.setdefault(frame.sequence, []).append(k)
        return found


def evaluate(
    results: Path, truth: Path, options: PanopticProtocolOptions, progress: Progress | None = None
) -> Evaluation:
    """Measure panoptic maps.

    Parameters
    ----------
    results, truth : see the head of this file
    options : PanopticProtocolOptions
    progress : told after every frame

    Raises
    ------
    InputError, FormatError, EvaluationStopped
    """
    check_options(options)
    coco = truth.is_file() or (truth.is_dir() and any(truth.glob("*.json")))
    layout = coco_layout(results, truth, options) if coco else folder_layout(results, truth, options)
    names = [f"{frame.sequence}/{frame.name}" if frame.sequence else frame.name for frame in layout.frames]
    size_hw = picture_size_hw(layout.frames[0].truth)
    options = dataclasses.replace(
        options, images=images_beside("evaluate panoptic", options.images, truth, names, size_hw)
    )
    measured = measure_frames(functools.partial(measure_frame, options=options), layout.frames, progress)
    classes, things = classes_of(layout, measured, options)
    return _evaluation(_Data(layout, measured, classes, things, options))


def _evaluation(data: _Data) -> Evaluation:
    layout, options, remarks = data.layout, data.options, list(data.layout.remarks)
    whole = data.measure()
    frames = [
        _frame_score(data, frame, found, whole) for frame, found in zip(layout.frames, data.measured, strict=True)
    ]
    overall, measures = _quality_columns(whole)
    rows: dict[str, dict[str, float]] = {
        data.row(class_id): _class_row(quality) | {"thing": float(class_id in data.things)}
        for class_id, quality in whole.per_class.items()
    }
    details: dict[str, Any] = {"things": sorted(data.things), "frames": len(frames)}
    if layout.video:
        _add_windows(data, overall, measures, rows, remarks)
        _add_tracking(data, overall, details)
        measures += VIDEO_MEASURES
    elif options.video == "auto":
        remarks.append("The images are no videos (no video_id, no folders): VPQ and STQ were not measured.")
    if options.truth_depth:
        _add_depth(data, overall, measures)
    absent = [data.row(class_id) for class_id, quality in whole.per_class.items() if np.isnan(quality.pq)]
    if absent:
        remarks.append(f"{len(absent)} classes have no segment, so no value, and are in no mean: {listed(absent)}.")
    if not data.things:
        remarks.append("No class is a thing: AQ and STQ have no value. Name things with --things.")
    return Evaluation(
        task="panoptic",
        measures=[*measures, *CLASS_MEASURES],
        overall=overall,
        rows=rows,
        row_title="class",
        frame_measures=FRAME_MEASURES,
        frames=frames,
        remarks=remarks,
        settings=options.to_mapping(),
        details=details,
        overall_doc="means of the classes that have a segment; STQ and AQ: over all objects and pixels",
        frame_title="frame" if layout.video else "image",
        frames_in_time=layout.video,
        picture_doc="Green pixels lie in a segment and its partner, red ones do not, dark ones are void or a crowd",
    )


def _frame_score(data: _Data, frame: PanopticFrame, found: MeasuredFrame, whole: PanopticMeasure) -> FrameScore:
    """Scores of one frame, which is added to `whole`."""
    own = data.measure()
    own.add(found.pairs[0], *data.meaning(frame, found.pairs[0]))
    for class_id, quality in own.per_class.items():
        whole.per_class[class_id] += quality
    false, missed = (float(sum(getattr(q, kind) for q in own.per_class.values())) for kind in ("false", "missed"))
    picture = functools.partial(_picture, data, frame)
    return FrameScore(frame.sequence, frame.name, {"pq": own.mean().pq, "false": false, "missed": missed}, picture)


def _quality_columns(whole: PanopticMeasure) -> tuple[dict[str, float], list[Measure]]:
    overall: dict[str, float] = {}
    measures = []
    for ending, kind, chosen in (("", "", None), ("_things", "things", whole.things), ("_stuff", "stuff", whole.stuff)):
        mean = whole.mean(chosen)
        for key, head, doc in PARTS:
            overall[key + ending] = getattr(mean, key)
            over = f"mean over the classes of {kind}" if kind else "mean over all classes"
            measures.append(Measure(key + ending, f"{head} {kind}".strip(), f"{doc}, {over}, 0 to 1"))
    for key in ("matched", "false", "missed"):
        overall[key] = float(sum(getattr(quality, key) for quality in whole.per_class.values()))
    return overall, measures


def _class_row(quality: ClassQuality) -> dict[str, float]:
    return {key: float(getattr(quality, key)) for key in ("pq", "sq", "rq", "matched", "false", "missed")}


def annotated_frames(window: int, stride: int) -> int:
    """Frames with a truth in a window of a video where every `stride`-th frame has one.

    >>> [annotated_frames(window, 5) for window in (1, 5, 10, 15)], annotated_frames(15, 1)
    ([1, 2, 3, 4], 15)
    """
    return window if stride == 1 else 1 + window // stride


def _by_window(data: _Data, windows: Sequence[int], level: int = 0) -> dict[int, PanopticMeasure]:
    """A measure for every length of window, over all videos; `level` chooses from `MeasuredFrame.pairs`."""
    found = {window: data.measure() for window in windows}
    for chosen in data.sequences().values():
        pairs = [data.measured[k].pairs[level] for k in chosen]
        meanings = [data.meaning(data.layout.frames[k], own) for k, own in zip(chosen, pairs, strict=True)]
        result, truth = [meaning[0] for meaning in meanings], [meaning[1] for meaning in meanings]
        for window, measure in found.items():
            add_video(measure, pairs, result, truth, window=annotated_frames(window, data.options.frame_stride))
    return found


def _add_windows(
    data: _Data,
    overall: dict[str, float],
    measures: list[Measure],
    rows: dict[str, dict[str, float]],
    remarks: list[str],
) -> None:
    by_window = _by_window(data, data.options.windows)
    for window, measure in by_window.items():
        overall[f"vpq_{window}"] = measure.mean().pq
        measures.append(Measure(f"vpq_{window}", f"VPQ {window}", f"PQ of tubes in windows of {window} frames"))
    every = list(by_window.values())
    overall["vpq"] = mean_of_windows(every)
    overall["vpq_things"] = mean_of_windows(every, data.things)
    overall["vpq_stuff"] = mean_of_windows(every, every[0].stuff)
    for class_id in data.classes:
        rows[data.row(class_id)] |= {f"vpq_{window}": m.per_class[class_id].pq for window, m in by_window.items()}
        rows[data.row(class_id)]["vpq"] = float(np.mean([measure.per_class[class_id].pq for measure in every]))
    short = [str(window) for window, measure in by_window.items() if not measure.mean().classes]
    if short:
        remarks.append(f"No video is long enough for windows of {listed(short)} frames, so VPQ has no value.")


def _add_tracking(data: _Data, overall: dict[str, float], details: dict[str, Any]) -> None:
    tracking = SegmentationTrackingMeasure(list(data.classes), data.things, void_counts=data.options.void_counts)
    for frame, found in zip(data.layout.frames, data.measured, strict=True):
        tracking.add(found.pairs[0], *data.meaning(frame, found.pairs[0]), frame.sequence)
    scores = {sequence: tracking.score(sequence) for sequence in data.sequences()}
    total = tracking.score()
    overall |= {"stq": total.stq, "aq": total.association, "stq_sq": total.segmentation}
    details["sequences"] = {
        name: {"stq": own.stq, "aq": own.association, "stq_sq": own.segmentation} for name, own in scores.items()
    }


def _add_depth(data: _Data, overall: dict[str, float], measures: list[Measure]) -> None:
    """The mean over depth errors of VPQ, or of PQ where the images are no video."""
    key, head, windows = ("dvpq", "DVPQ", data.options.windows) if data.layout.video else ("dpq", "DPQ", (1,))
    values = []
    for level, error in enumerate(DEPTH_ERRORS, start=1):
        values.append(mean_of_windows(list(_by_window(data, windows, level).values())))
        overall[f"{key}_{error}"] = values[-1]
        doc = f"{head[1:]} after pixels whose depth is off by more than {error} of the truth are void"
        measures.append(Measure(f"{key}_{error}", f"{head} {error}", doc))
    overall[key] = float(np.mean(values))
    measures.append(Measure(key, head, f"mean of {head} over the depth errors"))


def _picture(data: _Data, frame: PanopticFrame) -> NDArray[np.uint8]:
    """Right are the pixels where a segment and its partner lie together."""
    result, truth = read_ids(frame, data.options)
    pairs = segment_pairs(result, truth)
    found, true = data.meaning(frame, pairs)
    right = np.zeros(truth.shape, bool)
    for true_id, result_id in match_segments(pairs, found, true).matched:
        right |= (truth == true_id) & (result == result_id)
    counted = [i for i in true.classes if i not in true.crowd]
    image = image_of(data.options.images, frame.sequence, frame.name, truth.shape)
    return label_picture(right, truth, ~np.isin(truth, counted), image)
