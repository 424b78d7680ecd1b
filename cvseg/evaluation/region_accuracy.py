"""Measures of superpixels and supervoxels: do they keep to the true edges, stay compact, and explain the colours?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.errors import DtypeError, ShapeError
from cvseg.evaluation.segment_overlaps import check_segments, numbered, segment_overlaps

TOLERANCE_PX = 2.0
PIECE = 16  # frames of a video whose distances are computed at once


def boundary_recall(
    result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], *, tolerance_px: float = TOLERANCE_PX
) -> float:
    """Share of the true boundary that has a boundary of the result nearby; one pixel may serve several.

    Parameters
    ----------
    result, truth : (H, W) labels, or (T, H, W) for a video, whose boundaries also lie between frames
    tolerance_px : largest distance, in pixels and frames; a larger value forgives more

    Returns
    -------
    float in [0, 1]; 1 when the truth has no boundary

    Raises
    ------
    ShapeError, DtypeError, RangeError

    References
    ----------
    [Achanta2012]_ section 3.1 (the tolerance of 2 pixels); [Xu2012]_ section 4.3 (in videos)

    Examples
    --------
    >>> truth = np.array([[1, 1, 1, 2, 2, 2]])
    >>> boundary_recall(np.array([[1, 1, 1, 1, 2, 2]]), truth), boundary_recall(np.zeros((1, 6), int), truth)
    (1.0, 0.0)
    """
    check_segments("boundary_recall", result, truth)
    check_range("boundary_recall", "tolerance_px", tolerance_px, low=0.0)
    wanted, found = _edges(truth), _edges(result)
    if not wanted.any():
        return 1.0
    if not found.any():
        return 0.0
    return _near(wanted, found, tolerance_px) / int(np.count_nonzero(wanted))


def _near(wanted: NDArray[np.bool_], found: NDArray[np.bool_], tolerance_px: float) -> int:
    """Number of `wanted` pixels with a `found` one within the tolerance; a video in pieces, as distances take room."""
    if wanted.ndim == 2:
        from cvseg.regions import distance_transform

        squares = distance_transform(~found, squared=True)[wanted]
        return int(np.count_nonzero(np.sqrt(squares) <= tolerance_px)) if found.any() else 0
    from scipy.ndimage import distance_transform_edt

    margin, near = math.ceil(tolerance_px), 0
    for begin in range(0, len(wanted), PIECE):
        first, last = max(0, begin - margin), min(len(wanted), begin + PIECE + margin)
        piece = found[first:last]
        if piece.any():
            own = distance_transform_edt(~piece)[begin - first : begin - first + PIECE]
            near += int(np.count_nonzero(own[wanted[begin : begin + PIECE]] <= tolerance_px))
    return near


def undersegmentation_error(
    result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], void: NDArray[np.bool_] | None = None
) -> float:
    """Leakage of segments across true edges, after Neubert and Protzel.

    Of every segment that touches a true segment, the smaller of its two parts, inside and outside, counts as leaked:
    sum over true segments G and segments S that meet of min(|S and G|, |S without G|), per pixel.

    Parameters
    ----------
    result, truth : (H, W) or (T, H, W) labels; every label is a segment, 0 too
    void : bool of the same shape, pixels that are not counted

    Returns
    -------
    float of at least 0; 0 when no segment crosses a true edge; above 1 is possible, as a segment may
        leak into several true ones

    Raises
    ------
    ShapeError, DtypeError, InputError

    References
    ----------
    [Neubert2012]_ eq. 3. The other definition in use, by van den Bergh and others, "corrected", counts all of a segment
    but its largest part and is 1 - `achievable_accuracy`.

    Examples
    --------
    >>> undersegmentation_error(np.array([[1, 1, 1, 1]]), np.array([[5, 5, 5, 6]]))
    0.5
    """
    overlaps = segment_overlaps(result, truth, void)
    outside = overlaps.result_areas[overlaps.result_of] - overlaps.shared
    return float(np.minimum(overlaps.shared, outside).sum() / overlaps.pixels)


def achievable_accuracy(
    result: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], void: NDArray[np.bool_] | None = None
) -> float:
    """Achievable segmentation accuracy: the share of pixels that are right when each segment takes its best true label.

    Parameters
    ----------
    result, truth : (H, W) or (T, H, W) labels; every label is a segment, 0 too
    void : bool of the same shape, pixels that are not counted

    Returns
    -------
    float in (0, 1]; 1 when no segment crosses a true edge

    Raises
    ------
    ShapeError, DtypeError, InputError

    References
    ----------
    [Liu2011]_ section 5; 1 - this value is the corrected undersegmentation error of [Bergh2012]_

    Examples
    --------
    >>> achievable_accuracy(np.array([[1, 1, 1, 1]]), np.array([[5, 5, 5, 6]]))
    0.75
    """
    overlaps = segment_overlaps(result, truth, void)
    largest = np.zeros(len(overlaps.result_areas), np.int64)
    np.maximum.at(largest, overlaps.result_of, overlaps.shared)
    return float(largest.sum() / overlaps.pixels)


def explained_variation(labels: NDArray[np.integer[Any]], image: NDArray[Any]) -> float:
    """Share of the variance of the colours that the segments' mean colours explain.

    Parameters
    ----------
    labels : (H, W) or (T, H, W)
    image : the same with a last axis of channels, or without; any numbers

    Returns
    -------
    float in [0, 1]; 1 for an image of one colour

    Raises
    ------
    ShapeError, DtypeError

    References
    ----------
    [Moore2008]_ section 4.1

    Examples
    --------
    >>> explained_variation(np.array([[1, 1, 2, 2]]), np.array([[0, 0, 9, 9]]))
    1.0
    """
    check_segments("explained_variation", labels, labels)
    if image.shape[: labels.ndim] != labels.shape or image.ndim not in (labels.ndim, labels.ndim + 1):
        raise ShapeError(
            f"explained_variation: image is {image.shape}; expected {labels.shape}, with a last axis of channels "
            "or without."
        )
    index, count = numbered(labels)
    areas = np.bincount(index.ravel(), minlength=count)
    total = explained = 0.0
    for channel in np.moveaxis(image.reshape(labels.size, -1).astype(np.float64), -1, 0):
        centred = channel - channel.mean()
        sums = np.bincount(index.ravel(), weights=centred, minlength=count)
        total += float((centred**2).sum())
        explained += float((sums**2 / areas).sum())
    return min(1.0, explained / total) if total > 0 else 1.0


def compactness(labels: NDArray[np.integer[Any]]) -> float:
    """How round the segments are: 4 pi area / perimeter^2, for volumes 36 pi volume^2 / surface^3, weighted by size.

    The perimeter counts the sides of pixels between a segment and others or the border of the image, so that a square
    has pi / 4, and a disk of pixels no more.

    Parameters
    ----------
    labels : (H, W) or (T, H, W)

    Returns
    -------
    float in (0, pi / 4], for volumes (0, pi / 6]

    Raises
    ------
    ShapeError, DtypeError

    References
    ----------
    [Schick2012]_ section 3. Departure: the perimeter along the sides of pixels.

    Examples
    --------
    >>> round(compactness(np.zeros((5, 5), np.int32)), 4)
    0.7854
    """
    check_segments("compactness", labels, labels)
    index, count = numbered(labels)
    areas = np.bincount(index.ravel(), minlength=count).astype(np.float64)
    sides = np.zeros(count)
    for axis in range(labels.ndim):
        first, last = (np.take(index, [at], axis).ravel() for at in (0, -1))
        before, after = (
            np.take(index, span, axis) for span in (range(labels.shape[axis] - 1), range(1, labels.shape[axis]))
        )
        differs = before != after
        for found in (first, last, before[differs], after[differs]):
            sides += np.bincount(found, minlength=count)
    roundness = 4 * math.pi * areas / sides**2 if labels.ndim == 2 else 36 * math.pi * areas**2 / sides**3
    return float((roundness * areas).sum() / labels.size)


def label_consistency(labels: NDArray[np.integer[Any]], flows_xy: NDArray[np.float32]) -> float:
    """Share of the pixels that keep their label when followed along the true flow into the next frame.

    Parameters
    ----------
    labels : (T, H, W) integers, labels that go on through the video
    flows_xy : (T - 1, H, W, 2) float32, pixels, from frame t to t + 1; not finite where unknown

    Returns
    -------
    float in [0, 1]; NaN when no pixel has a known flow that lands inside the next frame

    Raises
    ------
    ShapeError, DtypeError

    References
    ----------
    [Chang2013]_ section 6. The end of the flow is rounded to the nearest pixel.

    Examples
    --------
    >>> one_right = np.zeros((1, 1, 4, 2), np.float32) + np.float32([1, 0])
    >>> label_consistency(np.array([[[1, 1, 2, 2]], [[1, 1, 1, 1]]]), one_right)
    0.6666666666666666
    """
    check_segments("label_consistency", labels, labels)
    if labels.ndim != 3 or len(labels) < 2:
        raise ShapeError(f"label_consistency: labels is {labels.shape}; expected (T, H, W) with at least two frames.")
    frames, height, width = labels.shape
    check_shapes("label_consistency", flows_xy=(flows_xy, f"{frames - 1} {height} {width} 2"))
    check_dtype("label_consistency", np.float32, flows_xy=flows_xy)
    kept = counted = 0
    for before, after, flow_xy in zip(labels[:-1], labels[1:], flows_xy, strict=True):
        own_kept, own_counted = consistency_counts(before, after, flow_xy)
        kept, counted = kept + own_kept, counted + own_counted
    return kept / counted if counted else float("nan")


def consistency_counts(
    before: NDArray[np.integer[Any]], after: NDArray[np.integer[Any]], flow_xy: NDArray[np.float32]
) -> tuple[int, int]:
    """Of two frames: how many pixels keep their label along the flow, and how many land inside.

    Parameters
    ----------
    before, after : (H, W) integers
    flow_xy : (H, W, 2) floating, pixels, from `before` to `after`; not finite where unknown

    Raises
    ------
    ShapeError

    Examples
    --------
    >>> consistency_counts(np.array([[1, 1, 2]]), np.array([[1, 1, 1]]), np.ones((1, 3, 2), np.float32) * [1, 0])
    (2, 2)
    """
    height, width = before.shape
    check_shapes("consistency_counts", after=(after, f"{height} {width}"), flow_xy=(flow_xy, f"{height} {width} 2"))
    y, x = np.mgrid[:height, :width]
    target_x, target_y = x + flow_xy[..., 0].astype(np.float64), y + flow_xy[..., 1].astype(np.float64)
    # Written so that NaN compares false.
    inside = (target_x >= -0.5) & (target_x < width - 0.5) & (target_y >= -0.5) & (target_y < height - 0.5)
    rows, columns = (np.floor(target[inside] + 0.5).astype(np.int64) for target in (target_y, target_x))
    return int(np.count_nonzero(before[inside] == after[rows, columns])), int(np.count_nonzero(inside))


def _edges(labels: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Pixels whose next neighbour along some axis belongs to another segment."""
    if labels.dtype.kind not in "iub":
        raise DtypeError(f"edges: labels is {labels.dtype}; expected whole numbers.")
    edges = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        size = labels.shape[axis]
        differs = np.take(labels, range(1, size), axis) != np.take(labels, range(size - 1), axis)
        np.moveaxis(edges, axis, 0)[: size - 1] |= np.moveaxis(differs, axis, 0)
    return edges
