"""Horn and Schunck 1981: the flow that keeps the brightness of every point and is smooth everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.flow.coarse_to_fine import coarse_to_fine
from cvseg.kernels.filtering.separable_median import separable_median
from cvseg.kernels.flow.brightness_constraint import brightness_constraint
from cvseg.kernels.flow.horn_schunck_relax import horn_schunck_relax
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.flow.variational_images import variational_images
from cvseg.kernels.pyramid.pad_edges import pad_edges
from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class HornSchunckOptions(Options):
    """Settings of `horn_schunck_1981`."""

    smoothness: float = option(
        10.0, "alpha in the paper, in grey levels of 255 per pixel; larger gives smoother flow", low=0.01
    )
    iterations: int = option(
        30, "Jacobi iterations per warp; the flow front travels one pixel per iteration", low=1, high=10000
    )
    warps: int = option(4, "times image1 is warped anew per level; larger follows farther", low=1)
    levels: int = option(20, "levels of the pyramid at most; 1, with warps 1 and median 0, is the paper's", low=1)
    smallest_side: int = option(16, "shorter side of the coarsest level; larger misses large motion", low=8, unit=" px")
    median: int = option(3, "radius of the median after each warp; larger removes larger errors, 0 none", low=0, high=3)


HORN_SCHUNCK_PRESETS = {
    "fast": HornSchunckOptions(iterations=12, warps=2),
    "balanced": HornSchunckOptions(),
    "quality": HornSchunckOptions(iterations=60, warps=8),
}


def horn_schunck_1981(image0: Any, image1: Any, options: HornSchunckOptions | None = None, initial: Any = None) -> Any:
    """Dense optical flow that is smooth everywhere.

    Minimises the sum over all pixels of ``(Ix u + Iy v + It)^2 + smoothness^2 (|grad u|^2 + |grad v|^2)``.

    Parameters
    ----------
    image0, image1 : (H, W) float32 in [0, 1], C-contiguous, on one device
    options : HornSchunckOptions; None takes the preset "balanced"
    initial : (H, W, 2) float32, pixels: where the coarsest level starts, instead of from zero

    Returns
    -------
    flow_xy : (H, W, 2) float32, pixels, on the same device; image0(x) is found at image1(x + flow_xy).
        Zero when a side is shorter than 8 pixels.

    References
    ----------
    [HornSchunck1981]_ eqs. 10-12. Departures: central differences of the mean frame instead of the 2x2x2 cube; image1
    is warped by the flow found so far, from coarse to fine; a median of the flow after each warp.

    Examples
    --------
    >>> y, x = np.mgrid[0:48, 0:64].astype(np.float32)
    >>> image0, image1 = (0.5 + 0.2 * np.sin((x - dx) / 3) + 0.2 * np.cos((y - x + dx) / 4) for dx in (0, 1))
    >>> flow_xy = horn_schunck_1981(image0, image1)
    >>> bool(np.abs(flow_xy[8:-8, 8:-8] - [1, 0]).mean() < 0.05)
    True
    """
    if options is None:
        options = HORN_SCHUNCK_PRESETS["balanced"]

    def improve(level0: Any, level1: Any, flow_uv: Any) -> Any:
        padded1 = pad_edges(level1, np.int32(MARGIN))
        for _ in range(options.warps):
            images = variational_images(level0, padded1, flow_uv)  # level1 where flow_uv points, beside level0
            constraint = brightness_constraint(images, flow_uv, np.float32(options.smoothness))
            flow_uv = horn_schunck_relax(constraint, flow_uv, np.int32(options.iterations))
            if options.median:
                flow_uv = separable_median(flow_uv, np.int32(options.median))
        return flow_uv

    return coarse_to_fine(
        image0, image1, improve, levels=options.levels, smallest_side=options.smallest_side, initial=initial
    )
