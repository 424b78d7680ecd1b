"""`SteadyLight`: frames of a flickering film in one light, so that their colours can be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module

HOLD = 50  # frames over which a change of light that stays is let in
LEAST_GAIN = 0.005  # logarithm; less is not worth to touch the picture
MOST_GAIN = float(np.log(4))


class SteadyLight:
    """Follows the light of a shot: what comes and goes is taken out, what stays is let in slowly.

    Examples
    --------
    >>> light = SteadyLight()
    >>> light.push((0.0, 0.0, 0.0), begins_shot=True)
    >>> light.changes
    False
    >>> light.push((np.log(1.25), np.log(1.25), 0.0))  # red and green a quarter brighter than in the frame before
    >>> light.steadied(np.full((1, 1, 3), 100, np.uint8)).tolist()
    [[[80, 80, 100]]]
    """

    def __init__(self) -> None:
        # Logarithms of how much brighter the frame is than the light it is shown in
        self._away: NDArray[np.float64] = np.zeros(3)

    def push(self, lamps: tuple[float, float, float], begins_shot: bool = False) -> None:
        """Take in the next frame.

        Parameters
        ----------
        lamps : natural logarithms of how much brighter it is than the one before, in red, green and blue
        begins_shot : no frame before belongs to it; `lamps` say nothing
        """
        away = self._away * (1 - 1 / HOLD) + np.array(lamps)
        self._away = np.zeros(3) if begins_shot else np.clip(away, -MOST_GAIN, MOST_GAIN)

    @property
    def changes(self) -> bool:
        """Whether this frame differs from its shot's light."""
        return bool((np.abs(self._away) > LEAST_GAIN).any())

    def steadied(self, image: Any) -> Any:
        """The picture in its shot's light: (H, W, 3) uint8, on the same device."""
        xp = array_module(image)
        levels = xp.asarray(np.clip(np.rint(np.arange(256)[:, None] * np.exp(-self._away)), 0, 255).astype(np.uint8))
        steady = xp.empty_like(image)
        for channel in range(3):
            steady[..., channel] = levels[:, channel][image[..., channel]]
        return steady
