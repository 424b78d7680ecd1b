"""`BackgroundResult`: what a background model says of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class BackgroundResult:
    """Foreground and background of one picture, on the device of that picture.

    Attributes
    ----------
    foreground : (h, w) float32 in [0, 1], probability of showing something before the background
    mask : (h, w) bool, what the model takes for foreground after all its rules; shadows are not in it
    background : (h, w, 3) uint8 RGB, the background as the model believes it after this picture
    shadow : (h, w) bool, where the picture shows the background, darkened; nowhere for models that know no shadows
    frames : pictures that the model has learned from, this one included; probabilities of the first few mean little
    """

    foreground: Any
    mask: Any
    background: Any
    shadow: Any
    frames: int
