"""`matched_flow`: a coarse flow from matches of patches, which may lie anywhere in the other image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module, device_of
from cvseg.kernels.bands import run_together
from cvseg.kernels.flow.match_check import match_check
from cvseg.kernels.flow.match_fill import match_fill
from cvseg.kernels.flow.match_image import match_image
from cvseg.kernels.flow.match_still import match_still
from cvseg.kernels.flow.patch_match import LOCAL, SEED, patch_match
from cvseg.kernels.replay import run_together_on_gpu

MATCH_LEVELS = (2, 1)  # a patch covers 32x32, then 16x16 pixels of the full picture
SEED_LEVEL = 3  # has one pixel for each seed
# What a match must be better by to be taken instead of the prior: half a grey level for each of its 64 pixels.
PENALTY = 32
_SPREADS = (1, 2, 1, 4)  # seeds from which a match comes, round by round
_BACKWARD = 1000  # rounds of the other direction are numbered from here: its own random numbers


@dataclass(frozen=True)
class MatchedFlow:
    """What matches say, at level 3.

    Attributes
    ----------
    flow_uv : (2, h3, w3) float32, pixels of level 3, continued to where nothing is known
    known_uv : (2, h3, w3) float32, pixels of level 3, before that
    distance : (h3, w3) int32, 0 where known_uv is known
    still : (h3, w3) bool, something near is known not to move
    """

    flow_uv: Any
    known_uv: Any
    distance: Any
    still: Any


def matched_flow(
    images0: Mapping[int, Any],
    images1: Mapping[int, Any],
    priors_uv: tuple[Any, Any] | None = None,
    *,
    reach: float = 0.35,
    rounds: int = 4,
    tries: int = 128,
) -> MatchedFlow:
    """Flow of level 3 from matches of levels 2 and 1: whole pixels of level 1, unknown seeds filled from known ones.

    Parameters
    ----------
    images0, images1 : pyramid levels 1, 2 and 3 of either image, (h, w) float32 in [0, 1]
    priors_uv : two flows of level 3, (2, h3, w3) float32 in its pixels, from image0 to image1 and back. Of several
        places that look alike the expected one wins, and where no match is found a prior that leads back is kept.
    reach : longest match as a share of the image's width
    rounds : rounds of matching per level; larger spreads matches farther
    tries : random tries of a seed without a good match; larger finds smaller things that move far

    Returns
    -------
    MatchedFlow
    """
    matched0, matched1 = (
        {level: match_image(images[level]) for level in MATCH_LEVELS} for images in (images0, images1)
    )
    coarse0, last = images0[SEED_LEVEL], MATCH_LEVELS[-1]
    penalty = 0 if priors_uv is None else PENALTY
    if priors_uv is None:
        zero = array_module(coarse0).zeros((2, *coarse0.shape), np.float32)
        priors_uv = zero, zero

    def matches(image0: Mapping[int, Any], image1: Mapping[int, Any], prior_uv: Any, number: int) -> Any:
        found = array_module(prior_uv).zeros((*coarse0.shape, 3), np.int32)
        for level in MATCH_LEVELS:
            far = max(1, int(reach * coarse0.shape[1] * SEED) >> level)
            turns = [(0, far, tries)] + [(_SPREADS[i % len(_SPREADS)], LOCAL, LOCAL) for i in range(rounds)]
            for spread, radius, count in turns:
                numbers = map(np.int32, (level, spread, radius, count, number, penalty))
                found = patch_match(image0[level], image1[level], found, prior_uv, *numbers)
                number += 1
        return found

    forward, backward = on_device(
        coarse0,
        lambda: matches(matched0, matched1, priors_uv[0], 0),
        lambda: matches(matched1, matched0, priors_uv[1], _BACKWARD),
    )
    numbers = map(np.int32, (penalty > 0, *images0[last].shape, last))
    known_uv, distance = match_check(forward, backward, *priors_uv, *numbers)
    filled_uv = match_fill(coarse0, known_uv, distance)
    return MatchedFlow(filled_uv, known_uv, distance, match_still(known_uv, distance))


def on_device(array: Any, *tasks: Callable[[], Any]) -> list[Any]:
    """Run tasks at once: on threads of a CPU, or as branches of a CUDA graph."""
    return (run_together if device_of(array) == "cpu" else run_together_on_gpu)(*tasks)
