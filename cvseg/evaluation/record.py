"""What an evaluation of a folder of results gives: tables, worst frames, curves, and everything worth a remark."""

from __future__ import annotations

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

    def worst_frames(self, count: int) -> list[FrameScore]:
        """The `count` worst frames by the first frame measure, worst first; frames without a value are left out.

        One bad sequence does not crowd out the others: each gives at most twice its even share.

        Examples
        --------
        >>> j = Measure("j", "J", "overlap")
        >>> frames = [FrameScore("dog", "00000", {"j": 0.9}), FrameScore("dog", "00001", {"j": 0.2})]
        >>> Evaluation("davis", [j], {}, {}, frame_measures=[j], frames=frames).worst_frames(1)[0].frame
        '00001'
        """
        if not self.frame_measures:
            return []
        first = self.frame_measures[0]
        known = [frame for frame in self.frames if not np.isnan(frame.scores.get(first.key, float("nan")))]
        sign = -1.0 if first.rising is False else 1.0
        known.sort(key=lambda frame: sign * frame.scores[first.key])
        most = max(1, -(-2 * count // max(1, len({frame.sequence for frame in known}))))
        chosen: dict[str, int] = {}
        worst: list[FrameScore] = []
        for frame in known:
            chosen[frame.sequence] = chosen.get(frame.sequence, 0) + 1
            if chosen[frame.sequence] <= most and len(worst) < count:
                worst.append(frame)
        return worst
