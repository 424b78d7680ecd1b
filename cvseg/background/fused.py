"""The fused background model: colours of each pixel, motion over short and long times, shadows, edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.background.fused_faint import (
    FLICKER,
    KNOWN_FRAMES,
    PRIOR,
    enlarged,
    faint_distance,
    learn_calm,
    sampled,
    squared_differences,
)
from cvseg.background.fused_lamp import find_lamp
from cvseg.background.fused_light import LEAST_CHANGE, light_change
from cvseg.background.fused_motion import LAGS, MotionEvidence, motion_evidence
from cvseg.background.fused_options import FusedBackgroundOptions
from cvseg.background.fused_steady import Position, find_position
from cvseg.background.model import BackgroundModel
from cvseg.background.result import BackgroundResult

_LARGEST_LOGIT = 4.0
_RELIT_FRAMES = 15  # of wider tolerance and faster learning after the light has changed
_RELIT_RATE = 0.1
_PAN_PX = 1.0  # mean motion of the camera per frame, at the size of the flow, that a background does not survive
_PAN_SHARE = 0.75  # of the way that the camera has come back and forth: a shaking one stays where it is
_PAN_RATE = 0.15
_SHAKE_PX = 0.25  # motion of the camera from frame to frame, at the size of the flow, that is one
_SHAKE_FRAMES = 50  # after the last one the background is taken to stand still again
_COURSE_RATE = 0.1  # of a frame in the memory of where things move
_COURSE_LEAST = 0.15  # below this, what is left of motion is its noise


class FusedBackground(BackgroundModel):
    """Background of a camera that stands still, by colour and by motion.

    Parameters
    ----------
    options : FusedBackgroundOptions; None takes the defaults

    Notes
    -----
    20 bytes a pixel for each of `modes`, 4 more, and 208 for each pixel at `motion_height`: 116 bytes a pixel at 480p.
    With `learning_rate` 0 pictures are judged by colours alone: the frames before are not remembered.
    docs/methods/fused_background.md explains every step.

    Examples
    --------
    >>> model = FusedBackground()
    >>> image = np.full((24, 32, 3), 90, np.uint8)
    >>> for _ in range(5):
    ...     result = model.update(image)
    >>> image[8:16, 16:24] = 200
    >>> model.update(image).mask[12, 12:28].astype(int).tolist()
    [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
    """

    method = "fused"

    def __init__(self, options: FusedBackgroundOptions | None = None) -> None:
        super().__init__(options or FusedBackgroundOptions())

    def _begin(self, image: Any) -> None:
        xp, modes = array_module(image), self.options.modes
        size_hw = (int(image.shape[0]), int(image.shape[1]))
        small_hw = tuple(-(-side // self._factor(size_hw)) for side in size_hw)
        mean = xp.zeros((modes, 3, *size_hw), np.float32)
        mean[0] = xp.moveaxis(image, 2, 0)
        age = xp.zeros((modes, *size_hw), np.float32)
        age[0] = np.float32(0.5)
        self._arrays = {
            "mean": mean,
            "variance": xp.full((modes, *size_hw), np.float32(4 * 5.0**2), np.float32),
            "age": age,
            "flicker": xp.zeros(size_hw, np.float32),
            "calm": xp.full(small_hw, np.float32(PRIOR), np.float32),
            "history": xp.zeros((max(LAGS), *small_hw), np.float32),
            "memory": xp.zeros(small_hw, np.float32),
            "course": xp.zeros((2, *small_hw), np.float32),
        }
        self._numbers = {"frames": 0, "noise": 3.0, "relit": 0, "pan_x": 0.0, "pan_y": 0.0, "sway": 0.0}
        self._numbers |= {"shaken": 0, "shift_x": 0.0, "shift_y": 0.0}

    def _factor(self, size_hw: tuple[int, int]) -> int:
        """Full size / size of the pictures that flow is computed on."""
        return max(1, round(size_hw[0] / self.options.motion_height))

    def _compare(self, image: Any, learning_rate: float | None) -> BackgroundResult:
        rate = self.options.learning_rate if learning_rate is None else learning_rate
        position = self._position(image, rate)
        if position is None:
            seen = array_module(image).full(image.shape[:2], np.uint8(1), np.uint8)
            return self._judge(image, seen, rate, np.zeros(2))
        moved, seen = position.onto_background(image)
        return position.onto_picture(self._judge(moved, seen.astype(np.uint8), rate, position.shift_xy))

    def _position(self, image: Any, rate: float) -> Position | None:
        """Where a picture of a shaking camera lies on the background; None when it lies on it."""
        numbers, xp = self._numbers, array_module(image)
        if not numbers["shaken"] or not self.options.steady or self.camera_moves:
            return None
        background = xp.ascontiguousarray(xp.moveaxis(self._arrays["mean"][0], 0, 2) + np.float32(0.5))
        position = find_position(self._small_gray(image), self._small_gray(background.astype(np.uint8)))
        if rate > 0:
            numbers["shaken"] = numbers["shaken"] - 1 if position is None else _SHAKE_FRAMES
        factor = self._factor(image.shape[:2])
        return None if position is None else position.scaled(factor, (int(image.shape[0]), int(image.shape[1])))

    def _judge(self, image: Any, seen: Any, rate: float, shift_xy: Any) -> BackgroundResult:
        """Compare a picture that lies on the background with it, then learn from what is `seen` of it."""
        from cvseg.kernels.background.mode_distance import mode_distance
        from cvseg.kernels.background.mode_learning import mode_learning

        options, xp, arrays = self.options, array_module(image), self._arrays
        small = self._small_gray(image)
        gain = np.ones(3)
        if rate > 0:
            least_rate, gain = self._follow_light(image, small)
            rate = max(rate, least_rate)
        motion = self._motion(small) if rate > 0 else None
        if motion is not None:
            self._numbers["noise"] += 0.1 * (self._full_noise(motion, image) - self._numbers["noise"])
            self._follow_camera(motion, shift_xy / self._factor(image.shape[:2]))
        sigma = max(options.smallest_sigma, options.noise_factor * self._numbers["noise"])
        floor = np.float32((sigma * (1 + self._numbers["relit"] / _RELIT_FRAMES)) ** 2)

        state = [arrays[name] for name in ("mean", "variance", "age", "flicker")]
        distance, own, shade = mode_distance(image, *state, *self._distance_settings(floor))
        distance = self._faint(image, distance, gain, rate) * seen
        logit = self._logit(distance, shade, motion, image.shape[:2])
        logit = self._smooth(logit, image)
        mask = self._mask(logit)
        half = np.float32(0.5)
        probability = np.float32(1) / (np.float32(1) + xp.exp(-logit))
        probability = xp.where(mask, xp.maximum(probability, half), xp.minimum(probability, half)).astype(np.float32)

        learn_rate = np.float32(rate)
        background, *_ = mode_learning(
            image,
            seen,
            *state,
            own,
            probability,
            self._travelled(motion),
            np.int32(self._factor(image.shape[:2])),
            learn_rate,
            *self._learning_settings(floor),
        )
        if rate > 0:
            factor = self._factor(image.shape[:2])
            arrays["memory"] = xp.ascontiguousarray(logit[factor // 2 :: factor, factor // 2 :: factor])
            arrays["memory"] = _fit(arrays["memory"], small.shape, xp)
            arrays["history"][int(self._numbers["frames"]) % max(LAGS)] = small
            self._numbers["frames"] += 1
        shadow = (distance > np.float32(options.threshold)) & (shade > half) & ~mask
        return BackgroundResult(probability, mask, background, shadow, int(self._numbers["frames"]))

    def _faint(self, image: Any, distance: Any, gain: Any, rate: float) -> Any:
        """`distance`, and where larger that of a window around each pixel."""
        options, xp, calm = self.options, array_module(distance), self._arrays["calm"]
        if not options.faint:
            return distance
        size_hw = int(distance.shape[0]), int(distance.shape[1])
        factor = self._factor(size_hw)
        squares = _fit(squared_differences(image, self._arrays["mean"][0], gain, factor), calm.shape, xp)
        near = _fit(sampled(distance, factor), calm.shape, xp) < np.float32(options.threshold)
        flicker = _fit(sampled(self._arrays["flicker"], factor), calm.shape, xp)
        flicker = flicker - np.float32(FLICKER) * (flicker >= np.float32(FLICKER))
        wider = 1 + np.float32(options.flicker_gain) * xp.maximum(flicker - np.float32(options.flicker_free), 0)
        ratio = faint_distance(
            squares,
            calm,
            near,
            wider.astype(np.float32),
            window=-(-options.faint_window // factor),
            least_sigma=options.faint_sigma,
            widest=1 + self._numbers["relit"] / _RELIT_FRAMES,
        )
        frames = int(self._numbers["frames"])
        if rate > 0 and frames > 0:  # the first picture is the background: it differs by nothing
            quiet = near & (ratio < np.float32(options.faint))
            learn_calm(calm, squares, quiet, rate, frames)
        if frames < KNOWN_FRAMES:
            return distance
        faint = ratio * np.float32(options.threshold / options.faint)
        return xp.maximum(distance, enlarged(faint, factor, size_hw))

    def _follow_light(self, image: Any, small: Any) -> tuple[float, Any]:
        """Brighten or darken the background with the light, in the whole picture or a part of it.

        Returns
        -------
        the least learning rate for a while after that, and the gain of a change that is too small for it
        """
        change, small_gain = light_change(image, self._arrays["mean"][0]), np.ones(3)
        if change is not None and not change.sudden:
            small_gain = np.clip(change.gain, 1 - LEAST_CHANGE, 1 + LEAST_CHANGE)
        if change is not None and change.sudden:
            xp, gain = array_module(image), change.gain
            mean, history = self._arrays["mean"], self._arrays["history"]
            for channel in range(3):
                mean[:, channel] = xp.minimum(mean[:, channel] * np.float32(gain[channel]), np.float32(255))
            history *= np.float32(gain.mean())
            self._numbers["relit"] = _RELIT_FRAMES
        elif self._follow_lamp(image, small):
            self._numbers["relit"] = _RELIT_FRAMES
        elif self._numbers["relit"] > 0:
            self._numbers["relit"] -= 1
        return (_RELIT_RATE if self._numbers["relit"] > 0 else 0.0), small_gain

    def _follow_lamp(self, image: Any, small: Any) -> bool:
        known, history = int(self._numbers["frames"]), self._arrays["history"]
        if known == 0 or self.camera_moves:
            return False
        mean, variance, factor = self._arrays["mean"], self._arrays["variance"], self._factor(image.shape[:2])
        lamp = find_lamp(image, mean[0], variance[0], small, history[(known - 1) % max(LAGS)], factor)
        if lamp is not None:
            lamp.relight(image, mean, history, factor)
        return lamp is not None

    @property
    def camera_moves(self) -> bool:
        """Whether the camera keeps moving one way: motion then decides, and the background is learned anew."""
        return self._pan() > max(_PAN_PX, _PAN_SHARE * self._numbers["sway"])

    def _pan(self) -> float:
        return float(np.hypot(self._numbers["pan_x"], self._numbers["pan_y"]))

    def _follow_camera(self, motion: MotionEvidence, shift_xy: Any) -> None:
        """Whether the camera shakes, or moves one way; `shift_xy` is where the picture lies on the background."""
        camera = motion.camera
        centre = np.array([motion.fit.shape[1] / 2, motion.fit.shape[0] / 2, 1.0])
        moved = camera.matrix @ centre
        # A fit that leaves more noise than it explains is water or a crowd.
        believed = camera.inlier_share > 0.5 and camera.displacement_px > 3 * camera.noise_px
        if believed and camera.displacement_px > _SHAKE_PX:
            self._numbers["shaken"] = _SHAKE_FRAMES
        shift = moved[:2] / moved[2] - centre[:2] if believed else np.zeros(2)
        # What was moved back before the pictures were compared is motion of the camera as well.
        shift = shift + (np.array([self._numbers["shift_x"], self._numbers["shift_y"]]) - shift_xy)
        self._numbers["shift_x"], self._numbers["shift_y"] = float(shift_xy[0]), float(shift_xy[1])
        self._numbers["pan_x"] += _PAN_RATE * (float(shift[0]) - self._numbers["pan_x"])
        self._numbers["pan_y"] += _PAN_RATE * (float(shift[1]) - self._numbers["pan_y"])
        self._numbers["sway"] += _PAN_RATE * (float(np.hypot(*shift)) - self._numbers["sway"])
        if self.camera_moves:
            self._arrays["age"] *= np.float32(0.5)

    def _distance_settings(self, floor: np.float32) -> tuple[np.float32, ...]:
        """In the order of `mode_distance.SETTINGS`."""
        names = ("neighbours", "flicker_free", "flicker_gain", "shadow_darkest", "shadow_lightest", "shadow_chroma")
        first = (floor, self.options.established, self.options.established_share)
        return tuple(np.float32(value) for value in (*first, *(getattr(self.options, name) for name in names)))

    def _learning_settings(self, floor: np.float32) -> tuple[np.float32, ...]:
        """In the order of `mode_learning.SETTINGS`, without the rate."""
        options = self.options
        values = (options.threshold**2, options.established, options.established_share, options.takeover)
        return tuple(np.float32(value) for value in (floor, *values, options.age_last, 0.05))

    def _small_gray(self, image: Any) -> Any:
        from cvseg.kernels.color.gray_from_rgb import gray_from_rgb
        from cvseg.kernels.color.shrink_rgb import shrink_rgb

        factor = self._factor(image.shape[:2])
        return gray_from_rgb(image if factor == 1 else shrink_rgb(image, np.int32(factor)))

    def _motion(self, small: Any) -> MotionEvidence | None:
        known, options = int(self._numbers["frames"]), self.options
        if not options.motion or known == 0:
            return None
        history = self._arrays["history"]
        lags = sorted({min(lag, known) for lag in LAGS})
        return motion_evidence(
            small,
            [(lag, history[(known - lag) % max(LAGS)]) for lag in lags],
            preset="balanced",
            window=options.motion_window,
            error_ratio=0.5,
            noise_ratio=5.0,
            largest=2.0,
        )

    def _full_noise(self, motion: MotionEvidence, image: Any) -> float:
        # Shrinking averages noise away: wholly where it is independent, not at all where the codec has smeared it.
        return max(motion.noise * 255 * self._factor(image.shape[:2]) ** 0.5, 0.5)

    def _travelled(self, motion: MotionEvidence | None) -> Any:
        """Where things keep moving one way, unlike leaves: no background is learned there, and what was is doubted."""
        course, xp = self._arrays["course"], array_module(self._arrays["course"])
        if motion is not None:
            share = max(_COURSE_RATE, 1 / self._numbers["frames"])
            course += np.float32(share) * (motion.course_xy - course)
        length = xp.sqrt(course[0] * course[0] + course[1] * course[1])
        return xp.clip((length - np.float32(_COURSE_LEAST)) * np.float32(2), np.float32(0), np.float32(1))

    def _logit(self, distance: Any, shade: Any, motion: MotionEvidence | None, size_hw: Any) -> Any:
        """Colours, motion and the last frame in one logit."""
        from cvseg.kernels.background.fused_logit import SETTINGS, fused_logit
        from cvseg.kernels.warping.warp_backward import warp_backward

        options, memory = self.options, self._arrays["memory"]
        if motion is None:
            evidence = moved = array_module(memory).zeros_like(memory)
            weights = options.threshold, options.shadow_weight, 0, 0, 0
        else:
            evidence, moved = motion.evidence, warp_backward(memory, motion.backward_xy) * motion.fit
            weights = tuple(getattr(options, name) for name in SETTINGS)
        return fused_logit(
            distance,
            shade,
            self._arrays["age"],
            evidence,
            moved,
            np.int32(self._factor(size_hw)),
            *(np.float32(weight) for weight in weights),
        )

    def _smooth(self, logit: Any, image: Any) -> Any:
        from cvseg.color.gray import gray_image
        from cvseg.masks.refinement import upsample_along_edges

        limit = np.float32(_LARGEST_LOGIT)
        xp, options = array_module(logit), self.options
        smooth = upsample_along_edges(
            logit, gray_image(image), image, 1, radius=options.smooth_radius, epsilon=options.smooth_epsilon
        )
        return xp.clip(smooth, -limit, limit)

    def _mask(self, logit: Any) -> Any:
        from cvseg.regions import fill_holes, remove_small_regions

        size = int(logit.shape[0]) * int(logit.shape[1])
        mask = fill_holes(logit > np.float32(0), max_area=int(self.options.hole_area * size))
        return remove_small_regions(mask, max(4, int(self.options.least_area * size)))


def _fit(values: Any, size_hw: Any, xp: Any) -> Any:
    """`values` in an array of `size_hw`, which is the same or larger by one row or column: that is 0."""
    if tuple(values.shape) == tuple(size_hw):
        return values
    fitted = xp.zeros(size_hw, np.float32)
    fitted[: values.shape[0], : values.shape[1]] = values
    return fitted
