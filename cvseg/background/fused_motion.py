"""Evidence of motion for the fused background model: over short and long times, against the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, to_device, to_host
from cvseg.flow import estimate_flow
from cvseg.kernels.background.motion_errors import motion_errors
from cvseg.kernels.filtering.box_mean import box_mean
from cvseg.motion.camera_motion import CameraMotion, estimate_camera_motion

LAGS = (1, 4, 16, 48)  # frames; a slow object moves clearly over a long time, a fast one has left by then
LARGEST_ERROR = 10.0  # sigmas; a larger error says nothing more
LONG = 4  # frames; longer times count only where the camera's own motion is known to LARGEST_NOISE
LARGEST_NOISE = 0.5  # pixels
LEAST_SIGMA = 1 / 255  # rounding to 8 bits


@dataclass(frozen=True)
class MotionEvidence:
    """What moves in one picture.

    Attributes
    ----------
    evidence : (h, w) float32, 0 and up; 1 where both tests of `motion_evidence` are passed
    course_xy : (h, w, 2) float32, its direction, as long as `evidence` but at most 1
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
    away_xy: Any
    noise_px: float


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
    best, course_xy = xp.zeros(now.shape, np.float32), xp.zeros((*now.shape, 2), np.float32)
    shorter, first = None, None
    for frames, before in earlier:
        flow_xy, return_xy = (estimate_flow(*pair, preset=preset) for pair in ((now, before), (before, now)))
        camera = estimate_camera_motion(flow_xy)
        matrix = to_device(np.ascontiguousarray(camera.matrix, np.float32), "cpu" if xp is np else "cuda")
        errors, away_xy, round_trip = motion_errors(now, before, flow_xy, return_xy, matrix)
        sigma = max(1.4826 * _median(errors[1]), LEAST_SIGMA)
        errors = xp.minimum(errors * np.float32(1 / sigma), np.float32(LARGEST_ERROR))
        squares = box_mean(xp.ascontiguousarray(errors * errors), np.int32(window))
        away = xp.sqrt((away_xy * away_xy).sum(axis=2))
        noise_px = camera.noise_px
        evidence = xp.minimum(
            (squares[0] - squares[1]) / ((squares[1] + np.float32(1)) * np.float32(error_ratio)),
            away * np.float32(1 / (noise_ratio * (noise_px + 0.05))),
        )
        slack = away * np.float32(0.15) + np.float32(2 * noise_px + 0.1)
        evidence = evidence * xp.clip(np.float32(2) - round_trip / slack, np.float32(0), np.float32(1))
        if shorter is not None:
            along = (shorter.away_xy * away_xy).sum(axis=2) / xp.maximum(away, np.float32(0.01))
            least = away * np.float32(0.5 * shorter.frames / frames) - np.float32(2 * shorter.noise_px + 0.1)
            same_way = (along - least) * np.float32(1 / (0.1 + shorter.noise_px))
            evidence = evidence * xp.clip(same_way, np.float32(0), np.float32(1))
        if camera.inlier_share > 0.5 and (frames <= LONG or noise_px < LARGEST_NOISE):
            better = evidence > best
            best = xp.where(better, evidence, best)
            unit_xy = away_xy / xp.maximum(away, np.float32(0.01))[..., None]
            unit_xy = unit_xy * xp.minimum(evidence, np.float32(1))[..., None]
            course_xy = xp.where(better[..., None], unit_xy, course_xy)
        shorter = _Lag(frames, away_xy, noise_px)
        if first is None:
            mean_error = box_mean(xp.ascontiguousarray(errors[1][None]), np.int32(1))[0]
            noise = 1.4826 * _median(errors[0]) * sigma / np.sqrt(2)
            first = (xp.exp(mean_error * mean_error * np.float32(-1 / 18)), flow_xy, camera, float(noise))
    assert first is not None  # callers pass at least one pair
    return MotionEvidence(xp.clip(best, np.float32(0), np.float32(largest)), course_xy, *first)


def _median(values: Any) -> float:
    """Of every third pixel of every third row; reads them back, which synchronises a GPU."""
    sample: NDArray[np.float32] = np.array(to_host(values[::3, ::3])).ravel()
    return float(np.partition(sample, sample.size // 2)[sample.size // 2])
