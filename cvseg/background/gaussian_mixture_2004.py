"""A mixture of Gaussians per pixel, as many as the pixel needs (Zivkovic 2004), with shadows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.background.model import BackgroundModel
from cvseg.background.result import BackgroundResult
from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class GaussianMixtureOptions(Options):
    """Settings of `GaussianMixture`."""

    modes: int = option(
        5, "most Gaussians of a pixel; larger knows more of swaying leaves, and needs memory", low=1, high=8
    )
    learning_rate: float = option(
        0.002, "share of a frame in the background, after the first frames; larger follows light faster", low=1e-6
    )
    complexity: float = option(
        0.05, "evidence that a Gaussian needs, as a weight; larger keeps fewer of them", low=0, high=1
    )
    background_share: float = option(
        0.7, "weight of the Gaussians that are background; larger takes more colours as background", low=0, high=1
    )
    threshold: float = option(3.0, "distance with probability one half; larger sees less", low=0.1, unit=" sigma")
    match: float = option(
        3.0,
        "distance within which a colour belongs to a Gaussian; larger makes fewer, wider ones",
        low=0.1,
        unit=" sigma",
    )
    first_sigma: float = option(
        3.9, "of a new Gaussian; larger sees less at first", low=0.5, high=22, unit=" grey levels"
    )
    smallest_sigma: float = option(2.0, "larger sees less in quiet video", low=0.5, high=22, unit=" grey levels")
    largest_sigma: float = option(12.0, "larger sees less in noisy video", low=0.5, high=22, unit=" grey levels")
    shadow_darkest: float = option(
        0.7, "deepest shadow, times the background; larger allows less shadow, 1 turns shadows off", low=0, high=1
    )
    smooth_radius: int = option(
        2,
        "the mask is the majority of a window this far around; larger loses smaller things",
        low=0,
        high=7,
        unit=" px",
    )


class GaussianMixture(BackgroundModel):
    """Background of a camera that stands still, with several colours per pixel.

    Parameters
    ----------
    options : GaussianMixtureOptions; None takes the defaults

    Notes
    -----
    12 bytes a pixel for each of `modes`: 60 with the default. Departures from the paper: the probability of foreground
    rises smoothly with the distance; the first picture is background at once; the rate of the first frames is
    1 / (2 n); the mask is smoothed by a majority.

    References
    ----------
    [Zivkovic2004]_; [ZivkovicHeijden2006]_; [Prati2003]_ for shadows.

    Examples
    --------
    >>> model = GaussianMixture()
    >>> image = np.full((9, 12, 3), 90, np.uint8)
    >>> for _ in range(5):
    ...     result = model.update(image)
    >>> image[:, 6:] = 200
    >>> model.update(image).mask[4].astype(int).tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    """

    method = "gaussian_mixture"

    def __init__(self, options: GaussianMixtureOptions | None = None) -> None:
        super().__init__(options or GaussianMixtureOptions())

    def _begin(self, image: Any) -> None:
        from cvseg.kernels.background.gaussian_mixture import gaussian_mixture, mixture_state

        weights, fields = mixture_state(array_module(image), image.shape[:2], self.options.modes)
        gaussian_mixture(image, weights, fields, *self._settings(0.5))
        self._arrays = {"weights": weights, "fields": fields}

    def _settings(self, rate: float) -> tuple[np.float32, ...]:
        """In the order of the kernel's SETTINGS."""
        options = self.options
        return tuple(
            np.float32(value)
            for value in (
                rate,
                options.complexity,
                options.background_share,
                options.threshold**2,
                options.match**2,
                options.first_sigma**2,
                options.smallest_sigma**2,
                options.largest_sigma**2,
                options.shadow_darkest,
            )
        )

    def _compare(self, image: Any, learning_rate: float | None) -> BackgroundResult:
        from cvseg.kernels.background.gaussian_mixture import gaussian_mixture
        from cvseg.kernels.background.mask_vote import MAJORITY, mask_vote

        self._numbers["frames"] += learning_rate is None or learning_rate > 0
        frames = int(self._numbers["frames"])
        rate = max(self.options.learning_rate, 1 / (2 * frames)) if learning_rate is None else learning_rate
        results = gaussian_mixture(image, self._arrays["weights"], self._arrays["fields"], *self._settings(rate))
        foreground, mask, shadow, background = results[:4]
        if self.options.smooth_radius:
            mask = mask_vote(mask, np.int32(self.options.smooth_radius), MAJORITY)
        return BackgroundResult(foreground, mask.view(bool), background, shadow.view(bool), frames)
