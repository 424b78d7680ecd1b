"""Segmentations and superpixels of images: the Berkeley benchmark's measures and those of superpixels.

Truth: NAME.mat with what several people drew (BSDS500), or NAME.png, .npy, .npz with a label a pixel.
Results: NAME.mat with segs or ucm2, NAME.png, .npy, .npz with labels ((n, H, W) for n levels), or, with
--results-are boundaries, pictures or arrays of boundary strength. Images may lie in folders, one level down.

Boundary F, covering, probabilistic Rand index and variation of information: at the level that serves all images best
(ODS) and at the best of each (OIS). Superpixel measures: mean over people, then over images, for single levels.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, InputError, OptionError
from cvseg.evaluation.boundary_benchmark import BoundaryBenchmark, BoundaryCounts, boundary_benchmark, boundary_counts
from cvseg.evaluation.boundary_matching import BSDS_TOLERANCE, segment_boundary, thin_boundary
from cvseg.evaluation.boundary_picture import boundary_picture
from cvseg.evaluation.file_pairs import FilePair, check_folder, check_same_size, files_below, pair_files
from cvseg.evaluation.frame_images import image_path, images_beside
from cvseg.evaluation.frame_pool import measure_frames
from cvseg.evaluation.protocols import Progress
from cvseg.evaluation.record import Curve, Evaluation, FrameScore, Measure
from cvseg.evaluation.region_accuracy import (
    achievable_accuracy,
    boundary_recall,
    compactness,
    explained_variation,
    undersegmentation_error,
)
from cvseg.evaluation.region_benchmark import RegionBenchmark, RegionScores, region_benchmark, region_scores
from cvseg.evaluation.region_files import read_labels, read_strength, read_truth
from cvseg.evaluation.region_videos import VIDEO_MEASURES, VideoFrame, video_scores
from cvseg.formats.bsds import contour_levels, contour_strength, read_bsds_result
from cvseg.options import Options, option

ENDINGS = {".mat", ".png", ".npy", ".npz"}

MEASURES = (
    Measure("f_ods", "F ODS", "boundary F with one level for all images; of an image: its F at its own best level"),
    Measure("f_ois", "F OIS", "boundary F when each image has its best level"),
    Measure("ap", "AP", "boundaries: mean precision over recall"),
    Measure("covering_ods", "Covering ODS", "covering of the truth with one level for all images"),
    Measure("covering_ois", "Covering OIS", "covering when each image has its best level"),
    Measure("covering_best", "Covering best", "covering when each true segment takes its match from any level"),
    Measure("rand_ods", "PRI ODS", "probabilistic Rand index with one level for all images"),
    Measure("rand_ois", "PRI OIS", "probabilistic Rand index when each image has its best level"),
    Measure("voi_ods", "VoI ODS", "variation of information, bits, with one level for all images", rising=False),
    Measure("voi_ois", "VoI OIS", "variation of information, bits, when each image has its best", rising=False),
    Measure("boundary_recall", "BR", "share of the true boundary with a boundary nearby (superpixels)"),
    Measure("undersegmentation", "UE", "leakage across true edges, after Neubert and Protzel", rising=False),
    Measure("achievable", "ASA", "pixels right when each segment takes its best true label; 1 - corrected UE"),
    Measure("explained", "EV", "share of the colour variance explained; needs --images"),
    Measure("compactness", "CO", "4 pi area / perimeter^2 of the segments, weighted by area"),
    Measure("segments", "Segments", "number of segments", digits=0, rising=None),
)
SUPERPIXEL_KEYS = ("boundary_recall", "undersegmentation", "achievable", "explained", "compactness", "segments")
FRAME_MEASURES = (
    Measure("f", "F", "boundary F of the image at its best level"),
    Measure("precision", "Precision", "of its boundary there"),
    Measure("recall", "Recall", "of its boundary there"),
    Measure("covering", "Covering", "of the truth at the best level for it; no value for boundaries"),
)


@dataclass(frozen=True, kw_only=True)
class RegionsProtocolOptions(Options):
    """What `evaluate` may be asked."""

    missing_as_empty: bool = option(False, "count an image without a result as one segment without a boundary")
    results_are: str = option(
        "labels", "what pictures and arrays hold: a label or a boundary strength", choices=("labels", "boundaries")
    )
    thresholds: int = option(99, "levels made of a contour map or of boundary strengths", low=1, high=999)
    tolerance: float = option(
        BSDS_TOLERANCE, "largest distance of matched boundary pixels, share of the diagonal", low=0.0, high=0.2
    )
    tolerance_px: float = option(2.0, "largest distance for the boundary recall of superpixels", low=0.0, unit=" px")
    void_label: int = option(-1, "truth label of pixels that are not counted in regions; -1 = none")
    images: str = option(
        "", "folder of the images, for the explained variation and the pictures; default images/ beside the truth"
    )
    video: bool = option(False, "frames of a folder are one video: also measure its labels as supervoxels")
    flow: str = option("", "with --video: folder of the true flow, for the consistency of the labels along it")


@dataclass(frozen=True)
class _Result:
    """What one file holds: levels of labels, or strengths with thresholds, or both (a contour map)."""

    levels: Sequence[NDArray[np.int32]] | None
    strength: NDArray[np.float64] | None


@dataclass(frozen=True)
class _Measured:
    boundary: Sequence[BoundaryCounts]
    regions: RegionScores | None
    superpixels: Mapping[str, float]


def evaluate(
    results: Path, truth: Path, options: RegionsProtocolOptions, progress: Progress | None = None
) -> Evaluation:
    """Measure segmentations.

    Parameters
    ----------
    results, truth : folders, see the head of this file
    options : RegionsProtocolOptions
    progress : told after every image

    Raises
    ------
    InputError, FormatError, EvaluationStopped
    """
    if options.flow and not options.video:
        raise OptionError("evaluate regions: --flow goes with --video, which says that frames follow each other.")
    pairs, remarks = pair_files(
        "evaluate regions",
        files_below(check_folder("evaluate regions", "results", results), ENDINGS),
        files_below(check_folder("evaluate regions", "truth", truth), ENDINGS),
        missing_as_empty=options.missing_as_empty,
    )
    names = [f"{pair.sequence}/{pair.frame}" if pair.sequence else pair.frame for pair in pairs]
    size_hw = read_truth(pairs[0].truth)[0][0].shape
    images = images_beside("evaluate regions", options.images, truth, names, size_hw)
    options = dataclasses.replace(options, images=images)
    measured = measure_frames(functools.partial(_measure, options=options), pairs, progress)
    levels = max(len(one.boundary) for one in measured)
    odd = [pair.frame for pair, one in zip(pairs, measured, strict=True) if len(one.boundary) not in (1, levels)]
    if odd:
        raise InputError(
            f"evaluate regions: {odd[0]} has another number of levels than the rest, which have {levels}; "
            "expected one number of levels in all results."
        )
    measured = [_with_levels(one, levels) for one in measured]
    # Strengths and contour maps are cut at shares of 1, given levels are counted from 1.
    strengths = any(_is_strength(pair, options) for pair in pairs)
    thresholds = _thresholds(options) if strengths else [float(level) for level in range(1, levels + 1)]
    boundaries = boundary_benchmark([one.boundary for one in measured], thresholds)
    scored = [one.regions for one in measured if one.regions is not None]
    regions = region_benchmark(scored) if len(scored) == len(measured) else None
    found = _evaluation(pairs, measured, boundaries, thresholds, regions, options, remarks)
    if not options.video:
        return found
    videos = video_scores(
        [_video_frame(pair, options) for pair in pairs],
        options.flow,
        tolerance_px=options.tolerance_px,
        void_label=options.void_label,
    )
    keys = [measure.key for measure in VIDEO_MEASURES if any(measure.key in values for values in videos.values())]
    return dataclasses.replace(
        found,
        measures=[*found.measures, *(measure for measure in VIDEO_MEASURES if measure.key in keys)],
        overall={**found.overall, **{key: _mean(list(videos.values()), key) for key in keys}},
        rows={**found.rows, **{f"{name} (video)": values for name, values in videos.items()}},
        group_rows=[f"{name} (video)" for name in videos],
        overall_doc=f"{found.overall_doc}; of supervoxels (SV) the mean of the videos",
        frame_title="frame",
        frames_in_time=True,
    )


def _mean(videos: Sequence[Mapping[str, float]], key: str) -> float:
    known = [values[key] for values in videos if not math.isnan(values.get(key, math.nan))]
    return sum(known) / len(known) if known else math.nan


def _video_frame(pair: FilePair, options: RegionsProtocolOptions) -> VideoFrame:
    """How to read one frame of a video, when its turn comes."""

    def read() -> tuple[NDArray[np.int32], list[NDArray[np.int32]], NDArray[np.uint8] | None]:
        truths = [labels for labels, _ in read_truth(pair.truth)]
        result = _read_result(pair, truths[0].shape, options)
        if result.levels is None or len(result.levels) != 1:
            raise InputError(
                f"evaluate regions: {pair.result} is no single level of labels; expected one with --video, whose "
                "labels go on from frame to frame."
            )
        return result.levels[0], truths, _read_image(pair, options)

    return VideoFrame(pair.sequence, pair.frame, read)


def _thresholds(options: RegionsProtocolOptions) -> list[float]:
    # As the benchmark computes them: 85 / 255 lies just below its second of five, not on it.
    first = 1 / (options.thresholds + 1)
    return [float(threshold) for threshold in np.linspace(first, 1 - first, options.thresholds)]


def _with_levels(one: _Measured, levels: int) -> _Measured:
    """A missing result has one level: repeat it."""
    if len(one.boundary) == levels:
        return one
    regions = one.regions
    if regions is not None:
        regions = RegionScores(
            regions.covering * levels,
            regions.reverse_covering * levels,
            regions.best_covering,
            regions.rand_index * levels,
            regions.variation_of_information * levels,
            regions.weight,
        )
    return _Measured([one.boundary[0]] * levels, regions, one.superpixels)


def _is_strength(pair: FilePair, options: RegionsProtocolOptions) -> bool:
    if pair.result is None:
        return False
    if pair.result.suffix.lower() == ".mat":
        return not isinstance(read_bsds_result(pair.result), list)
    return options.results_are == "boundaries"


def _measure(pair: FilePair, options: RegionsProtocolOptions) -> _Measured:
    truths = read_truth(pair.truth)
    size_hw = truths[0][0].shape
    result = _read_result(pair, size_hw, options)
    counts = []
    for boundary in _boundaries(result, options):
        counts.append(
            boundary_counts(thin_boundary(boundary), [drawn for _, drawn in truths], tolerance=options.tolerance)
        )
    if result.levels is None:
        return _Measured(counts, None, {})
    labels = [label for label, _ in truths]
    void = labels[0] == options.void_label if options.void_label >= 0 else None
    for other in labels[1:]:
        void = None if void is None else void | (other == options.void_label)
    regions = region_scores(result.levels, labels, void)
    superpixels = _superpixels(result.levels[0], labels, void, pair, options) if len(result.levels) == 1 else {}
    return _Measured(counts, regions, superpixels)


def _boundaries(result: _Result, options: RegionsProtocolOptions) -> list[NDArray[np.bool_]]:
    if result.strength is not None:
        return [result.strength >= threshold for threshold in _thresholds(options)]
    return [segment_boundary(level) for level in result.levels or ()]


def _superpixels(
    labels: NDArray[np.int32],
    truths: Sequence[NDArray[np.int32]],
    void: NDArray[np.bool_] | None,
    pair: FilePair,
    options: RegionsProtocolOptions,
) -> dict[str, float]:
    image = _read_image(pair, options)
    if image is not None:
        check_same_size(f"the image of {pair.frame}", image.shape[:2], pair.truth, labels.shape)
    recalls = [boundary_recall(labels, truth, tolerance_px=options.tolerance_px) for truth in truths]
    return {
        "boundary_recall": float(np.mean(recalls)),
        "undersegmentation": float(np.mean([undersegmentation_error(labels, truth, void) for truth in truths])),
        "achievable": float(np.mean([achievable_accuracy(labels, truth, void) for truth in truths])),
        "explained": float("nan") if image is None else explained_variation(labels, image),
        "compactness": compactness(labels),
        "segments": float(len(np.unique(labels))),
    }


def _read_result(pair: FilePair, size_hw: tuple[int, ...], options: RegionsProtocolOptions) -> _Result:
    if pair.result is None:
        return _Result([np.zeros(size_hw, np.int32)], None)
    if pair.result.suffix.lower() == ".mat":
        found = read_bsds_result(pair.result)
        if isinstance(found, list):
            result = _Result(found, None)
        else:
            result = _Result(contour_levels(found, _thresholds(options)), contour_strength(found))
    elif options.results_are == "boundaries":
        result = _Result(None, read_strength(pair.result))
    else:
        result = _Result(read_labels(pair.result), None)
    found_hw = result.strength.shape if result.levels is None and result.strength is not None else None
    check_same_size(pair.result, found_hw or (result.levels or [])[0].shape, pair.truth, size_hw)
    return result


def _read_image(pair: FilePair, options: RegionsProtocolOptions) -> NDArray[np.uint8] | None:
    if not options.images:
        return None
    from cvseg.video.still_image import read_image

    path = image_path(Path(options.images) / pair.sequence, pair.frame)
    if path is not None:
        return read_image(path)
    raise FormatError(f"{options.images} holds no image {pair.frame}; expected one beside each result. Check --images.")


def _evaluation(
    pairs: Sequence[FilePair],
    measured: Sequence[_Measured],
    boundaries: BoundaryBenchmark,
    thresholds: Sequence[float],
    regions: RegionBenchmark | None,
    options: RegionsProtocolOptions,
    remarks: list[str],
) -> Evaluation:
    overall = {"f_ods": boundaries.ods.f, "f_ois": boundaries.ois.f, "ap": boundaries.average_precision}
    if len(boundaries.per_threshold) == 1:
        remarks.append(
            "The results have one level: ODS and OIS are the same, and AP, which needs a curve, is left out."
        )
        del overall["ap"]
    if regions is None:
        remarks.append("The results are boundaries: they have no region measures.")
    else:
        overall |= {
            "covering_ods": regions.covering_ods,
            "covering_ois": regions.covering_ois,
            "covering_best": regions.covering_best,
            "rand_ods": regions.rand_ods,
            "rand_ois": regions.rand_ois,
            "voi_ods": regions.information_ods,
            "voi_ois": regions.information_ois,
        }
    for key in SUPERPIXEL_KEYS:
        known = [one.superpixels[key] for one in measured if not math.isnan(one.superpixels.get(key, math.nan))]
        if known:
            overall[key] = sum(known) / len(known)
    if measured[0].superpixels and not options.images:
        remarks.append("No images were named with --images or lie beside the truth: there is no explained variation.")
    rows = {}
    frames = []
    for i, (pair, one) in enumerate(zip(pairs, measured, strict=True)):
        best = boundaries.per_image[i]
        row = {"f_ods": best.f, "f_ois": best.f}
        covering = float("nan")
        if one.regions is not None and regions is not None:
            covering = max(one.regions.covering)
            row |= {
                "covering_ods": one.regions.covering[regions.covering_level],
                "covering_ois": covering,
                "covering_best": one.regions.best_covering,
                "rand_ods": one.regions.rand_index[regions.rand_level],
                "rand_ois": max(one.regions.rand_index),
                "voi_ods": one.regions.variation_of_information[regions.information_level],
                "voi_ois": min(one.regions.variation_of_information),
            }
        row |= {key: value for key, value in one.superpixels.items() if not math.isnan(value)}
        rows[f"{pair.sequence}/{pair.frame}" if pair.sequence else pair.frame] = row
        scores = {"f": best.f, "precision": best.precision, "recall": best.recall, "covering": covering}
        level = min(range(len(thresholds)), key=lambda k: abs(thresholds[k] - best.threshold))
        picture = functools.partial(_picture, pair, level, options)
        frames.append(FrameScore(pair.sequence, pair.frame, scores, picture))
    shown = [measure for measure in MEASURES if measure.key in overall]
    points = boundaries.per_threshold
    return Evaluation(
        task="regions",
        measures=shown,
        overall=overall,
        rows=rows,
        row_title="image",
        frame_measures=FRAME_MEASURES,
        frames=frames,
        curves=[
            Curve(
                "Boundary precision over recall",
                "recall",
                "precision",
                {"all images": ([point.recall for point in points], [point.precision for point in points])},
            )
        ]
        if len(points) > 1
        else [],
        remarks=remarks,
        settings=options.to_mapping(),
        details={
            "boundary": {
                "ods": _point(boundaries.ods),
                "ois": _point(boundaries.ois),
                "per_threshold": [_point(point) for point in points],
            }
        },
        overall_doc="of boundaries from the sums over all images, of regions the mean weighted by area, of superpixels "
        "the mean of the images",
        frame_title="image",
        frames_in_time=False,
        picture_doc="At the best level of each image: true boundaries that were met are green, missed ones blue, extra "
        "ones red",
    )


def _point(point: Any) -> dict[str, float | None]:
    threshold = None if math.isnan(point.threshold) else point.threshold
    return {"threshold": threshold, "recall": point.recall, "precision": point.precision, "f": point.f}


def _picture(pair: FilePair, level: int, options: RegionsProtocolOptions) -> NDArray[np.uint8]:
    truths = read_truth(pair.truth)
    drawn = np.any([boundary for _, boundary in truths], axis=0)
    result = _read_result(pair, drawn.shape, options)
    levels = _boundaries(result, options)
    boundary = levels[min(level, len(levels) - 1)]
    image = _read_image(pair, options)
    return boundary_picture(boundary, drawn, image)
