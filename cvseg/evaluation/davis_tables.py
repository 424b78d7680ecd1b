"""Tables, worst frames and curves of the DAVIS protocol, from the scores of its objects."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.evaluation.record import Curve, FrameScore, Measure
from cvseg.evaluation.region_similarity import sequence_statistics
from cvseg.evaluation.temporal_stability import SCALE, stability_of_changes
from cvseg.evaluation.video_objects import ObjectScores

MEASURES = (
    Measure("jf_mean", "J&F mean", "mean of J mean and F mean, 0 to 1"),
    Measure("j_mean", "J mean", "intersection over union, mean over frames, 0 to 1"),
    Measure("j_recall", "J recall", "share of frames with J above 0.5"),
    Measure("j_decay", "J decay", "J mean of the first quarter of the frames less that of the last", rising=False),
    Measure("f_mean", "F mean", "harmonic mean of precision and recall of the outline, mean over frames, 0 to 1"),
    Measure("f_recall", "F recall", "share of frames with F above 0.5"),
    Measure("f_decay", "F decay", "F mean of the first quarter of the frames less that of the last", rising=False),
)
STABILITY = Measure("t", "T", "5 times the mean change of the outline from frame to frame; 0 is best", rising=False)
SEEN_MEASURES = tuple(
    Measure(f"{letter.lower()}_{kind}", f"{letter} {kind}", f"{letter} mean over the objects of {kind} categories")
    for kind in ("seen", "unseen")
    for letter in "JF"
)
FRAME_MEASURES = (
    Measure("jf", "J&F", "mean of J and F over the objects of the frame"),
    Measure("j", "J", "mean over the objects of the frame"),
    Measure("f", "F", "mean over the objects of the frame"),
)
FRAME_STABILITY = Measure("t", "T", "5 times the change of the outline from the frame before", rising=False)

Scores = Mapping[str, Sequence[ObjectScores]]


def object_statistics(scores: Scores, changes: Mapping[str, Sequence[float]]) -> dict[str, list[dict[str, float]]]:
    """Values of `MEASURES` for every object of every sequence; with `changes` of the outline also T."""
    statistics = {sequence: [_statistics(one) for one in objects] for sequence, objects in scores.items()}
    for sequence, values in changes.items():
        statistics[sequence][0]["t"] = stability_of_changes(values)
    return statistics


def _statistics(scores: ObjectScores) -> dict[str, float]:
    j, f = (sequence_statistics(values.tolist(), leave_out_ends=False) for values in (scores.j, scores.f))
    return {
        "jf_mean": (j.mean + f.mean) / 2,
        "j_mean": j.mean,
        "j_recall": j.recall,
        "j_decay": j.decay,
        "f_mean": f.mean,
        "f_recall": f.recall,
        "f_decay": f.decay,
    }


def table_rows(scores: Scores, statistics: Mapping[str, Sequence[dict[str, float]]]) -> dict[str, dict[str, float]]:
    """A row for every sequence, the mean of its objects, and one for each of several objects."""
    rows: dict[str, dict[str, float]] = {}
    for sequence, values in statistics.items():
        rows[sequence] = means(values)
        if len(values) > 1:
            rows |= {
                f"{sequence} object {one.truth_id}": own for one, own in zip(scores[sequence], values, strict=True)
            }
    return rows


def means(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each measure over the entries where it is defined."""
    found = {}
    for key in values[0]:
        known = [one[key] for one in values if not math.isnan(one[key])]
        found[key] = float(np.mean(known)) if known else math.nan
    return found


def seen_and_unseen(values: Sequence[tuple[dict[str, float], bool]]) -> dict[str, float]:
    """Means of J and F over objects of seen and of unseen categories, and the mean of these four as J&F mean.

    Parameters
    ----------
    values : statistics of an object, and whether its category was seen

    Examples
    --------
    >>> overall = seen_and_unseen([({"j_mean": 0.8, "f_mean": 0.9}, True), ({"j_mean": 0.6, "f_mean": 0.5}, False)])
    >>> overall["j_seen"], overall["f_unseen"], round(overall["jf_mean"], 3)
    (0.8, 0.5, 0.7)
    """
    overall = {}
    for kind, wanted in (("seen", True), ("unseen", False)):
        for letter in "jf":
            known = [one[f"{letter}_mean"] for one, seen in values if seen == wanted]
            overall[f"{letter}_{kind}"] = float(np.mean(known)) if known else math.nan
    known = [value for value in overall.values() if not math.isnan(value)]
    return {**overall, "jf_mean": float(np.mean(known))}


def frame_scores(
    sequence: str,
    names: Sequence[str],
    objects: Sequence[ObjectScores],
    changes: Sequence[float],
    pictures: Sequence[Callable[[], NDArray[np.uint8]]],
) -> list[FrameScore]:
    """Scores of the frames of one sequence: means over the objects that count in each."""
    j, f = _frame_means(objects)
    scores = []
    for k, name in enumerate(names):
        own = {"jf": float(j[k] + f[k]) / 2, "j": float(j[k]), "f": float(f[k])}
        if changes:
            own["t"] = SCALE * changes[k]
        scores.append(FrameScore(sequence=sequence, frame=name, scores=own, picture=pictures[k]))
    return scores


def curve(sequence: str, objects: Sequence[ObjectScores], first_frame: int) -> Curve:
    """J and F over time; `first_frame` is the place of the first frame that counts."""
    j, f = _frame_means(objects)
    steps = [float(first_frame + k) for k in range(len(j))]
    return Curve(
        title=f"{sequence}: J and F over time",
        x_label="frame",
        y_label="J, F",
        lines={"J": (steps, j.tolist()), "F": (steps, f.tolist())},
    )


def _frame_means(objects: Sequence[ObjectScores]) -> list[NDArray[np.float64]]:
    values = []
    for letter in "jf":
        table = np.array([getattr(one, letter) for one in objects])
        known = ~np.isnan(table)
        count = known.sum(0)
        sums = np.where(known, table, 0.0).sum(0)
        values.append(np.where(count > 0, sums / np.maximum(count, 1), np.nan))
    return values


def object_details(scores: Scores) -> dict[str, Any]:
    """Scores of all frames of all objects, for JSON; None where a frame does not count."""
    return {
        sequence: {
            str(one.truth_id): {"result_id": one.result_id, "j": _listing(one.j), "f": _listing(one.f)}
            for one in objects
        }
        for sequence, objects in scores.items()
    }


def _listing(values: NDArray[np.float64]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]
