"""Evidence of motion for the fused background model: over short and long times, against the camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device, to_host
from cvseg.flow import FLOW_METHODS
from cvseg.flow.dense_inverse_search_2016 import dense_inverse_search_both_ways
from cvseg.flow.patch_matches import on_device
from cvseg.flow.replayed import replayed
from cvseg.kernels.background.motion_errors import motion_errors
from cvseg.kernels.background.motion_verdict import motion_verdict
from cvseg.kernels.filtering.box_mean import box_mean
from cvseg.motion.camera_motion import CameraMotion, CameraMotionOptions, estimate_camera_motion

LAGS = (1, 4, 16, 48)  # frames; a slow object moves clearly over a long time, a fast one has left by then
LARGEST_ERROR = 10.0  # sigmas; a larger error says nothing more
LONG = 4  # frames; longer times count only where the camera's own motion is known to LARGEST_NOISE
LARGEST_NOISE = 0.5  # pixels
LEAST_SIGMA = 1 / 255  # rounding to 8 bits
FIT = CameraMotionOptions(samples=1500)  # flow vectors that the camera is fitted to


@dataclass(frozen=True)
class MotionEvidence:
    """What moves in one picture.

    Attributes
    ----------
    evidence : (h, w) float32, 0 and up; 1 where both tests of `motion_evidence` are passed
    course_xy : (2, h, w) float32, its direction, as long as `evidence` but at most 1
    fit : (h, w) float32 in [0, 1], how well the picture before, moved along the flow, explains this one
    backward_xy : (h, w, 2) float32, pixels, flow to the picture before
    camera : motion of the camera to the picture before
    noise : standard deviation of one pixel of one picture, in grey levels 0 to 1
    """

    evidence: Any
    course_xy: Any
    fit: Any
    backward_xy: Any
    camera: CameraMotion
    noise: float


@dataclass(frozen=True)
class _Lag:
    frames: int
    flow_xy: Any
    away_xy: Any
    round_trip: Any
    errors: Any
    squares: Any
    sigma: float
    camera: CameraMotion


def motion_evidence(
    now: Any,
    earlier: list[tuple[int, Any]],
    *,
    preset: str,
    window: int,
    error_ratio: float,
    noise_ratio: float,
    largest: float,
) -> MotionEvidence:
    """Compare a picture with earlier ones: what does motion explain that standing still does not?

    A pixel counts as moving over a time when all of this holds: its flow differs from the camera's by more than the
    noise of that fit; in a window around it the picture fits much better along the flow than along the camera's motion;
    the flow comes back to where it started; and over the next shorter time it has moved the same way. The last two
    keep out what has only been uncovered. The evidence is the largest over all times.

    Parameters
    ----------
    now : (h, w) float32 grey in [0, 1]
    earlier : (frames ago, picture) pairs, the shortest time first, which must be 1
    preset : of the optical flow
    window : pixels around each that its errors are averaged over
    error_ratio : by how much the squared error of standing still exceeds that of moving for evidence 1
    noise_ratio : motion, in noise of the camera fit, for evidence 1
    largest : evidence that nothing exceeds
    """
    xp = array_module(now)
    most = xp.zeros((3, *now.shape), np.float32)
    tasks = [partial(_compare, now, *pair, preset=preset, window=window) for pair in earlier]
    lags = on_device(now, *tasks)
    first = lags[0]
    shorter: _Lag | None = None
    for lag in lags:
        noise_px = lag.camera.noise_px
        # Nothing is shorter than the shortest: a slack that no pixel exceeds.
        share, slack, scale = 0.0, 1e6, 1.0
        if shorter is not None:
            share, slack = 0.5 * shorter.frames / lag.frames, 2 * shorter.camera.noise_px + 0.1
            scale = 1 / (0.1 + shorter.camera.noise_px)
        settings = 1 / error_ratio, 1 / (noise_ratio * (noise_px + 0.05)), 2 * noise_px + 0.1, share, slack, scale
        believed = lag.camera.inlier_share > 0.5 and (lag.frames <= LONG or noise_px < LARGEST_NOISE)
        if believed:
            maps = lag.squares, lag.away_xy, lag.round_trip, (shorter or lag).away_xy
            motion_verdict(*maps, most, *(np.float32(value) for value in settings))
        shorter = lag
    mean_error = box_mean(xp.ascontiguousarray(first.errors[1][None]), np.int32(1))[0]
    fit = xp.exp(mean_error * mean_error * np.float32(-1 / 18))
    noise = 1.4826 * _median(first.errors[0]) * first.sigma / np.sqrt(2)
    return MotionEvidence(
        evidence=xp.minimum(most[0], np.float32(largest)),
        course_xy=most[1:],
        fit=fit,
        backward_xy=first.flow_xy,
        camera=first.camera,
        noise=float(noise),
    )


def _compare(now: Any, frames: int, before: Any, *, preset: str, window: int) -> _Lag:
    """Flow, camera and errors between `now` and the picture of `frames` ago."""
    xp = array_module(now)
    options = FLOW_METHODS["dis"].presets[preset]
    flow_xy, return_xy = replayed("dis both", dense_inverse_search_both_ways, now, before, options)
    camera = estimate_camera_motion(flow_xy, FIT)
    matrix = to_device(np.ascontiguousarray(camera.matrix, np.float32), device_of(now))
    errors, away_xy, round_trip = motion_errors(now, before, flow_xy, return_xy, matrix)
    sigma = max(1.4826 * _median(errors[1]), LEAST_SIGMA)
    errors = xp.minimum(errors * np.float32(1 / sigma), np.float32(LARGEST_ERROR))
    squares = box_mean(errors * errors, np.int32(window))
    return _Lag(frames, flow_xy, away_xy, round_trip, errors, squares, sigma, camera)


def _median(values: Any) -> float:
    """Of every third pixel of every third row; reads them back, which synchronises a GPU."""
    sample: NDArray[np.float32] = np.array(to_host(values[::3, ::3])).ravel()
    return float(np.partition(sample, sample.size // 2)[sample.size // 2])
