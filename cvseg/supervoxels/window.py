"""The graph of a window of frames, and the regions it is merged into on every level; old regions stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.kernels.supervoxels.node_colors import BINS as COLOR_BINS
from cvseg.kernels.supervoxels.node_links import STEP
from cvseg.kernels.supervoxels.node_motion import BINS as MOTION_BINS

PARTS = 1000.0  # areas are counted in thousandths of the picture
FAINT = 0.1  # shares of linked pixels up to this one make no edge


@dataclass
class FrameGraph:
    """What is known of the superpixels of one frame.

    Attributes
    ----------
    slots : (H, W) int32, on the device
    nodes : (n,) int32, the node of each superpixel
    colors : (n, 60) int32, histograms; sums : (n, 4) int64 of L*a*b* in sixteenths, and pixels
    motions : (n, 49) int32, histograms of the motion into the next frame; None before that is known
    border_ends : (m, 2) int32, rows that touch; borders : (m, 2) int32, sides and contrast
    link_ends : (k, 2) int32, nodes of the frame before and rows of this one; links : (k,) int32 pixels
    """

    slots: Any
    nodes: NDArray[np.int32]
    colors: NDArray[np.int32]
    sums: NDArray[np.int64]
    motions: NDArray[np.int32] | None
    border_ends: NDArray[np.int32]
    borders: NDArray[np.int32]
    link_ends: NDArray[np.int32]
    links: NDArray[np.int32]


@dataclass
class Standing:
    """What is kept of all frames before a window: the nodes that live on, and nothing of those that have ended.

    Attributes
    ----------
    nodes : (n,) int32, rising; regions : (levels, n) int32
    frames, areas : (n,) float64; means : (n, 3), colors : (n, 60) float64; sums that fade from window to window
    following : (levels,) int64, the next new number of each level
    """

    nodes: NDArray[np.int32]
    regions: NDArray[np.int32]
    frames: NDArray[np.float64]
    areas: NDArray[np.float64]
    means: NDArray[np.float64]
    colors: NDArray[np.float64]
    following: NDArray[np.int64]

    @staticmethod
    def empty(levels: int) -> Standing:
        """Nothing stands."""
        return Standing(
            np.zeros(0, np.int32),
            np.zeros((levels, 0), np.int32),
            np.zeros(0),
            np.zeros(0),
            np.zeros((0, 3)),
            np.zeros((0, 3 * COLOR_BINS)),
            np.zeros(levels, np.int64),
        )

    def state_dict(self) -> dict[str, Any]:
        """All fields, copied."""
        return {field.name: getattr(self, field.name).copy() for field in fields(self)}

    @staticmethod
    def from_state(state: Mapping[str, Any]) -> Standing:
        """The fields of `state_dict`."""
        return Standing(**{field.name: np.array(state[field.name]) for field in fields(Standing)})


def merge_window(
    frames: Sequence[FrameGraph],
    finished: int,
    standing: Standing,
    limits: NDArray[np.float64],
    weights: NDArray[np.float64],
    fading: float,
) -> tuple[list[NDArray[np.int32]], Standing]:
    """Regions of the first `finished` frames on every level.

    Parameters
    ----------
    frames : of the window; those after the first `finished` only help to decide
    standing : what was decided before
    limits, weights : see `cvseg.kernels.supervoxels.merge_levels`
    fading : share of what was known before that still counts

    Returns
    -------
    regions : for each finished frame (levels, n) int32
    standing : for the next window
    """
    from cvseg.kernels.supervoxels.merge_levels import merge_levels

    nodes = np.unique(np.concatenate([frame.nodes for frame in frames]))
    rows = [np.searchsorted(nodes, frame.nodes) for frame in frames]
    known, own = _common(nodes, standing.nodes)
    total = _Sums(len(nodes))
    for frame, row in zip(frames, rows, strict=True):
        total.add(frame, row)
    seen = total.areas.copy()
    total.add_known(known, own, standing, fading)
    ends, borders = _edges(frames, rows, nodes, seen)
    before = np.full((len(limits), len(nodes)), -1, np.int32)
    before[:, known] = standing.regions[:, own]
    areas = np.maximum(total.areas, 1.0)
    pixels = frames[0].slots.shape[0] * frames[0].slots.shape[1]
    sizes = areas / np.maximum(total.frames, 1e-9) / pixels * PARTS
    roots = merge_levels(
        ends,
        borders,
        sizes.copy(),
        total.means * (sizes / areas / 16.0)[:, None],
        total.colors.astype(np.float32),
        total.motions.astype(np.float32),
        _compact(before),
        limits,
        weights,
    )
    present = np.zeros(len(nodes), bool)
    for row in rows[:finished]:
        present[row] = True
    following = standing.following.copy()
    regions = np.stack([_named(roots[h], before[h], present, following[h : h + 1]) for h in range(len(limits))])
    done = _Sums(len(nodes))
    for frame, row in zip(frames[:finished], rows, strict=False):
        done.add(frame, row)
    done.add_known(known, own, standing, fading)
    alive = np.sort(rows[finished - 1])
    now = Standing(
        nodes[alive],
        regions[:, alive],
        done.frames[alive],
        done.areas[alive],
        done.means[alive],
        done.colors[alive],
        following,
    )
    return [regions[:, row] for row in rows[:finished]], now


class _Sums:
    """Sums over frames, a row for each node."""

    def __init__(self, count: int) -> None:
        self.frames, self.areas, self.means = np.zeros(count), np.zeros(count), np.zeros((count, 3))
        self.colors, self.motions = np.zeros((count, 3 * COLOR_BINS)), np.zeros((count, MOTION_BINS))

    def add(self, frame: FrameGraph, row: NDArray[np.intp]) -> None:
        # The nodes of a frame are different ones, so that an indexed sum meets each once.
        self.frames[row] += 1
        self.areas[row] += frame.sums[:, 3]
        self.means[row] += frame.sums[:, :3]
        self.colors[row] += frame.colors
        if frame.motions is not None:
            self.motions[row] += frame.motions

    def add_known(self, known: NDArray[np.intp], own: NDArray[np.intp], standing: Standing, fading: float) -> None:
        self.frames[known] += fading * standing.frames[own]
        self.areas[known] += fading * standing.areas[own]
        self.means[known] += fading * standing.means[own]
        self.colors[known] += fading * standing.colors[own]


def _common(nodes: NDArray[np.int32], others: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    _, one, other = np.intersect1d(nodes, others, assume_unique=True, return_indices=True)
    return one, other


def _edges(
    frames: Sequence[FrameGraph], rows: Sequence[NDArray[np.intp]], nodes: NDArray[np.int32], seen: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """(m, 2) int32 rows of `nodes`, and (m, 3) float64: sides that touch, contrast there, share of linked pixels."""
    count = len(nodes)
    pairs = [_pairs(row[frame.border_ends], count) for frame, row in zip(frames, rows, strict=True)]
    touching, where = np.unique(np.concatenate(pairs), return_inverse=True)
    sums = np.concatenate([frame.borders for frame in frames]).astype(np.float64)
    sides, contrasts = (np.bincount(where, sums[:, k], len(touching)) for k in (0, 1))
    # Links into the first frame come from one that is not in the window.
    sources, targets, pixels = [], [], []
    for frame, row in zip(frames[1:], rows[1:], strict=True):
        source, target = np.searchsorted(nodes, frame.link_ends[:, 0]), row[frame.link_ends[:, 1]]
        other = source != target
        sources.append(source[other])
        targets.append(target[other])
        pixels.append(frame.links[other])
    linked, shares = np.zeros(0, np.int64), np.zeros(0)
    if sources:
        source, target, found = np.concatenate(sources), np.concatenate(targets), np.concatenate(pixels)
        linked, where = np.unique(source * count + target, return_inverse=True)
        one, two = np.divmod(linked, count)
        carried = np.bincount(where, found, len(linked)) * STEP**2
        shares = np.minimum(1.0, carried / np.maximum(1.0, np.minimum(seen[one], seen[two])))
        linked = _pairs(np.stack([one, two], axis=1), count)[shares > FAINT]
        shares = shares[shares > FAINT]
    every = np.union1d(touching, linked)
    borders = np.zeros((len(every), 3))
    at = np.searchsorted(every, touching)
    borders[at, 0], borders[at, 1] = sides, contrasts / 16.0
    np.maximum.at(borders[:, 2], np.searchsorted(every, linked), shares)
    ends = np.stack(np.divmod(every, max(1, count)), axis=1).astype(np.int32)
    return np.ascontiguousarray(ends.reshape(-1, 2)), borders


def _pairs(ends: NDArray[Any], count: int) -> NDArray[np.int64]:
    pairs: NDArray[np.int64] = ends.min(axis=1).astype(np.int64) * count + ends.max(axis=1)
    return pairs


def _compact(before: NDArray[np.int32]) -> NDArray[np.int32]:
    """The regions of each level as numbers from 0 without gaps; -1 stays."""
    compact = np.full_like(before, -1)
    for own, new in zip(before, compact, strict=True):
        known = own >= 0
        new[known] = np.unique(own[known], return_inverse=True)[1]
    return compact


def _named(
    roots: NDArray[np.int32], before: NDArray[np.int32], present: NDArray[np.bool_], following: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Number of every node's region: the old one where it holds an old node, else the next, in order of first nodes."""
    names = np.full(len(roots), -1, np.int32)
    known = before >= 0
    names[roots[known]] = before[known]
    fresh = np.unique(roots[present])
    fresh = fresh[names[fresh] < 0]
    names[fresh] = np.arange(following[0], following[0] + len(fresh))
    following[0] += len(fresh)
    numbered: NDArray[np.int32] = names[roots]
    return numbered
