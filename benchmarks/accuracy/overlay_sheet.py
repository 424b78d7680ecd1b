"""A sheet of overlays of one segmented clip: result in colour, true outline in white."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

PICTURES = 6


class OverlaySheet:
    """Collects six frames of a clip, evenly spaced, and writes them as one picture; `add` is a `look` of `score_clip`.

    Parameters
    ----------
    names : of all frames, in order
    path : JPEG to write; None collects nothing
    """

    def __init__(self, names: Sequence[str], path: Path | None) -> None:
        self._path = path
        self._keep = {names[round(i)] for i in np.linspace(0, len(names) - 1, PICTURES)} if path else set()
        self._pictures: list[np.ndarray] = []

    def add(self, result: Any, truth: np.ndarray) -> None:
        """The next frame."""
        if result.frame.name not in self._keep:
            return
        from cvseg.kernels.evaluation.mask_boundary import mask_boundary
        from cvseg.report.overlay import draw_overlay

        picture = draw_overlay(result.frame.image, np.asarray(result.labels), tuple(result.tracks))
        picture[mask_boundary(truth.view(np.uint8)) > 0] = 255
        self._pictures.append(picture)

    def save(self) -> None:
        """Three in a row, at half size."""
        if self._path is None or not self._pictures:
            return
        from PIL import Image

        height, width = self._pictures[0].shape[0] // 2, self._pictures[0].shape[1] // 2
        sheet = Image.new("RGB", (3 * width, -(-len(self._pictures) // 3) * height))
        for i, picture in enumerate(self._pictures):
            sheet.paste(Image.fromarray(picture).resize((width, height)), (i % 3 * width, i // 3 * height))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(self._path, quality=90)
