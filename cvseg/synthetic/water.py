"""Water: a mirror of the background below a horizon, rippled by waves that travel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HORIZON = 0.06  # where the water begins, in frame heights below the middle
NEAR = 0.12  # frame heights below the horizon where the surface looks twice as far off as at the lower edge, about
TINT = (0.62, 0.74, 0.80)
SWAY = 0.035  # reach of the reflection's vertical swing near the viewer, in frame heights
GLINT = 0.30  # brightness of a crest
# Across and away from the viewer, in radians per unit of the plane; radians per frame.
_WAVES = (
    (3.1, 5.0, 0.31),
    (-4.3, 8.5, 0.47),
    (7.9, 12.1, 0.63),
    (-11.7, 17.3, 0.83),
    (2.3, 26.0, 1.07),
)


@dataclass(frozen=True)
class Water:
    """The surface below the horizon. Its ripples are light, not matter: they travel, and the surface stays.

    Attributes
    ----------
    mirror : (h, w, 3) float32 RGB, the still reflection; the first row is at the horizon
    frame_height : pixels of one frame height
    phases : of the waves, in radians; they make one take
    """

    mirror: NDArray[np.float32]
    frame_height: int
    phases: tuple[float, ...]

    def texture_at(self, frame: int) -> NDArray[np.float32]:
        """The surface at a frame: (h, w, 4) float32, opaque."""
        from cvseg.kernels.warping.warp_backward import warp_backward

        height, width = self.mirror.shape[:2]
        depth = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(self.frame_height)
        # A plane seen from above it: what is near the horizon is far away, and its waves are small in the picture.
        nearness = depth / (depth + np.float32(NEAR))
        away = np.float32(1) / (depth + np.float32(NEAR))
        across = (np.arange(width, dtype=np.float32) - np.float32(width / 2)) / np.float32(self.frame_height)
        swing = np.zeros((height, width), np.float32)
        for (kx, kz, rate), phase in zip(_WAVES, self.phases, strict=True):
            angle = np.float32(kx) * across * away[:, None] * np.float32(0.5)
            angle += (np.float32(kz) * away + np.float32(math.fmod(phase - rate * frame, 2 * math.pi)))[:, None]
            swing += np.sin(angle, out=angle)
        swing *= np.float32(1 / len(_WAVES))
        shift_xy = np.zeros((height, width, 2), np.float32)
        reach = np.float32(SWAY * self.frame_height) * nearness
        shift_xy[..., 1] = swing * reach[:, None]
        shift_xy[..., 0] = swing * (np.float32(0.3) * reach)[:, None]
        texture = np.ones((height, width, 4), np.float32)
        texture[..., :3] = warp_backward(self.mirror, shift_xy)
        crest = np.maximum(swing - np.float32(0.25), np.float32(0)) * nearness[:, None]
        texture[..., :3] += np.float32(GLINT) * crest[..., None]
        return np.clip(texture, 0, 1, out=texture)


def water_below(background: NDArray[np.float32], frame_height: int, phases: tuple[float, ...]) -> tuple[Water, float]:
    """Water under the horizon of a background, and how far its middle lies below that of the picture.

    Parameters
    ----------
    background : (h, w, 4) float32, as `background_layer` makes it
    frame_height : pixels of one frame height
    phases : one a wave, in radians

    Returns
    -------
    water : as wide as the background, down to its lower edge
    middle_y : frame heights
    """
    rows = background.shape[0]
    horizon = min(rows - 2, round(rows / 2 + HORIZON * frame_height))
    below = rows - horizon
    mirror = background[horizon - 1 :: -1, :, :3][:below]
    if mirror.shape[0] < below:
        mirror = np.pad(mirror, ((0, below - mirror.shape[0]), (0, 0), (0, 0)), mode="reflect")
    water = Water(np.ascontiguousarray(mirror * np.array(TINT, np.float32)), frame_height, phases)
    return water, (horizon + (below - 1) / 2 - (rows - 1) / 2) / frame_height


def wave_phases(rng: np.random.Generator) -> tuple[float, ...]:
    """Phases of one take."""
    return tuple(rng.uniform(0, 2 * math.pi, len(_WAVES)).tolist())
