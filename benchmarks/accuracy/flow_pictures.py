"""Pictures of the flow benchmark: a flow beside its truth and its error, and all methods by error and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from flow_pairs import Pair

WHITE_PX = 5.0  # error drawn as white


def draw_flow(pair: Pair, flow_xy: np.ndarray, path: Path) -> None:
    """Picture and truth above flow and error (white: 5 px or more), at half size."""
    from PIL import Image

    from cvseg.report.flow_picture import flow_picture

    length = np.hypot(pair.truth_xy[..., 0], pair.truth_xy[..., 1])
    largest = float(np.percentile(length[pair.valid], 99)) or 1.0
    error = np.where(pair.valid, np.hypot(*(flow_xy - pair.truth_xy).transpose(2, 0, 1)), 0)
    gray = np.round(255 * np.clip(error / WHITE_PX, 0, 1)).astype(np.uint8)
    tiles = (
        pair.image0,
        flow_picture(pair.truth_xy, largest),
        flow_picture(flow_xy, largest),
        np.repeat(gray[..., None], 3, axis=2),
    )
    height, width = pair.image0.shape[0] // 2, pair.image0.shape[1] // 2
    sheet = Image.new("RGB", (2 * width, 2 * height))
    for i, tile in enumerate(tiles):
        sheet.paste(Image.fromarray(tile).resize((width, height)), (i % 2 * width, i // 2 * height))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(128).save(path, optimize=True)


def pareto_front(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """Names of (time, error) points that no other one beats in both, from the fastest to the most accurate."""
    front: list[str] = []
    for name in sorted(points, key=lambda name: points[name]):
        if not front or points[name][1] < points[front[-1]][1]:
            front.append(name)
    return front


def _label(
    axes: Any, points: Mapping[str, tuple[float, float]], colors: Mapping[str, str], bold: Sequence[str]
) -> None:
    """Each point's name beside it, where it covers neither a point nor another name, if there is such a place."""
    frame = axes.get_window_extent()
    letter, line = 6.3, 13.0  # pixels, of the font below
    places = {name: axes.transData.transform(point) for name, point in points.items()}
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in places.values()]
    for name in sorted(points, key=lambda name: (name not in bold, points[name])):
        x, y = places[name]
        width = letter * len(name)
        boxes = [
            (left, y + up, left + width, y + up + line)
            for up in (2, -14, -6, 12, -24, 22, -34)
            for left in (x + 8, x - 8 - width)
        ]

        def covered(box: tuple[float, float, float, float]) -> int:
            outside = box[0] < frame.x0 or box[2] > frame.x1
            return 2 * outside + sum(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken)

        box = min(boxes, key=covered)
        taken.append(box)
        axes.annotate(
            name,
            (box[0], box[1] + 3),
            xycoords="figure pixels",
            fontsize=8,
            color=colors[name],
            fontweight="bold" if name in bold else "normal",
        )


def draw_pareto(points: Mapping[str, tuple[float, float]], ours: set[str], pairs: int, path: Path) -> None:
    """Mean error against processor time per pair, both axes logarithmic; the front is a line."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter
    from PIL import Image

    figure, axes = pyplot.subplots(figsize=(10, 7), dpi=100)
    front = pareto_front(points)
    axes.step([points[name][0] for name in front], [points[name][1] for name in front], where="post", color="0.7", lw=2)
    for names, color, marker, label in (
        ([name for name in points if name in ours], "tab:blue", "o", "cvseg"),
        ([name for name in points if name not in ours], "tab:orange", "s", "OpenCV, scikit-image"),
    ):
        if names:
            axes.scatter(*zip(*(points[name] for name in names), strict=True), c=color, marker=marker, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("processor time per pair, ms (all threads added up)")
    axes.set_ylabel("mean endpoint error, px")
    axes.set_title(f"Optical flow: error against time, mean of {pairs} pairs. The line is the Pareto front.")
    axes.grid(which="both", color="0.92")
    axes.legend(loc="lower left")
    axes.margins(x=0.14, y=0.08)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    _label(axes, points, {name: "tab:blue" if name in ours else "tab:orange" for name in points}, front)
    figure.savefig(path)
    pyplot.close(figure)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(64)
    small.save(path, optimize=True)
