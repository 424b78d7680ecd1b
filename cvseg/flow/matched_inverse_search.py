"""Inverse search that starts from matches: the coarse levels search, patches are matched over any distance, and the
finer levels search from what both have found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.flow.patch_matches import SEED_LEVEL, MatchedFlow, matched_flow, on_device
from cvseg.kernels.flow.flow_upsample import flow_upsample
from cvseg.kernels.flow.match_hint import match_hint
from cvseg.kernels.flow.patch_densify import patch_densify
from cvseg.kernels.flow.patch_inside import patch_inside
from cvseg.kernels.flow.patch_search import patch_search
from cvseg.kernels.flow.patch_start import patch_start
from cvseg.kernels.flow.variational_images import variational_images
from cvseg.kernels.flow.variational_solve import variational_solve
from cvseg.kernels.pyramid.pyramid_down import pyramid_down

if TYPE_CHECKING:
    from cvseg.flow.dense_inverse_search_2016 import DenseInverseSearchOptions, FlowLevel


def matched_flow_between(
    levels0: Mapping[int, FlowLevel],
    levels1: Mapping[int, FlowLevel],
    size_hw: tuple[int, int],
    options: DenseInverseSearchOptions,
    initial: Any = None,
) -> Any:
    """Flow from the image of `levels0` to that of `levels1`: (H, W, 2) float32. `levels0` must not be empty.

    Levels 3 and coarser are searched in both directions; that flow is the prior of the matches. An image too small to
    have a level 3 is searched alone.
    """
    numbers = sorted(levels0, reverse=True)
    coarse = [number for number in numbers if number >= SEED_LEVEL]
    zero = _no_flow(levels0[numbers[0]])
    start = zero if initial is None else _planes(initial, numbers[0] + 1)
    if not coarse:
        return _full_size(searched_levels(levels0, levels1, numbers, start, options), size_hw, numbers[-1])
    priors_uv = on_device(
        zero,
        lambda: searched_levels(levels0, levels1, coarse, start, options),
        lambda: searched_levels(levels1, levels0, coarse, zero, options),
    )
    images0, images1 = ({number: level.image for number, level in levels.items()} for levels in (levels0, levels1))
    matched = matched_flow(images0, images1, tuple(priors_uv), tries=options.match_tries)
    fine = [number for number in numbers if number < SEED_LEVEL]
    return _full_size(searched_levels(levels0, levels1, fine, matched.flow_uv, options, matched), size_hw, numbers[-1])


def searched_levels(
    levels0: Mapping[int, FlowLevel],
    levels1: Mapping[int, FlowLevel],
    numbers: Iterable[int],
    flow_uv: Any,
    options: DenseInverseSearchOptions,
    matched: MatchedFlow | None = None,
) -> Any:
    """Search and refine the levels `numbers`, coarse to fine, from `flow_uv` of the level above the first of them.

    With `matched` a patch also tries its match, or not to move.
    """
    for number in numbers:
        level0, level1 = levels0[number], levels1[number]
        flow_uv = _searched(number, level0, level1, flow_uv, options, matched)
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


def _searched(
    number: int,
    level0: FlowLevel,
    level1: FlowLevel,
    coarse_uv: Any,
    options: DenseInverseSearchOptions,
    matched: MatchedFlow | None,
) -> Any:
    height, width = (np.int32(side) for side in level0.image.shape)
    stride = np.int32(options.stride)
    start = patch_start(coarse_uv, height, width, stride)
    # A start that is its own alternative has none.
    hint = start
    if matched is not None:
        known = matched.known_uv, matched.distance, matched.still
        hint = match_hint(start, *known, height, width, stride, np.int32(number))
    steps = np.int32(options.iterations), np.int32(options.spread_iterations)
    found = patch_search(level0.padded, level1.padded, start, hint, stride, *steps)
    found = patch_inside(start, found, height, width, stride)
    return patch_densify(level0.image, level1.padded, found, stride)


def _no_flow(level: FlowLevel) -> Any:
    """Zero flow of the level above."""
    height, width = level.image.shape
    return array_module(level.image).zeros((2, (height + 1) // 2, (width + 1) // 2), np.float32)


def _planes(flow_xy: Any, halvings: int) -> Any:
    xp = array_module(flow_xy)
    planes = [xp.ascontiguousarray(flow_xy[..., c]) for c in (0, 1)]
    for _ in range(halvings):
        planes = [pyramid_down(plane) * np.float32(0.5) for plane in planes]
    return xp.stack(planes)


def _full_size(flow_uv: Any, size_hw: tuple[int, int], level: int) -> Any:
    height, width = size_hw
    return flow_upsample(flow_uv, np.int32(height), np.int32(width), np.int32(2**level), np.int32(0))
