"""A lamp or a cloud: part of the picture turns brighter or darker at once, and the background there with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device, to_host
from cvseg.background.fused_faint import sampled
from cvseg.background.fused_light import LARGEST_ERROR, LEAST_GAIN, OFFSET

BLOCKS_HW = (12, 16)  # that the light is measured in
LEAST_JUMP = 5.0  # grey levels, mean change of a block since the last picture that is more than noise
LEAST_STEP = 0.1  # gain, less 1, from which a block counts
LEAST_SIGMAS = 2.0  # mean change of a block, in the spread of its colours, that is none of their own
SAME_STEP = 0.06  # by which the gain since the last picture may differ from that since the background
LEAST_SHARE = 0.08  # of the blocks: what enters covers fewer at once
LUMA = np.array([0.299, 0.587, 0.114])
SAMPLES = 20000
LEAST_PIXELS = 9  # of a block that says anything
LEAST_LIKENESS = 0.6  # correlation of a block with its background
VOTE_RADIUS = np.int32(3)


@dataclass(frozen=True)
class Lamp:
    """Where the light has changed since the last picture, and by how much.

    Attributes
    ----------
    gain : (3, rows, columns) float32, factor of each channel in each block; 1 where the light is as it was
    lit : (rows, columns) bool, blocks that may be lit in part or whole
    """

    gain: NDArray[np.float32]
    lit: NDArray[np.bool_]

    def relight(self, image: Any, mean: Any, history: Any, factor: int) -> None:
        """Brighten the background where that explains the picture better, and the small grey pictures before, in place.

        Parameters
        ----------
        image : (h, w, 3) uint8
        mean : (modes, 3, h, w) float32
        history : (n, h / factor, w / factor) float32
        """
        from cvseg.kernels.background.mask_vote import MAJORITY, mask_vote

        xp, (height, width) = array_module(image), (int(side) for side in image.shape[:2])
        rows, columns = (_block_of(side, count) for side, count in zip((height, width), BLOCKS_HW, strict=True))
        gain = to_device(np.ascontiguousarray(self.gain[:, rows][:, :, columns]), device_of(image))
        lit = to_device(np.ascontiguousarray(self.lit[rows][:, columns]), device_of(image))
        nearer = xp.zeros((height, width), np.float32)
        for channel in range(3):
            seen, known = image[..., channel].astype(np.float32), mean[0, channel]
            relit = xp.minimum(known * gain[channel], np.float32(255))
            nearer += xp.abs(seen - known) - xp.abs(seen - relit)
        votes = mask_vote(xp.ascontiguousarray((nearer > 0).astype(np.uint8)), VOTE_RADIUS, MAJORITY)
        gain = xp.where(lit & (votes > 0), gain, np.float32(1))
        for channel in range(3):
            mean[:, channel] = xp.minimum(mean[:, channel] * gain[channel], np.float32(255))
        luma = sum(np.float32(weight) * plane for weight, plane in zip(LUMA, gain, strict=True))
        small = sampled(luma, factor)
        part = history[:, : small.shape[0], : small.shape[1]]
        part *= small


def find_lamp(image: Any, mean: Any, variance: Any, small: Any, previous: Any, factor: int) -> Lamp | None:
    """Blocks that look like the background in another light, and did not in the last picture.

    A thing that enters covers few new blocks in a frame, and those it covered before do not change by the gain that
    they differ from the background by.

    Parameters
    ----------
    image : (h, w, 3) uint8
    mean, variance : (3, h, w) and (h, w) float32, the background
    small, previous : (h / factor, w / factor) float32 grey in [0, 1], this picture and the last one; they are read back
        in part, which synchronises

    Returns
    -------
    Lamp, or None while no lamp is switched
    """
    step = max(1, int(np.sqrt(small.shape[0] * small.shape[1] / SAMPLES)))
    size_hw = tuple(len(range(factor // 2, side, factor)[::step]) for side in image.shape[:2])
    if size_hw[0] < BLOCKS_HW[0] or size_hw[1] < BLOCKS_HW[1]:
        return None
    now, then = (
        255 * to_host(picture[::step, ::step].copy())[: size_hw[0], : size_hw[1]].astype(np.float64) + OFFSET
        for picture in (small, previous)
    )
    edges = [-(-np.arange(count) * side // count) for side, count in zip(size_hw, BLOCKS_HW, strict=True)]
    heights, widths = (np.diff(edge, append=side) for edge, side in zip(edges, size_hw, strict=True))
    sizes = np.outer(heights, widths)
    jump = np.add.reduceat(np.add.reduceat(now - then, edges[0], axis=0), edges[1], axis=1) / sizes
    jumped = (np.abs(jump) >= LEAST_JUMP) & (sizes >= LEAST_PIXELS)
    if jumped.mean() < LEAST_SHARE:
        return None
    planes = array_module(image).moveaxis(image, 2, 0)
    seen = np.moveaxis(to_host(sampled(planes, factor)[:, ::step, ::step].copy()), 0, 2)
    known = np.moveaxis(to_host(sampled(mean, factor)[:, ::step, ::step].copy()), 0, 2)
    seen, known = seen.astype(np.float64), known.astype(np.float64)
    usual = np.sqrt(to_host(sampled(variance, factor)[::step, ::step].copy()))
    gains, found, alike = np.ones((*BLOCKS_HW, 3)), np.zeros(BLOCKS_HW, bool), np.zeros(BLOCKS_HW)
    for row, column in np.argwhere(jumped):
        top, left = edges[0][row], edges[1][column]
        block = np.s_[top : top + heights[row], left : left + widths[column]]
        gain = np.clip(np.median((seen[block] + OFFSET) / (known[block] + OFFSET), axis=(0, 1)), 0.2, 5.0)
        before = np.minimum(np.abs(seen[block] - known[block]), LARGEST_ERROR).mean()
        after = np.minimum(np.abs(seen[block] - np.minimum(known[block] * gain, 255)), LARGEST_ERROR).mean()
        grey, sigma = known[block] @ LUMA + OFFSET, np.median(usual[block])
        since_last, since_background = np.median(now[block] / then[block]), np.median(now[block] / grey)
        gains[row, column] = gain
        found[row, column] = (
            np.abs(gain - 1).max() >= LEAST_STEP
            and after < LEAST_GAIN * before
            and before > LEAST_SIGMAS * sigma
            and abs(since_last / since_background - 1) < SAME_STEP
        )
        if found[row, column] and grey.std() > sigma:
            alike[row, column] = _likeness(grey, now[block])
    # Light leaves the texture of what it falls on, things have their own. Plain blocks follow those that have some.
    found &= (alike == 0) | (alike > LEAST_LIKENESS)
    if (found & (alike != 0)).mean() < LEAST_SHARE:
        return None
    return Lamp(*_with_neighbours(gains, found))


def _likeness(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Correlation; -1 where one of them is plain."""
    one, other = one - one.mean(), other - other.mean()
    scale = np.sqrt((one * one).sum() * (other * other).sum())
    return float((one * other).sum() / scale) if scale > 0 else -1.0


def _block_of(side: int, count: int) -> NDArray[np.intp]:
    """Number of the block of each of `side` pixels."""
    return np.arange(side) * count // side


def _with_neighbours(gains: NDArray[np.float64], found: NDArray[np.bool_]) -> tuple[Any, Any]:
    """The lit blocks and those around them, where the light may end: these have the mean gain of their neighbours."""
    padded = np.pad(np.where(found[..., None], gains, 0.0), ((1, 1), (1, 1), (0, 0)))
    counts = np.pad(found.astype(float), 1)
    rows, columns = found.shape
    shifts = [np.s_[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    number = np.sum([counts[shift] for shift in shifts], axis=0)
    around = np.sum([padded[shift] for shift in shifts], axis=0) / np.maximum(number, 1)[..., None]
    gain = np.where(found[..., None], gains, np.where(number[..., None] > 0, around, 1.0))
    return np.ascontiguousarray(np.moveaxis(gain, 2, 0), np.float32), number > 0
