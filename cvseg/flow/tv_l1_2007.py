"""TV-L1 (Zach, Pock and Bischof 2007): the flow with the fewest jumps that explains the images, outliers allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.flow.coarse_to_fine import coarse_to_fine
from cvseg.kernels.filtering.median import median
from cvseg.kernels.flow.flow_upsample import flow_upsample
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.flow.tv_l1_solve import tv_l1_solve
from cvseg.kernels.flow.tv_l1_terms import tv_l1_terms
from cvseg.kernels.pyramid.pad_edges import pad_edges
from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class TvL1Options(Options):
    """Settings of `tv_l1_2007`."""

    data_weight: float = option(
        1.2, "lambda: what a pixel off its data line costs; larger follows detail and noise", low=0.0, unit=" per px"
    )
    coarse_data_weight: float = option(
        0.9,
        "factor of lambda from each level to the next coarser one; smaller trusts coarse images less",
        low=0.1,
        high=2,
    )
    light: float = option(
        2.5,
        "change of light that costs as much as a pixel of motion; larger explains more by it, 0 nothing",
        low=0.0,
        unit=" levels",
    )
    edge: float = option(
        25.0, "image gradient at which smoothness counts half; larger smooths across edges", low=0.1, unit=" levels/px"
    )
    warps: int = option(
        8, "times image1 is warped anew at full and half size; larger is more exact and follows farther", low=1
    )
    coarse_warps: int = option(8, "the same below half size, where it costs little", low=1)
    iterations: int = option(10, "primal-dual iterations per warp; larger is more exact", low=1, high=10000)
    coarse_iterations: int = option(
        40, "the same below half size; larger carries motion farther into flat regions", low=1, high=10000
    )
    median: int = option(
        2, "radius of the median after each warp, 0 none; larger removes larger errors", low=0, high=2, unit=" px"
    )
    coarse_median: int = option(1, "the same below half size; larger loses small objects", low=0, high=2, unit=" px")
    smallest_side: int = option(
        16, "shorter side of the coarsest level; larger finds less large motion", low=8, unit=" px"
    )


TV_L1_PRESETS = {
    "fast": TvL1Options(warps=5, coarse_warps=5),
    "balanced": TvL1Options(),
    "quality": TvL1Options(data_weight=1.0, warps=14),
}


def tv_l1_2007(image0: Any, image1: Any, options: TvL1Options | None = None, initial: Any = None) -> Any:
    """Dense optical flow with sharp motion boundaries: total variation for smoothness, absolute values for the data.

    Minimises the sum over all pixels of ``data_weight k |Ix u + Iy v + light w + It| + s |grad (u, v)| + s |grad w|``,
    linearised anew at each warp; w is what the light adds, `k` levels out the contrast, `s` is small at image edges.

    Parameters
    ----------
    image0, image1 : (H, W) float32 in [0, 1], C-contiguous, on one device
    options : TvL1Options; None takes the preset "balanced"
    initial : (H, W, 2) float32, pixels: where the coarsest level starts, instead of from zero

    Returns
    -------
    flow_xy : (H, W, 2) float32, pixels, on the same device; image0(x) is found at image1(x + flow_xy).
        Zero when a side is shorter than 8 pixels.

    References
    ----------
    [Zach2007]_ for the energy and its data step (eq. 15), [Sanchez2013]_ for the course through the pyramid.
    Departures: the energy itself is minimised, by [ChambollePock2011]_ algorithm 1, instead of two coupled copies of
    the flow; u and v share one total variation; data terms divided by the gradient ([Zimmer2011]_); smoothness
    weighted by edges, with the squared rounding of [Werlberger2009]_; gradients of the mean of both images; a change of
    light as a third unknown, as in [ChambollePock2011]_ section 6.4.

    Examples
    --------
    >>> y, x = np.mgrid[0:48, 0:64].astype(np.float32)
    >>> image0, image1 = (0.5 + 0.2 * np.sin((x - dx) / 3) + 0.2 * np.cos((y - x + dx) / 4) for dx in (0, 1))
    >>> flow_xy = tv_l1_2007(image0, image1)
    >>> bool(np.abs(flow_xy[8:-8, 8:-8] - [1, 0]).mean() < 0.05)
    True
    """
    if options is None:
        options = TV_L1_PRESETS["balanced"]
    heights = [image0.shape[0]]  # by level
    while heights[-1] > 1:
        heights.append((heights[-1] + 1) // 2)

    xp = array_module(image0)
    light = None  # of the level before

    def improve(level0: Any, level1: Any, flow_uv: Any) -> Any:
        nonlocal light
        height, width = level0.shape
        if light is None:
            light = xp.zeros((height, width), np.float32)
        elif light.shape != (height, width):
            # The kernel takes two planes, and doubles them as a flow.
            light = flow_upsample(xp.stack([light, light]), np.int32(height), np.int32(width), np.int32(2), np.int32(1))
            light = light[0] * np.float32(0.5)
        number = heights.index(height)
        weight = np.float32(options.data_weight * options.coarse_data_weight**number)
        if number <= 1:
            warps, iterations, radius = options.warps, options.iterations, options.median
        else:
            warps, iterations, radius = options.coarse_warps, options.coarse_iterations, options.coarse_median
        padded1 = pad_edges(level1, np.int32(MARGIN))
        dual = xp.zeros((6, height, width), np.float32)
        for _ in range(warps):
            terms = tv_l1_terms(level0, padded1, flow_uv, np.float32(options.light), np.float32(options.edge))
            flow_uv, light, dual = tv_l1_solve(terms, flow_uv, light, dual, weight, np.int32(iterations))
            if radius:
                flow_uv = median(flow_uv, np.int32(radius))
        return flow_uv

    return coarse_to_fine(image0, image1, improve, levels=20, smallest_side=options.smallest_side, initial=initial)
