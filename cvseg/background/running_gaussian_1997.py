"""A running Gaussian per pixel (Wren et al. 1997), with shadows, ghosts and noise seen to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module, to_host
from cvseg.background.model import BackgroundModel
from cvseg.background.result import BackgroundResult
from cvseg.options import Options, option

_STATE = ("mean", "variance", "candidate", "age", "seen", "flicker")
_FLOOR_EVERY = 16  # frames between two looks at the noise of the whole picture
_LARGEST_FLOOR = 4.0  # times the smallest: a picture full of motion is not noise


@dataclass(frozen=True, kw_only=True)
class RunningGaussianOptions(Options):
    """Settings of `RunningGaussian`."""

    learning_rate: float = option(
        0.02, "share of a frame in the background, after the first frames; larger follows light faster", low=0, high=1
    )
    foreground_share: float = option(
        0.02, "learning of foreground pixels, in learning rates; larger burns in what stands still", low=0, high=1
    )
    threshold: float = option(3.0, "distance with probability one half; larger sees less", low=0.1, unit=" sigma")
    steepness: float = option(2.0, "slope of the probability per sigma; larger is harder", low=0.01)
    smallest_sigma: float = option(
        5.0, "least noise that is believed; larger sees less", low=0.1, high=128, unit=" grey levels"
    )
    noise_factor: float = option(
        2.0, "least noise of a pixel, in medians of the picture's noise; larger sees less in noisy video", low=0
    )
    shadow_darkest: float = option(0.6, "deepest shadow, times the background; larger allows less shadow", low=0)
    shadow_lightest: float = option(0.95, "palest shadow, times the background; 0 turns shadows off", low=0)
    shadow_chroma: float = option(
        1.2, "how much the colour of a shadow may differ; larger sees more shadow", low=0, unit=" sigma"
    )
    shadow_weight: float = option(
        0.4, "what is left of the probability in a shadow; 1 makes shadows foreground", low=0, high=1
    )
    flicker_rate: float = option(0.05, "memory of flicker; larger forgets sooner", low=0, high=1)
    flicker_free: float = option(
        0.1, "threshold crossings per frame that are no flicker; larger sees more in moving leaves", low=0, high=1
    )
    flicker_gain: float = option(8.0, "widening of sigma by flicker; larger sees less in moving leaves", low=0)
    absorb_first: int = option(
        8, "frames a colour must stay to replace a background never seen; larger keeps ghosts longer", low=2
    )
    absorb_share: float = option(
        1.0, "frames more per frame that showed the background; larger trusts it more, and keeps ghosts longer", low=0
    )
    absorb_last: int = option(300, "most frames it takes; larger keeps ghosts, and people who stand, longer", low=2)


class RunningGaussian(BackgroundModel):
    """Background of a camera that stands still, learned on the fly.

    Parameters
    ----------
    options : RunningGaussianOptions; None takes the defaults

    Notes
    -----
    A mean colour and one variance per pixel. The first frames count 1/n each, so that the model stands after a few.
    Departures from the paper: RGB instead of YUV; pixels taken for foreground learn slower by `foreground_share`, in
    proportion to their probability; a darker copy of the background counts as shadow [Horprasert1999]_; a foreground
    colour that stays long enough replaces the background, sooner where that has hardly been seen: what stood in the
    first frames and left must not remain as a ghost. Pixels that cross the threshold again and again, as leaves do, get
    a wider sigma. The least variance follows the noise of the whole picture; to read it, every 16th update synchronises
    a GPU. 40 bytes a pixel.

    References
    ----------
    [Wren1997]_ section 3.2; [Horprasert1999]_ eqs. 5 and 6 for shadows.

    Examples
    --------
    >>> model = RunningGaussian()
    >>> image = np.full((4, 6, 3), 90, np.uint8)
    >>> for _ in range(5):
    ...     result = model.update(image)
    >>> image[:, 4:] = 200
    >>> (model.update(image).foreground[0] > 0.5).tolist()
    [False, False, False, False, True, True]
    """

    method = "running_gaussian"

    def __init__(self, options: RunningGaussianOptions | None = None) -> None:
        super().__init__(options or RunningGaussianOptions())

    def _begin(self, image: Any) -> None:
        xp = array_module(image)
        mean = xp.ascontiguousarray(xp.moveaxis(image, 2, 0).astype(np.float32))
        size_hw = image.shape[:2]
        floor = float(self.options.smallest_sigma**2)
        self._numbers["variance_floor"] = floor
        self._arrays = {
            "mean": mean,
            # Twice the least noise at first: nothing is known yet.
            "variance": xp.full(size_hw, np.float32(4 * floor), np.float32),
            "candidate": xp.zeros(mean.shape, np.float32),
            "age": xp.zeros(size_hw, np.float32),
            "seen": xp.zeros(size_hw, np.float32),
            "flicker": xp.zeros(size_hw, np.float32),
        }

    def _compare(self, image: Any, learning_rate: float | None) -> BackgroundResult:
        from cvseg.kernels.background.running_gaussian import SETTINGS, running_gaussian

        options, numbers = self.options, self._numbers
        learns = learning_rate is None or learning_rate > 0
        numbers["frames"] += learns
        frames = int(numbers["frames"])
        usual = options.learning_rate if learning_rate is None else learning_rate
        rate = max(usual, 1 / frames) if learning_rate is None else usual
        settings = (
            rate,
            usual * options.foreground_share,
            numbers["variance_floor"],
            *(getattr(options, name) for name in SETTINGS[3:]),
        )
        state = (self._arrays[name] for name in _STATE)
        foreground, mask, shadow, background, *_ = running_gaussian(
            image, *state, *(np.float32(value) for value in settings)
        )
        if learns and frames % _FLOOR_EVERY == _FLOOR_EVERY // 2:
            self._look_at_noise()
        return BackgroundResult(foreground, mask.view(bool), background, shadow.view(bool), frames)

    def _look_at_noise(self) -> None:
        sample = np.sort(np.array(to_host(self._arrays["variance"][::3, ::3])), axis=None)
        least = self.options.smallest_sigma**2
        typical = float(sample[len(sample) // 2]) * self.options.noise_factor**2
        self._numbers["variance_floor"] = float(min(max(typical, least), least * _LARGEST_FLOOR**2))
