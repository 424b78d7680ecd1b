"""Dense inverse search (Kroeger et al. 2016): patches find their match, pixels average patches, a solver polishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of
from cvseg.flow.patch_matches import on_device
from cvseg.kernels.color.gray_from_rgb import gray_from_rgb
from cvseg.kernels.flow.flow_upsample import flow_upsample
from cvseg.kernels.flow.inverse_search_program import flow_of_pictures, flow_of_pyramids
from cvseg.kernels.flow.patch_carried import patch_carried
from cvseg.kernels.flow.patch_densify import patch_densify
from cvseg.kernels.flow.patch_grid import MARGIN, PATCH
from cvseg.kernels.flow.patch_search import patch_search
from cvseg.kernels.flow.patch_start import patch_start
from cvseg.kernels.flow.pyramid_program import build_pyramids
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
    match_tries: int = option(
        0,
        "random tries of a patch to match anywhere in the other image; larger finds smaller things that move far, "
        "0 leaves matching out",
        low=0,
        high=10000,
    )
    warps: int = option(2, "times the refinement warps the second image anew per level; 0 leaves it out", low=0)
    fixed_points: int = option(2, "robust re-weightings per warp; larger is more exact", low=1)
    sweeps: int = option(4, "relaxation sweeps per re-weighting; larger is more exact", low=1)
    finest_stride: int = option(
        0, "stride at the finest level, where most of the time goes; 0: as elsewhere", low=0, high=PATCH, unit=" px"
    )
    finest_iterations: int = option(0, "search steps at the finest level; 0: as elsewhere", low=0)
    finest_candidates: int = option(
        1,
        "0: patches of the finest level follow the coarser flow, and try neither no motion nor neighbours",
        low=0,
        high=1,
    )
    finest_warps: int = option(0, "warps at the finest level; 0: as elsewhere", low=0)
    finest_fixed_points: int = option(0, "re-weightings at the finest level; 0: as elsewhere", low=0)
    finest_sweeps: int = option(0, "sweeps at the finest level; 0: as elsewhere", low=0)
    smoothness: float = option(40.0, "alpha in the paper; larger gives smoother flow", low=0.0)
    brightness: float = option(5.0, "delta: weight of brightness constancy", low=0.0)
    gradient: float = option(10.0, "gamma: weight of gradient constancy, which survives changes of light", low=0.0)
    relaxation: float = option(1.8, "omega: over-relaxation; 1 is Gauss-Seidel", low=0.1, high=1.95)


# Where a patch of a video also tries the motion of the pair before: coarser levels add nothing, finer ones cost time.
CARRIED_LEVELS = (2, 3)

# Points on the plane of accuracy and time, measured: see docs/developing/flow_speed.md. Coarse levels cost little and
# decide about large motion; the finest level costs most and decides about the last tenths of a pixel.
DENSE_INVERSE_SEARCH_PRESETS = {
    "fast": DenseInverseSearchOptions(
        finest_level=1,
        search_level=2,
        stride=3,
        iterations=4,
        spread_iterations=0,
        fixed_points=1,
        sweeps=6,
        finest_warps=1,
    ),
    "balanced": DenseInverseSearchOptions(
        stride=3,
        finest_stride=4,
        finest_iterations=2,
        finest_candidates=0,
        finest_warps=1,
        finest_fixed_points=1,
        finest_sweeps=8,
    ),
    "quality": DenseInverseSearchOptions(
        smallest_side=8, stride=3, iterations=12, spread_iterations=8, match_tries=128, warps=5, sweeps=6
    ),
}


@dataclass(frozen=True)
class FlowLevel:
    """One level of one image.

    Attributes
    ----------
    image : (h, w) float32
    padded : (h + 32, w + 32) float32, the image with its edge pixels repeated
    """

    image: Any
    padded: Any


@dataclass(frozen=True)
class FlowPyramid:
    """What the search needs of one image, whatever the other one is.

    Attributes
    ----------
    size_hw : of the image
    levels : on a GPU and for matching, the levels by number, finest to coarsest; empty when the image is smaller than a
        patch
    arena : on the CPU else, all levels in one array, see `cvseg.kernels.flow.level_arena`; None when too small
    """

    size_hw: tuple[int, int]
    levels: dict[int, FlowLevel]
    arena: Any = None


def flow_pyramids(pictures: Sequence[Any], options: DenseInverseSearchOptions) -> list[FlowPyramid]:
    """Pyramids of one picture or two of one size: (H, W, 3) uint8 RGB or (H, W) float32, C-contiguous."""
    size_hw = pictures[0].shape[:2]
    lowest, coarsest, _ = _levels(size_hw, options)
    if coarsest < 0:
        return [FlowPyramid(size_hw, {}) for _ in pictures]
    if device_of(pictures[0]) == "cpu" and not options.match_tries:
        return [FlowPyramid(size_hw, {}, arena) for arena in build_pyramids(pictures, lowest, coarsest)]
    tasks = [partial(levels_by_kernels, picture, options) for picture in pictures]
    return [FlowPyramid(size_hw, levels) for levels in on_device(pictures[0], *tasks)]


def levels_by_kernels(picture: Any, options: DenseInverseSearchOptions) -> dict[int, FlowLevel]:
    """The levels of a picture, kernel by kernel: on a GPU, and as the measure of the CPU's program."""
    _, coarsest, finest = _levels(picture.shape[:2], options)
    levels: dict[int, FlowLevel] = {}
    image = gray_from_rgb(picture) if picture.ndim == 3 else picture
    for level in range(coarsest + 1):
        if level:
            image = pyramid_down(image)
        if level >= finest:
            levels[level] = FlowLevel(image, pad_edges(image, np.int32(MARGIN)))
    return levels


