"""The HTML report of `cvseg evaluate`: one file with the table, the worst frames as pictures, and the curves."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

import cvseg
from cvseg.evaluation.record import Evaluation, FrameScore, Measure
from cvseg.report.evaluation_table import figure, title_of
from cvseg.report.html import escape, fill_page
from cvseg.report.line_chart import draw_line_chart

MOST_CARDS = 8
PICTURE_WIDTH_PX = 640
LEAST_MARKED_ROWS = 3  # in a table of one or two rows nothing stands out
MOST_COLUMNS = 14  # of measures beside each other, when there are few rows
MOST_UPRIGHT_ROWS = 4


def render_evaluation(evaluation: Evaluation, *, results: str, truth: str, worst: int = 12) -> str:
    """The report as HTML text.

    Parameters
    ----------
    evaluation : what was measured
    results, truth : the folders, as the user wrote them
    worst : worst frames to show; their pictures are drawn now
    """
    return fill_page(
        "evaluation.html",
        title=escape(title_of(evaluation.task)),
        folders=f"results {escape(results)}<br>truth {escape(truth)}",
        cards=_cards(evaluation),
        remarks=_remarks(evaluation.remarks),
        table_title=f"Per {escape(evaluation.row_title)}",
        table=_table(evaluation) if fits_sideways(evaluation) else _upright_table(evaluation),
        overall=f"Overall: {escape(evaluation.overall_doc)}." if evaluation.overall_doc else "",
        frames=_frames(evaluation, worst),
        curves=_curves(evaluation),
        definitions=_definitions([*evaluation.measures, *evaluation.frame_measures]),
        settings=_settings(evaluation.settings),
        written_by=escape(f"cvseg {cvseg.__version__}"),
    )


def _cards(evaluation: Evaluation) -> str:
    values = [(measure, evaluation.overall.get(measure.key, math.nan)) for measure in evaluation.measures]
    known = [(measure, value) for measure, value in values if measure.rising is not None and not math.isnan(value)]
    return "".join(
        f'<div class="score" title="{escape(measure.doc)}"><b>{figure(measure, value)}</b>'
        f"<span>{escape(measure.title)}</span></div>"
        for measure, value in known[:MOST_CARDS]
    )


def _remarks(remarks: Sequence[str]) -> str:
    if not remarks:
        return ""
    items = "".join(f"<li>{escape(remark)}</li>" for remark in remarks)
    return f'<section><h2>Remarks</h2><ul class="remarks">{items}</ul></section>'


def fits_sideways(evaluation: Evaluation) -> bool:
    """Whether the measures stand beside each other: not when there are many, and few rows to compare."""
    return len(evaluation.measures) <= MOST_COLUMNS or len(evaluation.rows) > MOST_UPRIGHT_ROWS


def _table(evaluation: Evaluation) -> str:
    """A row for each sequence or class, a column for each measure; a click on its head sorts."""
    measures = evaluation.measures
    heads = "".join(
        f'<th scope="col"><button type="button" title="{escape(measure.doc)}">{escape(measure.title)}</button></th>'
        for measure in measures
    )
    ends = {measure.key: _best_and_worst(measure, evaluation) for measure in measures}
    rows = []
    for name, values in evaluation.rows.items():
        cells = []
        for measure in measures:
            value = values.get(measure.key, float("nan"))
            best, worst = ends[measure.key] if name not in evaluation.group_rows else (None, None)
            mark = ' class="best"' if value == best else ' class="worst"' if value == worst else ""
            data = "" if math.isnan(value) else f"{value:.9g}"
            cells.append(f'<td data-value="{data}"{mark}>{figure(measure, value)}</td>')
        kind = ' class="group"' if name in evaluation.group_rows else ""
        rows.append(f'<tr{kind}><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    overall = "".join(
        f"<td>{figure(measure, evaluation.overall.get(measure.key, float('nan')))}</td>" for measure in measures
    )
    return (
        f'<table class="figures"><thead><tr><th scope="col"><button type="button">{escape(evaluation.row_title)}'
        f"</button></th>{heads}</tr></thead><tbody>{''.join(rows)}</tbody>"
        f'<tfoot><tr><th scope="row">overall</th>{overall}</tr></tfoot></table>'
    )


def _upright_table(evaluation: Evaluation) -> str:
    """A row for each measure with its meaning, a column for each of a few sequences or classes."""
    columns = {**evaluation.rows, "overall": evaluation.overall}
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(measure.title)}</th>'
        + "".join(f"<td>{figure(measure, values.get(measure.key, float('nan')))}</td>" for values in columns.values())
        + f'<td class="meaning">{escape(measure.doc)}</td></tr>'
        for measure in evaluation.measures
    )
    return (
        f'<table class="figures upright"><thead><tr><th scope="col">measure</th>{heads}<th scope="col"></th></tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _best_and_worst(measure: Measure, evaluation: Evaluation) -> tuple[float | None, float | None]:
    rows = [row for name, row in evaluation.rows.items() if name not in evaluation.group_rows]
    values = [row[measure.key] for row in rows if not math.isnan(row.get(measure.key, float("nan")))]
    if measure.rising is None or len(values) < LEAST_MARKED_ROWS or min(values) == max(values):
        return None, None
    return (max(values), min(values)) if measure.rising else (min(values), max(values))


def _frames(evaluation: Evaluation, count: int) -> str:
    worst = evaluation.worst_frames(count)
    if not worst:
        return ""
    figures = "".join(_frame_figure(evaluation.frame_measures, frame) for frame in worst)
    title = escape(f"Worst {evaluation.frame_title}s by {evaluation.frame_measures[0].title}")
    drawn = evaluation.picture_doc and any(frame.picture is not None for frame in worst)
    hint = f'<p class="quiet hint">{escape(evaluation.picture_doc)}. A click enlarges.</p>' if drawn else ""
    return f'<section><h2>{title}</h2>{hint}<div class="strip">{figures}</div></section>'


def _frame_figure(measures: Sequence[Measure], frame: FrameScore) -> str:
    where = " ".join(part for part in (frame.sequence, frame.frame) if part)
    scores = ", ".join(
        f"{measure.title} {figure(measure, frame.scores[measure.key])}"
        for measure in measures
        if measure.key in frame.scores
    )
    caption = escape(f"{where}: {scores}")
    if frame.picture is None:
        return f"<figure><figcaption>{caption}</figcaption></figure>"
    source, (height, width) = _jpeg(frame.picture())
    return (
        f'<figure><img src="{source}" width="{width}" height="{height}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _jpeg(image: NDArray[np.uint8]) -> tuple[str, tuple[int, int]]:
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image))
    if picture.width > PICTURE_WIDTH_PX:
        size = PICTURE_WIDTH_PX, max(1, round(picture.height * PICTURE_WIDTH_PX / picture.width))
        picture = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=85)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    return f"data:image/jpeg;base64,{data}", (picture.height, picture.width)


def _curves(evaluation: Evaluation) -> str:
    curves = [curve for curve in evaluation.curves if any(map(_is_line, curve.lines.values()))]
    charts = [(curve.title, draw_line_chart(curve.lines, curve.x_label, curve.y_label)) for curve in curves]
    drawn = {curve.y_label for curve in curves if curve.x_label == "frame"}
    charts += [
        (f"{measure.title} over time", draw_line_chart(lines, "frame", measure.title))
        for measure in evaluation.frame_measures
        if measure.title not in drawn and (lines := _over_time(evaluation, measure))
    ]
    if not charts:
        return ""
    figures = "".join(f"<figure><h3>{escape(title)}</h3>{chart}</figure>" for title, chart in charts)
    return f'<section><h2>Curves</h2><div class="charts">{figures}</div></section>'


def _is_line(line: tuple[Sequence[float], Sequence[float]]) -> bool:
    """Whether there are two points to draw a line between."""
    return sum(math.isfinite(y) for y in line[1]) > 1


def _over_time(evaluation: Evaluation, measure: Measure) -> dict[str, tuple[list[float], list[float]]]:
    """Per sequence of more than one frame: place in the sequence, value."""
    lines: dict[str, tuple[list[float], list[float]]] = {}
    for frame in evaluation.frames if evaluation.frames_in_time else ():
        xs, ys = lines.setdefault(frame.sequence or "all", ([], []))
        xs.append(float(len(xs)))
        ys.append(frame.scores.get(measure.key, float("nan")))
    return {name: line for name, line in lines.items() if _is_line(line)}


def _definitions(measures: Sequence[Measure]) -> str:
    first_of = {measure.key: measure for measure in reversed(measures)}
    items = "".join(
        f"<dt>{escape(measure.title)}</dt><dd>{escape(measure.doc)}</dd>"
        for measure in measures
        if first_of.pop(measure.key, None) is not None
    )
    return f'<dl class="definitions">{items}</dl>'


def _settings(settings: Mapping[str, object]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name.replace("_", " "))}</th><td>{escape(str(value))}</td></tr>'
        for name, value in settings.items()
    )
    return f"<table>{rows}</table>"
