"""Optical flow: endpoint error, outliers, angular error, overall and by region, with percentiles.

Results and truth: SEQUENCE/FRAME.flo (Middlebury), .png (KITTI), .npy or .npz; two folders or two files. Masks of
Sintel, laid out as the truth, are pictures that are not 0 where a pixel is hidden (--occlusions) or does not count
(--invalid). Means are over all pixels with known truth, of all frames together.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, InputError
from cvseg.evaluation.file_pairs import FilePair, check_folder, check_same_size, files_below, listed, pair_files
from cvseg.evaluation.flow_regions import (
    BINS_PER_PX,
    FlowErrorCounts,
    flow_error_counts,
    near_motion_boundaries,
    speed_regions,
)
from cvseg.evaluation.frame_pool import measured_frames
from cvseg.evaluation.protocols import Progress
from cvseg.evaluation.record import Curve, Evaluation, FrameScore, Measure
from cvseg.formats.davis import read_mask
from cvseg.formats.flow_file import FLOW_ENDINGS, read_flow
from cvseg.options import Options, option

REGIONS = {
    "hidden": "hidden in the next frame",
    "visible": "visible in the next frame",
    "near": "at most 10 px from a motion boundary",
    "s0-10": "slower than 10 px a frame",
    "s10-40": "from 10 to 40 px a frame",
    "s40+": "from 40 px a frame",
}
PERCENTILES = (50, 90, 99)
CURVE_PX = 10  # end of the curve of cumulated errors
PICTURE_ROWS = 300  # of one of the three pictures; larger ones are thinned out

MEASURES = (
    Measure("epe", "EPE px", "mean distance between the ends of the flow vectors", rising=False),
    Measure("fl", "Fl-all %", "pixels off by more than 3 px and 5 % of the true length, in percent", 2, rising=False),
    Measure("above_1_px", "> 1 px %", "pixels off by more than 1 px, in percent", 2, rising=False),
    Measure("aae", "AAE deg", "mean angle between (u, v, 1) and its truth", 3, rising=False),
    *(
        Measure(f"p{percent}", f"{percent} % px", f"endpoint error that {percent} % do not exceed", 2, rising=False)
        for percent in PERCENTILES
    ),
    *(
        Measure(f"epe_{key}", f"EPE {key}", f"endpoint error of pixels {doc}", rising=False)
        for key, doc in REGIONS.items()
    ),
    Measure("pixels", "Pixels", "pixels counted", 0, rising=None),
)
FRAME_MEASURES = (MEASURES[0], MEASURES[1], MEASURES[3])


@dataclass(frozen=True, kw_only=True)
class FlowProtocolOptions(Options):
    """What `evaluate` may be asked."""

    missing_as_empty: bool = option(False, "count a frame without a result as no motion")
    occlusions: str = option("", "folder of masks of hidden pixels, laid out as the truth")
    invalid: str = option("", "folder of masks of pixels that do not count, laid out as the truth")
    border_px: int = option(0, "pixels along each edge that are not counted", low=0, unit=" px")


@dataclass(frozen=True)
class _Measured:
    counts: Mapping[str, FlowErrorCounts]
    without_flow: int  # pixels with known truth but no flow


def evaluate(results: Path, truth: Path, options: FlowProtocolOptions, progress: Progress | None = None) -> Evaluation:
    """Measure flow fields.

    Parameters
    ----------
    results, truth : folders or files, see the head of this file
    options : FlowProtocolOptions
    progress : told after every frame

    Raises
    ------
    InputError, FormatError, EvaluationStopped
    """
    if truth.is_file() != results.is_file():
        raise InputError(
            f"evaluate flow: {results} is a {'file' if results.is_file() else 'folder'}, {truth} is not; expected "
            "two files or two folders."
        )
    if truth.is_file():
        pairs, remarks = [FilePair("", truth.stem, results, truth)], list[str]()
    else:
        pairs, remarks = pair_files(
            "evaluate flow",
            files_below(check_folder("evaluate flow", "results", results), set(FLOW_ENDINGS)),
            files_below(check_folder("evaluate flow", "truth", truth), set(FLOW_ENDINGS)),
            missing_as_empty=options.missing_as_empty,
        )
    total: dict[str, FlowErrorCounts] = {}
    sequences: dict[str, dict[str, FlowErrorCounts]] = {}
    frames, holes, empty, without_flow = list[FrameScore](), list[str](), list[str](), 0
    # Of a frame only numbers are kept: its histograms may have a hundred thousand entries.
    for pair, one in zip(
        pairs, measured_frames(functools.partial(_measure, options=options), pairs, progress), strict=True
    ):
        for sums in (total, sequences.setdefault(pair.sequence or "flow", {})):
            for region, counts in one.counts.items():
                sums[region] = sums[region] + counts if region in sums else counts
        values = _values(one.counts)
        scores = {measure.key: values[measure.key] for measure in FRAME_MEASURES}
        frames.append(FrameScore(pair.sequence, pair.frame, scores, functools.partial(_picture, pair)))
        if one.without_flow:
            holes.append(_label(pair))
            without_flow += one.without_flow
        if not one.counts["all"].pixels:
            empty.append(_label(pair))
    if holes:
        remarks.append(
            f"{without_flow} pixels of {len(holes)} results have no flow and were counted as no motion: "
            f"{listed(holes)}."
        )
    if empty:
        remarks.append(f"{len(empty)} truth files hold no pixel to count: {listed(empty)}.")
    return _evaluation(total, sequences, frames, options, remarks)


def _label(pair: FilePair) -> str:
    return f"{pair.sequence}/{pair.frame}" if pair.sequence else pair.frame


def _measure(pair: FilePair, options: FlowProtocolOptions) -> _Measured:
    truth_xy = read_flow(pair.truth)
    size_hw = truth_xy.shape[:2]
    flow_xy, missing = _read_result(pair, size_hw)
    counted = np.isfinite(truth_xy[..., 0])
    if options.invalid:
        counted &= ~_read_mask(options.invalid, pair, size_hw)
    if options.border_px:
        inside = np.zeros(size_hw, bool)
        inside[options.border_px : -options.border_px, options.border_px : -options.border_px] = True
        counted &= inside
    regions = {"all": counted}
    if options.occlusions:
        hidden = _read_mask(options.occlusions, pair, size_hw)
        regions |= {"hidden": counted & hidden, "visible": counted & ~hidden}
    regions["near"] = counted & near_motion_boundaries(truth_xy)
    regions |= {name: counted & mask for name, mask in speed_regions(truth_xy).items()}
    without = 0 if pair.result is None else int(np.count_nonzero(missing & counted))
    return _Measured(flow_error_counts(flow_xy, truth_xy, regions), without)


def _read_result(pair: FilePair, size_hw: tuple[int, ...]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The flow with 0 where it is missing, and where that is."""
    if pair.result is None:
        return np.zeros((*size_hw, 2), np.float32), np.ones(size_hw, bool)
    flow_xy = read_flow(pair.result)
    check_same_size(pair.result, flow_xy.shape[:2], pair.truth, size_hw)
    missing: NDArray[np.bool_] = np.isnan(flow_xy[..., 0])
    flow_xy[missing] = 0
    return flow_xy, missing


