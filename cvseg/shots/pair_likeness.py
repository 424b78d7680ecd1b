"""How much two frames look like one moving scene: structure along the flow, colours, light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module, common_device, to_host
from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import ShapeError

BLOCKS = 8  # at least, along the shorter side, where blocks of 4 pixels allow it
SMALLEST_BLOCK, LARGEST_BLOCK = 4, 16  # pixels
REPEAT_BLOCK = 8  # pixels
NOISE = np.float32(4e-5)  # variance of grey in [0, 1] that is no structure: 1.6 grey levels, squared
LEAST_GRAY = 0.02  # added before the ratio of light: black against black is no change
COLOR_LEVELS = 8  # per channel
COLOR_WEIGHT, MOST_COLOR = 0.5, 0.5  # a lamp changes all colours: more than half counts as half
# A change of light along the flow, as logarithm: what is less is left to the flow, which does not mind it. The flow of
# steady clips, wrong as it is in places, shows at most 0.03.
LEAST_LAMP = 0.03
DARKEST, BRIGHTEST = 0.06, 0.94  # mean grey of blocks whose change of light can be told
LEAST_TOLD = 0.1  # share of the blocks


@dataclass(frozen=True)
class PairLikeness:
    """What was measured of two frames.

    Attributes
    ----------
    structure : correlation of blocks with the blocks that the flow leads to, in [-1, 1], weighted by their contrast;
        light and contrast do not change it
    colors : distance of the colour histograms, 0 (equal) to 1 (nothing in common)
    light : natural logarithm of how much brighter the second frame is
    lamp : the same of what is seen in both, along the flow: the median of the blocks. 0 for less than 3 %, and where
        blocks do not agree
    """

    structure: float
    colors: float
    light: float
    lamp: float = 0.0

    @property
    def score(self) -> float:
        """Structure less half the distance of the colours: 1 for a frame and its copy, about 0 for two strangers."""
        return self.structure - COLOR_WEIGHT * min(self.colors, MOST_COLOR)


def pair_likeness(gray0: Any, gray1: Any, small0: Any, small1: Any, flow_xy: Any) -> PairLikeness:
    """Compare two frames.

    Parameters
    ----------
    gray0, gray1 : (h, w) float32 in [0, 1]
    small0, small1 : (h, w, 3) uint8 RGB, the same frames
    flow_xy : (h, w, 2) float32, pixels, from the first to the second

    Returns
    -------
    PairLikeness. Three numbers are read back, which synchronises a GPU.

    Raises
    ------
    ShapeError, DtypeError, DeviceMismatchError

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> small = rng.integers(0, 200, (32, 48, 3), dtype=np.uint8)
    >>> gray = (small.mean(axis=2) / 255).astype(np.float32)
    >>> still = np.zeros((32, 48, 2), np.float32)
    >>> round(pair_likeness(gray, gray, small, small, still).score, 3)
    1.0
    """
    from cvseg.kernels.warping.warp_backward import warp_backward

    common_device("pair_likeness", gray0, gray1, small0, small1, flow_xy)
    size = check_shapes(
        "pair_likeness",
        gray0=(gray0, "h w"),
        gray1=(gray1, "h w"),
        small0=(small0, "h w 3"),
        small1=(small1, "h w 3"),
        flow_xy=(flow_xy, "h w 2"),
    )
    check_dtype("pair_likeness", "float32", gray0=gray0, gray1=gray1, flow_xy=flow_xy)
    check_dtype("pair_likeness", "uint8", small0=small0, small1=small1)
    if size["h"] * size["w"] == 0:
        raise ShapeError(f"pair_likeness: gray0 is {tuple(gray0.shape)}; expected at least one pixel.")
    xp = array_module(gray0)
    block = _block(gray0.shape)
    one, other = (_blocks(image, block, xp) for image in (gray0, warp_backward(xp.ascontiguousarray(gray1), flow_xy)))
    mean0, mean1 = (blocks.mean(axis=1, keepdims=True) for blocks in (one, other))
    one, other = one - mean0, other - mean1
    var0, var1, both = (one * one).mean(axis=1), (other * other).mean(axis=1), (one * other).mean(axis=1)
    # Two flat blocks are alike, a flat one and a textured one are not.
    like = (both + NOISE) / xp.sqrt((var0 + NOISE) * (var1 + NOISE))
    weight = xp.sqrt(var0 + var1 + 2 * NOISE)
    histogram0, histogram1 = _histogram(small0, xp), _histogram(small1, xp)
    numbers = to_host(
        xp.stack(
            [
                (like * weight).sum() / weight.sum(),
                0.5 * xp.abs(histogram0 - histogram1).sum(),
                xp.log((gray1.mean() + LEAST_GRAY) / (gray0.mean() + LEAST_GRAY)),
                *_lamp(mean0, mean1, xp),
            ]
        )
    )
    structure, colors, light, lamp, disagreement, told = (float(number) for number in numbers)
    return PairLikeness(structure, colors, light, _told_lamp(lamp, disagreement, told))


def channel_lamps(small0: Any, small1: Any, flow_xy: Any, lamp: float) -> tuple[float, float, float]:
    """`PairLikeness.lamp` of red, green and blue: lamps of another colour change them by other factors.

    Parameters
    ----------
    small0, small1 : (h, w, 3) uint8 RGB, not empty
    flow_xy : (h, w, 2) float32, pixels, from the first to the second
    lamp : of the grey; a channel that does not clearly differ from it gets it as well
    """
    from cvseg.kernels.warping.warp_backward import warp_backward

    xp = array_module(small0)
    one, other = (xp.ascontiguousarray(small.astype(np.float32) / np.float32(255)) for small in (small0, small1))
    other, block = warp_backward(other, flow_xy), _block(small0.shape)
    numbers: list[Any] = []
    for channel in range(3):
        mean0, mean1 = (_blocks(image[..., channel], block, xp).mean(axis=1, keepdims=True) for image in (one, other))
        numbers += _lamp(mean0, mean1, xp)
    rows = to_host(xp.stack(numbers)).reshape(3, 3).tolist()
    red, green, blue = (lamp + _told_lamp(own - lamp, away, told) for own, away, told in rows)
    return red, green, blue


def largest_change(gray0: Any, gray1: Any) -> float:
    """Largest mean change of a block of 8 pixels, in grey of [0, 1]: 0 for a frame and its copy.

    Parameters
    ----------
    gray0, gray1 : (h, w) float32, not empty, on one device; one number is read back
    """
    xp = array_module(gray0)
    return float(_blocks(xp.abs(gray0 - gray1), min(REPEAT_BLOCK, *gray0.shape), xp).mean(axis=1).max())


def _told_lamp(lamp: float, disagreement: float, told: float) -> float:
    return 0.0 if abs(lamp) < max(LEAST_LAMP, disagreement) or told < LEAST_TOLD else lamp


def _block(shape: tuple[int, ...]) -> int:
    """Side of a block, pixels."""
    side = min(shape[:2])
    return min(side, LARGEST_BLOCK, max(SMALLEST_BLOCK, side // BLOCKS))


def _blocks(image: Any, block: int, xp: Any) -> Any:
    """(blocks, pixels) of an (h, w) image, the last rows and columns that fill no block left out."""
    rows, columns = image.shape[0] // block, image.shape[1] // block
    whole = image[: rows * block, : columns * block].reshape(rows, block, columns, block)
    return xp.ascontiguousarray(whole.transpose(0, 2, 1, 3)).reshape(rows * columns, block * block)


def _lamp(mean0: Any, mean1: Any, xp: Any) -> tuple[Any, Any, Any]:
    """Median and its absolute deviation of the logarithms of the ratios of blocks, and the share that could be told."""
    told = (xp.minimum(mean0, mean1) > DARKEST) & (xp.maximum(mean0, mean1) < BRIGHTEST)
    change = xp.where(told, xp.log(xp.maximum(mean1, DARKEST) / xp.maximum(mean0, DARKEST)), np.float32(np.nan))
    # NaN sorts last: the median is that of those before.
    count = xp.maximum(told.sum(), 1)
    lamp = xp.sort(change.reshape(-1))[count // 2]
    away = xp.sort(xp.abs(change - lamp).reshape(-1))[count // 2]
    return lamp, away, told.mean()


def _histogram(small: Any, xp: Any) -> Any:
    """Shares of the colours, (512) float32."""
    levels = (small >> 5).astype(np.int32)
    bins = (levels[..., 0] * COLOR_LEVELS + levels[..., 1]) * COLOR_LEVELS + levels[..., 2]
    counts = xp.bincount(bins.reshape(-1), minlength=COLOR_LEVELS**3)
    return counts.astype(np.float32) / np.float32(bins.size)
