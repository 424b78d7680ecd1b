"""Tracks of many objects: HOTA, CLEAR (MOTA, MOTP, switches, fragmentations) and IDF1, of boxes or masks.

Truth: SEQUENCE/gt/gt.txt or SEQUENCE.txt (MOTChallenge boxes or MOTS masks), or SEQUENCE/*.png (MOTS masks). Results:
SEQUENCE.txt, SEQUENCE/tracks.txt, or SEQUENCE/*.png. One file each also does.

Boxes follow MOTChallenge: truth with flag 0 in column 7 is not counted; where column 8 holds classes, class 1
counts, and results on distractors are taken out first. Masks follow MOTS: each class by itself, results mostly in
ignored regions are taken out. The overall row adds the counts of all sequences; it is no mean.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.evaluation.higher_order_tracking_accuracy import (
    ALPHAS,
    HigherOrderScore,
    higher_order_tracking_accuracy,
)
from cvseg.evaluation.identity_accuracy import IdentityScore, identity_accuracy
from cvseg.evaluation.protocols import Progress, report_progress
from cvseg.evaluation.record import Curve, Evaluation, FrameScore, Measure
from cvseg.evaluation.tracking_accuracy import FrameMatches, TrackingScore, matched_frames
from cvseg.evaluation.tracking_boxes import read_tracked_boxes
from cvseg.evaluation.tracking_files import MASKS, Tracked, TrackingFiles, find_tracking_files
from cvseg.evaluation.tracking_masks import ComparedMasks, compare_masks, mask_frame_count, tracked_classes
from cvseg.options import Options, option

DIGITS = 5

MEASURES = (
    Measure("hota", "HOTA", "root of DetA x AssA, mean over 19 thresholds of overlap; 0 to 1", DIGITS),
    Measure("det_a", "DetA", "detection: TP / (TP + FN + FP), mean over the thresholds", DIGITS),
    Measure("ass_a", "AssA", "association: how well whole tracks agree, mean over matches and thresholds", DIGITS),
    Measure("mota", "MOTA", "1 - (FN + FP + IDSW) / true objects; at most 1, can be negative; of masks MOTSA", DIGITS),
    Measure("idf1", "IDF1", "2 IDTP / (2 IDTP + IDFN + IDFP): frames with the right identity", DIGITS),
    Measure("det_re", "DetRe", "detection recall, mean over the thresholds", DIGITS),
    Measure("det_pr", "DetPr", "detection precision, mean over the thresholds", DIGITS),
    Measure("ass_re", "AssRe", "association recall, mean over the thresholds", DIGITS),
    Measure("ass_pr", "AssPr", "association precision, mean over the thresholds", DIGITS),
    Measure("loc_a", "LocA", "mean overlap of the matches, mean over the thresholds", DIGITS),
    Measure("owta", "OWTA", "root of DetRe x AssA, mean over the thresholds", DIGITS),
    Measure("hota_0", "HOTA(0)", "HOTA at the threshold 0.05", DIGITS),
    Measure("loc_a_0", "LocA(0)", "LocA at the threshold 0.05", DIGITS),
    Measure("hota_loc_a_0", "HOTALocA(0)", "HOTA(0) x LocA(0)", DIGITS),
    Measure("motp", "MOTP", "mean overlap of the matches; no value without a match; of masks MOTSP", DIGITS),
    Measure("moda", "MODA", "1 - (FN + FP) / true objects", DIGITS),
    Measure("smota", "sMOTA", "(overlap of the matches - FP - IDSW) / true objects; of masks sMOTSA", DIGITS),
    Measure("recall", "Recall", "matches / true objects", DIGITS),
    Measure("precision", "Precision", "matches / objects of the result", DIGITS),
    Measure("f1", "F1", "2 matches / (true objects + objects of the result)", DIGITS),
    Measure("false_positives", "FP", "objects of the result without a match", 0, False),
    Measure("misses", "FN", "true objects without a match", 0, False),
    Measure("identity_switches", "IDSW", "matches to another track than the last time", 0, False),
    Measure("fragmentations", "Frag", "matches after a gap", 0, False),
    Measure("mostly_tracked", "MT", "true tracks matched in more than 80 percent of their frames", 0),
    Measure("partly_tracked", "PT", "true tracks matched in 20 to 80 percent of their frames", 0, None),
    Measure("mostly_lost", "ML", "true tracks matched in less than 20 percent of their frames", 0, False),
    Measure("idr", "IDR", "IDTP / (IDTP + IDFN)", DIGITS),
    Measure("idp", "IDP", "IDTP / (IDTP + IDFP)", DIGITS),
    Measure("idtp", "IDTP", "frames of true tracks with the track that is named after them", 0),
    Measure("idfn", "IDFN", "frames of true tracks without it", 0, False),
    Measure("idfp", "IDFP", "frames of the result's tracks without the true track", 0, False),
    Measure("true_objects", "Objects", "true objects, counted in every frame", 0, None),
    Measure("frames", "Frames", "frames of the sequence", 0, None),
)
FRAME_MEASURES = (
    Measure("mistakes", "Mistakes", "false positives, misses and switches of the frame", 0, False),
    Measure("false_positives", "FP", "objects of the result without a match", 0, False),
    Measure("misses", "FN", "true objects without a match", 0, False),
    Measure("identity_switches", "IDSW", "matches to another track than the last time", 0, False),
)


@dataclass(frozen=True, kw_only=True)
class TrackingProtocolOptions(Options):
    """What `evaluate` may be asked."""

    missing_as_empty: bool = option(False, "count a sequence without a result as one where nothing was found")
    kind: str = option("auto", "what the files hold", choices=("auto", "boxes", "masks"))
    classes: tuple[int, ...] = option(
        (), "class that counts; without: 1 (pedestrian) for boxes with classes, every class of the truth for masks"
    )
    preprocessing: str = option(
        "auto",
        "results on distractors and in ignored regions are taken out before; auto: MOTChallenge's classes where column "
        "8 of the truth holds classes, those of MOT20 where the name begins so",
        choices=("auto", "none", "mot16", "mot20"),
    )
    least_iou: float = option(
        0.5, "overlap from which on CLEAR and identity match; larger asks for better places", low=0.0, high=1.0
    )
    rules: str = option(
        "trackeval",
        "whose reading of CLEAR: how long a correspondence is kept, what a fragmentation is",
        choices=("trackeval", "motmetrics"),
    )
    images: str = option("", "folder of the pictures, with a folder for each sequence; default img1/ beside the truth")


@dataclass(frozen=True, eq=False)
class _Scored:
    hota: HigherOrderScore
    clear: TrackingScore
    identity: IdentityScore
    matches: Sequence[FrameMatches] = field(default_factory=tuple)

    @classmethod
    def combined(cls, parts: Sequence[_Scored]) -> _Scored:
        return cls(
            HigherOrderScore.combined([part.hota for part in parts]),
            TrackingScore.combined([part.clear for part in parts]),
            IdentityScore.combined([part.identity for part in parts]),
        )

    def row(self) -> dict[str, float]:
        values: dict[str, Any] = self.hota.means()
        for measure in MEASURES:
            if measure.key not in values:
                owner = self.identity if hasattr(self.identity, measure.key) else self.clear
                values[measure.key] = float(getattr(owner, measure.key))
        return {measure.key: values[measure.key] for measure in MEASURES}

    def by_alpha(self) -> dict[str, NDArray[np.float64]]:
        names = ("hota", "det_a", "ass_a", "det_re", "det_pr", "ass_re", "ass_pr", "loc_a", "owta")
        counts = ("true_positives", "misses", "false_positives")
        return {name: getattr(self.hota, name) for name in (*names, *counts)}


def evaluate(
    results: Path, truth: Path, options: TrackingProtocolOptions, progress: Progress | None = None
) -> Evaluation:
    """Measure tracks.

    Parameters
    ----------
    results, truth : folders or files, see the head of this file
    options : TrackingProtocolOptions
    progress : told after every sequence of boxes, and after every frame of masks

    Raises
    ------
    InputError, FormatError, EvaluationStopped
    """
    files, remarks = find_tracking_files(
        results, truth, kind=options.kind, images=options.images, missing_as_empty=options.missing_as_empty
    )
    scored: dict[str, _Scored] = {}
    groups: dict[str, list[_Scored]] = {}
    frames: list[FrameScore] = []
    for part in _read(files, options, progress, remarks):
        score = _score(part, options)
        scored[part.name] = score
        groups.setdefault(part.group, []).append(score)
        frames += _frame_scores(part, score)
        _remark_empty(part, remarks)
    rows = {name: score.row() for name, score in scored.items()}
    if len(groups) > 1:
        rows |= {f"all, {group}": _Scored.combined(parts).row() for group, parts in groups.items()}
    overall = _Scored.combined(list(scored.values()))
    return Evaluation(
        task="tracking",
        measures=MEASURES,
        overall=overall.row(),
        rows=rows,
        frame_measures=FRAME_MEASURES,
        frames=frames,
        curves=_curves(scored, overall),
        remarks=remarks,
        settings=options.to_mapping(),
        details={
            "alphas": ALPHAS,
            "by_alpha": {"overall": overall.by_alpha()} | {name: score.by_alpha() for name, score in scored.items()},
        },
        overall_doc="from the sums over all sequences, no mean of the rows",
        group_rows=[name for name in rows if name not in scored],
        picture_doc="Green boxes are right, orange ones have changed their track, red ones are false alarms, blue ones "
        "were missed",
    )


def _read(
    files: Sequence[TrackingFiles], options: TrackingProtocolOptions, progress: Progress | None, remarks: list[str]
) -> Iterator[Tracked]:
    """Every sequence of boxes when its turn comes; masks all at once, because one may name a class another lacks."""
    classes, preprocessing = options.classes, options.preprocessing
    boxes, masks = ([one for one in files if (one.kind == MASKS) == wanted] for wanted in (False, True))
    steps = len(boxes) + sum(mask_frame_count(one) for one in masks)
    for done, one in enumerate(boxes):
        yield read_tracked_boxes(one, classes=classes, preprocessing=preprocessing, remarks=remarks)
        report_progress(progress, done + 1, steps)
    compared: list[ComparedMasks] = []
    done = len(boxes)
    for one in masks:
        before = done

        def told(frames: int, _: int, before: int = before) -> bool | None:
            return progress(before + frames, steps) if progress is not None else None

        compared.append(compare_masks(one, told, remarks))
        done += mask_frame_count(one)
    yield from tracked_classes(compared, classes=classes, preprocessing=preprocessing, remarks=remarks)


def _score(part: Tracked, options: TrackingProtocolOptions) -> _Scored:
    clear, matches = matched_frames(part.sequence, least_iou=options.least_iou, rules=options.rules)
    return _Scored(
        higher_order_tracking_accuracy(part.sequence),
        clear,
        identity_accuracy(part.sequence, least_iou=options.least_iou),
        matches,
    )


def _frame_scores(part: Tracked, score: _Scored) -> list[FrameScore]:
    found = []
    for i, (number, frame) in enumerate(zip(part.numbers, score.matches, strict=True)):
        counts = {
            "false_positives": float(len(frame.false_positives)),
            "misses": float(len(frame.misses)),
            "identity_switches": float(len(frame.switched)),
        }
        picture = functools.partial(part.picture, i, frame) if part.picture is not None else None
        found.append(FrameScore(part.name, f"{number:06d}", {"mistakes": sum(counts.values()), **counts}, picture))
    return found


def _remark_empty(part: Tracked, remarks: list[str]) -> None:
    true, found = len(part.sequence.truth_ids), len(part.sequence.result_ids)
    if not true:
        what = "nor in the result: MOTA and MODA are 1" if not found else "but in the result: MOTA is 1 - FP"
        remarks.append(f"{part.name}: no object counts in the truth, {what}; HOTA and IDF1 are 0, LocA is 1.")
    elif not found:
        remarks.append(f"{part.name}: the result is empty; HOTA, MOTA and IDF1 are 0, LocA is 1, MOTP has no value.")


def _curves(scored: Mapping[str, _Scored], overall: _Scored) -> list[Curve]:
    alphas = ALPHAS.tolist()

    def line(values: NDArray[np.float64]) -> tuple[list[float], list[float]]:
        return alphas, values.tolist()

    names = {"HOTA": "hota", "DetA": "det_a", "AssA": "ass_a", "LocA": "loc_a"}
    curves = [
        Curve(
            title="HOTA and its parts",
            x_label="threshold of overlap, alpha",
            y_label="score",
            lines={title: line(getattr(overall.hota, name)) for title, name in names.items()},
        )
    ]
    if len(scored) > 1:
        curves.append(
            Curve(
                title="HOTA of each sequence",
                x_label="threshold of overlap, alpha",
                y_label="HOTA",
                lines={name: line(score.hota.hota) for name, score in scored.items()},
            )
        )
    return curves
