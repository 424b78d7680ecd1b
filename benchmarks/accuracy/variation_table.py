"""The table of `davis.py --variations`: J of every clip and variation, how far they spread, and the lowest run."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from clip_scores import mean_of, score_clip
from measuring import Segment, print_row
from overlay_sheet import OverlaySheet
from variations import VARIATIONS, read_clip

BARS = {"mean J": 0.72, "spread": 0.06, "lowest J": 0.35}
LAST = ("mean", "std", "range")


def measure_variations(
    folders: Sequence[tuple[Path, Path]],
    names: Sequence[str],
    segment: Segment,
    options: argparse.Namespace,
    **settings: Any,
) -> dict[str, Any]:
    """Segment every variation of every clip and print J and F.

    Parameters
    ----------
    folders : frames and true masks of each sequence
    names : keys of `VARIATIONS`; ``as_is`` is shown beside the others and counts in no mean
    segment, options, settings : of `davis.py`

    Returns
    -------
    dict : runs: sequence to variation to what `score_clip` gives; summary: see `summary`
    """
    runs: dict[str, dict[str, Any]] = {}
    widths = (16, *(max(9, len(name)) for name in names), 7, 7, 7)
    print("J")
    print_row(("sequence", *names, *LAST), widths)
    for frames, truths in folders:
        clip = read_clip(frames, truths)
        runs[clip.name] = {}
        for name in names:
            varied = VARIATIONS[name](clip)
            shown = varied.frames()
            masks = {frame.name: truth for frame, truth in zip(shown, varied.truths, strict=True)}
            sheet = OverlaySheet(list(masks), options.overlays and options.overlays / f"{clip.name}_{name}.jpg")
            runs[clip.name][name] = score_clip(shown, masks, segment, look=sheet.add, **settings)
            sheet.save()
        _print_clip(clip.name, runs[clip.name], "J", widths)
    _print_means(runs, names, "J", widths)
    print("\nF")
    print_row(("sequence", *names, *LAST), widths)
    for clip_name, found in runs.items():
        _print_clip(clip_name, found, "F", widths)
    _print_means(runs, names, "F", widths)
    whole = summary(runs)
    lowest = whole["lowest"]
    print(
        f"\nmean J {whole['J']:.3f} (bar {BARS['mean J']}), mean F {whole['F']:.3f}; "
        f"mean spread per clip, standard deviation over the variations {whole['spread']:.3f} "
        f"(bar below {BARS['spread']}), largest less smallest {whole['range']:.3f}; "
        f"lowest run {lowest['sequence']} {lowest['variation']} {lowest['J']:.3f} (bar {BARS['lowest J']})"
    )
    return {"runs": runs, "summary": whole}


def summary(runs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Means over the clips and variations but ``as_is``.

    Returns
    -------
    dict : J, F; spread: mean over the clips of the standard deviation of J over the variations; range: mean of largest
        less smallest J; lowest: the run with the lowest J
    """
    values = {clip: _values(found, "J") for clip, found in runs.items()}
    flat = [(j, clip, name) for clip, found in values.items() for name, j in found.items()]
    if not flat:
        return {"J": math.nan, "F": math.nan, "spread": math.nan, "range": math.nan, "lowest": None}
    lowest = min(flat)
    return {
        "J": float(np.mean([j for j, _, _ in flat])),
        "F": float(np.mean([f for found in runs.values() for f in _values(found, "F").values()])),
        "spread": float(np.mean([np.std(list(found.values())) for found in values.values()])),
        "range": float(np.mean([np.ptp(list(found.values())) for found in values.values()])),
        "lowest": {"J": lowest[0], "sequence": lowest[1], "variation": lowest[2]},
    }


def _values(found: dict[str, Any], letter: str) -> dict[str, float]:
    return {name: score[letter]["mean"] for name, score in found.items() if name != "as_is"}


def _print_clip(name: str, found: dict[str, Any], letter: str, widths: Sequence[int]) -> None:
    shown = [score[letter]["mean"] for score in found.values()]
    counted = list(_values(found, letter).values())
    last = (float(np.mean(counted)), float(np.std(counted)), float(np.ptp(counted))) if counted else (math.nan,) * 3
    print_row((name, *shown, *last), widths)


def _print_means(runs: dict[str, dict[str, Any]], names: Sequence[str], letter: str, widths: Sequence[int]) -> None:
    shown = [mean_of([found[name][letter]["mean"] for found in runs.values()]) for name in names]
    counted = [list(_values(found, letter).values()) for found in runs.values()]
    last = [mean_of([float(of(values)) for values in counted if values]) for of in (np.mean, np.std, np.ptp)]
    print_row(("mean", *shown, *last), widths)
