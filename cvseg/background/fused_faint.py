"""Faint objects: every pixel of a window differs a little from the background, and more than its noise explains."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.filtering.box_mean import box_mean

PRIOR = 25.0  # squared grey levels, noise of a pixel that has not been seen yet
PRIOR_FRAMES = 4  # that this counts for
KNOWN_FRAMES = 8  # after which what is usual is known well enough
FLICKER = 2.0  # added to a flicker whose pixel was off in the last frame


def sampled(values: Any, factor: int) -> Any:
    """Every `factor`-th pixel of the last two axes."""
    return values[..., factor // 2 :: factor, factor // 2 :: factor]


def squared_differences(image: Any, mean: Any, gain: Any, factor: int) -> Any:
    """Mean over the channels of the squared difference from the background, in grey levels; of every `factor`-th pixel.

    Parameters
    ----------
    image : (h, w, 3) uint8
    mean : (3, h, w) float32, the background
    gain : (3,) of the light, by which the background is multiplied
    """
    xp, total = array_module(image), None
    for channel in range(3):
        background = sampled(mean[channel], factor) * np.float32(gain[channel])
        difference = sampled(image[..., channel], factor).astype(np.float32) - background
        total = difference * difference if total is None else total + difference * difference
    return xp.ascontiguousarray(total * np.float32(1 / 3))


def faint_distance(
    squares: Any, calm: Any, near: Any, flicker: Any, *, window: int, least_sigma: float, widest: float
) -> Any:
    """How many times the usual difference that of a whole window is, as a root: 1 where nothing is.

    Pixels that are off by themselves are left out, so that what is seen anyway does not grow by the window; they get 0.

    Parameters
    ----------
    squares : (h, w) float32, squared differences of this picture
    calm : (h, w) float32, their usual mean
    near : (h, w) bool, pixels that are not off by themselves
    flicker : (h, w) float32, widening by leaves and water, 1 and up
    window : pixels around each
    least_sigma : grey levels, least noise that is believed
    widest : factor on the noise for this picture, after the light has changed
    """
    xp = array_module(squares)
    weight = near.astype(np.float32)
    planes = xp.stack([weight * squares, weight * xp.maximum(calm, np.float32(least_sigma**2))])
    seen, usual = box_mean(planes, np.int32(window))
    ratio = xp.sqrt(seen / xp.maximum(usual, np.float32(1e-3))) / (flicker * np.float32(widest))
    return xp.where(near, ratio, np.float32(0))


def enlarged(values: Any, factor: int, size_hw: tuple[int, int]) -> Any:
    """Each pixel `factor` times across and down, cut or continued to `size_hw`."""
    xp = array_module(values)
    if factor == 1:
        return values
    rows = xp.minimum(xp.arange(size_hw[0]) // factor, values.shape[0] - 1)
    columns = xp.minimum(xp.arange(size_hw[1]) // factor, values.shape[1] - 1)
    return values[rows][:, columns]


def learn_calm(calm: Any, squares: Any, quiet: Any, rate: float, frames: int) -> None:
    """Take this picture's differences into their usual mean, in place, where `quiet`."""
    step = np.float32(max(rate, 1 / (frames + PRIOR_FRAMES)))
    calm += step * quiet * (squares - calm)
