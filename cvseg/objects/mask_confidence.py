"""How sure a mask is, from the votes that it was cut from: nothing is known of the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cvseg.records.track import Track
from cvseg.regions.distance import distance_transform

# Work pixels around an object that count as its surroundings: as far as an object may end from the last vote for it.
REACH_PX = 12


def object_confidence(votes: NDArray[np.float32], inside: NDArray[np.bool_], others: NDArray[np.bool_]) -> float:
    """How well an object stands out from its surroundings in the votes, and how far they agree with its mask.

    ``sqrt(agreement * contrast)``: agreement is the overlap, intersection over union, of the mask with the votes above
    0 in and around it; contrast is half the mean vote inside minus half the mean vote around. Both opinions must be
    good: votes that stand out clearly but have another shape than what colours and edges made of them are as doubtful
    as a mask of the same shape as votes that hardly differ from their surroundings.

    Parameters
    ----------
    votes : (h, w) float32 in [-1, 1], positive for an object: motion, time and background, before any colours
    inside : (h, w) bool, the object's mask
    others : (h, w) bool, pixels of other objects: they belong to no surroundings

    Returns
    -------
    float in [0, 1]; 0 for an empty mask

    Examples
    --------
    >>> votes, inside = np.full((20, 30), -1, np.float32), np.zeros((20, 30), bool)
    >>> votes[5:15, 10:20], inside[5:15, 10:20] = 1, True
    >>> object_confidence(votes, inside, ~inside & False)
    1.0
    >>> votes[5:15, 10:20] = 0.2
    >>> round(object_confidence(votes, inside, ~inside & False), 2)
    0.77
    """
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return 0.0
    box = tuple(slice(max(0, int(line[0]) - REACH_PX), int(line[-1]) + REACH_PX + 1) for line in (rows, columns))
    votes, inside, others = votes[box], np.ascontiguousarray(inside[box]), others[box]
    around = (distance_transform(~inside) <= np.float32(REACH_PX)) & ~inside & ~others
    voted = votes > 0
    area = int(inside.sum())
    agreement = int((voted & inside).sum()) / (area + int((voted & around).sum()))
    outside = float(votes[around].mean(dtype=np.float64)) if around.any() else -1.0
    contrast = (float(votes[inside].mean(dtype=np.float64)) - outside) / 2
    return float(np.sqrt(agreement * min(max(contrast, 0.0), 1.0)))


def mask_confidences(
    votes: NDArray[np.float32], labels: NDArray[np.int32], tracks: Sequence[Track], factor: int
) -> tuple[float, dict[int, float]]:
    """Confidence of a frame and of each of its tracks, by id.

    That of the frame is the mean over its objects, by area. Without an object it is how far the votes were from one
    at the least: 1 where all are -1, 0.5 where one is 0, the level at which objects begin.

    Parameters
    ----------
    votes : (h, w) float32, as `object_confidence` takes them, at work size
    labels : (H, W) int32, 0 background, else the track id
    tracks : those in the labels
    factor : full size / work size
    """
    if not tracks:
        return float(np.clip((1 - votes.max()) / 2, 0, 1)), {}
    middles = (
        np.minimum(np.arange(n) * factor + factor // 2, full - 1)
        for n, full in zip(votes.shape, labels.shape, strict=True)
    )
    small = labels[np.ix_(*middles)]
    found = {}
    for track in tracks:
        inside = small == track.id
        if not inside.any():  # narrower than a work pixel
            x, y = (int(value) // factor for value in track.centroid_xy)
            inside[min(y, inside.shape[0] - 1), min(x, inside.shape[1] - 1)] = True
        found[track.id] = object_confidence(votes, inside, (small > 0) & ~inside)
    area = sum(track.area_px for track in tracks)
    return sum(found[track.id] * track.area_px for track in tracks) / area, found
