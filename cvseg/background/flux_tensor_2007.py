"""Motion energy from the flux tensor (Bunyak 2007): what moves, without a model of the background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module, device_of, to_device
from cvseg.background.model import BackgroundModel
from cvseg.background.result import BackgroundResult
from cvseg.options import Options, option

# First and second derivative along time: binomial smoothing with a difference in the middle, oldest frame first
_ONCE = {
    "3": (-1 / 2, 0, 1 / 2),
    "5": (-1 / 8, -2 / 8, 0, 2 / 8, 1 / 8),
    "7": (-1 / 32, -4 / 32, -5 / 32, 0, 5 / 32, 4 / 32, 1 / 32),
}
_TWICE = {
    "3": (1, -2, 1),
    "5": (1 / 4, 0, -2 / 4, 0, 1 / 4),
    "7": (1 / 16, 2 / 16, -1 / 16, -4 / 16, -1 / 16, 2 / 16, 1 / 16),
}


@dataclass(frozen=True, kw_only=True)
class FluxTensorOptions(Options):
    """Settings of `FluxTensor`."""

    frames: str = option(
        "5",
        "frames that are differentiated; larger sees less noise, and lags half as many behind",
        choices=("3", "5", "7"),
    )
    window_radius: int = option(
        2,
        "energy is the mean of a window this far around; larger sees less noise, and blurrier",
        low=0,
        high=64,
        unit=" px",
    )
    threshold: float = option(
        3.0, "root of the energy with probability one half; larger sees less", low=0.01, unit=" grey levels a frame"
    )
    learning_rate: float = option(
        0.05, "share of a still frame in the background picture; larger is fresher", low=1e-6, high=1
    )
    close_radius: int = option(
        2, "gaps up to twice as wide are closed; larger joins the edges of larger things", low=0, high=7, unit=" px"
    )
    fill_holes: bool = option(True, "fill what moving edges enclose: plain things move only at their edges")
    smooth_radius: int = option(
        2,
        "the mask is the majority of a window this far around; larger loses smaller things",
        low=0,
        high=7,
        unit=" px",
    )


class FluxTensor(BackgroundModel):
    """What moves before a camera that stands still, from the last frames alone.

    Parameters
    ----------
    options : FluxTensorOptions; None takes the defaults

    Notes
    -----
    The trace of the flux tensor sums the squared change along time of the gradient of brightness and its squared
    acceleration, from separable derivatives. It needs no time to learn, leaves no ghosts and does not mind slow changes
    of light. What stops vanishes, what is plain inside shows its edges only (holes are filled, which synchronises a
    GPU), and the answer lags (frames - 1) / 2 frames behind: it says what moved in the middle of the last `frames`.

    12 bytes a pixel for each of `frames`: 60 with the default. A `learning_rate` of 0 compares each picture with the
    frames that came before it was frozen.

    References
    ----------
    [Bunyak2007]_. Departures: binomial filters of 5 pixels; a background picture from what is still.

    Examples
    --------
    >>> model = FluxTensor()
    >>> image = np.full((24, 40, 3), 90, np.uint8)
    >>> for step in range(9):
    ...     image[:] = 90
    ...     image[6:18, 2 * step : 2 * step + 12] = 200
    ...     result = model.update(image)
    >>> result.mask[12, ::16].astype(int).tolist()
    [0, 1, 0]
    """

    method = "flux_tensor"

    def __init__(self, options: FluxTensorOptions | None = None) -> None:
        super().__init__(options or FluxTensorOptions())

    def _begin(self, image: Any) -> None:
        from cvseg.kernels.background.flux_derivatives import flux_derivatives

        xp = array_module(image)
        newest = flux_derivatives(image)
        kept = int(self.options.frames) - 1
        self._arrays = {
            "ring": xp.ascontiguousarray(xp.stack([newest] * kept)),
            "plate": xp.ascontiguousarray(image.astype(np.float32)),
        }
        self._numbers["oldest"] = 0

    def _compare(self, image: Any, learning_rate: float | None) -> BackgroundResult:
        from cvseg.kernels.background.flux_derivatives import flux_derivatives
        from cvseg.kernels.background.flux_judge import flux_judge
        from cvseg.kernels.background.flux_trace import flux_trace
        from cvseg.kernels.background.mask_vote import ALL, ANY, MAJORITY, mask_vote
        from cvseg.kernels.filtering.box_mean import box_mean
        from cvseg.regions import fill_holes

        options, numbers, ring = self.options, self._numbers, self._arrays["ring"]
        learns = learning_rate is None or learning_rate > 0
        numbers["frames"] += learns
        frames, oldest = int(numbers["frames"]), int(numbers["oldest"])
        newest = flux_derivatives(image)
        taps = (to_device(np.array(table[options.frames], np.float32), device_of(image)) for table in (_ONCE, _TWICE))
        energy = flux_trace(ring, np.int32(oldest), newest, *taps)
        if options.window_radius:
            energy = box_mean(energy[None], np.int32(options.window_radius))[0]
        if learning_rate is None:
            rate = max(options.learning_rate, 1 / frames) if frames else options.learning_rate
        else:
            rate = learning_rate
        limit, rate = np.float32(options.threshold**4), np.float32(rate)
        foreground, mask, background, _ = flux_judge(image, energy, self._arrays["plate"], limit, rate)
        if learns:
            ring[oldest] = newest
            numbers["oldest"] = (oldest + 1) % ring.shape[0]
        if options.close_radius:
            radius = np.int32(options.close_radius)
            mask = mask_vote(mask_vote(mask, radius, ANY), radius, ALL)
        if options.fill_holes:
            mask = fill_holes(mask.view(bool)).view(np.uint8)
        if options.smooth_radius:
            mask = mask_vote(mask, np.int32(options.smooth_radius), MAJORITY)
        shadow = array_module(image).zeros(mask.shape, bool)
        return BackgroundResult(foreground, mask.view(bool), background, shadow, frames)