def _levels(size_hw: tuple[int, int], options: DenseInverseSearchOptions) -> tuple[int, int, int]:
    """Lowest level that is kept, coarsest, finest. -1 for the coarsest when not even the image itself holds a patch."""
    side, coarsest = min(size_hw), 0
    if side < PATCH:
        return 0, -1, 0
    while (side + 1) // 2 >= options.smallest_side:
        side, coarsest = (side + 1) // 2, coarsest + 1
    finest = min(options.finest_level, coarsest)
    return min(1, finest), coarsest, finest


def _plan(levels: tuple[int, int, int], options: DenseInverseSearchOptions) -> NDArray[np.int64]:
    """What to do on each level: what `inverse_search_program` names."""
    _, coarsest, finest = levels
    plan = np.zeros((coarsest + 1, 8), np.int64)
    for level in range(finest, coarsest + 1):
        # The coarsest level is always searched: a small image may have no other.
        searched = level >= options.search_level or level == coarsest
        steps = options.iterations, options.spread_iterations
        refinement = options.warps, options.fixed_points, options.sweeps
        stride, hinted = options.stride, 1
        if level == finest and level < coarsest:
            stride = options.finest_stride or stride
            steps = options.finest_iterations or steps[0], steps[1] if options.finest_candidates else 0
            hinted = options.finest_candidates
            own = options.finest_warps, options.finest_fixed_points, options.finest_sweeps
            refinement = own[0] or refinement[0], own[1] or refinement[1], own[2] or refinement[2]
        plan[level] = stride if searched else 0, *steps, *refinement, hinted, level in CARRIED_LEVELS
    return plan


def _weights(options: DenseInverseSearchOptions) -> tuple[np.float32, ...]:
    weights = options.smoothness, options.brightness, options.gradient, options.relaxation
    return tuple(np.float32(weight) for weight in weights)


def _coarse_flow(initial: Any, coarsest: int) -> Any:
    """`initial` (H, W, 2) as the flow of the level above the coarsest, (2, h, w); None stays None."""
    if initial is None:
        return None
    xp = array_module(initial)
    planes = [xp.ascontiguousarray(initial[..., c]) for c in (0, 1)]
    for _ in range(coarsest + 1):
        planes = [pyramid_down(plane) * np.float32(0.5) for plane in planes]
    return xp.stack(planes)


def flow_between(
    pyramid0: FlowPyramid,
    pyramid1: FlowPyramid,
    options: DenseInverseSearchOptions,
    initial: Any = None,
    carried: Any = None,
) -> Any:
    """Flow from one image to the other: (H, W, 2) float32. The pyramids must not be empty.

    carried: what the pair before lets expect, one of the two that `carried_flow` gives. Matching does without it.
    """
    size_hw = pyramid0.size_hw
    if options.match_tries:
        from cvseg.flow.matched_inverse_search import matched_flow_between

        return matched_flow_between(pyramid0.levels, pyramid1.levels, size_hw, options, initial)
    levels = _levels(size_hw, options)
    plan, weights, coarse_uv = _plan(levels, options), _weights(options), _coarse_flow(initial, levels[1])
    if pyramid0.arena is not None:
        return flow_of_pyramids(pyramid0.arena, pyramid1.arena, size_hw, levels, plan, coarse_uv, weights, carried)
    return flow_by_kernels(pyramid0.levels, pyramid1.levels, size_hw, plan, coarse_uv, weights, carried)


