"""Temporal stability T: how much the outline of a mask changes its shape from one frame to the next."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cvseg.checks import check_dtype, check_shapes
from cvseg.errors import InputError

TOLERANCE_PX = 1.5  # of the polygon
SPACING_PX = 3.0  # largest distance of neighbouring points
FEWEST_CORNERS = 4  # an outline of less is a speck
SCALE = 5.0  # brings T into the range of J and F in the tables of DAVIS


@dataclass(frozen=True)
class OutlineShape:
    """Outline of one mask and the surroundings of each of its points.

    Attributes
    ----------
    points_xy : (n, 2) float64 pixels, clockwise; n is 0 when the mask has no outline that counts
    contexts : (n, 60) int32, numbers of points in 5 rings of 12 sectors around each point
    """

    points_xy: NDArray[np.float64]
    contexts: NDArray[np.int32]


def outline_shape(mask: NDArray[np.bool_]) -> OutlineShape:
    """Points along the longest outline of a mask, and their shape contexts.

    The outlines run along the cracks between pixels, holes and the edge of the image included. Each is simplified to
    a polygon (points closer than 1.5 pixels to the last one are left out, then Douglas and Peucker with 1.5 pixels);
    the polygon with most corners is kept, and its sides are divided until no point is more than 3 pixels from the next.

    Parameters
    ----------
    mask : (H, W) bool

    Returns
    -------
    OutlineShape : without points when no polygon has four corners

    Raises
    ------
    ShapeError, DtypeError

    References
    ----------
    [Perazzi2016]_ section 3.1, [Belongie2002]_

    Examples
    --------
    >>> mask = np.zeros((20, 30), bool)
    >>> mask[4:16, 6:24] = True
    >>> outline_shape(mask).points_xy.shape
    (20, 2)
    """
    check_shapes("outline_shape", mask=(mask, "H W"))
    check_dtype("outline_shape", np.bool_, mask=mask)
    from cvseg.kernels.evaluation.shape_contexts import shape_contexts
    from cvseg.kernels.evaluation.simplify_outlines import simplify_outlines
    from cvseg.kernels.evaluation.trace_outlines import trace_outlines

    points, starts = trace_outlines(np.ascontiguousarray(mask).view(np.uint8))
    keep = simplify_outlines(points, starts, np.float64(TOLERANCE_PX)).astype(bool)
    corners = np.diff(np.concatenate([[0], np.cumsum(keep)])[starts])
    if corners.size == 0 or corners.max() < FEWEST_CORNERS:
        return OutlineShape(np.zeros((0, 2)), np.zeros((0, 60), np.int32))
    longest = int(corners.argmax())
    piece = slice(starts[longest], starts[longest + 1])
    points_xy = _divided(points[piece][keep[piece]].astype(np.float64))
    return OutlineShape(points_xy, shape_contexts(np.ascontiguousarray(points_xy.T)))


def _divided(corners_xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points on the sides of a closed polygon, no further apart than `SPACING_PX`."""
    sides = np.roll(corners_xy, -1, axis=0) - corners_xy
    parts = np.maximum(np.ceil(np.hypot(sides[:, 0], sides[:, 1]) / SPACING_PX), 1).astype(int)
    number = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    points: NDArray[np.float64] = (
        np.repeat(corners_xy, parts, axis=0) + np.repeat(sides / parts[:, None], parts, axis=0) * number[:, None]
    )
    return points


def outline_change(before: OutlineShape, after: OutlineShape) -> float:
    """Mean cost of matching two outlines; 0 for equal ones.

    The points are paired by dynamic time warping over the chi-square distance of their shape contexts: once from the
    points as they come, then again from behind the cheapest pair of the first pairing. Of the pairs, each point keeps
    the cheapest.

    Returns
    -------
    float in [0, 1]; NaN when an outline has no points

    Examples
    --------
    >>> mask = np.zeros((40, 60), bool)
    >>> mask[8:30, 10:44] = True
    >>> shape = outline_shape(mask)
    >>> outline_change(shape, shape), outline_change(shape, outline_shape(mask[:20]))
    (0.0, 0.2...)
    """
    if not len(before.points_xy) or not len(after.points_xy):
        return float("nan")
    from cvseg.kernels.evaluation.context_costs import context_costs
    from cvseg.kernels.evaluation.match_outlines import match_outlines

    costs = context_costs(before.contexts, after.contexts)
    pairs = _known(match_outlines(costs, np.int32(0), np.int32(0)))
    # The first pair was given, not chosen; without another one there is nothing to choose from.
    chosen = pairs[:-1] if len(pairs) > 1 else pairs
    first, second = chosen[costs[chosen[:, 0], chosen[:, 1]].argmin()].tolist()
    rows, columns = costs.shape
    pairs = _known(match_outlines(costs, np.int32((first + 1) % rows), np.int32((second + 1) % columns)))
    for side in range(2):
        prices = costs[pairs[:, 0], pairs[:, 1]]
        # By point, then price; the order in the pairing decides between equal ones.
        order = np.lexsort((prices, pairs[:, side]))
        numbers = pairs[order, side]
        pairs = pairs[order[np.concatenate([[True], numbers[1:] != numbers[:-1]])]]
    return float(costs[pairs[:, 0], pairs[:, 1]].astype(np.float64).mean())


def _known(pairs: NDArray[np.int32]) -> NDArray[np.int32]:
    return pairs[pairs[:, 0] >= 0]


def temporal_stability(shapes: Sequence[OutlineShape]) -> float:
    """T of one sequence of masks; smaller is better, 0 is a shape that only moves.

    Parameters
    ----------
    shapes : one a frame, in order

    Returns
    -------
    float : five times the mean of `outline_change` over the successive frames, as DAVIS prints it; pairs with an empty
        mask are left out, NaN when none is left

    Raises
    ------
    InputError
        for fewer than two frames.

    References
    ----------
    [Perazzi2016]_ section 3.1

    Examples
    --------
    >>> mask = np.zeros((40, 60), bool)
    >>> mask[8:30, 10:44] = True
    >>> temporal_stability([outline_shape(np.roll(mask, step, 1)) for step in range(4)])
    0.0
    """
    if len(shapes) < 2:
        raise InputError(f"temporal_stability: {len(shapes)} frames; expected at least two.")
    return stability_of_changes([outline_change(*pair) for pair in itertools.pairwise(shapes)])


def stability_of_changes(changes: Sequence[float]) -> float:
    """T from the values of `outline_change`, see `temporal_stability`.

    Examples
    --------
    >>> stability_of_changes([0.25, float("nan"), 0.75])
    2.5
    """
    known = [change for change in changes if not math.isnan(change)]
    return SCALE * sum(known) / len(known) if known else float("nan")
