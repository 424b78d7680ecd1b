"""Non-local consensus with past frames only: each frame is decided at once, and the votes of the past go on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Generic, TypeVar

import numpy as np

from cvseg.arrays import array_module, device_of, to_device, to_host
from cvseg.motion.cell_motion import CellMotion
from cvseg.motion.cell_ring import CellRing
from cvseg.motion.displaced_difference import DisplacedDifference
from cvseg.motion.motion_seeds import MotionSeeds
from cvseg.motion.nonlocal_consensus_2014 import ConsensusOptions, Stretch, Votes, around_levels, without_share
from cvseg.motion.object_cells import ObjectCells, object_cells
from cvseg.motion.rest_memory import remembered, trusted_links
from cvseg.motion.screen_fixed import ScreenFixed

Payload = TypeVar("Payload")
FIRST_ROUNDS = 4  # of a new frame by itself: it hears the others before they hear it
KEPT = 0.75  # of its level, below which an object's cell is lost before objects are looked for again


class CausalConsensus(Generic[Payload]):
    """Spreads motion seeds over the cells of the last ``2 reach + 1`` frames, and decides the newest of them.

    As `NonlocalConsensus`, but the votes are not begun anew: each frame brings the past `rounds` further. Objects and
    their levels are looked for every `hop` frames; in between each cell keeps the level of the cell it comes from, and
    what was inside stays so more easily.

    Parameters
    ----------
    options : ConsensusOptions; None takes the defaults. `opinions` is not used
    """

    def __init__(self, options: ConsensusOptions | None = None) -> None:
        self.options = options or ConsensusOptions()
        self.ring = CellRing(self.options, 2 * self.options.reach + 1)
        self.motion = CellMotion(self.ring.capacity)
        self.reset()

    def reset(self) -> None:
        """Forget all frames, as after a shot cut."""
        self.ring.reset()
        self.motion.reset()
        self._votes: Any = None
        self._stretch: Stretch | None = None
        self._last: ObjectCells | None = None

    def push(
        self,
        lab: Any,
        seeds: MotionSeeds,
        arrival_xy: Any,
        backward_xy: Any,
        payload: Payload,
        fixed: ScreenFixed | None = None,
        unexplained: DisplacedDifference | None = None,
    ) -> list[Votes[Payload]]:
        """Take in the next frame; the arguments are those of `NonlocalConsensus.push`.

        Returns
        -------
        list of Votes : of this frame
        """
        ring, frame = self.ring, self.ring.count
        cells = ring.push(lab, seeds.seed)
        self.motion.push(cells, ring.cells_yx, seeds.residual, arrival_xy, backward_xy, unexplained)
        place = frame % ring.capacity
        if fixed is not None:
            own = ring.arrays["seeds"]
            own[place] = without_share(own[place], fixed.share, cells)
        self._vote(place)
        if frame <= self.options.hop or frame % self.options.hop == 0:
            found = self._found()
        else:
            found = self._kept(place)
        assert self._stretch is not None
        self._last = found
        votes, seed = (
            self._stretch.applied(values[place]).reshape(ring.cells_yx)
            for values in (self._votes, ring.arrays["seeds"])
        )
        own, seed = (to_device(values, device_of(lab)) for values in around_levels(votes, seed, found))
        return [Votes(payload, own, seed, cells, self._stretch.seen)]

    def finish(self) -> list[Votes[Payload]]:
        """Nothing: no frame is open."""
        return []

    def _vote(self, place: int) -> None:
        ring, options = self.ring, self.options
        seeds = ring.arrays["seeds"]
        if self._votes is None:
            self._votes = array_module(seeds).zeros_like(seeds)
        self._votes[place] = seeds[place]
        scale, newest = ring.scale(), ring.where[-1:]
        self._votes = ring.vote(self._votes, newest, scale, options.restart, FIRST_ROUNDS)
        self._votes = ring.vote(self._votes, ring.where, scale, options.restart, options.rounds)

    def _found(self) -> ObjectCells:
        """Objects of the window, as they are in the newest frame."""
        ring = self.ring
        window = self._votes[ring.where]
        self._stretch = Stretch.of_window(window, self.options.least_contrast)
        votes = self._stretch.applied(window).reshape(-1, *ring.cells_yx)
        cells = self.motion.window()
        moved = cells.residuals.reshape(len(cells.residuals), -1)
        before, after = trusted_links(cells.links, to_host(ring.colors), ring.cells_yx[1])
        _, past = remembered(moved[:, None], moved, before, after, self.options.memory_frames)
        cells = replace(cells, residuals=np.maximum(cells.residuals, past.reshape(cells.residuals.shape)))
        height, options = self._stretch.contrast, self.options.objects
        found = object_cells(votes, cells, height=height, options=options)
        return ObjectCells(found.inside[-1], found.level[-1])

    def _kept(self, place: int) -> ObjectCells:
        """What lies above the level of the cells that the newest frame's cells come from."""
        assert self._stretch is not None and self._last is not None
        before, cells_yx = self.motion.before, self.ring.cells_yx
        level = self._last.level.reshape(-1)[before].reshape(cells_yx)
        inside = self._last.inside.reshape(-1)[before].reshape(cells_yx)
        votes = self._stretch.applied(self._votes[place]).reshape(cells_yx)
        return ObjectCells(votes > np.where(inside, np.float32(KEPT) * level, level), level)
