"""`Evidence`: what spoke for and against the object at each pixel of a frame, term by term."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]

# In the order of the pipeline; each is a map of `Evidence`, a column of explain.csv and a panel of the pictures.
EVIDENCE_TERMS = ("motion", "time", "location", "appearance", "background", "outline")


@dataclass(frozen=True)
class Evidence:
    """Terms of one decision, in one unit: positive speaks for the object, negative for the background, 0 for neither.

    All but `outline` add up to what was given to the cut; all together are positive on no pixel that the cut gave to
    the background, and negative on none that it gave to the object. Where they are 0, the outline alone decided.

    Attributes
    ----------
    motion : (h, w) float32; the frame's own flow, to the next and to the previous frame
    time : what other frames changed: votes of cells that look alike, and the same pixels before and after
    location : what the place changed: the evidence around the pixel, and being far from all evidence for an object
    appearance : colours of the objects against those of the background, in the frames around
    background : the model of the background; 0 while the camera moves
    outline : what the cut changed: minus all other terms where it outvoted them, else 0
    factor : full size / size of the maps; map pixel j covers the pixels ``factor * j`` to ``factor * j + factor - 1``
    """

    motion: Map
    time: Map
    location: Map
    appearance: Map
    background: Map
    outline: Map
    factor: int

    def terms(self) -> dict[str, Map]:
        """The maps by name, in the order of `EVIDENCE_TERMS`."""
        return {name: getattr(self, name) for name in EVIDENCE_TERMS}

    @property
    def total(self) -> Map:
        """(h, w) float32: sum of all terms."""
        return np.sum(list(self.terms().values()), axis=0, dtype=np.float32)

    def means(self, inside: NDArray[np.bool_]) -> dict[str, float]:
        """Mean of each term over the pixels `inside`, (H, W) bool at full size; 0 where there are none."""
        return self._means(inside, self._stacked())

    def track_means(self, labels: NDArray[np.int32], ids: Iterable[int]) -> dict[int, dict[str, float]]:
        """`means` of each of the tracks `ids` in the label map, (H, W) int32."""
        stacked = self._stacked()
        return {number: self._means(labels == number, stacked) for number in ids}

    def _stacked(self) -> NDArray[np.float64]:
        return np.stack([values.ravel() for values in self.terms().values()]).astype(np.float64)

    def _means(self, inside: NDArray[np.bool_], stacked: NDArray[np.float64]) -> dict[str, float]:
        per_cell = _counts(inside, self.factor)
        means = stacked @ per_cell.ravel() / max(1.0, float(per_cell.sum()))
        return dict(zip(EVIDENCE_TERMS, means.tolist(), strict=True))


def _counts(inside: NDArray[np.bool_], factor: int) -> NDArray[np.float64]:
    """(h, w): how many pixels of each map pixel lie inside; the last row and column may cover fewer."""
    rows, columns = (np.arange(0, size, factor) for size in inside.shape)
    counted = np.add.reduceat(np.add.reduceat(inside, rows, axis=0, dtype=np.float64), columns, axis=1)
    return np.asarray(counted, np.float64)
