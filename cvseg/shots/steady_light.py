"""`SteadyLight`: frames of a flickering film in one light, so that their colours can be compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module

HOLD = 50  # frames over which a change of light that stays is let in
LEAST_GAIN = 0.005  # logarithm; less is not worth to touch the picture
MOST_GAIN = float(np.log(4))


class SteadyLight:
    """Follows the light of a shot: what comes and goes is taken out, what stays is let in slowly.

    Examples
    --------
    >>> light = SteadyLight()
    >>> light.push(0.0, begins_shot=True)
    >>> light.changes
    False
    >>> light.push(np.log(1.25))  # a quarter brighter than the frame before
    >>> light.steadied(np.full((1, 1, 3), 100, np.uint8)).tolist()
    [[[80, 80, 80]]]
    """

    def __init__(self) -> None:
        self._away = 0.0  # logarithm of how much brighter the frame is than the light it is shown in

    def push(self, lamp: float, begins_shot: bool = False) -> None:
        """Take in the next frame: `lamp` is the natural logarithm of how much brighter it is than the one before."""
        self._away = 0.0 if begins_shot else min(max(self._away * (1 - 1 / HOLD) + lamp, -MOST_GAIN), MOST_GAIN)

    @property
    def changes(self) -> bool:
        """Whether this frame differs from its shot's light."""
        return abs(self._away) > LEAST_GAIN

    def steadied(self, image: Any) -> Any:
        """The picture in its shot's light: (H, W, 3) uint8, on the same device."""
        levels = np.clip(np.rint(np.arange(256) * np.exp(-self._away)), 0, 255).astype(np.uint8)
        return array_module(image).asarray(levels)[image]
