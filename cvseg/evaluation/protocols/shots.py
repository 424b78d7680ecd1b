"""Shot boundaries: recall, precision and F1 of cuts and gradual transitions within a tolerance.

Results and truth: a list of shots a video, VIDEO.csv (PySceneDetect), .json, .jsonl or .txt; two folders, or two files.
VIDEO-Scenes.csv and VIDEO.mp4.csv count as VIDEO. Overall: from the sums over all videos.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import FormatError, InputError
from cvseg.evaluation.file_pairs import check_folder, listed, pair_files
from cvseg.evaluation.protocols import Progress, report_progress
from cvseg.evaluation.record import Curve, Evaluation, FrameScore, Measure
from cvseg.evaluation.shot_accuracy import (
    TOLERANCE_FRAMES,
    ShotCounts,
    ShotScore,
    match_transitions,
    shot_counts,
    shot_score,
)
from cvseg.evaluation.shot_pictures import MOST_PICTURES, ShotPictures, video_of
from cvseg.formats.shot_list import SHOT_ENDINGS, read_shot_list
from cvseg.options import Options, option

VIDEO_ENDINGS = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".mpg", ".mpeg", ".m4v")
SCENES = "-Scenes"  # what PySceneDetect adds to the name of the video
LARGEST_TOLERANCE = 10  # of the curve

MEASURES = (
    Measure("f1", "F1", "harmonic mean of recall and precision over all transitions"),
    Measure("recall", "Recall", "share of the true transitions that were found"),
    Measure("precision", "Precision", "share of the transitions found that are true"),
    Measure("f1_cuts", "F1 cuts", "of cuts alone"),
    Measure("f1_gradual", "F1 gradual", "of gradual transitions alone"),
    Measure("frame_recall", "Frame recall", "share of the frames of matched gradual transitions that were covered"),
    Measure("frame_precision", "Frame precision", "share of the frames covered that belong to the matched ones"),
    Measure("true", "True", "number of true transitions", digits=0, rising=None),
    Measure("misses", "Missed", "true transitions that were not found", digits=0, rising=False),
    Measure("false_alarms", "False", "transitions found that are not true", digits=0, rising=False),
    Measure("distance_frames", "Offset", "mean distance of the matches in frames", digits=2, rising=False),
)
FRAME_MEASURES = (
    Measure("wrong", "Wrong", "1 = missed or false, 0 = matched", digits=0, rising=False),
    Measure("missed", "Missed", "1 = a true transition that was not found", digits=0, rising=False),
    Measure("false", "False", "1 = a transition that is not true", digits=0, rising=False),
)


@dataclass(frozen=True, kw_only=True)
class ShotsProtocolOptions(Options):
    """What `evaluate` may be asked."""

    missing_as_empty: bool = option(False, "count a video without a result as one shot")
    tolerance_frames: int = option(
        TOLERANCE_FRAMES, "largest distance of a match; a larger value forgives more", low=0, unit=" frames"
    )
    video: str = option("", "the video, or a folder of videos named like the lists, for pictures of wrong transitions")


def evaluate(results: Path, truth: Path, options: ShotsProtocolOptions, progress: Progress | None = None) -> Evaluation:
    """Measure lists of shots.

    Parameters
    ----------
    results, truth : folders or files, see the head of this file
    options : ShotsProtocolOptions
    progress : told after every video

    Raises
    ------
    InputError, FormatError, EvaluationStopped
    """
    if truth.is_file() != results.is_file():
        raise InputError(
            f"evaluate shots: {results} is a {'file' if results.is_file() else 'folder'}, {truth} is not; expected "
            "two files or two folders."
        )
    videos: dict[str, tuple[Path | None, Path]]
    if truth.is_file():
        videos, remarks = {_video(truth): (results, truth)}, list[str]()
    else:
        files = [
            _lists(check_folder("evaluate shots", role, folder))
            for role, folder in (("results", results), ("truth", truth))
        ]
        pairs, remarks = pair_files("evaluate shots", *files, missing_as_empty=options.missing_as_empty)
        videos = {pair.frame: (pair.result, pair.truth) for pair in pairs}
    pictured = {name: video_of("evaluate shots", options.video, name, VIDEO_ENDINGS) for name in videos}
    absent = [name for name, path in pictured.items() if options.video and path is None]
    if absent:
        remarks.append(f"{len(absent)} videos are not in {options.video}, so without pictures: {listed(absent)}.")
    found: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
    for done, (name, (result_path, truth_path)) in enumerate(videos.items(), start=1):
        result = np.zeros((0, 2), np.int64) if result_path is None else read_shot_list(result_path)
        found[name] = result, read_shot_list(truth_path)
        report_progress(progress, done, len(videos))
    counts = {
        name: shot_counts(result, true, tolerance_frames=options.tolerance_frames)
        for name, (result, true) in found.items()
    }
    remarks += [
        f"{name}: there is no true transition and none was found, which counts as F1 1."
        for name, (result, true) in found.items()
        if not len(result) and not len(true)
    ]
    total = sum(counts.values(), ShotCounts())
    return Evaluation(
        task="shots",
        measures=MEASURES,
        overall=_values(shot_score(total)),
        rows={name: _values(shot_score(each)) for name, each in counts.items()},
        row_title="video",
        frame_measures=FRAME_MEASURES,
        frames=[
            score for name, lists in found.items() for score in _transitions(name, *lists, pictured[name], options)
        ],
        curves=[_curve(list(found.values()))],
        remarks=remarks,
        settings=options.to_mapping(),
        details={"counts": {name: dataclasses.asdict(each) for name, each in counts.items()}},
        overall_doc="from the sums over all videos",
        frame_title="transition",
        frames_in_time=False,
        picture_doc="The last frame before the transition and the first behind it, with the middle of a gradual one",
    )


def _video(path: Path) -> str:
    """Name of the video whose shots a file lists."""
    name = path.stem
    for ending in VIDEO_ENDINGS:
        head, found, _ = name.partition(ending)
        name = head if found and head else name
    return name.removesuffix(SCENES)


def _lists(folder: Path) -> dict[str, dict[str, Path]]:
    names: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix.lower() in SHOT_ENDINGS and not path.name.startswith("."):
            name = _video(path)
            if name in names:
                raise FormatError(f"{path} and {names[name].name} list one video; expected one file a video.")
            names[name] = path
    return {"": names}


def _values(score: ShotScore) -> Mapping[str, float]:
    values: dict[str, float] = {
        "f1": score.all.f1,
        "recall": score.all.recall,
        "precision": score.all.precision,
        "true": score.all.true,
        "misses": score.misses,
        "false_alarms": score.false_alarms,
        "distance_frames": score.distance_frames,
        "frame_recall": score.frame_recall,
        "frame_precision": score.frame_precision,
    }
    for name, kind in (("f1_cuts", score.cuts), ("f1_gradual", score.gradual)):
        values[name] = kind.f1 if kind.true or kind.found else float("nan")
    return values


def _transitions(
    name: str, result: NDArray[np.int64], true: NDArray[np.int64], video: Path | None, options: ShotsProtocolOptions
) -> list[FrameScore]:
    """One entry a transition, in the order of the video."""
    pairs = match_transitions(result, true, tolerance_frames=options.tolerance_frames)
    hit_result, hit_true = {i for i, _ in pairs}, {j for _, j in pairs}
    entries = [(true[j], float(j not in hit_true), 0.0) for j in range(len(true))]
    entries += [(result[i], 0.0, 1.0) for i in range(len(result)) if i not in hit_result]
    entries.sort(key=lambda entry: (entry[0].tolist(), entry[2]))
    wrong = [(int(span[0]), int(span[1])) for span, missed, false in entries if missed or false][:MOST_PICTURES]
    pictures = ShotPictures(video, wrong) if video is not None else None
    return [
        FrameScore(
            name,
            _span(span),
            {"wrong": missed + false, "missed": missed, "false": false},
            pictures.of(*span.tolist()) if pictures and (missed or false) and tuple(span.tolist()) in wrong else None,
        )
        for span, missed, false in entries
    ]


def _span(transition: NDArray[np.int64]) -> str:
    begin, end = transition.tolist()
    return f"{begin}" if begin == end else f"{begin}-{end - 1}"


def _curve(lists: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> Curve:
    lines: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in ("F1", "recall", "precision")}
    for tolerance in range(LARGEST_TOLERANCE + 1):
        counts = [shot_counts(result, true, tolerance_frames=tolerance) for result, true in lists]
        score = shot_score(sum(counts, ShotCounts())).all
        for name, value in (("F1", score.f1), ("recall", score.recall), ("precision", score.precision)):
            lines[name][0].append(tolerance)
            lines[name][1].append(value)
    return Curve("Scores over the tolerance", "tolerance in frames", "score", lines)