def flow_by_kernels(
    levels0: dict[int, FlowLevel],
    levels1: dict[int, FlowLevel],
    size_hw: tuple[int, int],
    plan: NDArray[np.int64],
    coarse_uv: Any,
    weights: tuple[np.float32, ...],
    carried: Any = None,
) -> Any:
    """The flow, kernel by kernel: on a GPU, and as the measure of the CPU's program, which has the same bits."""
    numbers = sorted(levels0, reverse=True)
    flow_uv = coarse_uv
    if flow_uv is None:
        height, width = levels0[numbers[0]].image.shape
        flow_uv = array_module(levels0[numbers[0]].image).zeros((2, (height + 1) // 2, (width + 1) // 2), np.float32)
    for number in numbers:
        level0, level1 = levels0[number], levels1[number]
        height, width = (np.int32(side) for side in level0.image.shape)
        stride, steps, spread, warps, fixed_points, sweeps, hinted, carries = (np.int32(n) for n in plan[number])
        if stride:
            start = patch_start(flow_uv, height, width, stride)
            if carries and carried is not None:
                start = patch_carried(level0.padded, level1.padded, start, carried, stride, np.int32(number))
            # A start that is its own alternative has none.
            hint = array_module(start).zeros(start.shape, np.float32) if hinted else start
            patches = patch_search(level0.padded, level1.padded, start, hint, stride, steps, spread)
            flow_uv = patch_densify(level0.image, level1.padded, patches, stride)
        else:
            flow_uv = flow_upsample(flow_uv, height, width, np.int32(2), np.int32(1))
        for _ in range(warps):
            images = variational_images(level0.image, level1.padded, flow_uv)
            flow_uv = variational_solve(images, flow_uv, fixed_points, sweeps, *weights)
    factor = np.int32(2 ** numbers[-1])
    return flow_upsample(flow_uv, np.int32(size_hw[0]), np.int32(size_hw[1]), factor, np.int32(0))


def dense_inverse_search_2016(
    image0: Any, image1: Any, options: DenseInverseSearchOptions | None = None, initial: Any = None
) -> Any:
    """Dense optical flow by inverse search on patches, refined variationally.

    Parameters
    ----------
    image0, image1 : (H, W) float32 in [0, 1] or (H, W, 3) uint8 RGB, C-contiguous, on one device
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
    levels = _levels(image0.shape[:2], options)
    if levels[1] < 0:
        return array_module(image0).zeros((*image0.shape[:2], 2), np.float32)
    if device_of(image0) == "cpu" and not options.match_tries:
        # Pyramids and flow in one program: one start of the threads, and no full-size grey where it is not needed.
        coarse_uv = _coarse_flow(initial, levels[1])
        return flow_of_pictures(image0, image1, levels, _plan(levels, options), coarse_uv, _weights(options))
    pyramid0, pyramid1 = flow_pyramids((image0, image1), options)
    return flow_between(pyramid0, pyramid1, options, initial)


def dense_inverse_search_both_ways(
    image0: Any,
    image1: Any,
    options: DenseInverseSearchOptions,
    initial: Any = None,
    carried: tuple[Any, Any] = (None, None),
) -> tuple[Any, Any]:
    """Flow from `image0` to `image1` and back, from one set of pyramids; arguments as `dense_inverse_search_2016`.

    carried: what the pair before lets expect of both, see `carried_flow`.
    """
    pyramid0, pyramid1 = flow_pyramids((image0, image1), options)
    if pyramid0.arena is None and not pyramid0.levels:
        zeros = array_module(image0).zeros
        return zeros((*pyramid0.size_hw, 2), np.float32), zeros((*pyramid0.size_hw, 2), np.float32)
    forward_xy, backward_xy = on_device(
        image0,
        lambda: flow_between(pyramid0, pyramid1, options, initial, carried[0]),
        lambda: flow_between(pyramid1, pyramid0, options, None, carried[1]),
    )
    return forward_xy, backward_xy
