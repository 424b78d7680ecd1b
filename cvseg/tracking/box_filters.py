"""Kalman filters of many boxes at once: what filterpy computes for each alone, as a few products of small matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.box_tracker_options import BoxMotionOptions

Array = NDArray[np.float64]

SMALLEST_SIDE = 1.0  # pixels; the logarithm needs a positive number
POSITION, SPEED, PUSH = slice(0, 2), slice(2, 4), slice(4, 6)
MODELS = {"velocity": ("velocity",), "acceleration": ("acceleration",), "interacting": ("velocity", "acceleration")}


class BoxFilters:
    """State of n boxes under one or more motion models.

    State x = (cx, cy, vx, vy, log w, log h), or (cx, cy, vx, vy, ax, ay, log w, log h) where a model has an
    acceleration: pixels, pixels per frame, pixels per frame squared. Sides are a random walk of their logarithms.

    Attributes
    ----------
    x : (models, n, D)
    P : (models, n, D, D), symmetric and positive
    weight : (n, models), probabilities of the models, adding up to 1
    mean, spread : (n, D) and (n, D, D), all models together

    References
    ----------
    [Kalman1960]_; several models at once: [Blom1988]_. The test compares both with filterpy's.
    """

    def __init__(self, options: BoxMotionOptions | None = None) -> None:
        self.options = options or BoxMotionOptions()
        self.models = MODELS[self.options.model]
        self.size = 6 if self.models == ("velocity",) else 8
        self.measured = np.array([0, 1, self.size - 2, self.size - 1])
        self.steps = np.stack([self._step(model) for model in self.models])
        count = len(self.models)
        stay = self.options.stay if count > 1 else 1.0
        self.switching = np.full((count, count), (1 - stay) / max(1, count - 1))
        np.fill_diagonal(self.switching, stay)
        self.x = np.zeros((count, 0, self.size))
        self.P = np.zeros((count, 0, self.size, self.size))
        self.weight = np.zeros((0, count))
        self._combine()

    def __len__(self) -> int:
        return self.x.shape[1]

    def _step(self, model: str) -> Array:
        step = np.eye(self.size)
        step[(0, 1), (2, 3)] = 1.0
        if self.size == 8:
            if model == "acceleration":
                step[(0, 1), (4, 5)] = 0.5
                step[(2, 3), (4, 5)] = 1.0
            else:
                step[(4, 5), (4, 5)] = 0.0
        return step

    def append(self, measured: Array) -> None:
        """Begin a filter for every row (cx, cy, log w, log h)."""
        count = len(measured)
        x = np.zeros((count, self.size))
        x[:, self.measured] = measured
        variance = np.zeros((count, self.size))
        variance[:, self.measured] = self.noise(measured)
        size = np.exp(0.5 * (measured[:, 2] + measured[:, 3]))
        variance[:, SPEED] = ((self.options.first_speed * size) ** 2)[:, None]
        if self.size == 8:
            variance[:, PUSH] = ((0.1 * self.options.first_speed * size) ** 2)[:, None]
        spread = variance[:, :, None] * np.eye(self.size)
        models = len(self.models)
        self.x = np.concatenate([self.x, np.broadcast_to(x, (models, *x.shape))], axis=1)
        self.P = np.concatenate([self.P, np.broadcast_to(spread, (models, *spread.shape))], axis=1)
        self.weight = np.concatenate([self.weight, np.full((count, models), 1.0 / models)])
        self._combine()

    def keep(self, rows: NDArray[Any]) -> None:
        """Leave only these rows (numbers or a mask)."""
        self.x, self.P, self.weight = self.x[:, rows], self.P[:, rows], self.weight[rows]
        self._combine()

    def move(self, matrix: Array) -> None:
        """Carry all states along with the camera, before `predict`; (3, 3), from the last frame to this one."""
        if len(self):
            self.x, self.P = moved_states(self.x, self.P, matrix)
            self._combine()

    def predict(self, unseen: NDArray[np.bool_] | None = None) -> None:
        """One frame on; the speed of those that are `unseen` (n,) fades."""
        if not len(self):
            return
        if unseen is not None and unseen.any():
            self.x[:, unseen, SPEED] *= self.options.coasting
            if self.size == 8:
                self.x[:, unseen, PUSH] *= 0.5
        if len(self.models) > 1:
            self._mix()
        noise = self._process_noise()
        for m, step in enumerate(self.steps):
            self.x[m] = self.x[m] @ step.T
            self.P[m] = step @ self.P[m] @ step.T + noise[m]
        self._combine()

    def update(self, rows: NDArray[np.int64], measured: Array, factor: Array | None = None) -> None:
        """Take in one measured box (cx, cy, log w, log h) for each of these rows.

        Parameters
        ----------
        factor : (rows,) on the variance of the measurement; larger trusts the box less
        """
        if not len(rows):
            return
        noise = self.noise(measured)
        if factor is not None:
            noise = noise * factor[:, None]
        diagonal = np.arange(4)
        own, log_likelihood = np.eye(self.size), np.zeros((len(self.models), len(rows)))
        for m in range(len(self.models)):
            x, spread = self.x[m, rows], self.P[m, rows]
            shared = spread[:, :, self.measured]
            innovation = shared[:, self.measured]
            innovation[:, diagonal, diagonal] += noise
            inverse = np.linalg.inv(innovation)
            gain = shared @ inverse
            away = measured - x[:, self.measured]
            self.x[m, rows] = x + (gain @ away[:, :, None])[:, :, 0]
            # (I - K H) P (I - K H)' + K R K': symmetric and positive whatever is rounded.
            left = np.broadcast_to(own, spread.shape).copy()
            left[:, :, self.measured] -= gain
            after = left @ spread @ left.transpose(0, 2, 1) + (gain * noise[:, None, :]) @ gain.transpose(0, 2, 1)
            self.P[m, rows] = 0.5 * (after + after.transpose(0, 2, 1))
            if len(self.models) > 1:
                far = (away[:, None, :] @ inverse @ away[:, :, None])[:, 0, 0]
                log_likelihood[m] = -0.5 * (far + np.linalg.slogdet(innovation)[1])
        if len(self.models) > 1:
            likely = np.exp(log_likelihood - log_likelihood.max(0)).T
            weight = (self.weight[rows] @ self.switching) * likely
            self.weight[rows] = weight / weight.sum(1, keepdims=True)
        self._combine(rows)

    def noise(self, measured: Array) -> Array:
        """(n, 4) variances of measured boxes; half a pixel of rounding comes on top of the share."""
        sides = np.exp(measured[:, 2:])
        position = self.options.position_noise * sides + 0.5
        return np.asarray(np.concatenate([position, self.options.size_noise + 0.5 / sides], axis=1) ** 2)

    @property
    def boxes_xyxy(self) -> Array:
        return boxes_of(self.mean[:, self.measured])

    @property
    def velocity_xy(self) -> Array:
        return self.mean[:, SPEED]

    def state_dict(self) -> dict[str, Array]:
        return {"x": self.x.copy(), "P": self.P.copy(), "weight": self.weight.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.x, self.P, self.weight = (np.array(state[name]) for name in ("x", "P", "weight"))
        self._combine()

    def _process_noise(self) -> Array:
        """(models, n, D, D)."""
        options, count = self.options, len(self)
        noise = np.zeros((len(self.models), count, self.size, self.size))
        size = np.exp(0.5 * (self.mean[:, -2] + self.mean[:, -1]))
        drift, speed = (options.drift * size) ** 2, (options.acceleration * size) ** 2
        for m, model in enumerate(self.models):
            of = noise[m]
            push = (options.jerk * size) ** 2 if model == "acceleration" else None
            for axis in (0, 1):
                of[:, axis, axis] = drift
                of[:, 2 + axis, 2 + axis] = speed
                if push is not None:
                    of[:, 4 + axis, 4 + axis] = push
            of[:, (-2, -1), (-2, -1)] = options.size_change**2
        return noise

    def _mix(self) -> None:
        """Every model begins from all of them, weighed by who may have switched to it."""
        toward = self.weight @ self.switching
        share = self.switching[None] * self.weight[:, :, None] / toward[:, None, :]  # (n, from, to)
        x = np.einsum("nft,fnk->tnk", share, self.x)
        away = self.x[:, None] - x[None]  # (from, to, n, D)
        spread = self.P[:, None] + away[..., :, None] * away[..., None, :]
        self.x, self.P = x, np.einsum("nft,ftnkl->tnkl", share, spread)

    def refresh(self) -> None:
        """After `x`, `P` or `weight` were set from outside."""
        self._combine()

    def _combine(self, rows: Any = slice(None)) -> None:
        if len(self.models) == 1:
            self.mean, self.spread = self.x[0], self.P[0]
            return
        x, weight = self.x[:, rows], self.weight[rows]
        mean = np.einsum("nm,mnk->nk", weight, x)
        away = x - mean
        spread = np.einsum("nm,mnkl->nkl", weight, self.P[:, rows] + away[..., :, None] * away[..., None, :])
        if isinstance(rows, slice):
            self.mean, self.spread = mean, spread
        else:
            self.mean[rows], self.spread[rows] = mean, spread


def measurements_of(boxes_xyxy: Any) -> Array:
    """Boxes (n, 4) to (cx, cy, log w, log h).

    Examples
    --------
    >>> boxes_of(measurements_of([[0, 0, 4, 2]])).tolist()
    [[0.0, 0.0, 4.0, 2.0]]
    """
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], SMALLEST_SIDE)
    return np.concatenate([0.5 * (boxes[:, :2] + boxes[:, 2:]), np.log(sides)], axis=1)


def boxes_of(measured: Array) -> Array:
    """(cx, cy, log w, log h) to boxes (n, 4)."""
    half = 0.5 * np.exp(np.minimum(measured[:, 2:], 30.0))
    return np.concatenate([measured[:, :2] - half, measured[:, :2] + half], axis=1)


def moved_states(x: Array, spread: Array, matrix: Array) -> tuple[Array, Array]:
    """States (..., D) and their covariances (..., D, D), carried along with a camera by a (3, 3) matrix."""
    size = x.shape[-1]
    point = np.concatenate([x[..., POSITION], np.ones_like(x[..., :1])], axis=-1) @ matrix.T
    depth = np.where(np.abs(point[..., 2:]) < 1e-9, 1e-9, point[..., 2:])
    center = point[..., :2] / depth
    # Derivative of the projected point: how small steps around the centre turn and grow.
    jacobian = (matrix[:2, :2] - center[..., :, None] * matrix[2, :2]) / depth[..., None]
    area = np.abs(jacobian[..., 0, 0] * jacobian[..., 1, 1] - jacobian[..., 0, 1] * jacobian[..., 1, 0])
    moved = x.copy()
    moved[..., POSITION] = center
    turn = np.zeros((*x.shape, size))
    turn[..., POSITION, POSITION] = jacobian
    for start in range(2, size - 2, 2):
        pair = slice(start, start + 2)
        moved[..., pair] = (jacobian @ x[..., pair, None])[..., 0]
        turn[..., pair, pair] = jacobian
    turn[..., (-2, -1), (-2, -1)] = 1.0
    moved[..., -2:] += 0.5 * np.log(np.maximum(area, 1e-9))[..., None]
    after = turn @ spread @ np.swapaxes(turn, -1, -2)
    return moved, 0.5 * (after + np.swapaxes(after, -1, -2))
