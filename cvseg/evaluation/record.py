"""What an evaluation of a folder of results gives: tables, worst frames, curves, and everything worth a remark."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Measure:
    """One column of a table.

    Attributes
    ----------
    key : name in JSON and in `Evaluation`, as "j_mean"
    title : head of the column, in the field's words, as "J mean"
    doc : one sentence: what it measures, range, source
    digits : digits after the point when printed; 0 for counts
    rising : True when larger is better, False when smaller is, None when neither
    """

    key: str
    title: str
    doc: str
    digits: int = 4
    rising: bool | None = True


@dataclass(frozen=True)
class FrameScore:
    """Scores of one frame (or image), for the curve over time and for the worst frames.

    Attributes
    ----------
    sequence, frame : names as in the data
    scores : value by `Measure.key` of `Evaluation.frame_measures`; NaN where undefined
    picture : draws the frame for the report: (H, W, 3) uint8 RGB; None when there is nothing to draw. Called only for
        the frames that are shown, after all are measured, so that it reads its files again.
    """

    sequence: str
    frame: str
    scores: Mapping[str, float]
    picture: Callable[[], NDArray[np.uint8]] | None = None


@dataclass(frozen=True)
class Curve:
    """Lines in one coordinate system.

    Attributes
    ----------
    title, x_label, y_label : words for the picture
    lines : name to (x, y), two sequences of equal length in drawing order; NaN breaks the line
    """

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]


@dataclass(frozen=True)
class Evaluation:
    """Result of one `cvseg evaluate` run.

    Attributes
    ----------
    task : name of the protocol, as "davis"
    measures : columns of the table
    overall : value by measure key, over everything
    rows : name of a row (sequence, "sequence object 3", class, ...) to value by measure key; a key may be missing
    row_title : what a row is, as "sequence"
    frame_measures : measures of the single frames; the first one ranks the worst frames
    frames : in the order of the data
    curves : drawn in the report
    remarks : sentences on everything the reader must know: extra files, empty truth, definitions that were applied
    settings : what was asked for (options by name), written to JSON
    details : further figures for JSON only
    overall_doc : what the overall row is, as "mean of the sequences"
    group_rows : names of those rows that sum up other rows
    frame_title : what one of `frames` is: "frame", "image", "transition"
    frames_in_time : whether `frames` follow each other, so that a curve over time has a meaning
    picture_doc : what the colours of the pictures mean
    """

    task: str
    measures: Sequence[Measure]
    overall: Mapping[str, float]
    rows: Mapping[str, Mapping[str, float]]
    row_title: str = "sequence"
    frame_measures: Sequence[Measure] = ()
    frames: Sequence[FrameScore] = ()
    curves: Sequence[Curve] = ()
    remarks: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    overall_doc: str = ""
    group_rows: Sequence[str] = ()
    frame_title: str = "frame"
    frames_in_time: bool = True
    picture_doc: str = ""

    def worst_frames(self, count: int) -> list[FrameScore]:
        """The `count` worst frames by the first frame measure, worst first; frames without a value are left out.

        The other frame measures decide between equal values. Neither one bad sequence nor one bad moment crowds out
        the rest: a sequence gives at most one and a half times its even share, and the neighbours in time of a chosen
        frame only fill what is left.

        Examples
        --------
        >>> j = Measure("j", "J", "overlap")
        >>> frames = [FrameScore("dog", "00000", {"j": 0.9}), FrameScore("dog", "00001", {"j": 0.2})]
        >>> Evaluation("davis", [j], {}, {}, frame_measures=[j], frames=frames).worst_frames(1)[0].frame
        '00001'
        """
        if not self.frame_measures:
            return []
        first = self.frame_measures[0].key
        known = [i for i, frame in enumerate(self.frames) if not np.isnan(frame.scores.get(first, float("nan")))]
        known.sort(key=lambda i: self._badness(self.frames[i]))
        share = count / max(1, len({self.frames[i].sequence for i in known}))
        most = max(1, math.ceil(1.5 * share))
        chosen: set[int] = set()
        taken: dict[str, int] = {}
        for neighbours_too in (False, True):
            for i in known:
                name = self.frames[i].sequence
                if len(chosen) == count or i in chosen or taken.get(name, 0) == most:
                    continue
                if neighbours_too or not self.frames_in_time or not self._is_beside(i, chosen):
                    chosen.add(i)
                    taken[name] = taken.get(name, 0) + 1
        return [self.frames[i] for i in known if i in chosen]

    def _badness(self, frame: FrameScore) -> tuple[float, ...]:
        """Smaller is worse; what has no value is no reason to be called bad."""
        values = []
        for measure in self.frame_measures:
            value = frame.scores.get(measure.key, float("nan"))
            values.append(math.inf if math.isnan(value) else -value if measure.rising is False else value)
        return tuple(values)

    def _is_beside(self, i: int, chosen: set[int]) -> bool:
        return any(j in chosen and self.frames[j].sequence == self.frames[i].sequence for j in (i - 1, i + 1))
