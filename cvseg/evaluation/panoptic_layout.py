"""Reads panoptic truth and results from folders of label PNGs or from COCO panoptic files, frame by frame."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, InputError
from cvseg.evaluation.file_pairs import check_folder, check_same_size, files_below, listed, pair_files
from cvseg.evaluation.panoptic_quality import DEPTH_ERRORS, WINDOWS, without_wrong_depth
from cvseg.evaluation.panoptic_segments import LARGEST_ID, SegmentPairs, Segments, divided_segments, segment_pairs
from cvseg.evaluation.protocols.instances import json_in
from cvseg.evaluation.protocols.semantic import LABELS
from cvseg.formats.panoptic import (
    ENCODINGS,
    PanopticFile,
    check_segments,
    map_folder,
    read_panoptic_json,
    read_panoptic_png,
)
from cvseg.options import Options, option

DEPTHS = {".png", ".npy", ".tif", ".tiff"}
VOID_ID = LARGEST_ID  # of missing results and wrong depth: no layout can hold it


@dataclass(frozen=True, kw_only=True)
class PanopticProtocolOptions(Options):
    """What `evaluate` may be asked."""

    missing_as_empty: bool = option(False, "count a frame without a result as one where everything is void")
    label_divisor: int = option(1000, "id = class * this + instance; larger than every instance number", low=1)
    encoding: str = option(
        "packed",
        "ids of colour PNGs: packed = red + 256 green + 65536 blue; step = class red, instance 256 green + blue",
        choices=ENCODINGS,
    )
    things: tuple[int, ...] = option(
        (), "classes whose objects are counted; none given: those that have an instance above 0 in the truth"
    )
    classes: int = option(0, "number of classes, counted from 0; others are void; 0: all that occur", low=0)
    ignore_label: int = option(255, "class of void pixels; -1: none", low=-1)
    video: str = option(
        "auto",
        "are frames of a folder a video: auto = yes, but no for a COCO file without videos",
        choices=("auto", "yes", "no"),
    )
    windows: tuple[int, ...] = option(WINDOWS, "lengths of the windows of VPQ in frames of the video")
    frame_stride: int = option(
        1, "every how manieth frame has a truth: windows of 1, 5, 10, 15 hold 1, 2, 3, 4 of them at 5", low=1
    )
    void_counts: bool = option(False, "STQ: void counts as a class with an IoU of 0, as in the reference program")
    result_maps: str = option("", "COCO: folder of the PNGs of the results; default the name of the JSON file")
    truth_maps: str = option("", "COCO: folder of the PNGs of the truth; default the name of the JSON file")
    result_depth: str = option("", "folder of the depth of the results, 16-bit PNG or .npy, named like the frames")
    truth_depth: str = option("", "folder of the true depth in the same unit; 0 is unknown")
    images: str = option("", "folder of the frames, laid out as the truth; for the pictures only")


@dataclass(frozen=True)
class PanopticFrame:
    """Where one frame lies, and what its ids mean where a file says so."""

    sequence: str
    name: str
    truth: Path
    result: Path | None
    truth_segments: Segments | None
    result_segments: Segments | None


@dataclass(frozen=True)
class PanopticLayout:
    """What is to be compared."""

    frames: Sequence[PanopticFrame]
    names: Mapping[int, str]  # of COCO's classes
    things: frozenset[int]
    remarks: list[str]
    video: bool


@dataclass(frozen=True)
class MeasuredFrame:
    """Shared areas of one frame; the first of `pairs` of the ids as they are, the others without wrong depth."""

    pairs: tuple[SegmentPairs, ...]


def check_options(options: PanopticProtocolOptions) -> None:
    if not options.windows or min(options.windows) < 1:
        raise InputError(f"evaluate panoptic: --windows is {options.windows}; expected lengths from 1.")
    if bool(options.result_depth) != bool(options.truth_depth):
        raise InputError("evaluate panoptic: one depth folder came; expected both --result-depth and --truth-depth.")
    for role, folder in (("result-depth", options.result_depth), ("truth-depth", options.truth_depth)):
        if folder:
            check_folder("evaluate panoptic", role, Path(folder))


def folder_layout(results: Path, truth: Path, options: PanopticProtocolOptions) -> PanopticLayout:
    check_folder("evaluate panoptic", "results", results)
    check_folder("evaluate panoptic", "truth", truth)
    pairs, remarks = pair_files(
        "evaluate panoptic",
        files_below(results, LABELS),
        files_below(truth, LABELS),
        missing_as_empty=options.missing_as_empty,
    )
    frames = [PanopticFrame(pair.sequence, pair.frame, pair.truth, pair.result, None, None) for pair in pairs]
    return PanopticLayout(frames, {}, frozenset(options.things), remarks, options.video != "no")


def coco_layout(results: Path, truth: Path, options: PanopticProtocolOptions) -> PanopticLayout:
    known = read_panoptic_json(json_in("evaluate panoptic", "truth", truth))
    found = read_panoptic_json(json_in("evaluate panoptic", "results", results), known)
    folders = map_folder(found, options.result_maps), map_folder(known, options.truth_maps)
    absent = [str(image_id) for image_id in known.images if image_id not in found.images]
    remarks = []
    if not known.images or len(absent) == len(known.images):
        raise InputError(f"evaluate panoptic: {found.path} has no entry for an image of {known.path}.")
    if absent and not options.missing_as_empty:
        raise InputError(
            f"evaluate panoptic: {len(absent)} of {len(known.images)} images of the truth have no result "
            f"({listed(absent)}). Write them, or count them as empty with --missing-as-empty."
        )
    if absent:
        remarks.append(
            f"{len(absent)} of {len(known.images)} results are missing and counted as empty: {listed(absent)}."
        )
    frames = [_coco_frame(known, found, image_id, *folders) for image_id in known.images]
    frames.sort(key=lambda frame: frame.sequence)  # stable: the order of the file within a sequence
    named = any(frame.sequence for frame in frames)
    video = named if options.video == "auto" else options.video == "yes"
    return PanopticLayout(frames, known.classes, known.things, remarks, video)


def _coco_frame(known: PanopticFile, found: PanopticFile, image_id: Any, results: Path, truth: Path) -> PanopticFrame:
    image, result = known.images[image_id], found.images.get(image_id)
    return PanopticFrame(
        image.sequence,
        Path(image.file_name).stem,
        truth / image.file_name,
        None if result is None else results / result.file_name,
        image.segments,
        Segments({}) if result is None else result.segments,
    )


def read_ids(frame: PanopticFrame, options: PanopticProtocolOptions) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Ids of result and truth; a missing result has the id of void."""
    read = functools.partial(
        read_panoptic_png,
        encoding="packed" if frame.truth_segments is not None else options.encoding,
        label_divisor=options.label_divisor,
    )
    truth = read(frame.truth)
    result = np.full(truth.shape, VOID_ID, np.int32) if frame.result is None else read(frame.result)
    if frame.result is not None:
        check_same_size(frame.result, result.shape, frame.truth, truth.shape)
    return result, truth


