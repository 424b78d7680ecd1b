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
from cvseg.motion.motion_saliency import MotionSaliency
from cvseg.motion.vote_threshold import choose_threshold
from cvseg.options import Options, option

Payload = TypeVar("Payload")
LEAST_FULL = 3.0  # residual, in units of noise: less is noise even where nothing moves more


@dataclass(frozen=True, kw_only=True)
class ConsensusOptions(Options):
    """How far the votes reach and how strongly they are tied to the motion."""

    cell: int = option(8, "side of a cell; larger is faster and coarser", low=2, high=64, unit=" px")
    reach: int = option(15, "frames looked at before and after; larger bridges longer stops", low=1, high=120)
    step: int = option(3, "every how many frames a neighbour is asked; larger is faster", low=1, high=30)
    hop: int = option(5, "frames decided at once; larger is faster and delays more", low=1, high=60)
    rounds: int = option(40, "rounds of votes; larger carries evidence further", low=1)
    restart: float = option(
        0.1, "share of the motion seed in each round; larger trusts single frames", low=0.0, high=1.0
    )
    link_share: float = option(0.09, "share of touching cells against similar ones", low=0.0, high=1.0)
    usual_threshold: float = option(0.6, "level that suits most clips; larger gives smaller objects", low=0.0, high=1.0)
    threshold_trust: float = option(
        0.5, "weight of the level found in the clip against the usual one", low=0.0, high=1.0
    )
    most_full: float = option(
        14.0, "residual, in units of noise, that always counts as fully moving; larger favours the fastest", low=3.0
    )
    least_contrast: float = option(0.2, "vote contrast below which nothing is taken as moving", low=0.0, high=1.0)


@dataclass(frozen=True)
class Votes(Generic[Payload]):
    """Decision about one frame.

    Attributes
    ----------
    payload : what was given to `push` with the frame
    votes : (cells_y, cells_x) float32 in [0, 1], on the device of the frame
    threshold : level of `votes` above which a cell belongs to an object
    contrast : how far the votes stood apart in the window before they were stretched to [0, 1]; about 0.2 where only
        noise moves, 0.4 and more where objects do
    """

    payload: Payload
    votes: Any
    threshold: float
    contrast: float


class NonlocalConsensus(Generic[Payload]):
    """Spreads motion seeds over the cells of a sliding window of frames.

    Frames go in one by one with `push`; decisions come out, in order, at most ``reach + hop`` frames later; `finish`
    gives the rest. Memory is bounded by the window of ``2 reach + hop`` frames.

    References
    ----------
    [FaktorIrani2014]_ sections 3 and 4. Departures: square cells instead of superpixels (measured equal in accuracy,
    and without a segmentation step), a restart towards the seed in every round instead of a fixed number of rounds
    without one, neighbours in every third frame, a sliding window instead of the whole clip, and the threshold of
    `choose_threshold`.
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
        self._payloads: dict[int, Payload] = {}
        self._ring: dict[str, Any] = {}

    def push(self, lab: Any, saliency: MotionSaliency, payload: Payload) -> list[Votes[Payload]]:
        """Take in the next frame.

        Parameters
        ----------
        lab : (H, W, 3) float32, CIE Lab
        saliency : its motion saliency, on the same device
        payload : returned with the decision

        Returns
        -------
        list of Votes : the frames that can be decided now, usually none, then `hop` at once
        """
        options = self.options
        full = min(max(saliency.full, LEAST_FULL), options.most_full)
        features = cell_features(lab, saliency.saliency, np.int32(options.cell), np.float32(full))
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
        self._payloads[frame] = payload
        self._next += 1
        if self._next - self._decided >= options.reach + options.hop:
            return self._decide(self._decided + options.hop)
        return []

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
                np.float32(options.restart),
            )
        window = votes[where]
        low, high = (float(level) for level in to_host(module.percentile(window, module.asarray([50.0, 99.0]))))
        contrast = max(high - low, options.least_contrast)
        votes = module.clip((votes - np.float32(low)) / np.float32(contrast), 0, 1)
        threshold = choose_threshold(
            to_host(votes).reshape(self.capacity, *self.cells_yx),
            to_host(ring["edges"]),
            to_host(weights),
            options.usual_threshold,
            options.threshold_trust,
        )
        decided = [
            Votes(self._payloads.pop(frame), votes[frame % self.capacity].reshape(self.cells_yx), threshold, high - low)
            for frame in range(self._decided, end)
        ]
        self._decided = end
        return decided
