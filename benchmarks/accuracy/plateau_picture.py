"""Draws the sweeps of `automatic_plateaus.py`: one panel per option, in one SVG file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cvseg.report.html import escape
from cvseg.report.line_chart import COLORS, HEIGHT, WIDTH, line_chart_svg

COLUMNS = 3
TITLE = 26  # room above a panel
HEAD = 40
NAMES = {"davis": "DAVIS", "swapped": "swapped objects", "scene": "rendered scenes", "lowest": "lowest clip"}
_STYLE = (
    "text { font: 13px system-ui, sans-serif; fill: #24292f; } .time { fill: #57606a; } "
    ".grid { stroke: #d8dee4; stroke-width: 1; } .title { font-weight: 600; }"
)


def draw_plateaus(sweeps: Mapping[str, Mapping[str, Any]]) -> str:
    """SVG: J over each value as a power of two of the default, which is 0.

    Parameters
    ----------
    sweeps : of the record of `automatic_plateaus.py`
    """
    keys = [key for key in NAMES if any(key in sweep["values"][0] for sweep in sweeps.values())]
    rows = -(-len(sweeps) // COLUMNS)
    width, height = COLUMNS * WIDTH, HEAD + rows * (HEIGHT + TITLE)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<style>{_STYLE}</style><rect width="{width}" height="{height}" fill="#ffffff"/>'
    ]
    for i, key in enumerate(keys):
        x = 62 + 200 * i
        parts.append(f'<rect x="{x}" y="18" width="22" height="4" fill="{COLORS[i]}"/>')
        parts.append(
            f'<text x="{x + 30}" y="25">mean J, {NAMES[key]}</text>'.replace("mean J, lowest", "J of the lowest")
        )
    for i, (path, sweep) in enumerate(sweeps.items()):
        x, y = i % COLUMNS * WIDTH, HEAD + i // COLUMNS * (HEIGHT + TITLE)
        title = f"{path.removeprefix('automatic.')}, default {sweep['default']:g}"
        parts.append(f'<text class="title" x="{x + 62}" y="{y + 18}">{escape(title)}</text>')
        powers = [math.log2(row["value"] / sweep["default"]) for row in sweep["values"]]
        lines = {NAMES[key]: (powers, [row[key]["J"] for row in sweep["values"]]) for key in keys}
        panel = line_chart_svg(lines, "value / default, as a power of two", "J")
        place = f'<svg x="{x}" y="{y + TITLE}" width="{WIDTH}" height="{HEIGHT}"'
        parts.append(panel.replace('<svg class="chart"', place, 1))
    parts.append("</svg>\n")
    return "".join(parts)
