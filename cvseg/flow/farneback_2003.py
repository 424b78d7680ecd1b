"""Farneback 2003: every neighbourhood is a polynomial; how its coefficients change tells how far it has moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.flow.coarse_to_fine import coarse_to_fine
from cvseg.flow.lucas_kanade_1981 import gaussian_window
from cvseg.kernels.filtering.separable_median import separable_median
from cvseg.kernels.flow.farneback_equations import farneback_equations
from cvseg.kernels.flow.polynomial_expansion import polynomial_expansion
from cvseg.kernels.flow.window_flow import window_flow
from cvseg.kernels.replay import constant_like
from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class FarnebackOptions(Options):
    """Settings of `farneback_2003`."""

    expansion_sigma: float = option(
        0.8, "size of the Gaussian that weighs the expansion; larger is smoother", low=0.5, high=5.0, unit=" px"
    )
    sigma: float = option(
        4.0, "size of the Gaussian window; larger is surer, and blurs motion boundaries", low=0.3, high=20.0, unit=" px"
    )
    iterations: int = option(3, "times the expansions are compared anew per level; larger follows farther", low=1)
    full_size_iterations: int = option(3, "the same at full size, where it takes most of the time", low=1)
    levels: int = option(20, "levels of the pyramid at most; 1 finds motion of a pixel or two", low=1)
    smallest_side: int = option(16, "shorter side of the coarsest level; larger misses large motion", low=8, unit=" px")
    least_curvature: float = option(
        0.5,
        "grey levels of 255 per square pixel; what bends far more all counts alike, what bends less, less",
        low=0.01,
    )
    robust: float = option(
        0.1, "pixels that miss by more count less; 1e6 is plain least squares", low=0.001, unit=" px"
    )
    pull: float = option(
        0.003,
        "where the window's smaller eigenvalue (at most 0.5) is below this, the coarser level's flow prevails; larger "
        "gives smoother flow",
        low=1e-6,
    )
    median: int = option(3, "radius of the median after each step; larger removes larger errors, 0 none", low=0, high=3)


FARNEBACK_PRESETS = {
    "fast": FarnebackOptions(iterations=2, full_size_iterations=1),
    "balanced": FarnebackOptions(),
    "quality": FarnebackOptions(iterations=8, full_size_iterations=8, sigma=3.0, pull=0.001),
}


def expansion_weights(sigma: float) -> np.ndarray[Any, Any]:
    """What `polynomial_expansion` multiplies its neighbours with, from the middle outwards: smooth, slope, bend.

    With the Gaussian weights g, and its moments m2 and m4, the least squares on 1, x, x^2 come down to the weights
    ``g``, ``g x / m2`` and ``g (x^2 - m2) / (m4 - m2^2)``. The last ones sum to 0.

    Examples
    --------
    >>> smooth, slope, bend = expansion_weights(1.0).astype(float)
    >>> x = np.arange(len(smooth))
    >>> round(float(smooth[0] + 2 * smooth[1:].sum()), 5)
    1.0
    >>> ramp, parabola = 3 * x, 7 * x**2
    >>> round(float((slope * 2 * ramp).sum()), 5), round(float((bend * 2 * parabola).sum()), 5)
    (3.0, 7.0)
    """
    x = np.arange(int(3 * sigma) + 1)
    g = np.exp(-(x**2) / (2 * sigma**2))
    g /= 2 * g.sum() - g[0]
    m2, m4 = 2 * (g * x**2).sum(), 2 * (g * x**4).sum()
    return np.stack([g, g * x / m2, g * (x**2 - m2) / (m4 - m2**2)]).astype(np.float32)


def farneback_2003(image0: Any, image1: Any, options: FarnebackOptions | None = None, initial: Any = None) -> Any:
    """Dense optical flow from polynomial expansion.

    Parameters
    ----------
    image0, image1 : (H, W) float32 in [0, 1], C-contiguous, on one device
    options : FarnebackOptions; None takes the preset "balanced"
    initial : (H, W, 2) float32, pixels: where the coarsest level starts, instead of from zero

    Returns
    -------
    flow_xy : (H, W, 2) float32, pixels, on the same device; image0(x) is found at image1(x + flow_xy).
        Zero when a side is shorter than 8 pixels. Where the window is flat it is the flow of the coarser level.

    References
    ----------
    [Farneback2003]_ sections 2 (the expansion) and 3 (the displacement). Departures: no model of affine motion in the
    window; equations are divided by their curvature and count less where they do not fit; directions without structure
    keep the coarser level's flow; a median of the flow after each step.

    Examples
    --------
    >>> y, x = np.mgrid[0:48, 0:64].astype(np.float32)
    >>> image0, image1 = (0.5 + 0.2 * np.sin((x - dx) / 3) + 0.2 * np.cos((y - x + dx) / 4) for dx in (0, 1))
    >>> flow_xy = farneback_2003(image0, image1)
    >>> bool(np.abs(flow_xy[8:-8, 8:-8] - [1, 0]).mean() < 0.05)
    True
    """
    if options is None:
        options = FARNEBACK_PRESETS["balanced"]
    weights = expansion_weights(options.expansion_sigma), gaussian_window(options.sigma)
    around, window = (constant_like(image0, values) for values in weights)

    def improve(level0: Any, level1: Any, flow_uv: Any) -> Any:
        expansion0, expansion1 = polynomial_expansion(level0, around), polynomial_expansion(level1, around)
        full_size = level0.shape == image0.shape
        for _ in range(options.full_size_iterations if full_size else options.iterations):
            equations = farneback_equations(
                expansion0, expansion1, flow_uv, np.float32(options.least_curvature), np.float32(options.robust)
            )
            flow_uv = window_flow(equations, flow_uv, window, np.float32(options.pull))[:2]
            if options.median:
                flow_uv = separable_median(flow_uv, np.int32(options.median))
        return flow_uv

    return coarse_to_fine(
        image0, image1, improve, levels=options.levels, smallest_side=options.smallest_side, initial=initial
    )
