"""Measures that only videos have, and the benchmark's own of supervoxels: accuracy, leakage, duration, even sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.errors import ShapeError
from cvseg.evaluation.segment_overlaps import check_segments, numbered, segment_overlaps


def segmentation_accuracy(
    result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], void: NDArray[np.bool_] | None = None
) -> float:
    """Share of a true segment that is covered by segments which lie in it by more than a half, mean of true segments.

    A small object counts as much as a large one, which `achievable_accuracy` hides behind the background.

    Parameters
    ----------
    result, truth : (T, H, W) or (H, W) labels; every label is a segment, 0 too
    void : bool of the same shape, pixels that are not counted

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    ShapeError, DtypeError, InputError

    References
    ----------
    [Xu2012]_ section 4.4

    Examples
    --------
    >>> segmentation_accuracy(np.array([[1, 1, 1, 2]]), np.array([[5, 5, 6, 6]]))
    0.75
    """
    overlaps = segment_overlaps(result, truth, void)
    inside = 2 * overlaps.shared > overlaps.result_areas[overlaps.result_of]
    covered = np.bincount(
        overlaps.truth_of[inside], weights=overlaps.shared[inside], minlength=len(overlaps.truth_areas)
    )
    return float(np.mean(covered / overlaps.truth_areas))


def volume_leakage(
    result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], void: NDArray[np.bool_] | None = None
) -> float:
    """Undersegmentation error as the supervoxel benchmark has it: what touches a true segment and lies outside it.

    For each true segment, the volume of all segments that touch it, less its own, over its own; mean of true segments.
    One pixel of a segment is enough to count all of it, so that large segments and small objects give large values.

    Parameters
    ----------
    result, truth : (T, H, W) or (H, W) labels; every label is a segment, 0 too
    void : bool of the same shape, pixels that are not counted

    Returns
    -------
    float of at least 0, without an upper bound

    Raises
    ------
    ShapeError, DtypeError, InputError

    References
    ----------
    [Xu2012]_ section 4.2

    Examples
    --------
    >>> volume_leakage(np.array([[1, 1, 1, 2]]), np.array([[5, 5, 6, 6]]))
    0.75
    """
    overlaps = segment_overlaps(result, truth, void)
    touching = np.bincount(overlaps.truth_of, weights=overlaps.result_areas[overlaps.result_of])
    return float(np.mean(touching / overlaps.truth_areas - 1))


def mean_duration(labels: NDArray[np.integer[Any]]) -> float:
    """Frames in which a supervoxel is seen, mean of supervoxels.

    Parameters
    ----------
    labels : (T, H, W)

    Returns
    -------
    float in [1, T]

    Raises
    ------
    ShapeError, DtypeError

    References
    ----------
    [Xu2016]_ section 4.6

    Examples
    --------
    >>> mean_duration(np.array([[[1, 2]], [[1, 1]], [[1, 3]]]))
    1.6666666666666667
    """
    areas = _areas(labels, "mean_duration")
    return float(np.count_nonzero(areas) / areas.shape[1])


def size_variation(labels: NDArray[np.integer[Any]]) -> float:
    """How much a supervoxel's size changes over time: standard deviation of its pixels in the frames that show it.

    Parameters
    ----------
    labels : (T, H, W)

    Returns
    -------
    float of at least 0, pixels, mean of supervoxels; 0 when all keep their size

    Raises
    ------
    ShapeError, DtypeError

    References
    ----------
    [Xu2016]_ section 4.6

    Examples
    --------
    >>> size_variation(np.array([[[1, 1, 1, 2]], [[1, 2, 2, 2]]]))
    1.0
    """
    areas = _areas(labels, "size_variation").astype(np.float64)
    frames = np.count_nonzero(areas, axis=0)
    means = areas.sum(axis=0) / frames
    squares = (np.where(areas > 0, areas - means, 0) ** 2).sum(axis=0)
    return float(np.sqrt(squares / frames).mean())


def _areas(labels: NDArray[np.integer[Any]], caller: str) -> NDArray[np.int64]:
    """(T, n) pixels of each supervoxel in each frame."""
    check_segments(caller, labels, labels)
    if labels.ndim != 3 or not labels.size:
        raise ShapeError(f"{caller}: labels is {labels.shape}; expected (T, H, W) with at least one pixel.")
    index, count = numbered(labels)
    return np.stack([np.bincount(frame.ravel(), minlength=count) for frame in index])
