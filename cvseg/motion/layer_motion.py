"""The samples of one frame that motion layers are fitted to, and a layer's affine motion, back and forth in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import to_host

Affine = NDArray[np.float64]  # (2, 3): u = a00 + a01 x + a02 y, and v likewise; pixels

STEP = 2  # pixels from sample to sample
MOST_SAMPLES = 400  # of a layer that its motion is fitted to
LEAST_SAMPLES = 4
LEAST_NOISE_PX, MOST_NOISE_PX = 0.4, 1.5
RIDGE = 1600.0  # squared pixels: a layer of few samples turns and stretches as the camera's picture does
WINDOWS = 12  # places in a new layer whose motion is tried
WINDOW_SIZE = 0.2  # of the layer
ROUNDS = 4
FOLLOWS = 4.0  # standard deviations from a motion up to which a sample follows it


@dataclass
class Samples:
    """Every `STEP`-th pixel of a frame, on the host.

    Attributes
    ----------
    labels : (h, w) int32, 0 outside the foreground
    backward_xy, forward_xy : (h, w, 2) float32, pixels
    camera_backward, camera_forward : the camera's motion
    """

    labels: NDArray[np.int32]
    backward_xy: NDArray[np.float32]
    forward_xy: NDArray[np.float32]
    camera_backward: Affine
    camera_forward: Affine


def sampled(array: Any) -> Any:
    """Every `STEP`-th row and column, copied to the host."""
    return np.ascontiguousarray(to_host(array[::STEP, ::STEP].copy()))


def affine_of(matrix: NDArray[np.float64]) -> Affine:
    """The motion of a (3, 3) matrix that takes (x, y, 1) to where it goes; what is not affine in it is left out.

    Examples
    --------
    >>> affine_of(np.array([[1.0, 0.0, 3.0], [0.0, 1.5, 0.0], [0.0, 0.0, 1.0]])).tolist()
    [[3.0, 0.0, 0.0], [0.0, 0.0, 0.5]]
    """
    moved = np.asarray(matrix, np.float64) / matrix[2, 2] - np.eye(3)
    return np.ascontiguousarray(moved[:2][:, [2, 0, 1]])


@dataclass
class LayerMotion:
    """How a layer moves.

    Attributes
    ----------
    backward, forward : from this frame to the one before and to the next
    noise_px : robust standard deviation of the flow around it
    """

    backward: Affine
    forward: Affine
    noise_px: float

    def relative(self, samples: Samples) -> Affine:
        """Its motion against the camera."""
        return self.backward - samples.camera_backward


def fit_motion(rows: Any, columns: Any, samples: Samples, before: LayerMotion | None) -> tuple[LayerMotion, float]:
    """The motion that most of some samples follow, and the share of them that do, in both directions of time.

    Parameters
    ----------
    rows, columns : (n,) places in the arrays of `samples`, at least one
    before : the layer's motion against the camera in the last frame; None for a new layer, whose parts are tried

    Notes
    -----
    Of several hypotheses the one with the least truncated squares is refined by Tukey's biweight
    [OdobezBouthemy1995]_. Hypotheses are the median translation, the last motion against the camera, and for a new
    layer the motions of windows, as in sequential RANSAC [FischlerBolles1981]_ but at fixed places.
    """
    from cvseg.kernels.motion.affine_fit import affine_fit

    every = max(1, len(rows) // MOST_SAMPLES)
    size = STEP * np.sqrt(len(rows))
    rows, columns = rows[::every], columns[::every]
    points_xy = np.stack([columns, rows], axis=1).astype(np.float64) * STEP
    settings = (max(6.0, WINDOW_SIZE * size), RIDGE, LEAST_NOISE_PX, MOST_NOISE_PX, ROUNDS)
    beginnings = np.zeros((0, 2, 3)) if before is None else (samples.camera_backward + before.backward)[None]
    windows = WINDOWS if before is None else 0
    flow_xy = samples.backward_xy[rows, columns].astype(np.float64)
    backward, noise = affine_fit(points_xy, flow_xy, samples.camera_backward, beginnings, windows, *settings)
    share = _followers(points_xy, flow_xy, backward, noise)
    # Forward in time it must be the same thing that moves: it begins with the reverse, and nothing else.
    reverse = samples.camera_forward - (backward - samples.camera_backward)
    flow_xy = samples.forward_xy[rows, columns].astype(np.float64)
    forward, _ = affine_fit(points_xy, flow_xy, samples.camera_forward, reverse[None], -1, *settings)
    return LayerMotion(backward, forward, noise), min(share, _followers(points_xy, flow_xy, forward, noise))


def _followers(points_xy: Any, flow_xy: Any, model: Affine, noise_px: float) -> float:
    moved = points_xy @ model[:, 1:].T + model[:, 0]
    return float((((flow_xy - moved) ** 2).sum(1) < (FOLLOWS * noise_px) ** 2).mean())
