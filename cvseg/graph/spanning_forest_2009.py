"""Seeds grow along the minimum spanning forest: over differences between neighbours, or over a map of edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.options import Options, option
from cvseg.superpixels.block_moves_2015 import LAB_UNITS, lab_pictures

WEIGHT_UNITS = 8  # weights of edges in one unit of L*a*b*
STRONGEST = 2047


@dataclass(frozen=True, kw_only=True)
class SpanningForestOptions(Options):
    """What the edges of the graph of pixels are.

    Attributes
    ----------
    neighbors, smooth : see their `option`
    """

    neighbors: str = option("8", "pixels that an edge goes to; 4 is faster", choices=("4", "8"))
    smooth: int = option(1, "rounds of smoothing by [1 2 1] / 4; more for noise, less for thin things", low=0, high=2)


@dataclass(frozen=True, kw_only=True)
class WatershedOptions(SpanningForestOptions):
    """As `SpanningForestOptions`, on the strength of edges at pixels."""

    neighbors: str = option("4", "pixels that an edge goes to; 8 lets water pass between diagonals", choices=("4", "8"))


def spanning_forest_2009(image: Any, seeds: Any, options: SpanningForestOptions = SpanningForestOptions()) -> Any:
    """Every pixel gets the label of the seed that it hangs together with by the lightest edges.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB, contiguous
    seeds : (H, W) int32 on the same device: positive labels, 0 what shall be labelled, negative outside
    options : SpanningForestOptions

    Returns
    -------
    labels : (H, W) int32, 0 where no path leads from a seed. The same on any device.

    Notes
    -----
    Weights are differences in L*a*b*, in eighths of a unit. Of equal edges the one whose ends are nearer to a seed
    comes first, so that seeds share ground of one colour by nearness.

    References
    ----------
    [Cousty2009]_ theorem 10: forests of minimum weight are cuts by watersheds

    Examples
    --------
    >>> image = np.zeros((1, 6, 3), np.uint8)
    >>> image[:, 2:] = 200
    >>> spanning_forest_2009(image, np.array([[7, 0, 0, 0, 0, 9]], np.int32)).tolist()
    [[7, 7, 9, 9, 9, 9]]
    """
    from cvseg.kernels.graph.edge_weights import edge_weights
    from cvseg.kernels.graph.spanning_forest import spanning_forest

    levels, unit = smoothed(image, options.smooth)
    weights = edge_weights(levels, np.int32(int(options.neighbors) // 2), np.float32(WEIGHT_UNITS * unit))
    return spanning_forest(weights, seeds)


def watershed_2009(
    image: Any,
    seeds: Any,
    options: WatershedOptions = WatershedOptions(),
    boundary: Any = None,
) -> Any:
    """Every pixel gets the label of the seed whose water reaches it first, when it rises over a map of edges.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB, contiguous
    seeds : (H, W) int32 on the same device: positive labels, 0 what shall be labelled, negative outside
    options : WatershedOptions
    boundary : (H, W) float32 in [0, 1], heights of the ground; None takes how fast L*a*b* changes

    Returns
    -------
    labels : (H, W) int32, 0 where no water comes. The same on any device; there are no pixels on the line.

    Notes
    -----
    Water passes between two pixels at the higher one: the watershed is the minimum spanning forest of these weights.
    Heights are rounded to 2048 values.

    References
    ----------
    [Cousty2009]_
    """
    from cvseg.kernels.graph.pass_weights import pass_weights
    from cvseg.kernels.graph.spanning_forest import spanning_forest

    strength = boundary_strength(image, options.smooth) if boundary is None else whole_strength(boundary)
    return spanning_forest(pass_weights(strength, np.int32(int(options.neighbors) // 2)), seeds)


def boundary_strength(image: Any, smooth: int = 1) -> Any:
    """(H, W) uint16 up to 2047: how fast L*a*b* changes, in eighths of a unit over two pixels."""
    from cvseg.kernels.graph.color_gradient import color_gradient

    levels, unit = smoothed(image, smooth)
    return color_gradient(levels, np.float32(WEIGHT_UNITS * unit))


def whole_strength(boundary: Any) -> Any:
    """A map in [0, 1] as (H, W) uint16 up to 2047."""
    return (boundary * np.float32(STRONGEST) + np.float32(0.5)).astype(np.uint16)


def smoothed(image: Any, rounds: int) -> tuple[Any, float]:
    """(H, W, 4) int16 L*a*b*, smoothed, and how much of a unit one level is."""
    from cvseg.kernels.graph.smooth_levels import smooth_levels

    levels, unit = lab_pictures(image, 0)[0], 1 / LAB_UNITS
    for number in range(rounds):
        if number:
            # Four times the resolution is all that 16 bits hold.
            levels = levels >> 2
        levels = smooth_levels(levels)
    return levels, unit / 4 if rounds else unit
