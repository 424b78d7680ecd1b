"""The Berkeley region benchmark: covering, Rand index and variation of information over the levels of a hierarchy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import InputError
from cvseg.evaluation.segment_overlaps import segment_overlaps
from cvseg.evaluation.segmentation_agreement import agreement, best_overlaps


@dataclass(frozen=True)
class RegionScores:
    """One image.

    Attributes
    ----------
    covering : of each level, mean over the truths
    reverse_covering : of each level, how well the truths cover its segments, each by the best of all truths
    best_covering : when each true segment may take its best match from any level
    rand_index : of each level, mean over the truths: the probabilistic Rand index
    variation_of_information : of each level, mean over the truths, bits
    weight : number of truths times pixels; images count by it in the covering
    """

    covering: tuple[float, ...]
    reverse_covering: tuple[float, ...]
    best_covering: float
    rand_index: tuple[float, ...]
    variation_of_information: tuple[float, ...]
    weight: int


@dataclass(frozen=True)
class RegionBenchmark:
    """Summary over images: each measure at the one level that serves all best (ODS), and at each image's own (OIS).

    Attributes
    ----------
    covering_level, rand_level, information_level : number of the level, from 0, of the ODS values
    covering_ods, covering_ois, covering_best : shares; the last takes each true segment's best match from any level
    rand_ods, rand_ois : probabilistic Rand index
    information_ods, information_ois : variation of information, bits; smaller is better
    """

    covering_level: int
    rand_level: int
    information_level: int
    covering_ods: float
    covering_ois: float
    covering_best: float
    rand_ods: float
    rand_ois: float
    information_ods: float
    information_ois: float


def region_scores(
    levels: Sequence[NDArray[np.integer[Any]]],
    truths: Sequence[NDArray[np.integer[Any]]],
    void: NDArray[np.bool_] | None = None,
) -> RegionScores:
    """Compare the segmentations of one image with those that several people drew.

    Parameters
    ----------
    levels : (H, W) or (T, H, W) integer labels each, as fine to coarse; one for a single segmentation
    truths : labels of the same shape; every label is a segment, 0 too
    void : bool of the same shape, pixels that are not counted

    Raises
    ------
    ShapeError, DtypeError
    InputError
        when there is no level or no truth.

    References
    ----------
    [Arbelaez2011]_ section 3.1
    """
    if not levels or not truths:
        raise InputError(
            f"region_scores: {len(levels)} levels and {len(truths)} truths; expected at least one of each."
        )
    covering, reverse, rand, information = (np.zeros(len(levels)) for _ in range(4))
    overlaps = [[segment_overlaps(level, truth, void) for truth in truths] for level in levels]
    for i, of_level in enumerate(overlaps):
        pixels = of_level[0].pixels
        covering[i] = sum((best_overlaps(each) * each.truth_areas).sum() for each in of_level) / pixels
        by_any = np.max([best_overlaps(each.swapped()) for each in of_level], axis=0)
        reverse[i] = (by_any * of_level[0].result_areas).sum() / pixels
        rand[i], information[i] = np.sum([agreement(each) for each in of_level], axis=0)
    best = 0.0
    for of_truth in zip(*overlaps, strict=True):
        from_any = np.max([best_overlaps(each) for each in of_truth], axis=0)
        best += float((from_any * of_truth[0].truth_areas).sum()) / of_truth[0].pixels
    count = len(truths)
    return RegionScores(
        covering=tuple((covering / count).tolist()),
        reverse_covering=tuple(reverse.tolist()),
        best_covering=best / count,
        rand_index=tuple((rand / count).tolist()),
        variation_of_information=tuple((information / count).tolist()),
        weight=count * overlaps[0][0].pixels,
    )


def region_benchmark(images: Sequence[RegionScores]) -> RegionBenchmark:
    """Summarise images; the levels of all count alike.

    Raises
    ------
    InputError
        when there is no image, or images differ in the number of levels.

    References
    ----------
    [Arbelaez2011]_ section 3.1. The covering weights images by pixels and people, the two others do not.
    """
    if not images or len({len(image.covering) for image in images}) != 1:
        raise InputError(
            f"region_benchmark: {len(images)} images with {sorted({len(image.covering) for image in images})} levels; "
            "expected at least one image, and one number of levels."
        )
    weights = np.array([image.weight for image in images], np.float64)
    weights /= weights.sum()
    covering = np.array([image.covering for image in images])
    rand = np.array([image.rand_index for image in images])
    information = np.array([image.variation_of_information for image in images])
    per_level = weights @ covering, rand.mean(0), information.mean(0)
    return RegionBenchmark(
        covering_level=int(per_level[0].argmax()),
        rand_level=int(per_level[1].argmax()),
        information_level=int(per_level[2].argmin()),
        covering_ods=float(per_level[0].max()),
        covering_ois=float(weights @ covering.max(1)),
        covering_best=float(weights @ np.array([image.best_covering for image in images])),
        rand_ods=float(per_level[1].max()),
        rand_ois=float(rand.max(1).mean()),
        information_ods=float(per_level[2].min()),
        information_ois=float(information.min(1).mean()),
    )
