"""Non-local consensus: motion is visible here and there; cells that look alike in nearby frames share the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device, to_host
from cvseg.motion.cell_motion import RESIDUAL_STEPS, CellMotion
from cvseg.motion.cell_ring import CellRing
from cvseg.motion.displaced_difference import DisplacedDifference
from cvseg.motion.motion_seeds import MotionSeeds
from cvseg.motion.object_cells import ObjectCells, ObjectOptions, object_cells
from cvseg.motion.rest_memory import remembered, trusted_links
from cvseg.motion.screen_fixed import ScreenFixed
from cvseg.options import Options, option

Payload = TypeVar("Payload")
# Frames later at which it is asked again what is fixed on the screen: it takes some frames to be sure.
_ASKED_LATER = (0, 12, 24)
_STRETCHES = 4  # times that votes are stretched, each time to the level of the objects found
_OWN_LEVEL = 70.0  # percentile of the votes of objects that is full
# Factors of the scale of distances and of the restart: the first opinion is that of the options.
_OPINIONS = ((1.0, 1.0), (0.5, 0.5), (2.0, 1.0))


@dataclass(frozen=True, kw_only=True)
class ConsensusOptions(Options):
    """How far the votes reach and how strongly they are tied to the motion."""

    cell: int = option(
        8,
        "mean side of a cell where the picture has 240 rows; larger is faster and coarser",
        low=2,
        high=64,
        unit=" px",
    )
    compactness: float = option(
        15.0, "distance in L*a*b* that weighs as much as the side of a cell; larger gives rounder cells", low=0.0
    )
    cell_rounds: int = option(8, "rounds in which cells take their shape; more follow edges better", low=0)
    reach: int = option(15, "frames looked at before and after; larger bridges longer stops", low=1, high=120)
    step: int = option(1, "every how many frames a neighbour is asked; larger is faster", low=1, high=30)
    hop: int = option(40, "frames decided at once; larger is faster and delays more", low=1, high=60)
    rounds: int = option(40, "rounds of votes; larger carries evidence further", low=1)
    restart: float = option(
        0.1, "share of the motion seed in each round; larger trusts single frames", low=0.0, high=1.0
    )
    memory_frames: float = option(
        50.0, "frames in which what moved and rests is forgotten to 37 %; larger bridges longer stops", low=1.0
    )
    link_share: float = option(0.09, "share of touching cells against similar ones", low=0.0, high=1.0)
    opinions: int = option(
        1,
        "times the votes are taken, each time with other weights; more is slower and safer",
        low=1,
        high=len(_OPINIONS),
    )
    least_contrast: float = option(0.2, "vote contrast below which nothing is taken as moving", low=0.0, high=1.0)
    objects: ObjectOptions = field(default_factory=ObjectOptions)


@dataclass(frozen=True)
class Stretch:
    """How votes of a window become numbers from 0 to 1.

    Attributes
    ----------
    low : what becomes 0
    contrast : what is added to it for 1
    seen : the contrast that was found; `contrast` has a least one
    """

    low: float
    contrast: float
    seen: float

    @classmethod
    def of_window(cls, votes: Any, least_contrast: float) -> Stretch:
        """From the median to the 99th percentile. Reads two numbers back, which synchronises."""
        module = array_module(votes)
        low, high = (float(level) for level in to_host(module.percentile(votes, module.asarray([50.0, 99.0]))))
        return cls(low, max(high - low, least_contrast), high - low)

    def up_to(self, high: float, least_contrast: float) -> Stretch:
        """From the same level to another."""
        return Stretch(self.low, max(high - self.low, least_contrast), high - self.low)

    def applied(self, votes: Any) -> NDArray[np.float32]:
        """In [0, 1], on the host."""
        stretched = (to_host(votes) - np.float32(self.low)) / np.float32(self.contrast)
        return np.clip(stretched, 0, 1).astype(np.float32)


def without_share(seeds: Any, share: Any, cells: Any) -> Any:
    """Seeds of cells, (cells) float32, less the mean of `share`, (H, W) float32 in [0, 1], over the pixels of each."""
    module, count, flat = array_module(seeds), len(seeds), cells.reshape(-1)
    area = module.maximum(module.bincount(flat, minlength=count), 1)
    steps = module.rint(share.reshape(-1) * np.float32(RESIDUAL_STEPS))
    held = module.bincount(flat, weights=steps, minlength=count) / (area * RESIDUAL_STEPS)
    return seeds * (1 - held).astype(np.float32)


def around_levels(
    votes: NDArray[np.float32], seeds: NDArray[np.float32], found: ObjectCells
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Votes and seeds in [0, 1] with the objects above 0.5, from stretched ones; all of the shape of `found`."""
    # Half is certain, half follows the votes: the cut may move an outline, but not an object.
    half = np.float32(0.5)
    side = found.inside.astype(np.float32)
    near = np.clip(votes - found.level, -half, half)
    near = half + np.where(found.inside, np.maximum(near, 0), np.minimum(near, 0))
    seeds = half + np.clip(seeds - found.level, -half, half)
    return half * (side + near), seeds.astype(np.float32)


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
    instead of a fixed number of rounds without one, a sliding window instead of the whole clip, and the levels of
    `object_cells`.
    """

    def __init__(self, options: ConsensusOptions | None = None) -> None:
        self.options = options or ConsensusOptions()
        self.ring = CellRing(self.options, 2 * self.options.reach + self.options.hop)
        self.motion = CellMotion(self.ring.capacity)
        self.reset()

    def reset(self) -> None:
        """Forget all frames, as after a shot cut; call `finish` first to get their decisions."""
        self.ring.reset()
        self.motion.reset()
        self._decided = 0
        self._payloads: dict[int, tuple[Payload, Any]] = {}
        self._fixed: dict[int, ScreenFixed] = {}
        self._own_seeds: dict[int, Any] = {}  # of frames from which something was taken
        self._left: dict[int, Any] = {}  # share of the seeds of each cell that was not, of the frames in the window
        self._past: tuple[int, Any] | None = None  # number of the first frame of the last window, and its memory

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
        """Take in the next frame.

        Parameters
        ----------
        lab : (H, W, 3) float32, CIE Lab
        seeds : of the same frame, on the same device
        arrival_xy, backward_xy : (H, W, 2) float32, pixels, from the previous frame to this one and back; not used for
            the first frame, and may be None there
        payload : returned with the decision
        fixed : what is fixed on the screen and no object: its seeds do not count, in the frames before neither
        unexplained : how well the flow to the previous frame explains this one; None: not known

        Returns
        -------
        list of Votes : the frames that can be decided now, usually none, then `hop` at once
        """
        options, frame = self.options, self.ring.count
        cells = self.ring.push(lab, seeds.seed)
        self.motion.push(cells, self.ring.cells_yx, seeds.residual, arrival_xy, backward_xy, unexplained)
        self._payloads[frame] = payload, cells
        if fixed is not None:
            self._fixed[frame] = fixed
        if self.ring.count - self._decided >= options.reach + options.hop:
            return self._decide(self._decided + options.hop)
        return []

    def finish(self) -> list[Votes[Payload]]:
        """Decide every frame that is still open."""
        return self._decide(self.ring.count) if self.ring.count > self._decided else []

    def _decide(self, end: int) -> list[Votes[Payload]]:
        options, scale = self.options, self.ring.scale()
        self._take_fixed()
        seeds, residuals = self._lasting()
        opinions = [
            self._opinion(seeds, residuals, scale * np.float32(a), options.restart * b)
            for a, b in _OPINIONS[: options.opinions]
        ]
        shared, seeds = (
            sum(maps[1:], maps[0]) / np.float32(len(opinions)) for maps in zip(*(o[:2] for o in opinions), strict=True)
        )
        contrast = float(np.mean([contrast for *_, contrast in opinions]))
        first = self.ring.count - len(shared)
        device, decided = device_of(self.ring.arrays["seeds"]), []
        for frame in range(self._decided, end):
            payload, cells = self._payloads.pop(frame)
            own, seed = (to_device(maps[frame - first], device) for maps in (shared, seeds))
            decided.append(Votes(payload, own, seed, cells, contrast))
        self._decided = end
        for kept in (self._fixed, self._own_seeds):
            for frame in [frame for frame in kept if frame < end]:
                del kept[frame]
        return decided

    def _take_fixed(self) -> None:
        """Take the seeds away from what is fixed on the screen, in all frames that are not decided yet."""
        if not self._fixed:
            return
        seeds, last = self.ring.arrays["seeds"], self.ring.count - 1
        module = array_module(seeds)
        for frame in range(self._decided, self.ring.count):
            asked = {min(frame + later, last) for later in _ASKED_LATER}
            found = [
                module.where(fixed.frames >= np.float32(later - frame), fixed.share, np.float32(0))
                for later in sorted(asked)
                if (fixed := self._fixed.get(later)) is not None
            ]
            if not found:
                continue
            share = module.stack(found).max(axis=0)
            place = frame % self.ring.capacity
            own = self._own_seeds.setdefault(frame, seeds[place].copy())
            seeds[place] = without_share(own, share, self._payloads[frame][1])
            self._left[frame] = to_host(seeds[place] / module.maximum(own, np.float32(1e-6)))

    def _lasting(self) -> tuple[Any, NDArray[np.float32]]:
        """Seeds, as `CellRing.vote` takes them, and residuals (frames, rows, columns) that last while a cell rests."""
        arrays, where = self.ring.arrays, self.ring.where
        window = self.motion.window()
        residuals, links = window.residuals, window.links
        moved = residuals.reshape(len(residuals), -1)
        before, after = trusted_links(links, to_host(self.ring.colors), self.ring.cells_yx[1])
        first, start = self.ring.count - len(moved), None
        if self._past is not None and first > 0:
            start = self._past[1][first - self._past[0]]
        shown = np.stack([to_host(arrays["seeds"][where]), moved], axis=1)
        lasting, past = remembered(shown, moved, before, after, self.options.memory_frames, start)
        self._past = first, past
        for frame in [frame for frame in self._left if frame < first]:
            del self._left[frame]
        for frame, left in self._left.items():  # what is fixed on the screen does not rest
            lasting[frame - first, 0] *= left
        seeds = array_module(arrays["seeds"]).zeros_like(arrays["seeds"])
        seeds[where] = to_device(np.ascontiguousarray(lasting[:, 0]), device_of(seeds))
        return seeds, lasting[:, 1].reshape(residuals.shape)

    def _opinion(
        self, lasting: Any, residuals: NDArray[np.float32], scale: Any, restart: float
    ) -> tuple[Any, Any, float]:
        """Which cells of the window belong to an object, their own seeds alike, and how far the votes stood apart.

        Both (frames, rows, columns) float32 on the host, oldest frame first.
        """
        ring, where, options = self.ring, self.ring.where, self.options
        window = ring.vote(lasting, where, scale, restart, options.rounds, seeds=lasting)[where]
        stretch = Stretch.of_window(window, options.least_contrast)
        window, shown = (
            to_host(values).reshape(-1, *ring.cells_yx) for values in (window, ring.arrays["seeds"][where])
        )
        cells = replace(self.motion.window(), residuals=residuals)
        for _ in range(_STRETCHES):
            votes = stretch.applied(window)
            found = object_cells(votes, cells, height=stretch.contrast, options=options.objects)
            # Where objects fill less than 1 % of the picture, that level lies in their fringes: their own counts.
            own = float(np.percentile(window[found.inside], _OWN_LEVEL)) if found.inside.any() else 0.0
            if own <= stretch.low + stretch.seen:
                break
            stretch = stretch.up_to(own, options.least_contrast)
        return *around_levels(votes, stretch.applied(shown), found), stretch.seen
