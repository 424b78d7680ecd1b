"""A second look at tracks that came back: seen whole, another one may suit the object better than the first guess.

What comes out from behind something is small at first, and several may be hidden together. The first sight decides by
place; when the object has stopped growing, its size and its colours tell more.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.tracking.association import histogram_similarity
from cvseg.tracking.returning import reached_birth
from cvseg.tracking.track_lifecycle import CONFIRMED, LOST, TrackState

SETTLED_AFTER = 6  # frames since the return, at least
LATEST = 40  # frames since the return, at most
STEADY = 1.05  # newest area per area of late, up to which it does not grow
CLEARLY = 0.7  # by which another must suit better; about a factor of 1.25 in all three sizes
COLOR = 6.0  # weight of unlike colours against e-folds of size


def exchange_numbers(tracks: list[TrackState], seen: dict[int, NDArray[np.float64] | None], options: Any) -> None:
    """Give tracks that came back lately each other's past, or that of a lost one, where that suits clearly better.

    Parameters
    ----------
    tracks : all
    seen : track -> its colours in this frame (512,) adding up to 1 or None; those that are alone in a component
    options : TrackerOptions
    """
    for t in seen:
        track = tracks[t]
        if not _settled(track):
            continue
        own = unlikeness(track, track, seen[t])
        best, best_gain = None, CLEARLY
        for o, other in enumerate(tracks):
            if o == t or other.before_area <= 0:
                continue
            gain = own - unlikeness(track, other, seen[t])
            if other.status == LOST:
                if other.missed < track.back_for or not reached_birth(other, track, options):
                    continue
            elif o in seen and _settled(other):
                gain += unlikeness(other, other, seen[o]) - unlikeness(other, track, seen[o])
            else:
                continue
            if gain > best_gain:
                best, best_gain = other, gain
        if best is not None:
            track.exchange_past(best)


def _settled(track: TrackState) -> bool:
    return (
        track.status == CONFIRMED
        and track.before_area > 0
        and SETTLED_AFTER <= track.back_for <= LATEST
        and not track.group
        and track.mask_px <= STEADY * track.area_px
    )


def unlikeness(track: TrackState, past: TrackState, colors: NDArray[np.float64] | None) -> float:
    """How badly what is seen of a track suits what another was before it was lost; 0 is a perfect fit."""
    sizes = ((track.mask_px, past.before_area), *zip(track.usual_wh, past.before_wh, strict=True))
    result = sum(abs(math.log(max(now, 1.0) / max(before, 1.0))) for now, before in sizes)
    if colors is not None and past.before_histogram is not None:
        result += COLOR * (1 - float(histogram_similarity(colors[None], past.before_histogram[None])[0, 0]))
    return result
