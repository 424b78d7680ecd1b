"""The last frames as cells, and edges between cells of different frames that look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cvseg.arrays import array_module, device_of, to_device
from cvseg.kernels.consensus.cell_descriptors import DESCRIPTOR_CHANNELS, cell_descriptors, gaussian_weights
from cvseg.kernels.consensus.cell_features import cell_features
from cvseg.kernels.consensus.consensus_step import consensus_step
from cvseg.kernels.consensus.consensus_weights import consensus_weights
from cvseg.kernels.consensus.nearest_cells import nearest_cells
from cvseg.kernels.superpixels.slic_clusters import slic_clusters

if TYPE_CHECKING:
    from cvseg.motion.nonlocal_consensus_2014 import ConsensusOptions

USUAL_HEIGHT = 240  # rows; in larger pictures cells grow, so that there are not more of them
COLOR_UNIT = 0.04  # of the colours in a descriptor, per unit of L*a*b*
LAB_UNITS = 16  # of the colours that cells are made of, per unit of L*a*b*


class CellRing:
    """Keeps the last `capacity` frames; the place of a frame in all arrays is its number modulo `capacity`.

    Parameters
    ----------
    options : ConsensusOptions; of these the size of cells, and how far edges reach
    capacity : frames kept

    Attributes
    ----------
    count : frames taken in so far; the next one's number
    cells_yx : rows and columns of cells, once there is a frame
    offsets : frames between the two ends of the edges in each slot, from the past to the future
    arrays : descriptors (capacity, channels, cells), links to touching cells (capacity, 4, cells), seeds (capacity,
        cells), edges and distances (capacity, slots, cells, 2), of two edges to each frame, and scales (capacity), the
        median distance of each frame's edges. An edge that does not exist has an infinite distance.
    """

    def __init__(self, options: ConsensusOptions, capacity: int) -> None:
        self.options, self.capacity = options, capacity
        self.offsets = [o for o in range(-options.reach, options.reach + 1) if o % options.step == 0]
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self.count = 0
        self.arrays: dict[str, Any] = {}

    def push(self, lab: Any, seeds: Any) -> Any:
        """Take in the next frame; returns which cell each pixel belongs to, (H, W) int32, row * columns + column.

        Parameters
        ----------
        lab : (H, W, 3) float32, CIE Lab
        seeds : (H, W) float32 in [0, 1], what is known to move, on the same device
        """
        options = self.options
        cells, rows, columns = self._cells(lab)
        features = cell_features(lab, seeds, cells, np.int32(rows), np.int32(columns))
        device = device_of(lab)
        near = to_device(gaussian_weights(5 / options.cell), device)
        far = to_device(gaussian_weights(14 / options.cell), device)
        descriptors, links = cell_descriptors(features, near, far)
        if not self.arrays:
            self._allocate(rows, columns, array_module(lab))
        frame, place, arrays = self.count, self.count % self.capacity, self.arrays
        self._forget(frame - self.capacity)
        arrays["descriptors"][place] = descriptors
        arrays["links"][place] = links
        arrays["seeds"][place] = features[..., 14].reshape(-1)
        arrays["distances"][place] = np.inf
        self._connect(frame)
        self.count += 1
        return cells

    @property
    def where(self) -> Any:
        """Places of the frames that are kept, oldest first, on their device."""
        known = min(self.count, self.capacity)
        places = [frame % self.capacity for frame in range(self.count - known, self.count)]
        return array_module(self.arrays["seeds"]).asarray(np.array(places, np.int32))

    def scale(self) -> Any:
        """The usual distance of an edge: (1) float32 on the device of the frames."""
        module = array_module(self.arrays["scales"])
        usual = module.median(self.arrays["scales"][self.where])
        return module.maximum(usual, np.float32(1e-6)).reshape(1).astype(np.float32)

    @property
    def colors(self) -> Any:
        """Mean colours of the cells, oldest frame first, (frames, 3, cells) float32: L*a*b*, with L from -50 to 50."""
        return self.arrays["descriptors"][self.where, :3] * np.float32(1 / COLOR_UNIT)

    def vote(self, votes: Any, places: Any, scale: Any, restart: float, rounds: int, *, seeds: Any = None) -> Any:
        """Rounds in which cells take the mean of those they lead to, and a share of their seeds.

        Parameters
        ----------
        votes : (capacity, cells) float32, to begin with
        places : (n) int32, the frames that take part; all others keep their votes
        scale : (1) float32, the distance over which the weight of an edge falls to 37 %
        restart : share of the seed
        rounds : at least 1
        seeds : (capacity, cells) float32; None: those that frames came with

        Returns
        -------
        votes : a new array
        """
        arrays, options = self.arrays, self.options
        weights = consensus_weights(arrays["distances"], places, scale)
        votes = votes.copy()
        for _ in range(rounds):
            votes[places] = consensus_step(
                votes,
                arrays["seeds"] if seeds is None else seeds,
                arrays["edges"],
                weights,
                arrays["links"],
                places,
                np.int32(self.cells_yx[1]),
                np.float32(options.link_share),
                np.float32(restart),
            )
        return votes

    def _cells(self, lab: Any) -> tuple[Any, int, int]:
        """Cells that follow the edges of the picture, on a grid of rows and columns."""
        options, module = self.options, array_module(lab)
        height, width = (int(side) for side in lab.shape[:2])
        side = max(options.cell, round(options.cell * height / USUAL_HEIGHT))
        rows, columns = -(-height // side), -(-width // side)
        levels = module.zeros((height, width, 4), np.int16)
        levels[..., :3] = module.rint(lab * np.float32(LAB_UNITS))
        side2 = height * width / (rows * columns)
        position = np.float32((options.compactness * LAB_UNITS) ** 2 / side2)
        cells = slic_clusters(levels, np.int32(rows), np.int32(columns), np.int32(options.cell_rounds), position)
        return cells, rows, columns

    def _allocate(self, rows: int, columns: int, module: Any) -> None:
        cells, frames, slots = rows * columns, self.capacity, len(self.offsets)
        self.cells_yx = rows, columns
        self.arrays = {
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
            if offset < 0 and gone - offset < self.count:
                self.arrays["distances"][(gone - offset) % self.capacity, slot] = np.inf

    def _connect(self, frame: int) -> None:
        """Edges from the new frame to the earlier ones and back."""
        pairs, targets = [], []
        oldest = max(0, frame - self.capacity + 1)
        for slot, offset in enumerate(self.offsets):
            other = frame + offset
            if offset > 0 or other < oldest:
                continue
            pairs.append((frame, other))
            targets.append((frame, slot, other))
            if offset < 0:
                pairs.append((other, frame))
                targets.append((other, self.offsets.index(-offset), frame))
        places = np.array([(a % self.capacity, b % self.capacity) for a, b in pairs], np.int32)
        arrays, cells = self.arrays, self.arrays["seeds"].shape[1]
        nearest, distances = nearest_cells(arrays["descriptors"], to_device(places, device_of(arrays["descriptors"])))
        for row, (source, slot, target) in enumerate(targets):
            arrays["edges"][source % self.capacity, slot] = nearest[row] + np.int32(target % self.capacity * cells)
            arrays["distances"][source % self.capacity, slot] = distances[row]
        # The median of the nearest distances; infinite ones (a frame of one cell) must not set the scale.
        module = array_module(distances)
        arrays["scales"][frame % self.capacity] = module.median(module.minimum(distances[..., 0], np.float32(1e6)))
