"""Whether the light of the whole picture has changed, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import to_host

SAMPLES = 4000
OFFSET = 8.0  # grey levels added to both sides of the ratio, so that the noise of dark pixels weighs little
LEAST_CHANGE = 0.04  # slower light is learned; this is also what an automatic exposure does at each step
LEAST_GAIN = 0.7  # the error with the new light, as a share of that without, must fall below this
LARGEST_ERROR = 40.0  # grey levels; objects are not explained by light


def light_gain(image: Any, mean: Any) -> NDArray[np.float64] | None:
    """Factor of each channel by which the background must be multiplied to fit the picture.

    Parameters
    ----------
    image : (h, w, 3) uint8 RGB
    mean : (3, h, w) float32, the background, 0 to 255, on the same device

    Returns
    -------
    gain : (3,) float64, or None while the light stays as it was. About 4000 pixels are read back, which synchronises.

    Notes
    -----
    The gain is the median ratio over the picture: up to half of it may be foreground. It is believed only when the
    whole background, brightened by it, explains the picture much better.

    Examples
    --------
    >>> mean = np.full((3, 30, 40), 100, np.float32)
    >>> light_gain(np.full((30, 40, 3), 134, np.uint8), mean).round(2).tolist()
    [1.31, 1.31, 1.31]
    >>> light_gain(np.full((30, 40, 3), 101, np.uint8), mean) is None
    True
    """
    change = light_change(image, mean)
    return change.gain if change is not None and change.sudden else None


@dataclass(frozen=True)
class LightChange:
    """The light now, relative to that of the background.

    Attributes
    ----------
    gain : (3,) float64, factor of each channel
    sudden : whether the background should be multiplied by it: it is not small, and explains the picture much better
    """

    gain: NDArray[np.float64]
    sudden: bool


def light_change(image: Any, mean: Any) -> LightChange | None:
    """As `light_gain`, also for small changes: None when the background fits no better with the gain than without."""
    step = max(1, int(np.sqrt(image.shape[0] * image.shape[1] / SAMPLES)))
    seen = to_host(image[::step, ::step].copy()).reshape(-1, 3).astype(np.float64)
    known = to_host(mean[:, ::step, ::step].copy()).reshape(3, -1).T.astype(np.float64)
    inside = (seen < 250).all(axis=1) | (known < 250).all(axis=1)  # what is white in both says nothing
    if inside.sum() < 16:
        return None
    seen, known = seen[inside], known[inside]
    gain: NDArray[np.float64] = np.clip(np.median((seen + OFFSET) / (known + OFFSET), axis=0), 0.2, 5.0)
    before = np.minimum(np.abs(seen - known), LARGEST_ERROR).mean()
    after = np.minimum(np.abs(seen - np.minimum(known * gain, 255)), LARGEST_ERROR).mean()
    if not after < before:
        return None
    return LightChange(gain, bool(np.abs(gain - 1).max() >= LEAST_CHANGE and after < LEAST_GAIN * before))