def _read_mask(folder: str, pair: FilePair, size_hw: tuple[int, ...]) -> NDArray[np.bool_]:
    path = Path(folder) / pair.sequence / f"{pair.frame}.png"
    if not path.is_file():
        raise FormatError(
            f"{path} does not exist; expected a mask beside each truth file. Check --occlusions, --invalid."
        )
    mask = read_mask(path) != 0
    check_same_size(path, mask.shape, pair.truth, size_hw)
    return mask


def _evaluation(
    total: Mapping[str, FlowErrorCounts],
    sequences: Mapping[str, Mapping[str, FlowErrorCounts]],
    frames: Sequence[FrameScore],
    options: FlowProtocolOptions,
    remarks: Sequence[str],
) -> Evaluation:
    overall = _values(total)
    return Evaluation(
        task="flow",
        measures=[measure for measure in MEASURES if measure.key in overall],
        overall=overall,
        rows={name: _values(sums) for name, sums in sequences.items()},
        frame_measures=FRAME_MEASURES,
        frames=frames,
        curves=[
            _cumulated({name: sums["all"] for name, sums in sequences.items()}),
        ],
        remarks=remarks,
        settings=options.to_mapping(),
        details={"pixels": {name: counts.pixels for name, counts in total.items()}},
        overall_doc="over all pixels of all frames that count",
        picture_doc="From top to bottom: result and truth (hue: direction, depth: length; black: unknown), error "
        "(blue: below the limit of an outlier, yellow to red: above, black: without truth, white: without flow)",
    )


def _values(counts: Mapping[str, FlowErrorCounts]) -> dict[str, float]:
    whole = counts["all"]
    values: dict[str, float] = {
        "epe": whole.endpoint_error_px,
        "fl": 100 * whole.outlier_share,
        "above_1_px": 100 * whole.above_1_px_share,
        "aae": whole.angular_error_deg,
        "pixels": whole.pixels,
    }
    values |= {f"p{percent}": whole.percentile_px(percent) for percent in PERCENTILES}
    return values | {f"epe_{name}": counts[name].endpoint_error_px for name in REGIONS if name in counts}


def _cumulated(counts: Mapping[str, FlowErrorCounts]) -> Curve:
    """Share of the pixels whose error is at most so large."""
    steps = range(0, CURVE_PX * BINS_PER_PX + 1, BINS_PER_PX // 10)
    lines = {}
    for name, one in counts.items():
        below = np.cumsum(one.histogram)
        last = len(below) - 1
        share = [float(below[min(step, last)]) / one.pixels if one.pixels else math.nan for step in steps]
        lines[name] = [step / BINS_PER_PX for step in steps], share
    return Curve("Share of pixels with at most this error", "endpoint error in px", "share", lines)


def _picture(pair: FilePair) -> NDArray[np.uint8]:
    """Result, truth and error, from top to bottom; both flows with one scale."""
    from cvseg.report.flow_error_picture import flow_error_picture
    from cvseg.report.flow_picture import flow_picture

    truth_xy = read_flow(pair.truth)
    flow_xy, missing = _read_result(pair, truth_xy.shape[:2])
    speed = np.hypot(truth_xy[..., 0], truth_xy[..., 1])
    largest = max(1.0, float(np.percentile(speed[np.isfinite(speed)], 99))) if np.isfinite(speed).any() else 1.0
    flow_xy[missing] = np.nan
    pictures = flow_picture(flow_xy, largest), flow_picture(truth_xy, largest), flow_error_picture(flow_xy, truth_xy)
    step = max(1, truth_xy.shape[0] // PICTURE_ROWS)
    return np.ascontiguousarray(np.concatenate([picture[::step, ::step] for picture in pictures]))
