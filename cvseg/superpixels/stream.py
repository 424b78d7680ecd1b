"""Superpixels of a video that keep their numbers: carried along the flow, divided, born and retired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, choose_device, device_of, to_device, to_host
from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import OptionError, ShapeError
from cvseg.options import Options, option
from cvseg.superpixels.block_moves_2015 import (
    BlockMovesOptions,
    block_levels,
    grid_labels,
    grid_size,
    lab_pictures,
    moved,
)
from cvseg.superpixels.parts import AREA, LABEL, join_parts
from cvseg.superpixels.picture import check_count, superpixel_picture

FLOW_STEP = 3  # every third block of the flow is looked at, in both directions
BLOCK_AREA = 200  # pixels of a superpixel from which it is carried as blocks of 2x2: four times faster


@dataclass(frozen=True, kw_only=True)
class SuperpixelStreamOptions(Options):
    """How superpixels go on from frame to frame.

    Attributes
    ----------
    first : of the first frame, and the weights of all
    block_sweeps, pixel_sweeps, smallest, largest, slack : see their `option`
    """

    first: BlockMovesOptions = field(default_factory=BlockMovesOptions)
    block_sweeps: int = option(1, "rounds over blocks of 2x2 in a later frame; more follow large errors of flow", low=0)
    pixel_sweeps: int = option(2, "rounds over pixels in a later frame; more follow fine edges better", low=0)
    smallest: float = option(
        0.12, "below this share of the average area a superpixel is retired; larger keeps sizes alike", low=0, high=1
    )
    largest: float = option(6.0, "above this many average areas it is divided; smaller keeps sizes alike", low=1.5)
    slack: float = option(
        0.1, "share by which the number may leave the wish before superpixels are divided or retired", low=0, high=1
    )


class SuperpixelStream:
    """Superpixels of one frame after the other, with numbers that go on.

    Parameters
    ----------
    count : wished number of superpixels in each frame
    compactness : instead of that of the options
    options : SuperpixelStreamOptions
    device : where to compute: "auto" is where the first frame lives

    Attributes
    ----------
    frames : number of frames seen
    born, retired : (n,) int32, numbers that began with the last frame, or were last seen in the one before

    Raises
    ------
    OptionError

    Notes
    -----
    A later frame begins with the superpixels of the one before, each moved as a whole by its mean flow, on blocks of
    2x2 unless they are small. What is left of a whole move is added to the next one. Where two meet, the nearer colour
    stays; of a superpixel that is cut, the largest part keeps the number. Uncovered ground is filled with cells of a
    grid: large ones are new superpixels, small ones join a neighbour. Then blocks and pixels move as in
    `block_moves_2015`.

    A number is never given twice. After a cut, call `reset`: superpixels know nothing of one.

    References
    ----------
    [Yao2015]_; [Chang2013]_ for superpixels that go on, of which this is a simple form: flow instead of a Gaussian
    process, no hypotheses

    Examples
    --------
    >>> image = np.zeros((24, 40, 3), np.uint8)
    >>> image[8:16, 8:16] = 255
    >>> stream = SuperpixelStream(count=15)
    >>> first = stream.update(image)
    >>> flow_xy = np.zeros((24, 40, 2), np.float32)
    >>> flow_xy[8:16, 8:16, 0] = 4
    >>> later = stream.update(np.roll(image, 4, axis=1), flow_xy)
    >>> bool(first[12, 12] == later[12, 16])
    True
    """

    def __init__(
        self,
        *,
        count: int = 600,
        compactness: float | None = None,
        options: SuperpixelStreamOptions | None = None,
        device: str = "auto",
    ) -> None:
        self.count = count
        self.options = SuperpixelStreamOptions() if options is None else options
        if not isinstance(self.options, SuperpixelStreamOptions):
            raise OptionError(
                f"SuperpixelStream: options are {type(options).__name__}; expected SuperpixelStreamOptions."
            )
        if compactness is not None and not 0 <= compactness < float("inf"):
            raise OptionError(f"SuperpixelStream: compactness is {compactness}; expected a number of at least 0.")
        self.compactness = compactness
        self.device = device
        self.reset()

    def reset(self) -> None:
        """Begin anew with the next frame; numbers go on where they were, so that none is given twice."""
        self.frames = getattr(self, "frames", 0)
        self._next_id = getattr(self, "_next_id", 0)
        self.born = self.retired = np.zeros(0, np.int32)
        self._ids = np.zeros(0, np.int32)  # of the slots that the kernels know
        self._slots: Any = None  # (H, W) int32
        self._sums = np.zeros((0, 6), np.int64)
        self._rest_xy = np.zeros((0, 2), np.float64)  # of whole moves, in blocks

    @property
    def ids(self) -> NDArray[np.int32]:
        """(n,) int32: the numbers of the superpixels of the last frame, in the order of `slots`."""
        return self._ids

    @property
    def slots(self) -> Any:
        """(H, W) int32 of the last frame, where it was computed: ``ids[slots]`` are the labels. None before it."""
        return self._slots

    def update(self, frame: Any, flow: Any = None) -> Any:
        """Superpixels of the next frame.

        Parameters
        ----------
        frame : (H, W, 3) RGB or (H, W) grey, as `segment` takes it; all of one size
        flow : (H, W, 2) float32, pixels, from the frame before to this one, not finite where unknown; None: no motion

        Returns
        -------
        labels : (H, W) int32 on the device of the frame; every number's pixels are 4-connected. The first frame
            has 0 to n - 1.

        Raises
        ------
        ShapeError, DtypeError, RangeError, DeviceUnavailableError
        """
        from cvseg.kernels.labeling.relabel import relabel

        here = device_of(frame)
        picture = superpixel_picture("SuperpixelStream.update", frame, "frame")
        check_count("SuperpixelStream.update", self.count, picture)
        there = here if self.device == "auto" else choose_device(self.device)
        size_hw = picture.shape[:2]
        if flow is not None:
            check_shapes("SuperpixelStream.update", frame=(picture[:, :, 0], "H W"), flow=(flow, "H W 2"))
            check_dtype("SuperpixelStream.update", np.float32, flow=flow)
        if self._slots is not None and self._slots.shape != size_hw:
            raise ShapeError(
                f"SuperpixelStream.update: frame is {tuple(size_hw)}; expected {tuple(self._slots.shape)} as the "
                "frames before. Resize it, or call reset() first."
            )
        before = self._ids
        picture = to_device(picture, there)
        if self._slots is None:
            self._begin(picture)
        else:
            self._go_on(picture, flow)
        self.frames += 1
        self.born, self.retired = np.setdiff1d(self._ids, before), np.setdiff1d(before, self._ids)
        return to_device(relabel(self._slots, to_device(self._ids, there)), here)

    def _begin(self, picture: Any) -> None:
        height, width = picture.shape[:2]
        rows, columns = grid_size(height, width, self.count)
        levels = block_levels(height, width, rows, columns)
        pictures = lab_pictures(picture, levels)
        coarse_height, coarse_width = pictures[-1].shape[:2]
        slots: Any = to_device(grid_labels(coarse_height, coarse_width, rows, columns), device_of(picture))
        first = self.options.first
        for level in reversed(range(levels + 1)):
            sweeps = first.pixel_sweeps if level == 0 else first.coarse_sweeps if level == levels else first.sweeps
            slots = self._move(pictures, slots, rows * columns, sweeps, level)
        self._ids = self._new_ids(rows * columns)
        self._rest_xy = np.zeros((rows * columns, 2))

    def _move(self, pictures: list[Any], slots: Any, count: int, sweeps: int, level: int) -> Any:
        height, width = pictures[0].shape[:2]
        slots, sums = moved(
            pictures[level], slots, count, sweeps, level, height * width, self.options.first, self.compactness
        )
        if level == 0:
            self._slots, self._sums = slots, to_host(sums)
        return slots

    def _new_ids(self, count: int) -> NDArray[np.int32]:
        ids = np.arange(self._next_id, self._next_id + count, dtype=np.int32)
        self._next_id += count
        return ids

    def _go_on(self, picture: Any, flow: Any) -> None:
        from cvseg.kernels.superpixels.carry_labels import carry_labels

        xp, device = array_module(picture), device_of(picture)
        height, width = picture.shape[:2]
        # Blocks of 2x2 are too coarse for superpixels of a few pixels.
        level = 1 if height * width >= BLOCK_AREA * self.count and min(height, width) >= 2 else 0
        step = 2**level
        pictures = lab_pictures(picture, level)
        blocks = xp.ascontiguousarray(to_device(self._slots, device)[::step, ::step])
        area = np.maximum(self._sums[:, 5], 1)
        retiring, dividing = self._chosen(area, height * width)
        shifts_xy = self._shifts(blocks, flow, step)
        sides, others = self._halves(dividing, blocks, step)
        means = (self._sums[:, :3] / area[:, None]).astype(np.float32)
        tables = (to_device(table, device) for table in (means, shifts_xy, sides, others))
        carried = carry_labels(blocks, pictures[level], *tables)
        known = len(self._ids) + len(dividing)
        rows, columns = grid_size(height, width, self.count)
        cells = to_device(grid_labels(blocks.shape[0], blocks.shape[1], rows, columns) + np.int32(known), device)
        carried = xp.where(carried < 0, cells, carried)
        least = self.options.smallest * height * width / (self.count * step**2)
        slots = self._repair(carried, retiring, dividing, least)
        for level_now in reversed(range(level + 1)):
            sweeps = self.options.pixel_sweeps if level_now == 0 else self.options.block_sweeps
            slots = self._move(pictures, slots, len(self._ids), sweeps, level_now)

    def _chosen(self, area: NDArray[np.int64], pixels: int) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Which superpixels retire, and the numbers of those to be divided."""
        average, count = pixels / self.count, len(area)
        order = np.argsort(area, kind="stable")
        retiring = area < self.options.smallest * average
        surplus = count - round(self.count * (1 + self.options.slack))
        retiring[order[: max(0, surplus)]] = True
        dividing = area > self.options.largest * average
        missing = round(self.count * (1 - self.options.slack)) - (count - int(retiring.sum()))
        if missing > 0:
            dividing[order[-missing:]] = True
        # One that is retired, or too small for two, is not divided.
        return retiring, np.flatnonzero(dividing & ~retiring & (area >= 2 * self.options.smallest * average + 8))

    def _shifts(self, blocks: Any, flow: Any, step: int) -> NDArray[np.int32]:
        """(n, 2) whole blocks that each superpixel moves; what is left over is kept for the next frame."""
        count = len(self._ids)
        if flow is None:
            return np.zeros((count, 2), np.int32)
        stride = step * FLOW_STEP
        seen = to_host(blocks[::FLOW_STEP, ::FLOW_STEP]).ravel()
        sample_xy = to_host(flow[::stride, ::stride]).reshape(-1, 2).astype(np.float64)
        # What moves further than the frame is large has left it, whatever the number.
        good = np.isfinite(sample_xy).all(axis=1)
        height, width = self._slots.shape
        sample_xy = np.clip(np.where(good[:, None], sample_xy, 0), [-width, -height], [width, height])
        weights = np.bincount(seen, weights=good, minlength=count)
        total_xy = np.stack([np.bincount(seen, weights=sample_xy[:, k] * good, minlength=count) for k in (0, 1)], 1)
        wished_xy = self._rest_xy + total_xy / np.maximum(weights, 1)[:, None] / step
        whole_xy = np.rint(wished_xy)
        self._rest_xy = wished_xy - whole_xy
        return whole_xy.astype(np.int32)

    def _halves(
        self, dividing: NDArray[np.intp], blocks: Any, step: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """The lines that divide superpixels across their longer axis, and the slots of their other halves."""
        from cvseg.regions.properties import region_properties

        count = len(self._ids)
        sides, others = np.zeros((count, 3), np.float32), np.arange(count, dtype=np.int32)
        if len(dividing):
            table = region_properties(blocks + np.int32(1), count=count)
            for new, slot in enumerate(dividing):
                xx, xy, yy = table.covariance[slot]
                angle = 0.5 * np.arctan2(2 * xy, xx - yy)
                normal = np.array([np.cos(angle), np.sin(angle)])
                if np.isfinite(table.centroid_xy[slot]).all():
                    sides[slot] = *normal, normal @ table.centroid_xy[slot]
                    others[slot] = count + new
        return sides, others

    def _repair(self, carried: Any, retiring: NDArray[np.bool_], dividing: NDArray[np.intp], least: float) -> Any:
        """Connected slots without gaps, and the numbers of each: known ones go on, others are new."""
        known = len(self._ids) + len(dividing)
        stays = np.concatenate((~retiring, np.ones(len(dividing), bool)))
        ids = np.concatenate((self._ids, np.full(len(dividing), -1, np.int32)))
        rest_xy = np.concatenate((self._rest_xy, self._rest_xy[dividing]))
        kept: dict[str, Any] = {}

        def choose(table: NDArray[np.int32]) -> NDArray[np.int32]:
            label, area = table[:, LABEL], table[:, AREA]
            # The largest part of each label; of two alike, the first in raster order.
            order = np.lexsort((np.arange(len(table)), -area, label))
            largest = np.zeros(len(table), bool)
            largest[order[np.r_[True, np.diff(label[order]) != 0]]] = True
            old = label < known
            stay = largest & old & (area >= least)
            stay[old] &= stays[label[old]]
            # Uncovered ground must be larger to count, or each noisy edge would bear superpixels.
            stay |= ~old & (area >= 3 * least)
            new = ~old
            if not stay[0]:
                stay[0] = new[0] = True  # there is nothing before it that it could join
            slots = np.where(stay, np.cumsum(stay) - 1, -1).astype(np.int32)
            source = np.where(new, -1, label)[stay]
            kept["ids"] = np.where(source >= 0, ids[np.maximum(source, 0)], -1)
            kept["rest_xy"] = np.where(source[:, None] >= 0, rest_xy[np.maximum(source, 0)], 0.0)
            return slots

        slots, _ = join_parts(carried, choose)
        fresh = kept["ids"] < 0
        kept["ids"][fresh] = self._new_ids(int(fresh.sum()))
        self._ids, self._rest_xy = kept["ids"].astype(np.int32), kept["rest_xy"]
        return slots

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on later, as numbers and host arrays."""
        return {
            "count": self.count,
            "frames": self.frames,
            "next_id": self._next_id,
            "ids": self._ids.copy(),
            "slots": None if self._slots is None else np.array(to_host(self._slots)),
            "sums": self._sums.copy(),
            "rest_xy": self._rest_xy.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken; the options stay those of this stream.

        Raises
        ------
        OptionError
            when it was made for another number of superpixels.
        """
        if state["count"] != self.count:
            raise OptionError(
                f"SuperpixelStream.load_state_dict: the state is of count {state['count']}; this stream has "
                f"{self.count}. Make it with SuperpixelStream(count={state['count']})."
            )
        self.reset()
        self.frames, self._next_id = int(state["frames"]), int(state["next_id"])
        self._ids, self._rest_xy = np.array(state["ids"], np.int32), np.array(state["rest_xy"], np.float64)
        self._slots = None if state["slots"] is None else np.array(state["slots"], np.int32)
        self._sums = np.array(state["sums"], np.int64)