def measure_frame(frame: PanopticFrame, options: PanopticProtocolOptions) -> MeasuredFrame:
    result, truth = read_ids(frame, options)
    pairs = [segment_pairs(result, truth)]
    if frame.truth_segments is not None:
        check_segments(frame.truth, list(pairs[0].truth_areas), frame.truth_segments, unlisted_is_void=True)
    if frame.result is not None and frame.result_segments is not None:
        check_segments(frame.result, list(pairs[0].result_areas), frame.result_segments, unlisted_is_void=False)
    if options.truth_depth:
        depth, true_depth = (_depth(f, frame, truth.shape) for f in (options.result_depth, options.truth_depth))
        for error in DEPTH_ERRORS:
            kept = without_wrong_depth(result, depth, true_depth, largest_error=error, void=VOID_ID)
            pairs.append(segment_pairs(kept, truth))
    return MeasuredFrame(tuple(pairs))


def _depth(folder: str, frame: PanopticFrame, size_hw: tuple[int, ...]) -> NDArray[Any]:
    """(H, W) numbers of the depth file of a frame."""
    base = Path(folder) / frame.sequence
    path = next((p for end in sorted(DEPTHS) if (p := base / f"{frame.name}{end}").is_file()), None)
    if path is None:
        raise FormatError(f"{base} holds no {frame.name}.png or .npy; expected the depth of every frame.")
    try:
        if path.suffix == ".npy":
            depth = np.load(path, allow_pickle=False)
        else:
            from PIL import Image

            with Image.open(path) as picture:
                depth = np.asarray(picture)
    except (OSError, ValueError) as error:
        raise FormatError(f"{path} cannot be read as depth ({error}); expected a 16-bit PNG or an array.") from None
    if depth.ndim != 2:
        raise FormatError(f"{path} is {depth.shape}; expected one number a pixel.")
    check_same_size(path, depth.shape, "the truth", size_hw)
    return depth


def classes_of(
    layout: PanopticLayout, measured: Sequence[MeasuredFrame], options: PanopticProtocolOptions
) -> tuple[dict[int, str], frozenset[int]]:
    """All classes with their names, and those that are things."""
    if layout.names:
        return dict(layout.names), layout.things
    divisor, ignore = options.label_divisor, options.ignore_label
    true_ids = {i for frame in measured for i in frame.pairs[0].truth_areas}
    ids = true_ids | {i for frame in measured for i in frame.pairs[0].result_areas if i != VOID_ID}
    present = {i // divisor for i in ids} - {ignore}
    if options.classes:
        present = set(range(options.classes)) - {ignore}
    things = set(options.things) or {i // divisor for i in true_ids if i % divisor} - {ignore}
    if not present:
        raise InputError(
            "evaluate panoptic: the truth has no class but void. Check --ignore-label and --label-divisor."
        )
    return {class_id: str(class_id) for class_id in sorted(present)}, frozenset(things & present)


def meaning_of(
    frame: PanopticFrame,
    pairs: SegmentPairs,
    classes: Mapping[int, str],
    things: frozenset[int],
    options: PanopticProtocolOptions,
) -> tuple[Segments, Segments]:
    """What the ids of result and truth mean."""
    if frame.truth_segments is not None and frame.result_segments is not None:
        return frame.result_segments, frame.truth_segments
    divided = functools.partial(
        divided_segments, label_divisor=options.label_divisor, classes=set(classes), things=things
    )
    known = [i for i in pairs.result_areas if i != VOID_ID]
    return Segments(divided(known).classes), divided(pairs.truth_areas)
