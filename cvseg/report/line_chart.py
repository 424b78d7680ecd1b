"""Draws lines in a coordinate system as an SVG picture, for reports that need no network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cvseg.report.html import escape

WIDTH, HEIGHT = 520, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 22, 12, 44
# Told apart also by readers who confuse red and green (Okabe and Ito).
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a8f98")
MOST_LINES = 14  # more cannot be told apart
MOST_POINTS = 800  # the drawing is 436 px wide


def draw_line_chart(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x_label: str,
    y_label: str,
) -> str:
    """SVG of some lines with axes and a title on each line, and a legend as HTML below it.

    Parameters
    ----------
    lines : name to (x, y); NaN breaks the line
    x_label, y_label : what the axes mean
    """
    drawing = line_chart_svg(lines, x_label, y_label)
    return drawing + _legend(list(lines)) if drawing else '<p class="quiet">No value is defined.</p>'


def line_chart_svg(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    x_label: str,
    y_label: str,
) -> str:
    """The drawing of `draw_line_chart` alone, of WIDTH x HEIGHT units; empty where no value is defined."""
    shown = dict(list(lines.items())[:MOST_LINES])
    points = [(float(x), float(y)) for xs, ys in shown.values() for x, y in zip(xs, ys, strict=True)]
    points = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    if not points:
        return ""
    x0, x1 = min(x for x, _ in points), max(x for x, _ in points)
    # Up the range ends at round numbers; along it with the data, so that no room is lost.
    x_ticks = [tick for tick in round_ticks(x0, x1) if x0 <= tick <= x1] or [x0]
    y_ticks = round_ticks(min(0.0, *(y for _, y in points)), max(y for _, y in points))
    frame = _Frame(x0, x1 if x1 > x0 else x0 + 1, y_ticks[0], y_ticks[-1])
    label = escape(f"{y_label} over {x_label}")
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">']
    for tick in y_ticks:
        y = frame.y(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text class="time" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick_text(tick)}</text>')
    for tick in x_ticks:
        x = frame.x(tick)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(
            f'<text class="time" x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{tick_text(tick)}</text>'
        )
    parts.append(
        f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{escape(x_label)}</text>"
        f'<text class="axis" transform="translate(13 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_label)}</text>'
    )
    for i, (name, (xs, ys)) in enumerate(shown.items()):
        dash = ' stroke-dasharray="6 4"' if i >= len(COLORS) else ""
        path = _path(frame, xs, ys)
        parts.append(
            f'<path d="{path}" fill="none" stroke="{COLORS[i % len(COLORS)]}" stroke-width="1.8"{dash} '
            f'stroke-linejoin="round" stroke-linecap="round"><title>{escape(name)}</title></path>'
        )
    parts.append("</svg>")
    return "".join(parts)


def round_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from at or below `low` to at or above `high`.

    Examples
    --------
    >>> round_ticks(0.0, 0.93)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> round_ticks(3, 3)
    [3.0, 4.0]
    """
    span = high - low
    if span <= 0:
        return [float(low), float(low) + (1.0 if low == int(low) else abs(low))]
    step = 10.0 ** math.floor(math.log10(span / most))
    while span / step > most:
        # 1, 2, 5, 10, ...
        mantissa = round(step / 10 ** math.floor(math.log10(step) + 1e-9))
        step *= 2.5 if mantissa == 2 else 2.0
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [round(i * step, digits) for i in range(first, last + 1)]


def tick_text(value: float) -> str:
    """A number short enough for an axis.

    Examples
    --------
    >>> tick_text(0.25), tick_text(2000.0), tick_text(80000.0), tick_text(2.5e6)
    ('0.25', '2000', '80k', '2.5M')
    """
    for least, size, unit in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if least <= abs(value) < 1e9:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


class _Frame:
    """From values to places in the drawing."""

    def __init__(self, x0: float, x1: float, y0: float, y1: float) -> None:
        self.x0, self.x1, self.y0, self.y1 = x0, x1, y0, y1

    def x(self, value: float) -> float:
        return LEFT + (value - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (value - self.y0) / (self.y1 - self.y0) * (HEIGHT - TOP - BOTTOM)


def _path(frame: _Frame, xs: Sequence[float], ys: Sequence[float]) -> str:
    steps, pen_up = [], True
    for i in outstanding(ys):
        x, y = xs[i], ys[i]
        if not (math.isfinite(x) and math.isfinite(y)):
            pen_up = True
            continue
        steps.append(f"{'M' if pen_up else 'L'}{frame.x(x):.1f} {frame.y(y):.1f}")
        pen_up = False
    return "".join(steps)


def outstanding(ys: Sequence[float], most: int = MOST_POINTS) -> list[int]:
    """Which points of a long line to draw: of each stretch the lowest and the highest, so that no peak is lost.

    Examples
    --------
    >>> outstanding([0.9, 0.9, 0.1, 0.9, 0.9, 0.95], most=4)
    [0, 2, 3, 5]
    """
    if len(ys) <= most:
        return list(range(len(ys)))
    stretch = math.ceil(2 * len(ys) / most)
    kept: set[int] = set()
    for begin in range(0, len(ys), stretch):
        places = range(begin, min(begin + stretch, len(ys)))
        known = [i for i in places if math.isfinite(ys[i])]
        if len(known) < len(places):
            kept.add(next(i for i in places if not math.isfinite(ys[i])))  # the line breaks here
        if known:
            kept |= {min(known, key=lambda i: ys[i]), max(known, key=lambda i: ys[i])}
    return sorted(kept)


def _legend(names: Sequence[str]) -> str:
    if len(names) < 2:
        return ""
    keys = "".join(
        f'<span><i style="background:{COLORS[i % len(COLORS)]}"></i>{escape(name)}</span>'
        for i, name in enumerate(names[:MOST_LINES])
    )
    rest = len(names) - MOST_LINES
    return f'<p class="legend">{keys}{f"<span>and {rest} more, in the JSON file</span>" if rest > 0 else ""}</p>'
