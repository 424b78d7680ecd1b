"""Run-length masks: a mask as the lengths of its runs down the columns; areas, boxes and overlaps without pixels.

Runs are an int64 array: the first counts background (0 when the first pixel belongs to the mask), then the two take
turns. Pixels are counted column by column, top to bottom, as COCO does. `mask_runs` writes canonical runs: only the
first may be 0. Every function here also takes others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import InputError, RangeError, ShapeError

Runs = NDArray[np.int64]

POLYGON_STEPS = 5  # COCO draws polygons on a grid this much finer than the pixels


def mask_runs(mask: NDArray[np.bool_]) -> Runs:
    """Runs of a mask.

    Parameters
    ----------
    mask : (H, W) bool

    Returns
    -------
    runs : (n,) int64, canonical

    Raises
    ------
    ShapeError, DtypeError

    Examples
    --------
    >>> mask_runs(np.array([[False, True], [True, True]])).tolist()
    [1, 3]
    """
    check_shapes("mask_runs", mask=(mask, "H W"))
    check_dtype("mask_runs", np.bool_, mask=mask)
    height, width = mask.shape
    if not mask.size:
        return np.zeros(1, np.int64)
    # Changes are found in row order and sorted into column order: a mask has few, and no pixel has to be moved.
    changes = np.empty(mask.shape, np.bool_)
    np.not_equal(mask[1:], mask[:-1], out=changes[1:])
    np.not_equal(mask[0, 1:], mask[-1, :-1], out=changes[0, 1:])
    changes[0, 0] = mask[0, 0]
    y, x = np.divmod(np.flatnonzero(changes), width)
    return _between(np.sort(x * height + y), mask.size)


def runs_mask(runs: Runs, size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """The (H, W) bool mask of `runs`.

    Raises
    ------
    RangeError
        when the runs do not add up to the number of pixels.
    """
    check_runs("runs_mask", runs, size_hw)
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return np.ascontiguousarray(flat.reshape(size_hw[1], size_hw[0]).T)


def run_area(runs: Runs) -> int:
    """Number of pixels of the mask.

    >>> run_area(np.array([1, 3, 2, 4]))
    7
    """
    return int(runs[1::2].sum())


def run_box_xyxy(runs: Runs, height: int) -> tuple[int, int, int, int]:
    """Half-open box (x0, y0, x1, y1) around the mask; (0, 0, 0, 0) for an empty one.

    >>> run_box_xyxy(np.array([1, 3]), height=2)
    (0, 0, 2, 2)
    """
    starts, ends = _segments(runs)
    if not starts.size:
        return 0, 0, 0, 0
    last = ends - 1
    x0, x1 = int(starts[0] // height), int(last[-1] // height) + 1
    if (last // height > starts // height).any():
        return x0, 0, x1, height  # a run that goes on in the next column holds a lowest and a topmost pixel
    return x0, int((starts % height).min()), x1, int((last % height).max()) + 1


def run_intersections(runs_a: Sequence[Runs], runs_b: Sequence[Runs]) -> NDArray[np.int64]:
    """Pixels that each mask of `runs_a` shares with each of `runs_b`: (len(a), len(b)) int64."""
    if len(runs_a) > len(runs_b):
        return np.ascontiguousarray(run_intersections(runs_b, runs_a).T)
    shared = np.zeros((len(runs_a), len(runs_b)), np.int64)
    segments = [_segments(runs) for runs in runs_b]
    filled = [k for k, (starts, _) in enumerate(segments) if starts.size]
    if not filled:
        return shared
    starts, ends = (np.concatenate([segments[k][side] for k in filled]) for side in (0, 1))
    firsts = np.cumsum([0, *(len(segments[k][0]) for k in filled[:-1])])
    for i, runs in enumerate(runs_a):
        covered = _covered_before(runs, np.stack([starts, ends]))
        shared[i, filled] = np.add.reduceat(covered[1] - covered[0], firsts)
    return shared


def run_overlaps(runs_a: Sequence[Runs], runs_b: Sequence[Runs], crowd: ArrayLike | None = None) -> NDArray[np.float64]:
    """Intersection over union of every pair, without decoding.

    Parameters
    ----------
    runs_a, runs_b : runs of masks of one size
    crowd : (len(runs_b),) bool; where True, `runs_b` marks a crowd and the intersection is divided by the area of
        `runs_a` alone, so that a part of a crowd overlaps it wholly

    Returns
    -------
    (len(runs_a), len(runs_b)) float64 in [0, 1]; 0 where the divisor is 0

    Raises
    ------
    ShapeError
        when masks have different numbers of pixels, or `crowd` another length than `runs_b`.
    """
    check_one_size("run_overlaps", runs_a, runs_b)
    shared = run_intersections(runs_a, runs_b)
    areas_a, areas_b = (np.array([run_area(runs) for runs in many], np.int64) for many in (runs_a, runs_b))
    divisor = areas_a[:, None] + areas_b[None] - shared
    if crowd is not None:
        crowds = np.asarray(crowd, np.bool_)
        check_shapes("run_overlaps", crowd=(crowds, str(len(runs_b))))
        divisor = np.where(crowds[None], areas_a[:, None], divisor)
    return np.divide(shared, divisor, out=np.zeros(shared.shape), where=divisor > 0)


def merge_runs(masks: Sequence[Runs], *, intersect: bool = False) -> Runs:
    """Runs of the union, or of the intersection, of masks of one size.

    Raises
    ------
    InputError
        when there is no mask: the size would be unknown.
    ShapeError
    """
    if not masks:
        raise InputError("merge_runs: no mask came; expected at least one. An empty mask has one run: [pixels].")
    check_one_size("merge_runs", masks)
    starts, ends = (np.concatenate([_segments(runs)[side] for runs in masks]) for side in (0, 1))
    positions, place = np.unique(np.concatenate([starts, ends]), return_inverse=True)
    depth_step = np.bincount(place[: len(starts)], minlength=len(positions)) - np.bincount(
        place[len(starts) :], minlength=len(positions)
    )
    inside = np.cumsum(depth_step) >= (len(masks) if intersect else 1)
    changed = np.diff(inside, prepend=False)
    return _between(positions[changed], int(masks[0].sum()))


def tube_runs(frames: Sequence[Runs | None], pixels: int) -> Runs:
    """Runs of frames laid side by side: areas and overlaps of these are those of tubes through a video.

    Parameters
    ----------
    frames : runs of each frame; None where the object is not there
    pixels : number of pixels of one frame

    Examples
    --------
    >>> tube_runs([np.array([1, 3]), None, np.array([0, 4])], 4).tolist()
    [1, 3, 4, 0, 0, 4]
    """
    parts = [np.array([pixels]) if runs is None else runs for runs in frames]
    # Every frame begins with background, so the one before must end with a run of the mask.
    padded = [np.append(runs, 0) if len(runs) % 2 else runs for runs in parts]
    return np.concatenate(padded).astype(np.int64) if padded else np.zeros(0, np.int64)


def polygon_runs(polygon_xy: ArrayLike, size_hw: tuple[int, int]) -> Runs:
    """Runs of one closed polygon by COCO's rule.

    The outline is drawn with straight lines on a grid five times as fine as the pixels; a pixel belongs to the mask
    when its centre lies inside by the even-odd rule, counted down each column. The result is COCO's own, pixel for
    pixel.

    Parameters
    ----------
    polygon_xy : (n, 2), or flat x, y, x, y, ...; pixels, (0, 0) is the outer corner of the first pixel; at least
        three points; parts outside the image are cut off
    size_hw : image size

    Raises
    ------
    ShapeError
    RangeError
        when a coordinate is NaN or infinite.

    Examples
    --------
    >>> polygon_runs([0, 0, 2, 0, 2, 1, 0, 1], (2, 3)).tolist()
    [0, 1, 1, 1, 3]
    """
    points = np.asarray(polygon_xy, np.float64).ravel()
    if points.size < 6 or points.size % 2:
        raise ShapeError(
            f"polygon_runs: polygon_xy holds {points.size} numbers; expected an even number of at least 6 "
            "(x and y of three points)."
        )
    # Beyond this the fine grid would not fit into memory: one line of a polygon is drawn point by point.
    if not np.abs(points).max() < 1e6:
        raise RangeError("polygon_runs: polygon_xy holds NaN or values beyond a million pixels; expected coordinates.")
    height, width = size_hw
    fine = np.trunc(POLYGON_STEPS * points + 0.5).astype(np.int64).reshape(-1, 2)
    u, v = _drawn_outline(fine)
    # Only steps to another column of the fine grid cross a line of pixel centres.
    u0, u1, v0, v1 = u[:-1], u[1:], v[:-1], v[1:]
    left = np.minimum(u0, u1 - (u1 > u0))
    crossing = (u0 != u1) & (left % POLYGON_STEPS == POLYGON_STEPS // 2)
    column = left // POLYGON_STEPS
    crossing &= (column >= 0) & (column < width)
    row = (np.minimum(v0, v1)[crossing] + 0.5) / POLYGON_STEPS - 0.5
    positions = column[crossing] * height + np.ceil(np.clip(row, 0, height)).astype(np.int64)
    # Two crossings at one place cancel.
    places, counts = np.unique(positions, return_counts=True)
    odd = places[counts % 2 == 1]
    return _between(odd[odd < height * width], height * width)


def _drawn_outline(fine: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All points of the closed outline through `fine`, in order. Lines advance by one along their longer side and
    are always drawn in its rising direction, so that an edge shared by two polygons is drawn alike in both."""
    ends = np.roll(fine, -1, axis=0)
    moved = (fine != ends).any(1)
    (xs, ys), (xe, ye) = fine[moved].T, ends[moved].T
    dx, dy = np.abs(xe - xs), np.abs(ye - ys)
    flat = dx >= dy
    flipped = np.where(flat, xs > xe, ys > ye)
    xs, xe = np.where(flipped, xe, xs), np.where(flipped, xs, xe)
    ys, ye = np.where(flipped, ye, ys), np.where(flipped, ys, ye)
    longer = np.maximum(dx, dy)
    slope = np.where(flat, ye - ys, xe - xs) / longer
    line = np.repeat(np.arange(len(longer)), longer + 1)
    step = np.arange(len(line)) - np.repeat(np.cumsum(longer + 1) - longer - 1, longer + 1)
    step = np.where(flipped[line], longer[line] - step, step)
    along = step + np.where(flat, xs, ys)[line]
    across = np.trunc(np.where(flat, ys, xs)[line] + slope[line] * step + 0.5).astype(np.int64)
    return np.where(flat[line], along, across), np.where(flat[line], across, along)


