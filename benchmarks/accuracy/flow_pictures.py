"""Pictures of the flow benchmark: a flow beside its truth and its error, and all methods by error and time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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


def draw_pareto(points: Mapping[str, tuple[float, float]], ours: set[str], pairs: int, path: Path) -> None:
    """Mean error against processor time per pair, both axes logarithmic; the front is a line."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter

    figure, axes = pyplot.subplots(figsize=(9, 6.5), dpi=100)
    front = pareto_front(points)
    axes.step([points[name][0] for name in front], [points[name][1] for name in front], where="post", color="0.7", lw=2)
    for names, color, marker, label in (
        ([name for name in points if name in ours], "tab:blue", "o", "cvseg"),
        ([name for name in points if name not in ours], "tab:orange", "s", "OpenCV, scikit-image"),
    ):
        if names:
            axes.scatter(*zip(*(points[name] for name in names), strict=True), c=color, marker=marker, label=label)
        for name in names:
            weight = "bold" if name in front else "normal"
            axes.annotate(
                name, points[name], (5, 4), textcoords="offset points", fontsize=8, color=color, fontweight=weight
            )
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("processor time per pair, ms (all threads added up)")
    axes.set_ylabel("mean endpoint error, px")
    axes.set_title(f"Optical flow: error against time, mean of {pairs} pairs. The line is the Pareto front.")
    axes.grid(which="both", color="0.92")
    axes.legend(loc="upper right")
    axes.margins(x=0.12)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
