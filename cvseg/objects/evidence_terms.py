"""Splits the evidence that was cut into its terms: motion, time, location, appearance, background, outline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module, to_host
from cvseg.objects.frame_cuts import CERTAIN_BACKGROUND, FrameCut
from cvseg.records.evidence import Evidence

_HALF = np.float32(0.5)


@dataclass(frozen=True)
class VoteParts:
    """What became the vote of a frame.

    Attributes
    ----------
    seed : (h, w) float32 in [0, 1]; the vote that the frame's own motion alone would have given
    vote : (h, w) float32 in [0, 1]; with those of other frames
    mixed : (h, w) float32 in [0, 1]; with the background model; the same array as `vote` without one
    gain : (h, w) float32, or a number: how much of ``vote - 0.5`` is left in `mixed`
    """

    seed: Any
    vote: Any
    mixed: Any
    gain: Any


def evidence_of_cut(parts: VoteParts, cut: FrameCut, factor: int) -> Evidence:
    """Terms that add up to `cut.unary`, and what the cut changed. Downloads them, which synchronises a GPU.

    Parameters
    ----------
    parts : what became the vote that was cut
    cut : the decision
    factor : full size / work size
    """
    module, two = array_module(cut.unary), np.float32(2)
    gain = two * parts.gain  # votes of 0 to 1 are evidence of -1 to 1
    voted = two * parts.mixed - np.float32(1)
    around = cut.location - voted
    # The frame before and the one after had their say; but far from all votes, none of it counted.
    neighbours = cut.unary - cut.location - cut.color
    far = cut.unary == CERTAIN_BACKGROUND
    nothing = np.float32(0)
    decided_against = (cut.inside > _HALF) != (cut.unary > nothing)
    maps = {
        "motion": gain * (parts.seed - _HALF),
        "time": gain * (parts.vote - parts.seed) + module.where(far, nothing, neighbours),
        "location": around + module.where(far, neighbours, nothing),
        "appearance": cut.color,
        "background": voted - gain * (parts.vote - _HALF),
        "outline": module.where(decided_against, -cut.unary, nothing),
    }
    return _downloaded(maps, factor)


def _downloaded(maps: dict[str, Any], factor: int) -> Evidence:
    return Evidence(
        **{name: to_host(values).astype(np.float32, copy=False) for name, values in maps.items()}, factor=factor
    )
