"""Nodes of the graph: superpixels for as long as they cover the same thing.

A superpixel keeps its number while it is carried, even when it slides from an object onto what lies behind. For regions
that would be fatal, as nothing that was joined is ever divided: one superpixel that has slid takes the region of the
object along. So a superpixel becomes another node as soon as its colour is not what it was, or most of its pixels
come, by the flow, from other superpixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.kernels.supervoxels.node_links import STEP

LAB_UNITS = 16.0
ADAPTS = 0.3  # share of the newest frame in the mean colour of a node


class Materials:
    """Which node each superpixel is, frame by frame.

    Parameters
    ----------
    color : distance of mean colours in L*a*b* from which a superpixel is another node
    strangers : share of pixels from other superpixels above which it is another node

    Attributes
    ----------
    nodes : (n,) int32, of the superpixels of the last frame
    """

    def __init__(self, color: float, strangers: float) -> None:
        self.color, self.strangers = color, strangers
        self._next = 0
        self.forget()

    def forget(self) -> None:
        """All superpixels of the next frame are new nodes; numbers go on."""
        self._ids = np.zeros(0, np.int32)
        self.nodes = np.zeros(0, np.int32)
        self._means, self._last = np.zeros((0, 3)), np.zeros((0, 3))

    def changed(self, ids: NDArray[np.int32], sums: NDArray[np.int64], color: float) -> float:
        """Share of the picture whose superpixels have another colour than in the frame before; 0 in the first frame.

        Parameters
        ----------
        ids : (n,) numbers of the superpixels
        sums : (n, 4) of L*a*b* in sixteenths, and pixels
        color : distance in L*a*b* that counts
        """
        kept, before = self._known(ids)
        if not len(kept):
            return 0.0
        distance = np.linalg.norm(_means(sums)[kept] - self._last[before], axis=1)
        return float(sums[kept, 3][distance > color].sum() / max(1, sums[kept, 3].sum()))

    def update(
        self,
        ids: NDArray[np.int32],
        sums: NDArray[np.int64],
        links: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]] | None,
    ) -> NDArray[np.int32]:
        """(n,) int32 nodes of the superpixels of the next frame.

        Parameters
        ----------
        ids, sums : see `changed`
        links : rows of superpixels before, rows now, and pixels that went from one to the other; None: not known
        """
        count = len(ids)
        kept, before = self._known(ids)
        means = _means(sums)
        row_before = np.full(count, -1)
        row_before[kept] = before
        strangers = np.zeros(count)
        if links is not None:
            source, target, pixels = links
            foreign = source != row_before[target]
            strangers = np.bincount(target[foreign], pixels[foreign], count) * STEP**2 / np.maximum(sums[:, 3], 1)
        stays = row_before >= 0
        stays[kept] &= np.linalg.norm(means[kept] - self._means[before], axis=1) <= self.color
        stays &= strangers <= self.strangers
        nodes = np.empty(count, np.int32)
        nodes[stays] = self.nodes[row_before[stays]]
        fresh = int((~stays).sum())
        nodes[~stays] = np.arange(self._next, self._next + fresh)
        self._next += fresh
        self._last = means
        mixed = means.copy()
        mixed[stays] += (1 - ADAPTS) * (self._means[row_before[stays]] - means[stays])
        self._ids, self.nodes, self._means = ids.copy(), nodes, mixed
        return nodes

    def _known(self, ids: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows of superpixels that were there in the frame before, and their rows in it."""
        _, now, before = np.intersect1d(ids, self._ids, assume_unique=True, return_indices=True)
        return now, before

    def state_dict(self) -> dict[str, Any]:
        return {
            "next": self._next,
            "ids": self._ids.copy(),
            "nodes": self.nodes.copy(),
            "means": self._means.copy(),
            "last": self._last.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._next = int(state["next"])
        self._ids, self.nodes = np.array(state["ids"], np.int32), np.array(state["nodes"], np.int32)
        self._means, self._last = np.array(state["means"], np.float64), np.array(state["last"], np.float64)


def _means(sums: NDArray[np.int64]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = sums[:, :3] / np.maximum(sums[:, 3:], 1) / LAB_UNITS
    return mean
