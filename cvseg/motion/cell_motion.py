"""What the cells of the last frames move: their residual motion, and which cell of the next frame each becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, to_host
from cvseg.motion.displaced_difference import DisplacedDifference

# Whole numbers per unit: their sums are exact, in any order.
RESIDUAL_STEPS = 64
GRAY_STEPS = 16384


@dataclass(frozen=True)
class CellWindow:
    """The cells of a window of frames, oldest frame first, on the host.

    Attributes
    ----------
    areas : (frames, rows, columns) int64, pixels
    residuals : (frames, rows, columns) float32, motion against the camera, in units of its noise
    links : (n, 2) int32, pairs of numbers of cells (frame, row and column counted through) that follow each other in
        time
    differences, contrasts : (frames, rows, columns) float64, sums of a `DisplacedDifference` over the pixels of each
        cell; 0 where it is not known
    """

    areas: NDArray
    residuals: NDArray[np.float32]
    links: NDArray[np.int32]
    differences: NDArray[np.float64]
    contrasts: NDArray[np.float64]


class CellMotion:
    """Keeps what a `CellWindow` holds of the last `capacity` frames, on the host.

    A cell leads to that cell of the next frame where the flow takes its centre, and back likewise: two links per cell
    and pair of frames, which often are one.

    Parameters
    ----------
    capacity : frames kept

    Attributes
    ----------
    before : (cells) int64, on the host: which cell of the frame before each cell of the newest comes from; empty for
        the first frame
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._areas: list[NDArray] = []
        self._residuals: list[NDArray] = []
        self._links: list[NDArray[np.int32]] = []  # of each frame with the one before
        self._unexplained: list[NDArray[np.float64]] = []  # differences and contrasts
        self._last: tuple[Any, Any, Any] | None = None  # cells, and the rows and columns of their centres
        self.cells_yx = (0, 0)
        self.before: NDArray[np.int64] = np.zeros(0, np.int64)

    def push(
        self,
        cells: Any,
        cells_yx: tuple[int, int],
        residual: Any,
        arrival_xy: Any,
        backward_xy: Any,
        unexplained: DisplacedDifference | None = None,
    ) -> None:
        """Take in the next frame.

        Parameters
        ----------
        cells : (H, W) int32, which cell each pixel belongs to
        cells_yx : rows and columns of cells
        residual : (H, W) float32, motion against the camera in units of noise, on the same device
        arrival_xy, backward_xy : (H, W, 2) float32, pixels, from the previous frame to this one and back; not used for
            the first frame; None where there is nothing to follow
        unexplained : of the same frame and device; None: not known
        """
        xp, count = array_module(cells), cells_yx[0] * cells_yx[1]
        self.cells_yx = cells_yx
        flat = cells.reshape(-1)
        area = xp.bincount(flat, minlength=count)
        pixels = xp.maximum(area, 1)
        y, x = xp.divmod(xp.arange(flat.size), cells.shape[1])
        steps = xp.rint(residual.reshape(-1) * np.float32(RESIDUAL_STEPS))
        moved = xp.bincount(flat, weights=steps, minlength=count) / (pixels * RESIDUAL_STEPS)
        centre_y, centre_x = (
            (xp.bincount(flat, weights=where, minlength=count) / pixels).astype(np.int64) for where in (y, x)
        )
        if self._last is not None and arrival_xy is None:
            self._links.append(np.zeros((0, 2), np.int32))
            self.before = np.arange(count)
        elif self._last is not None:
            own = xp.arange(count)
            last_cells, last_y, last_x = self._last
            ahead = cells[_moved(xp, last_y, last_x, arrival_xy)]
            back = last_cells[_moved(xp, centre_y, centre_x, backward_xy)]
            pairs = to_host(xp.stack([xp.concatenate([own, back]), xp.concatenate([ahead, own])], axis=1))
            self.before = pairs[count:, 0].astype(np.int64)
            self._links.append(pairs.astype(np.int32))
        self._areas.append(to_host(area))
        self._residuals.append(to_host(moved).astype(np.float32))
        self._last = cells, centre_y, centre_x
        sums = np.zeros((2, count))
        if unexplained is not None:
            for row, values in zip(sums, (unexplained.difference, unexplained.contrast), strict=True):
                steps = xp.rint(values.reshape(-1) * np.float32(GRAY_STEPS))
                row[:] = to_host(xp.bincount(flat, weights=steps, minlength=count)) / GRAY_STEPS
        self._unexplained.append(sums)
        for kept, most in ((self._areas, 0), (self._residuals, 0), (self._links, 1), (self._unexplained, 0)):
            del kept[: max(0, len(kept) - self.capacity + most)]

    def window(self) -> CellWindow:
        """All frames that are kept."""
        count = self.cells_yx[0] * self.cells_yx[1]
        links = [pairs + np.array([[k * count, (k + 1) * count]], np.int32) for k, pairs in enumerate(self._links)]
        none = np.zeros((0, 2), np.int32)
        differences, contrasts = np.stack(self._unexplained, axis=1).reshape(2, -1, *self.cells_yx)
        return CellWindow(
            np.stack(self._areas).reshape(-1, *self.cells_yx),
            np.stack(self._residuals).reshape(-1, *self.cells_yx),
            np.concatenate([none, *links]).astype(np.int32),
            differences,
            contrasts,
        )


def _moved(xp: Any, y: Any, x: Any, flow_xy: Any) -> tuple[Any, Any]:
    """Where the flow takes whole pixels, in the picture."""
    height, width = flow_xy.shape[:2]
    step = flow_xy[y, x]
    return (
        xp.clip(xp.rint(y + step[:, 1]), 0, height - 1).astype(np.int64),
        xp.clip(xp.rint(x + step[:, 0]), 0, width - 1).astype(np.int64),
    )
