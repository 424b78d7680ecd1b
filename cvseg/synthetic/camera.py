"""The camera of a rendered clip: pan, zoom, rotation and a hand's shake, as closed forms of the frame index."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Part of each motion in each kind of camera.
_PAN = {"pan": 1.0, "tour": 0.8}
_ZOOM = {"zoom": 1.0, "tour": 0.5}
_ROTATE = {"rotate": 1.0, "tour": 0.3}
_SHAKE = {"shake": 1.0, "tour": 0.3}

PAN_REACH = 0.12  # frame heights
ZOOM_REACH = 0.16  # share by which the view grows narrower
ROTATE_REACH = 0.045  # radians
SHAKE_REACH = 0.006  # frame heights, per sinusoid


@dataclass(frozen=True)
class Camera:
    """What the camera does.

    Attributes
    ----------
    kind : "static", "pan", "zoom", "rotate", "shake" or "tour"
    amount : more motion; 1 is a quiet hand
    phases : 12 phases in radians, which make the shake of one take
    """

    kind: str
    amount: float
    phases: tuple[float, ...]

    def pose_at(self, frame: int) -> tuple[float, float, float, float]:
        """Aim x and y (frame heights from the middle), zoom (1 or more) and angle in radians."""
        pan = PAN_REACH * self.amount * _PAN.get(self.kind, 0.0)
        x = pan * math.sin(2 * math.pi * frame / 150)
        y = 0.3 * pan * math.sin(2 * math.pi * frame / 110)
        zoom = 1 + ZOOM_REACH * self.amount * _ZOOM.get(self.kind, 0.0) * (1 - math.cos(2 * math.pi * frame / 130)) / 2
        angle = ROTATE_REACH * self.amount * _ROTATE.get(self.kind, 0.0) * math.sin(2 * math.pi * frame / 140)
        shake = SHAKE_REACH * self.amount * _SHAKE.get(self.kind, 0.0)
        if shake:
            # Three sinusoids without a common period look like a hand, and any frame can be asked for by itself.
            for i, rate in enumerate((0.031, 0.083, 0.141)):
                share = shake / (1 + i)
                x += share * math.sin(2 * math.pi * rate * frame + self.phases[i])
                y += share * math.sin(2 * math.pi * rate * 1.13 * frame + self.phases[3 + i])
                angle += 0.4 * share * math.sin(2 * math.pi * rate * 0.91 * frame + self.phases[6 + i])
        return x, y, zoom, angle

    def reach(self) -> tuple[float, float, float]:
        """Largest aim in x, in y, and largest angle."""
        shake = 2 * SHAKE_REACH * self.amount * _SHAKE.get(self.kind, 0.0)
        pan = PAN_REACH * self.amount * _PAN.get(self.kind, 0.0)
        angle = ROTATE_REACH * self.amount * _ROTATE.get(self.kind, 0.0) + 0.4 * shake
        return pan + shake, 0.3 * pan + shake, angle

    def matrix_at(self, frame: int, size_hw: tuple[int, int], nearness: float) -> NDArray[np.float64]:
        """World (frame heights from the middle, x right, y down) to pixels, as a (3, 3) matrix.

        Parameters
        ----------
        nearness : 0 for the background; a nearer layer follows the camera's aim (1 + nearness) times as far
        """
        height, width = size_hw
        x, y, zoom, angle = self.pose_at(frame)
        scale = height * zoom
        cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
        aim_x, aim_y = x * (1 + nearness), y * (1 + nearness)
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        return np.array(
            [
                [cosine, -sine, middle_x - cosine * aim_x + sine * aim_y],
                [sine, cosine, middle_y - sine * aim_x - cosine * aim_y],
                [0.0, 0.0, 1.0],
            ]
        )
