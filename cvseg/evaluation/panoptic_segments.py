"""Which segment of the truth shares how many pixels with which of the result; ids may be large and far apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_shapes
from cvseg.errors import DtypeError, InputError, RangeError

LARGEST_ID = 2**31 - 1


@dataclass(frozen=True)
class Segments:
    """What the ids of a panoptic map mean.

    Attributes
    ----------
    classes : id to class; an id that is not listed is void
    crowd : ids of the truth that stand for many objects which nobody told apart
    """

    classes: Mapping[int, int]
    crowd: Collection[int] = field(default_factory=frozenset)


@dataclass(frozen=True)
class SegmentPairs:
    """Shared areas of two panoptic maps, of one frame or summed over several.

    Attributes
    ----------
    shared : (truth id, result id) to pixels, only pairs that share some
    truth_areas, result_areas : id to pixels
    """

    shared: Mapping[tuple[int, int], int]
    truth_areas: Mapping[int, int]
    result_areas: Mapping[int, int]


def segment_pairs(result: NDArray[Any], truth: NDArray[Any]) -> SegmentPairs:
    """Shared areas of two maps.

    Parameters
    ----------
    result, truth : (H, W) integer ids, 0 to 2**31 - 1; memory and time do not depend on how large they are

    Returns
    -------
    SegmentPairs

    Raises
    ------
    ShapeError, DtypeError
    RangeError
        for a negative or larger id.

    Examples
    --------
    >>> truth, result = np.array([[26001, 26001, 7000]]), np.array([[26011, 7000, 7000]])
    >>> segment_pairs(result, truth).shared
    {(7000, 7000): 1, (26001, 7000): 1, (26001, 26011): 1}
    """
    check_shapes("segment_pairs", result=(result, "H W"), truth=(truth, "H W"))
    for name, ids in (("result", result), ("truth", truth)):
        if ids.dtype.kind not in "iu":
            raise DtypeError(f"segment_pairs: {name} is {ids.dtype}; expected whole numbers. Convert it with astype.")
        if ids.size and (int(ids.min()) < 0 or int(ids.max()) > LARGEST_ID):
            raise RangeError(
                f"segment_pairs: {name} has ids from {ids.min()} to {ids.max()}; expected 0 to {LARGEST_ID}."
            )
    if not truth.size:
        return summed_pairs([])
    a, b = np.ascontiguousarray(truth).ravel(), np.ascontiguousarray(result).ravel()
    # Runs of equal pairs are few: only they are sorted.
    changed = a[1:] != a[:-1]
    changed |= b[1:] != b[:-1]
    starts = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(changed) + 1])
    lengths = np.diff(starts, append=a.size)
    keys, place = np.unique(a[starts].astype(np.int64) << 32 | b[starts].astype(np.int64), return_inverse=True)
    areas = np.bincount(place, weights=lengths).astype(np.int64)
    pairs = zip((keys >> 32).tolist(), (keys & LARGEST_ID).tolist(), areas.tolist(), strict=True)
    return _collected(((t, r), area) for t, r, area in pairs)


def summed_pairs(frames: Iterable[SegmentPairs]) -> SegmentPairs:
    """Shared areas of the tubes that equal ids make through `frames`."""
    return _collected(pair for frame in frames for pair in frame.shared.items())


def _collected(pairs: Iterable[tuple[tuple[int, int], int]]) -> SegmentPairs:
    shared: dict[tuple[int, int], int] = {}
    truth_areas: dict[int, int] = {}
    result_areas: dict[int, int] = {}
    for (t, r), area in pairs:
        shared[t, r] = shared.get((t, r), 0) + area
        truth_areas[t] = truth_areas.get(t, 0) + area
        result_areas[r] = result_areas.get(r, 0) + area
    return SegmentPairs(shared, truth_areas, result_areas)


def divided_segments(
    ids: Iterable[int],
    *,
    label_divisor: int = 1000,
    classes: Collection[int] | None = None,
    things: Collection[int] = (),
) -> Segments:
    """Meaning of ids that are ``class * label_divisor + instance``.

    Parameters
    ----------
    ids : ids that occur
    label_divisor : larger than the largest instance number
    classes : classes that count; others are void. None: all
    things : classes whose objects are counted; an id of theirs with instance 0 is a crowd

    Raises
    ------
    InputError
        for a divisor below 1.

    Examples
    --------
    >>> divided_segments([7000, 26000, 26011], things=[26]).crowd
    frozenset({26000})
    """
    if label_divisor < 1:
        raise InputError(f"divided_segments: label_divisor is {label_divisor}; expected at least 1.")
    found = {int(i): int(i) // label_divisor for i in ids}
    known = {i: c for i, c in found.items() if classes is None or c in classes}
    return Segments(known, frozenset(i for i, c in known.items() if c in things and i % label_divisor == 0))
