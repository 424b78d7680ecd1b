"""Non-local consensus: motion is visible here and there; cells that look alike in nearby frames share the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from cvseg.arrays import array_module, device_of, to_device, to_host
from cvseg.kernels.consensus.cell_descriptors import DESCRIPTOR_CHANNELS, cell_descriptors, gaussian_weights
from cvseg.kernels.consensus.cell_features import cell_features
from cvseg.kernels.consensus.consensus_step import consensus_step
from cvseg.kernels.consensus.consensus_weights import consensus_weights
from cvseg.kernels.consensus.nearest_cells import nearest_cells
from cvseg.kernels.superpixels.slic_clusters import slic_clusters
from cvseg.motion.vote_threshold import stable_threshold
from cvseg.options import Options, option

Payload = TypeVar("Payload")
# Factors of the scale of distances and of the restart: the first opinion is that of the options.
_OPINIONS = ((1.0, 1.0), (0.5, 0.5), (2.0, 1.0))
LAB_UNITS = 16  # of the colours that cells are made of, per unit of L*a*b*


@dataclass(frozen=True, kw_only=True)
class ConsensusOptions(Options):
    """How far the votes reach and how strongly they are tied to the motion."""

    cell: int = option(8, "mean side of a cell; larger is faster and coarser", low=2, high=64, unit=" px")
    compactness: float = option(
        15.0, "distance in L*a*b* that weighs as much as the side of a cell; larger gives rounder cells", low=0.0
    )
    cell_rounds: int = option(8, "rounds in which cells take their shape; more follow edges better", low=0)
    reach: int = option(15, "frames looked at before and after; larger bridges longer stops", low=1, high=120)
    step: int = option(1, "every how many frames a neighbour is asked; larger is faster", low=1, high=30)
    hop: int = option(20, "frames decided at once; larger is faster and delays more", low=1, high=60)
    rounds: int = option(40, "rounds of votes; larger carries evidence further", low=1)
    restart: float = option(
        0.1, "share of the motion seed in each round; larger trusts single frames", low=0.0, high=1.0
    )
    link_share: float = option(0.09, "share of touching cells against similar ones", low=0.0, high=1.0)
    usual_threshold: float = option(0.6, "level where none is found; larger gives smaller objects", low=0.0, high=1.0)
    opinions: int = option(
        1,
        "times the votes are taken, each time with other weights; more is slower and safer",
        low=1,
        high=len(_OPINIONS),
    )
    least_contrast: float = option(0.2, "vote contrast below which nothing is taken as moving", low=0.0, high=1.0)


@dataclass(frozen=True)
class Votes(Generic[Payload]):
    """Decision about one frame.

    Attributes
    ----------
    payload : what was given to `push` with the frame
    votes : (rows, columns) float32 in [0, 1], on the device of the frame: more than half is an object
    seeds : (rows, columns) float32 in [0, 1]: the frame's own seeds on the same scale, before any other frame voted
    cells : (H, W) int32, which cell each pixel belongs to, row * columns + column
    contrast : how far the votes stood apart in the window before they were stretched to [0, 1]; about 0.2 where only
        noise moves, 0.4 and more where objects do
    """

    payload: Payload
    votes: Any
    seeds: Any
    cells: Any
    contrast: float


class NonlocalConsensus(Generic[Payload]):
    """Spreads motion seeds over the cells of a sliding window of frames.

    Frames go in one by one with `push`; decisions come out, in order, at most ``reach + hop`` frames later; `finish`
    gives the rest. Memory is bounded by the window of ``2 reach + hop`` frames.

    References
    ----------
    [FaktorIrani2014]_ sections 3 and 4. Departures: cells are clusters [Achanta2012]_ that keep their places in a grid,
    so that every frame has the same number and each the same four neighbours; a restart towards the seed in every round
    instead of a fixed number of rounds without one, a sliding window instead of the whole clip, and the threshold of
    `stable_threshold`.
    """

    def __init__(self, options: ConsensusOptions | None = None) -> None:
        self.options = options or ConsensusOptions()
        self.offsets = [o for o in range(-self.options.reach, self.options.reach + 1) if o % self.options.step == 0]
        self.capacity = 2 * self.options.reach + self.options.hop
        self.reset()

    def reset(self) -> None:
        """Forget all frames, as after a shot cut; call `finish` first to get their decisions."""
        self._next = 0
        self._decided = 0
        self._payloads: dict[int, tuple[Payload, Any]] = {}
        self._ring: dict[str, Any] = {}

    def push(self, lab: Any, seeds: Any, payload: Payload) -> list[Votes[Payload]]:
        """Take in the next frame.

        Parameters
        ----------
        lab : (H, W, 3) float32, CIE Lab
        seeds : (H, W) float32 in [0, 1], what is known to move, on the same device
        payload : returned with the decision

        Returns
        -------
        list of Votes : the frames that can be decided now, usually none, then `hop` at once
        """
        options = self.options
        cells, rows, columns = self._cells(lab)
        features = cell_features(lab, seeds, cells, np.int32(rows), np.int32(columns))
        device = device_of(lab)
        near = to_device(gaussian_weights(5 / options.cell), device)
        far = to_device(gaussian_weights(14 / options.cell), device)
        descriptors, links = cell_descriptors(features, near, far)
        if not self._ring:
            self._allocate(features.shape[:2], array_module(lab))
        frame, place, ring = self._next, self._next % self.capacity, self._ring
        self._forget(frame - self.capacity)
        ring["descriptors"][place] = descriptors
        ring["links"][place] = links
        ring["seeds"][place] = features[..., 14].reshape(-1)
        ring["distances"][place] = np.inf
        self._connect(frame)
        self._payloads[frame] = payload, cells
        self._next += 1
        if self._next - self._decided >= options.reach + options.hop:
            return self._decide(self._decided + options.hop)
        return []

    def _cells(self, lab: Any) -> tuple[Any, int, int]:
        """Cells that follow the edges of the picture, on a grid of rows and columns."""
        options, module = self.options, array_module(lab)
        height, width = (int(side) for side in lab.shape[:2])
        rows, columns = -(-height // options.cell), -(-width // options.cell)
        levels = module.zeros((height, width, 4), np.int16)
        levels[..., :3] = module.rint(lab * np.float32(LAB_UNITS))
        side2 = height * width / (rows * columns)
        position = np.float32((options.compactness * LAB_UNITS) ** 2 / side2)
        cells = slic_clusters(levels, np.int32(rows), np.int32(columns), np.int32(options.cell_rounds), position)
        return cells, rows, columns

    def finish(self) -> list[Votes[Payload]]:
        """Decide every frame that is still open."""
        return self._decide(self._next) if self._next > self._decided else []

    def _allocate(self, cells_yx: tuple[int, int], module: Any) -> None:
        cells, frames, slots = cells_yx[0] * cells_yx[1], self.capacity, len(self.offsets)
        self.cells_yx = (int(cells_yx[0]), int(cells_yx[1]))
        self._ring = {
            "descriptors": module.zeros((frames, DESCRIPTOR_CHANNELS, cells), np.float32),
            "links": module.zeros((frames, 4, cells), np.float32),
            "seeds": module.zeros((frames, cells), np.float32),
            "edges": module.zeros((frames, slots, cells, 2), np.int32),
            "distances": module.full((frames, slots, cells, 2), np.inf, np.float32),
            "scales": module.zeros(frames, np.float32),
        }

    def _forget(self, gone: int) -> None:
        """Remove the edges that lead to a frame whose place is taken by a new one."""
        if gone < 0:
            return
        for slot, offset in enumerate(self.offsets):
            if offset < 0 and gone - offset < self._next:
                self._ring["distances"][(gone - offset) % self.capacity, slot] = np.inf

    def _connect(self, frame: int) -> None:
        """Edges from the new frame to the earlier ones and back."""
        pairs, targets = [], []
        for slot, offset in enumerate(self.offsets):
            other = frame + offset
            if offset > 0 or other < 0:
                continue
            pairs.append((frame, other))
            targets.append((frame, slot, other))
            if offset < 0:
                pairs.append((other, frame))
                targets.append((other, self.offsets.index(-offset), frame))
        places = np.array([(a % self.capacity, b % self.capacity) for a, b in pairs], np.int32)
        ring, cells = self._ring, self._ring["seeds"].shape[1]
        nearest, distances = nearest_cells(ring["descriptors"], to_device(places, device_of(ring["descriptors"])))
        for row, (source, slot, target) in enumerate(targets):
            ring["edges"][source % self.capacity, slot] = nearest[row] + np.int32(target % self.capacity * cells)
            ring["distances"][source % self.capacity, slot] = distances[row]
        # The median of the nearest distances; infinite ones (a frame of one cell) must not set the scale.
        module = array_module(distances)
        ring["scales"][frame % self.capacity] = module.median(module.minimum(distances[..., 0], np.float32(1e6)))

    def _decide(self, end: int) -> list[Votes[Payload]]:
        options, ring = self.options, self._ring
        known = min(self._next, self.capacity)
        places = [frame % self.capacity for frame in range(self._next - known, self._next)]
        module = array_module(ring["seeds"])
        where = module.asarray(np.array(places))
        scale = module.maximum(module.median(ring["scales"][where]), np.float32(1e-6)).reshape(1).astype(np.float32)
        opinions = [
            self._opinion(where, scale * np.float32(a), options.restart * b) for a, b in _OPINIONS[: options.opinions]
        ]
        shared, seeds = (
            sum(maps[1:], maps[0]) / np.float32(len(opinions)) for maps in zip(*(o[:2] for o in opinions), strict=True)
        )
        contrast = float(np.mean([contrast for *_, contrast in opinions]))
        decided = []
        for frame in range(self._decided, end):
            payload, cells = self._payloads.pop(frame)
            own, seed = (maps[frame % self.capacity].reshape(self.cells_yx) for maps in (shared, seeds))
            decided.append(Votes(payload, own, seed, cells, contrast))
        self._decided = end
        return decided

    def _opinion(self, where: Any, scale: Any, restart: float) -> tuple[Any, Any, float]:
        """Which cells of the ring belong to an object, softly, their seeds alike, and how far the votes stood apart."""
        options, ring = self.options, self._ring
        module = array_module(ring["seeds"])
        weights = consensus_weights(ring["distances"], scale)
        votes = ring["seeds"]
        for _ in range(options.rounds):
            votes = consensus_step(
                votes,
                ring["seeds"],
                ring["edges"],
                weights,
                ring["links"],
                np.int32(self.cells_yx[1]),
                np.float32(options.link_share),
                np.float32(restart),
            )
        window = votes[where]
        low, high = (float(level) for level in to_host(module.percentile(window, module.asarray([50.0, 99.0]))))
        contrast = max(high - low, options.least_contrast)
        votes, seeds = (module.clip((v - np.float32(low)) / np.float32(contrast), 0, 1) for v in (votes, ring["seeds"]))
        threshold = stable_threshold(to_host(votes[where]), options.usual_threshold)
        shift = np.float32(0.5) - np.float32(threshold)
        votes, seeds = (module.clip(v + shift, 0, 1).astype(np.float32) for v in (votes, seeds))
        return votes, seeds, high - low
