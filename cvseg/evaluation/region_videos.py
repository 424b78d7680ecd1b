"""Measures the labels of whole videos as supervoxels: do they keep to true edges in time too, and follow the motion?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, InputError
from cvseg.evaluation.file_pairs import check_same_size, listed
from cvseg.evaluation.record import Measure
from cvseg.evaluation.region_accuracy import (
    achievable_accuracy,
    boundary_recall,
    compactness,
    consistency_counts,
    explained_variation,
    undersegmentation_error,
)
from cvseg.evaluation.supervoxel_accuracy import mean_duration, segmentation_accuracy, size_variation

FLOWS = (".flo", ".png", ".npy", ".npz")

VIDEO_MEASURES = (
    Measure("sv_boundary_recall", "SV BR", "share of the true boundary, between frames too, with a boundary nearby"),
    Measure("sv_undersegmentation", "SV UE", "leakage of supervoxels across true edges, in time too", rising=False),
    Measure("sv_achievable", "SV ASA", "pixels of the video right when each supervoxel takes its best true label"),
    Measure("sv_accuracy", "SV SA", "share of a true segment that supervoxels cover which lie mostly in it"),
    Measure("sv_explained", "SV EV", "share of the colour variance of the video explained; needs images"),
    Measure("sv_compactness", "SV CO", "36 pi volume^2 / surface^3 of the supervoxels, weighted by volume"),
    Measure("sv_consistency", "Consistency", "share of the pixels that keep their label along the true flow"),
    Measure("sv_duration", "Duration", "mean number of frames in which a supervoxel lives", digits=2),
    Measure("sv_size_variation", "Size var.", "deviation of a supervoxel's pixels over time", digits=1, rising=False),
    Measure("supervoxels", "Supervoxels", "number of supervoxels", digits=0, rising=None),
)

Labels = NDArray[np.int32]


@dataclass(frozen=True)
class VideoFrame:
    """One frame.

    Attributes
    ----------
    sequence, frame : names
    read : gives the labels (H, W), those of each person who drew the truth, and the image (H, W, 3) or None
    """

    sequence: str
    frame: str
    read: Callable[[], tuple[Labels, list[Labels], NDArray[np.uint8] | None]]


def video_scores(
    frames: Sequence[VideoFrame], flow: str, *, tolerance_px: float, void_label: int = -1
) -> dict[str, dict[str, float]]:
    """By video: the value of each measure that can be computed. A video must fit into memory, at 60 bytes a pixel.

    Parameters
    ----------
    frames : in the order of time
    flow : folder of the true flow, SEQUENCE/FRAME.flo from each frame to the next; "" for none
    tolerance_px : of the boundary recall, in pixels and frames
    void_label : truth label of pixels that do not count in UE and ASA; -1 for none

    Raises
    ------
    InputError, FormatError
    """
    by_video: dict[str, list[VideoFrame]] = {}
    for frame in frames:
        by_video.setdefault(frame.sequence, []).append(frame)
    return {name or "video": _video(name, own, flow, tolerance_px, void_label) for name, own in by_video.items()}


def _video(
    name: str, frames: Sequence[VideoFrame], flow: str, tolerance_px: float, void_label: int
) -> dict[str, float]:
    read = [frame.read() for frame in frames]
    people = {len(truths) for _, truths, _ in read}
    sizes = {labels.shape for labels, _, _ in read}
    if len(people) != 1 or len(sizes) != 1:
        what = f"{sorted(people)} drawings a frame" if len(people) != 1 else f"frames of the sizes {sorted(sizes)}"
        raise InputError(f"evaluate regions: video {name or frames[0].frame} has {what}; expected one number in all.")
    labels = np.stack([own for own, _, _ in read])
    drawn = [np.stack([truths[person] for _, truths, _ in read]) for person in range(people.pop())]
    void = np.any([one == void_label for one in drawn], axis=0) if void_label >= 0 else None
    values = {
        "sv_boundary_recall": _mean([boundary_recall(labels, one, tolerance_px=tolerance_px) for one in drawn]),
        "sv_undersegmentation": _mean([undersegmentation_error(labels, one, void) for one in drawn]),
        "sv_achievable": _mean([achievable_accuracy(labels, one, void) for one in drawn]),
        "sv_accuracy": _mean([segmentation_accuracy(labels, one, void) for one in drawn]),
        "sv_compactness": compactness(labels),
        "sv_size_variation": size_variation(labels),
        "sv_duration": mean_duration(labels),
        "supervoxels": float(len(np.unique(labels))),
    }
    pictures = [picture for _, _, picture in read if picture is not None]
    if len(pictures) == len(read):
        values["sv_explained"] = explained_variation(labels, np.stack(pictures))
    if flow:
        values["sv_consistency"] = _consistency(name, frames, labels, Path(flow))
    return values


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _consistency(name: str, frames: Sequence[VideoFrame], labels: Labels, flow: Path) -> float:
    from cvseg.formats import read_flow

    folder = flow / name
    paths = [next((p for end in FLOWS if (p := folder / f"{f.frame}{end}").is_file()), None) for f in frames[:-1]]
    absent = [f"{name}/{frame.frame}" for frame, path in zip(frames, paths, strict=False) if path is None]
    if absent:
        raise FormatError(
            f"evaluate regions: {len(absent)} frames have no true flow in {flow} ({listed(absent)}); expected "
            "SEQUENCE/FRAME.flo for all but the last of a video. Check --flow."
        )
    kept = counted = 0
    for i, path in enumerate(path for path in paths if path is not None):
        flow_xy = read_flow(path)
        check_same_size(path, flow_xy.shape[:2], f"the labels of {frames[i].frame}", labels.shape[1:])
        own_kept, own_counted = consistency_counts(labels[i], labels[i + 1], flow_xy)
        kept, counted = kept + own_kept, counted + own_counted
    return kept / counted if counted else float("nan")
