"""`BoxKalmanFilter`: where an object is, how large, and how fast, from noisy boxes. filterpy does the algebra."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.options import Options, option

Box = tuple[float, float, float, float]
SMALLEST_SIDE = 1.0  # pixels; a mask is at least one pixel wide, and the logarithm needs a positive number


@dataclass(frozen=True, kw_only=True)
class KalmanOptions(Options):
    """Noise of the motion model. Lengths are shares of the object's size, so one setting serves near and far."""

    position_noise: float = option(0.06, "noise of a measured centre, in sides of the box; larger smooths more", low=0)
    size_noise: float = option(0.15, "noise of a measured log side; larger makes the predicted size steadier", low=0)
    acceleration: float = option(
        0.015, "change of velocity per frame, in sizes; larger follows turns faster and smooths less", low=0
    )
    size_change: float = option(0.04, "change of the log side per frame; larger follows zooming objects faster", low=0)
    first_speed: float = option(0.25, "speed a new object may have, in sizes per frame; larger accepts faster", low=0)
    coasting: float = option(
        0.97, "velocity kept per frame while the object is not seen; 1 goes straight on", low=0, high=1
    )


class BoxKalmanFilter:
    """Constant-velocity Kalman filter of a box.

    State x = (cx, cy, vx, vy, log w, log h), a 1-D vector: centre and velocity in pixels and pixels per frame, and the
    logarithms of the sides, which keep sides positive and make noise a share of the size. Sides have no velocity: it
    is nearly pure noise with masks, and a random walk follows a growing object as well.

    Parameters
    ----------
    box_xyxy : first measured box, half-open, pixels
    options : KalmanOptions

    References
    ----------
    [Kalman1960]_. The straight virtual path after a gap follows [Cao2023]_, section 3.3 (observation-centric
    re-update).
    """

    def __init__(self, box_xyxy: Box, options: KalmanOptions | None = None) -> None:
        from filterpy.kalman import KalmanFilter

        self.options = options or KalmanOptions()
        self._filter: Any = KalmanFilter(dim_x=6, dim_z=4)
        self._filter.H = np.zeros((4, 6))
        self._filter.H[(0, 1, 2, 3), (0, 1, 4, 5)] = 1.0
        measured = box_to_measurement(box_xyxy)
        self._filter.x = np.zeros(6)
        self._filter.x[[0, 1, 4, 5]] = measured
        noise = self._measurement_noise(measured)
        speed = self.options.first_speed * self._size()
        self._filter.P = np.diag([noise[0, 0], noise[1, 1], speed**2, speed**2, noise[2, 2], noise[3, 3]])
        self._seen_state: tuple[NDArray[np.float64], NDArray[np.float64]]
        self._seen_measured: NDArray[np.float64]
        self._remember(measured)

    @property
    def box_xyxy(self) -> Box:
        """The box of the present state."""
        cx, cy, _, _, log_w, log_h = self._filter.x
        half_w, half_h = 0.5 * math.exp(log_w), 0.5 * math.exp(log_h)
        return float(cx - half_w), float(cy - half_h), float(cx + half_w), float(cy + half_h)

    @property
    def center_xy(self) -> tuple[float, float]:
        return float(self._filter.x[0]), float(self._filter.x[1])

    @property
    def size_wh(self) -> tuple[float, float]:
        return math.exp(self._filter.x[4]), math.exp(self._filter.x[5])

    @property
    def velocity_xy(self) -> tuple[float, float]:
        """Pixels per frame."""
        return float(self._filter.x[2]), float(self._filter.x[3])

    @property
    def seen_box_xyxy(self) -> Box:
        """The last measured box, carried along with the camera."""
        cx, cy, log_w, log_h = self._seen_measured
        half_w, half_h = 0.5 * math.exp(log_w), 0.5 * math.exp(log_h)
        return float(cx - half_w), float(cy - half_h), float(cx + half_w), float(cy + half_h)

    @property
    def seen_velocity_xy(self) -> tuple[float, float]:
        """Velocity when last seen, carried along with the camera; pixels per frame."""
        return float(self._seen_state[0][2]), float(self._seen_state[0][3])

    @property
    def covariance(self) -> NDArray[np.float64]:
        """(6, 6) uncertainty of the state."""
        return np.array(self._filter.P)

    def move(self, matrix: NDArray[np.float64]) -> None:
        """Carry the state along with the camera, before `predict`.

        Parameters
        ----------
        matrix : (3, 3), takes points (x, y, 1) of the last frame to this one
        """
        self._filter.x, self._filter.P = _moved_state(self._filter.x, self._filter.P, matrix)
        seen_x, seen_p = self._seen_state
        self._seen_state = _moved_state(seen_x, seen_p, matrix)
        as_state = np.array([*self._seen_measured[:2], 0, 0, *self._seen_measured[2:]])
        self._seen_measured = _moved_state(as_state, np.eye(6), matrix)[0][[0, 1, 4, 5]]

    def predict(self) -> None:
        """One frame on."""
        self._frames_unseen += 1
        if self._frames_unseen > 1:
            self._filter.x[2:4] *= self.options.coasting
        self._predict_once()

    def update(self, box_xyxy: Box, *, noise: float = 1.0, keep_size: bool = False) -> None:
        """Take in a measured box.

        Parameters
        ----------
        box_xyxy : half-open, pixels
        noise : factor on the standard deviation of the centre; larger trusts the box less
        keep_size : the sides of the box say nothing (it is part of the object)
        """
        measured = box_to_measurement(box_xyxy)
        if keep_size:
            measured[2:] = self._filter.x[4:]
        gap = self._frames_unseen
        if gap > 1:
            # Back after a gap: the velocity from before has drifted. Walk the straight line from the last sight.
            self._filter.x, self._filter.P = (array.copy() for array in self._seen_state)
            for step in range(1, gap + 1):
                self._predict_once()
                between = self._seen_measured + (measured - self._seen_measured) * (step / gap)
                self._filter.update(between, R=self._measurement_noise(between, noise))
        else:
            self._filter.update(measured, R=self._measurement_noise(measured, noise))
        # Faster than its own size per frame is an error of measurement, not a walk.
        speed, most = math.hypot(*self._filter.x[2:4]), 1.5 * self._size() + 2.0
        if speed > most:
            self._filter.x[2:4] *= most / speed
        self._remember(measured)

    def restart(
        self, center_xy: tuple[float, float], velocity_xy: tuple[float, float], size_wh: tuple[float, float], ago: int
    ) -> None:
        """It was last seen elsewhere: go on from there, unseen for some frames; the uncertainty stays."""
        log_wh = np.log(np.maximum(size_wh, SMALLEST_SIDE))
        self._seen_measured = np.array([*center_xy, *log_wh])
        self._seen_state = (np.array([*center_xy, *velocity_xy, *log_wh]), self._seen_state[1])
        kept = self.options.coasting ** np.arange(ago)
        velocity = np.array(velocity_xy)
        self._filter.x = np.array([*(np.array(center_xy) + velocity * kept.sum()), *velocity * kept[-1], *log_wh])
        self._frames_unseen = ago

    def center_distances(self, centers_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Squared Mahalanobis distances of measured centres (n, 2) from the predicted one; 9.2 holds 99 %."""
        spread = self._filter.P[:2, :2] + self._measurement_noise(self._filter.x[[0, 1, 4, 5]])[:2, :2]
        away = np.asarray(centers_xy, np.float64) - self._filter.x[:2]
        determinant = spread[0, 0] * spread[1, 1] - spread[0, 1] ** 2
        # The inverse of a 2 x 2 matrix, written out: exact in the same way for any number of rows.
        distances = (
            spread[1, 1] * away[:, 0] ** 2 - 2 * spread[0, 1] * away[:, 0] * away[:, 1] + spread[0, 0] * away[:, 1] ** 2
        ) / determinant
        return np.asarray(distances)

    def state_dict(self) -> dict[str, Any]:
        """All numbers of the filter; `load_state_dict` restores them bit for bit."""
        return {
            "x": self._filter.x.copy(),
            "P": self._filter.P.copy(),
            "seen_x": self._seen_state[0].copy(),
            "seen_P": self._seen_state[1].copy(),
            "seen_measured": self._seen_measured.copy(),
            "frames_unseen": self._frames_unseen,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._filter.x, self._filter.P = np.array(state["x"]), np.array(state["P"])
        self._seen_state = (np.array(state["seen_x"]), np.array(state["seen_P"]))
        self._seen_measured = np.array(state["seen_measured"])
        self._frames_unseen = int(state["frames_unseen"])

    def _remember(self, measured: NDArray[np.float64]) -> None:
        self._seen_state = (self._filter.x.copy(), self._filter.P.copy())
        self._seen_measured = measured
        self._frames_unseen = 0

    def _predict_once(self) -> None:
        # x = F x, P = F P F' + Q. White noise acceleration a: position gains a/2, velocity a.
        variance = (self.options.acceleration * self._size() + 0.05) ** 2
        noise = np.zeros((6, 6))
        noise[(0, 1), (0, 1)] = variance / 4
        noise[(0, 1, 2, 3), (2, 3, 0, 1)] = variance / 2
        noise[(2, 3), (2, 3)] = variance
        noise[(4, 5), (4, 5)] = self.options.size_change**2
        transition = np.eye(6)
        transition[(0, 1), (2, 3)] = 1.0
        self._filter.predict(F=transition, Q=noise)

    def _size(self) -> float:
        return math.exp(0.5 * (self._filter.x[4] + self._filter.x[5]))

    def _measurement_noise(self, measured: NDArray[np.float64], factor: float = 1.0) -> NDArray[np.float64]:
        sides = np.exp(measured[2:])
        # Half a pixel of rounding on top of the share: a tiny mask is never exact.
        position = (self.options.position_noise * sides + 0.5) * factor
        size = self.options.size_noise + 0.5 / sides
        return np.diag(np.concatenate((position, size)) ** 2)


def box_to_measurement(box_xyxy: Box) -> NDArray[np.float64]:
    """Box to (cx, cy, log w, log h)."""
    x0, y0, x1, y1 = (float(value) for value in box_xyxy)
    width, height = max(x1 - x0, SMALLEST_SIDE), max(y1 - y0, SMALLEST_SIDE)
    return np.array([0.5 * (x0 + x1), 0.5 * (y0 + y1), math.log(width), math.log(height)])


def _moved_state(
    x: NDArray[np.float64], p: NDArray[np.float64], matrix: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    u, v, w = matrix @ np.array([x[0], x[1], 1.0])
    if abs(w) < 1e-9:
        return x.copy(), p.copy()
    center = np.array([u / w, v / w])
    # Derivative of the projected point: how small steps around the centre turn and grow.
    jacobian = (matrix[:2, :2] - np.outer(center, matrix[2, :2])) / w
    area_factor = abs(jacobian[0, 0] * jacobian[1, 1] - jacobian[0, 1] * jacobian[1, 0])
    moved = x.copy()
    moved[:2] = center
    moved[2:4] = jacobian @ x[2:4]
    moved[4:] += 0.5 * math.log(max(area_factor, 1e-9))
    turn = np.eye(6)
    turn[:2, :2] = turn[2:4, 2:4] = jacobian
    return moved, turn @ p @ turn.T
