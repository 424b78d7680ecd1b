"""Coarse-to-fine PatchMatch (Hu et al. 2016): patches match over any distance, gaps are filled, the flow is refined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.flow.dense_inverse_search_2016 import DenseInverseSearchOptions, levels_by_kernels
from cvseg.flow.matched_inverse_search import searched_levels
from cvseg.flow.patch_matches import SEED_LEVEL, matched_flow, on_device
from cvseg.kernels.flow.flow_upsample import flow_upsample
from cvseg.kernels.pyramid.pyramid_down import pyramid_down
from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class CoarseToFinePatchMatchOptions(Options):
    """Settings of `coarse_to_fine_patchmatch_2016`."""

    reach: float = option(
        0.35, "longest match as a share of the image's width; larger finds larger motion", low=0.01, high=1.0
    )
    rounds: int = option(4, "rounds of matching per level; larger spreads matches farther", low=1, high=100)
    tries: int = option(
        128, "random tries of a seed without a good match; larger finds smaller things that move far", low=0, high=10000
    )
    finest_level: int = option(0, "level at which the flow is computed last, 0 is full size", low=0, high=2)
    stride: int = option(3, "pixels between the patches of the refining search", low=1, high=8, unit=" px")
    iterations: int = option(12, "steps of that search; larger corrects larger errors of a match", low=1)
    warps: int = option(5, "times the refinement warps the second image anew per level", low=0)
    sweeps: int = option(6, "relaxation sweeps of the refinement; larger is more exact", low=1)
    smoothness: float = option(40.0, "alpha of the refinement; larger gives smoother flow", low=0.0)


COARSE_TO_FINE_PATCHMATCH_PRESETS = {
    "fast": CoarseToFinePatchMatchOptions(tries=32, finest_level=1, stride=4, iterations=6, warps=2),
    "balanced": CoarseToFinePatchMatchOptions(stride=4, iterations=6, warps=2, sweeps=4),
    "quality": CoarseToFinePatchMatchOptions(),
}


def coarse_to_fine_patchmatch_2016(
    image0: Any, image1: Any, options: CoarseToFinePatchMatchOptions | None = None, initial: Any = None
) -> Any:
    """Dense optical flow from patch matches, for motion that is larger than the things that move.

    Parameters
    ----------
    image0, image1 : (H, W) float32 in [0, 1], C-contiguous, on one device
    options : CoarseToFinePatchMatchOptions; None takes the preset "quality"
    initial : (H, W, 2) float32, pixels: the expected flow, preferred among places that look alike

    Returns
    -------
    flow_xy : (H, W, 2) float32, pixels, on the same device; image0(x) is found at image1(x + flow_xy). Zero when the
        shorter side has less than 29 pixels: there is no room for matches.

    References
    ----------
    [Hu2016]_ for coarse-to-fine matching from a grid of seeds, [Barnes2009]_ for PatchMatch, [Kroeger2016]_ and
    [Brox2004]_ for the refinement. Departures: bytes free of their local mean as descriptors; all seeds at once instead
    of sweeps; random tries over the whole reach for seeds that fit nowhere; gaps filled along the way of fewest edges
    instead of EpicFlow's interpolation.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> image0 = np.repeat(np.repeat(rng.random((40, 48), np.float32), 4, 0), 4, 1)
    >>> flow_xy = coarse_to_fine_patchmatch_2016(image0, np.roll(image0, 40, axis=1))
    >>> bool(np.abs(flow_xy[8:152, 8:144] - [40, 0]).mean() < 0.1)
    True
    """
    if options is None:
        options = COARSE_TO_FINE_PATCHMATCH_PRESETS["quality"]
    xp = array_module(image0)
    search = DenseInverseSearchOptions(
        smallest_side=8,
        stride=options.stride,
        iterations=options.iterations,
        spread_iterations=options.iterations * 2 // 3,
        warps=options.warps,
        sweeps=options.sweeps,
        smoothness=options.smoothness,
    )
    levels0, levels1 = on_device(
        image0, lambda: levels_by_kernels(image0, search), lambda: levels_by_kernels(image1, search)
    )
    if SEED_LEVEL - 1 not in levels0:
        return xp.zeros((*image0.shape, 2), np.float32)
    images0, images1 = ({n: level.image for n, level in levels.items()} for levels in (levels0, levels1))
    for images in (images0, images1):
        if SEED_LEVEL not in images:
            images[SEED_LEVEL] = pyramid_down(images[SEED_LEVEL - 1])
    priors_uv = None
    if initial is not None:
        planes = [xp.ascontiguousarray(initial[..., c]) for c in (0, 1)]
        for _ in range(SEED_LEVEL):
            planes = [pyramid_down(plane) * np.float32(0.5) for plane in planes]
        priors_uv = xp.stack(planes), -xp.stack(planes)
    matched = matched_flow(images0, images1, priors_uv, reach=options.reach, rounds=options.rounds, tries=options.tries)
    fine = range(SEED_LEVEL - 1, options.finest_level - 1, -1)
    flow_uv = searched_levels(levels0, levels1, fine, matched.flow_uv, search, matched)
    height, width = image0.shape
    return flow_upsample(flow_uv, np.int32(height), np.int32(width), np.int32(2**options.finest_level), np.int32(0))
