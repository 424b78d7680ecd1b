"""Dense inverse search (Kroeger et al. 2016): patches find their match, pixels average patches, a solver polishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module, device_of
from cvseg.kernels.bands import run_together
from cvseg.kernels.flow.flow_upsample import flow_upsample
from cvseg.kernels.flow.patch_densify import patch_densify
from cvseg.kernels.flow.patch_grid import MARGIN, PATCH
from cvseg.kernels.flow.patch_search import patch_search
from cvseg.kernels.flow.patch_start import patch_start
from cvseg.kernels.flow.variational_images import variational_images
from cvseg.kernels.flow.variational_solve import variational_solve
from cvseg.kernels.pyramid.pad_edges import pad_edges
from cvseg.kernels.pyramid.pyramid_down import pyramid_down
from cvseg.options import Options, option


@dataclass(frozen=True, kw_only=True)
class DenseInverseSearchOptions(Options):
    """Settings of `dense_inverse_search_2016`."""

    finest_level: int = option(
        0, "level at which the flow is computed last, 0 is full size; larger is coarser and faster", low=0, high=6
    )
    search_level: int = option(
        0, "finest level at which patches are searched; below it the flow is only refined", low=0, high=6
    )
    smallest_side: int = option(
        16, "shorter side of the coarsest level; larger finds less large motion", low=PATCH, unit=" px"
    )
    stride: int = option(4, "pixels between patches; larger is coarser and faster", low=1, high=PATCH, unit=" px")
    iterations: int = option(6, "search steps from the coarser level's flow; larger follows farther", low=1)
    spread_iterations: int = option(
        4, "search steps where a neighbour's result fits better; 0 leaves that pass out", low=0
    )
    warps: int = option(2, "times the refinement warps the second image anew per level; 0 leaves it out", low=0)
    fixed_points: int = option(2, "robust re-weightings per warp; larger is more exact", low=1)
    sweeps: int = option(4, "relaxation sweeps per re-weighting; larger is more exact", low=1)
    smoothness: float = option(40.0, "alpha in the paper; larger gives smoother flow", low=0.0)
    brightness: float = option(5.0, "delta: weight of brightness constancy", low=0.0)
    gradient: float = option(10.0, "gamma: weight of gradient constancy, which survives changes of light", low=0.0)
    relaxation: float = option(1.8, "omega: over-relaxation; 1 is Gauss-Seidel", low=0.1, high=1.95)


DENSE_INVERSE_SEARCH_PRESETS = {
    "fast": DenseInverseSearchOptions(finest_level=1, search_level=2, warps=1, fixed_points=3),
    "balanced": DenseInverseSearchOptions(),
    "quality": DenseInverseSearchOptions(
        smallest_side=8, stride=3, iterations=12, spread_iterations=8, warps=5, sweeps=6
    ),
}


@dataclass(frozen=True)
class FlowLevel:
    """One level of one image: everything that does not depend on the other image.

    Attributes
    ----------
    image : (h, w) float32
    padded : (h + 32, w + 32) float32, the image with its edge pixels repeated
    """

    image: Any
    padded: Any


def flow_pyramid(gray: Any, options: DenseInverseSearchOptions) -> dict[int, FlowLevel]:
    """Levels of `gray` that the search needs, by their number; empty when the image is smaller than one patch."""
    height, width = gray.shape
    levels: dict[int, FlowLevel] = {}
    image = gray
    coarsest = _coarsest_level((height, width), options)
    for level in range(coarsest + 1):
        if level:
            image = pyramid_down(image)
        if level >= min(options.finest_level, coarsest):
            levels[level] = FlowLevel(image, pad_edges(image, np.int32(MARGIN)))
    return levels


def _coarsest_level(size_hw: tuple[int, int], options: DenseInverseSearchOptions) -> int:
    """-1 when not even the image itself holds a patch."""
    side, level = min(size_hw), 0
    if side < PATCH:
        return -1
    while (side + 1) // 2 >= options.smallest_side:
        side, level = (side + 1) // 2, level + 1
    return level


def flow_between(
    levels0: dict[int, FlowLevel],
    levels1: dict[int, FlowLevel],
    size_hw: tuple[int, int],
    options: DenseInverseSearchOptions,
    initial: Any = None,
) -> Any:
    """Flow from the image of `levels0` to that of `levels1`: (H, W, 2) float32. `levels0` must not be empty."""
    numbers: Sequence[int] = sorted(levels0, reverse=True)
    xp = array_module(levels0[numbers[0]].image)
    if initial is None:
        height, width = levels0[numbers[0]].image.shape
        flow_uv = xp.zeros((2, (height + 1) // 2, (width + 1) // 2), np.float32)
    else:
        planes = [xp.ascontiguousarray(initial[..., c]) for c in (0, 1)]
        for _ in range(numbers[0] + 1):
            planes = [pyramid_down(plane) * np.float32(0.5) for plane in planes]
        flow_uv = xp.stack(planes)
    for number in numbers:
        # The coarsest level is always searched: a small image may have no other.
        if number >= options.search_level or number == numbers[0]:
            flow_uv = _searched(levels0[number], levels1[number], flow_uv, options)
        else:
            height, width = levels0[number].image.shape
            flow_uv = flow_upsample(flow_uv, np.int32(height), np.int32(width), np.int32(2), np.int32(1))
        flow_uv = _refined(levels0[number], levels1[number], flow_uv, options)
    factor = np.int32(2 ** numbers[-1])
    return flow_upsample(flow_uv, np.int32(size_hw[0]), np.int32(size_hw[1]), factor, np.int32(0))


def _searched(level0: FlowLevel, level1: FlowLevel, coarse_uv: Any, options: DenseInverseSearchOptions) -> Any:
    height, width = level0.image.shape
    stride = np.int32(options.stride)
    start = patch_start(coarse_uv, np.int32(height), np.int32(width), stride)
    patches = patch_search(
        level0.padded,
        level1.padded,
        start,
        array_module(start).zeros(start.shape, np.float32),
        stride,
        np.int32(options.iterations),
        np.int32(options.spread_iterations),
    )
    return patch_densify(level0.image, level1.padded, patches, stride)


def _refined(level0: FlowLevel, level1: FlowLevel, flow_uv: Any, options: DenseInverseSearchOptions) -> Any:
    for _ in range(options.warps):
        flow_uv = variational_solve(
            variational_images(level0.image, level1.padded, flow_uv),
            flow_uv,
            np.int32(options.fixed_points),
            np.int32(options.sweeps),
            np.float32(options.smoothness),
            np.float32(options.brightness),
            np.float32(options.gradient),
            np.float32(options.relaxation),
        )
    return flow_uv


def dense_inverse_search_2016(
    image0: Any, image1: Any, options: DenseInverseSearchOptions | None = None, initial: Any = None
) -> Any:
    """Dense optical flow by inverse search on patches, refined variationally.

    Parameters
    ----------
    image0, image1 : (H, W) float32 in [0, 1], C-contiguous, on one device
    options : DenseInverseSearchOptions; None takes the preset "balanced"
    initial : (H, W, 2) float32, pixels: where the coarsest level starts, instead of from zero

    Returns
    -------
    flow_xy : (H, W, 2) float32, pixels, on the same device; image0(x) is found at image1(x + flow_xy).
        Zero when a side is shorter than 8 pixels.

    References
    ----------
    [Kroeger2016]_ for the search, [Brox2004]_ for the refinement.
    """
    if options is None:
        options = DENSE_INVERSE_SEARCH_PRESETS["balanced"]
    if device_of(image0) == "cpu":
        levels0, levels1 = run_together(lambda: flow_pyramid(image0, options), lambda: flow_pyramid(image1, options))
    else:
        levels0, levels1 = flow_pyramid(image0, options), flow_pyramid(image1, options)
    if not levels0:
        return array_module(image0).zeros((*image0.shape, 2), np.float32)
    return flow_between(levels0, levels1, image0.shape, options, initial)
