"""An evaluation as text for the terminal, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import cvseg
from cvseg.evaluation.record import Evaluation, Measure

UNDEFINED = "-"


def figure(measure: Measure, value: float) -> str:
    """A value with the digits of its measure; "-" where it is undefined.

    Examples
    --------
    >>> figure(Measure("j", "J", "overlap"), 0.25), figure(Measure("n", "frames", "count", digits=0), 3.0)
    ('0.2500', '3')
    """
    return UNDEFINED if math.isnan(value) else f"{value:.{measure.digits}f}"


def title_of(task: str) -> str:
    """The protocol's name as a title: "davis" gives "Evaluation: davis"."""
    return f"Evaluation: {task.replace('_', ' ')}"


def evaluation_table(evaluation: Evaluation, width: int = 100) -> str:
    """All rows and the overall figures as text; columns that do not fit beside each other follow below.

    Parameters
    ----------
    evaluation : what was measured
    width : characters a line may have

    Examples
    --------
    >>> j = Measure("j", "J", "overlap", digits=2)
    >>> print(evaluation_table(Evaluation("davis", [j], {"j": 0.7}, {"dog": {"j": 0.8}, "cat": {"j": 0.6}})))
    sequence     J
    dog       0.80
    cat       0.60
    overall   0.70
    """
    rows = {**evaluation.rows, "overall": evaluation.overall}
    first = [evaluation.row_title, *rows]
    columns = [
        [measure.title, *(figure(measure, values.get(measure.key, math.nan)) for values in rows.values())]
        for measure in evaluation.measures
    ]
    head = max(map(len, first))
    blocks: list[list[list[str]]] = [[]]
    used = head
    for column in columns:
        size = 2 + max(map(len, column))
        if blocks[-1] and used + size > width:
            blocks.append([])
            used = head
        blocks[-1].append(column)
        used += size
    return "\n\n".join(_block(first, block) for block in blocks)


def _block(first: Sequence[str], columns: Sequence[Sequence[str]]) -> str:
    head = max(map(len, first))
    sizes = [max(map(len, column)) for column in columns]
    return "\n".join(
        name.ljust(head) + "".join("  " + column[i].rjust(size) for column, size in zip(columns, sizes, strict=True))
        for i, name in enumerate(first)
    )


def evaluation_mapping(evaluation: Evaluation, *, results: str, truth: str) -> dict[str, Any]:
    """Everything that was measured, ready for JSON; what is undefined is None."""
    known = [*evaluation.measures, *evaluation.frame_measures]
    return {
        "task": evaluation.task,
        "results": results,
        "truth": truth,
        "settings": plain(evaluation.settings),
        "overall": plain(evaluation.overall),
        "rows": plain(evaluation.rows),
        "row_title": evaluation.row_title,
        "overall_is": evaluation.overall_doc,
        "frames": [
            {"sequence": frame.sequence, "frame": frame.frame, **plain(frame.scores)} for frame in evaluation.frames
        ],
        "curves": [
            {
                "title": curve.title,
                "x_label": curve.x_label,
                "y_label": curve.y_label,
                "lines": {name: {"x": plain(x), "y": plain(y)} for name, (x, y) in curve.lines.items()},
            }
            for curve in evaluation.curves
        ],
        "remarks": list(evaluation.remarks),
        "details": plain(evaluation.details),
        "measures": {measure.key: {"title": measure.title, "doc": measure.doc} for measure in known},
        "written_by": f"cvseg {cvseg.__version__}",
    }


def plain(value: Any) -> Any:
    """Arrays, NumPy numbers, paths and mappings as JSON's own types; NaN and infinity become None.

    Examples
    --------
    >>> plain({1: np.float32(0.5), "all": np.array([1.0, np.nan])})
    {'1': 0.5, 'all': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool)) or value is None else str(value)