def check_runs(caller: str, runs: Runs, size_hw: tuple[int, int]) -> None:
    """Demand runs that are not negative and add up to the image.

    Raises
    ------
    RangeError
    """
    if runs.size and int(runs.min()) < 0:
        raise RangeError(f"{caller}: a run is {int(runs.min())} pixels long; expected 0 or more.")
    if int(runs.sum()) != size_hw[0] * size_hw[1]:
        raise RangeError(
            f"{caller}: the runs add up to {int(runs.sum())} pixels; expected {size_hw[0] * size_hw[1]} for "
            f"{size_hw[0]} rows of {size_hw[1]}. Does the mask belong to another image?"
        )


def check_one_size(caller: str, *groups: Sequence[Runs]) -> None:
    """Demand masks of one number of pixels.

    Raises
    ------
    ShapeError
    """
    sizes = {int(runs.sum()) for group in groups for runs in group}
    if len(sizes) > 1:
        raise ShapeError(f"{caller}: masks have {min(sizes)} to {max(sizes)} pixels; expected masks of one size.")


def _between(positions: NDArray[Any], pixels: int) -> Runs:
    """Runs from the rising places where the mask changes; a change behind the last pixel ends the last run."""
    places = positions.astype(np.int64)
    if places.size and places[-1] == pixels:
        return np.diff(places, prepend=0)
    return np.diff(places, prepend=0, append=pixels)


def _segments(runs: Runs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Start and end (exclusive) of every run of the mask that is not empty."""
    ends = np.cumsum(runs)[1::2]
    lengths = runs[1::2]
    return (ends - lengths)[lengths > 0], ends[lengths > 0]


def _covered_before(runs: Runs, positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of pixels of the mask before each of `positions`."""
    edges = np.concatenate([np.zeros(1, np.int64), np.cumsum(runs)])
    inside = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.where(np.arange(len(runs)) % 2 == 1, runs, 0))])
    run = np.clip(np.searchsorted(edges, positions, side="right") - 1, 0, len(runs) - 1)
    return inside[run] + np.where(run % 2 == 1, positions - edges[run], 0)
