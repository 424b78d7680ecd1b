"""Temporal superpixels on DAVIS: how long they live, whether they stay on what moves, and what a frame costs."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from measuring import print_row

from cvseg.baselines import BASELINE_SUPERPIXEL_METHODS
from cvseg.errors import MissingExtraError
from cvseg.evaluation import label_consistency
from cvseg.flow import estimate_flow
from cvseg.superpixels import SuperpixelStream, segment
from cvseg.video.still_image import read_image

FIGURES = ("life", "SLIC life", "ratio", "consistent", "SLIC c.", "found", "CPU ms", "frame ms", "ratio t")
TIMED_EVERY = 4  # one frame by itself is timed beside every fourth


def mean_life(labels: np.ndarray) -> float:
    """Frames that a number of (T, H, W) labels is seen in, mean over numbers."""
    return float(np.unique(np.concatenate([np.unique(frame) for frame in labels]), return_counts=True)[1].mean())


def matched(labels: list[np.ndarray]) -> np.ndarray:
    """Numbers over time for labels of single frames: one goes on when both overlap each other best, by over a half."""
    numbered = [labels[0]]
    numbers, following = np.arange(labels[0].max() + 1), int(labels[0].max()) + 1
    for before, now in itertools.pairwise(labels):
        old, new = int(before.max()) + 1, int(now.max()) + 1
        shared = np.bincount(now.ravel().astype(np.int64) * old + before.ravel(), minlength=new * old).reshape(new, old)
        union = shared.sum(1)[:, None] + shared.sum(0)[None] - shared
        best, back = shared.argmax(1), shared.argmax(0)
        own = np.arange(new)
        goes_on = (back[best] == own) & (2 * shared[own, best] > union[own, best])
        fresh = following + np.cumsum(~goes_on) - 1
        numbers = np.where(goes_on, numbers[best], fresh)
        following += int((~goes_on).sum())
        numbered.append(numbers[now])
    return np.stack(numbered)


def measure_stream(folder: Path, count: int, frames: int) -> dict[str, Any]:
    """Per sequence and in the mean: lives, consistency, and time of all threads."""
    sequences = sorted({path.parent for path in (folder / "DAVIS2016").rglob("480p/*/*.jpg")})
    if not sequences:
        raise SystemExit(f"regions.py: no DAVIS2016 in {folder}. Set CVSEG_DATA to the folder that holds it.")
    widths = (max(len(path.name) for path in sequences), *(max(len(name), 7) for name in FIGURES))
    print_row(("sequence", *(name.rjust(width) for name, width in zip(FIGURES, widths[1:], strict=True))), widths)
    results: dict[str, Any] = {}
    for sequence in sequences:
        images = [read_image(path) for path in sorted(sequence.glob("*.jpg"))[:frames]]
        flows = np.stack([estimate_flow(a, b, preset="fast") for a, b in itertools.pairwise(images)])
        stream, found, times, alone = SuperpixelStream(count=count), [], [], []
        segment(images[0], count=count)
        for t, image in enumerate(images):
            began = time.process_time()
            found.append(stream.update(image, flows[t - 1] if t else None))
            if t:
                times.append(1000 * (time.process_time() - began))
            if t % TIMED_EVERY == 1:
                began = time.process_time()
                segment(image, count=count)
                alone.append(1000 * (time.process_time() - began))
        labels = np.stack(found)
        try:
            slic = matched([BASELINE_SUPERPIXEL_METHODS["opencv_slico"](image, count) for image in images])
            others = mean_life(slic), label_consistency(slic, flows)
        except MissingExtraError as error:
            print(error, file=sys.stderr)
            others = float("nan"), float("nan")
        life = mean_life(labels)
        row = (
            life,
            others[0],
            life / others[0],
            label_consistency(labels, flows),
            others[1],
            float(np.mean([len(np.unique(frame)) for frame in labels])),
            float(np.median(times)),
            float(np.median(alone)),
            float(np.median(times) / np.median(alone)),
        )
        results[sequence.name] = dict(zip(FIGURES, row, strict=True))
        print_row((sequence.name, *row), widths)
    means = {name: float(np.mean([row[name] for row in results.values()])) for name in FIGURES}
    print_row(("mean", *means.values()), widths)
    return results | {"mean": means}
