"""Lucas and Kanade 1981: in a small window all pixels move alike; least squares gives the flow of its centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.flow.coarse_to_fine import coarse_to_fine
from cvseg.kernels.filtering.separable_median import separable_median
from cvseg.kernels.flow.brightness_constraint import brightness_constraint
from cvseg.kernels.flow.lucas_kanade_equations import lucas_kanade_equations
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.flow.variational_images import variational_images
from cvseg.kernels.flow.window_flow import window_flow
from cvseg.kernels.pyramid.pad_edges import pad_edges
from cvseg.kernels.replay import constant_like
from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class LucasKanadeOptions(Options):
    """Settings of `lucas_kanade_1981`."""

    sigma: float = option(
        3.0, "size of the Gaussian window; larger is surer, and blurs motion boundaries", low=0.3, high=20.0, unit=" px"
    )
    iterations: int = option(3, "times image1 is warped anew per level; larger follows farther", low=1)
    full_size_iterations: int = option(3, "the same at full size, where it takes most of the time", low=1)
    levels: int = option(20, "levels of the pyramid at most; 1 finds motion of a pixel or two", low=1)
    smallest_side: int = option(16, "shorter side of the coarsest level; larger misses large motion", low=8, unit=" px")
    least_gradient: float = option(
        1.0, "grey levels of 255 per pixel; gradients far above it all count alike, those below count less", low=0.01
    )
    robust: float = option(
        0.15, "pixels that miss their constraint by more count less; 1e6 is plain least squares", low=0.001, unit=" px"
    )
    pull: float = option(
        0.01,
        "where the window's smaller eigenvalue (at most 0.5) is below this, the coarser level's flow prevails; larger "
        "gives smoother flow",
        low=1e-6,
    )
    median: int = option(3, "radius of the median after each warp; larger removes larger errors, 0 none", low=0, high=3)


LUCAS_KANADE_PRESETS = {
    "fast": LucasKanadeOptions(full_size_iterations=1, sigma=2.5),
    "balanced": LucasKanadeOptions(),
    "quality": LucasKanadeOptions(iterations=10, full_size_iterations=10, pull=0.003),
}


def gaussian_window(sigma: float) -> np.ndarray[Any, Any]:
    """Half a Gaussian, from the middle to where it has fallen below 4 %; the whole one sums to 1.

    Examples
    --------
    >>> gaussian_window(1.0).astype(float).round(3).tolist()
    [0.403, 0.244, 0.054]
    """
    distance = np.arange(int(2.5 * sigma) + 1)
    weights = np.exp(-(distance**2) / (2 * sigma**2))
    return (weights / (2 * weights.sum() - weights[0])).astype(np.float32)


def smaller_eigenvalue(image: Any, options: LucasKanadeOptions | None = None) -> Any:
    """How well a window determines its flow in the worst direction: the aperture problem as a picture.

    Parameters
    ----------
    image : (H, W) float32 in [0, 1], C-contiguous
    options : LucasKanadeOptions; None takes the preset "balanced"

    Returns
    -------
    (H, W) float32 in [0, 0.5], on the same device: 0 in flat regions and along straight edges, 0.5 where gradients
        point everywhere. Flow is undefined where this is far below `options.pull`.

    Examples
    --------
    >>> y, x = np.mgrid[0:40, 0:40].astype(np.float32)
    >>> stripes, checks = 0.5 + 0.2 * np.sin(x), 0.5 + 0.2 * np.sin(x) * np.sin(y)
    >>> [bool(smaller_eigenvalue(image)[20, 20] > 0.01) for image in (stripes, checks)]
    [False, True]
    """
    if options is None:
        options = LUCAS_KANADE_PRESETS["balanced"]
    still_uv = array_module(image).zeros((2, *image.shape), np.float32)
    return _window_flow(image, pad_edges(image, np.int32(MARGIN)), still_uv, options)[2]


def _window_flow(image0: Any, padded1: Any, flow_uv: Any, options: LucasKanadeOptions) -> Any:
    """(3, h, w): the flow that fits each window best, and the smaller eigenvalue of its equations."""
    images = variational_images(image0, padded1, flow_uv)  # image1 where flow_uv points, beside image0
    constraint = brightness_constraint(images, flow_uv, np.float32(options.least_gradient))
    equations = lucas_kanade_equations(constraint, flow_uv, np.float32(options.robust))
    weights = constant_like(flow_uv, gaussian_window(options.sigma))
    return window_flow(equations, flow_uv, weights, np.float32(options.pull))


def lucas_kanade_1981(image0: Any, image1: Any, options: LucasKanadeOptions | None = None, initial: Any = None) -> Any:
    """Dense optical flow from least squares in a window around every pixel.

    Parameters
    ----------
    image0, image1 : (H, W) float32 in [0, 1], C-contiguous, on one device
    options : LucasKanadeOptions; None takes the preset "balanced"
    initial : (H, W, 2) float32, pixels: where the coarsest level starts, instead of from zero

    Returns
    -------
    flow_xy : (H, W, 2) float32, pixels, on the same device; image0(x) is found at image1(x + flow_xy).
        Zero when a side is shorter than 8 pixels. Where the window is flat it is the flow of the coarser level.

    References
    ----------
    [LucasKanade1981]_ section 4. Departures: every pixel is warped by its own flow, not by that of the window's
    centre; constraints are divided by their gradient and count less where they do not fit (iteratively re-weighted
    least squares); directions without structure keep the coarser level's flow; a median of the flow after each warp.

    Examples
    --------
    >>> y, x = np.mgrid[0:48, 0:64].astype(np.float32)
    >>> image0, image1 = (0.5 + 0.2 * np.sin((x - dx) / 3) + 0.2 * np.cos((y - x + dx) / 4) for dx in (0, 1))
    >>> flow_xy = lucas_kanade_1981(image0, image1)
    >>> bool(np.abs(flow_xy[8:-8, 8:-8] - [1, 0]).mean() < 0.05)
    True
    """
    if options is None:
        options = LUCAS_KANADE_PRESETS["balanced"]

    def improve(level0: Any, level1: Any, flow_uv: Any) -> Any:
        padded1 = pad_edges(level1, np.int32(MARGIN))
        full_size = level0.shape == image0.shape
        for _ in range(options.full_size_iterations if full_size else options.iterations):
            flow_uv = _window_flow(level0, padded1, flow_uv, options)[:2]
            if options.median:
                flow_uv = separable_median(flow_uv, np.int32(options.median))
        return flow_uv

    return coarse_to_fine(
        image0, image1, improve, levels=options.levels, smallest_side=options.smallest_side, initial=initial
    )
