"""Random walker: every pixel gets the label whose seed a walker that starts there reaches first most probably."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvseg.arrays import array_module, device_of, to_device, to_host
from cvseg.errors import RangeError
from cvseg.graph.spanning_forest_2009 import WEIGHT_UNITS, smoothed
from cvseg.options import Options, option

LAYERS = 8  # labels that are solved for at once; more need more memory
MOST_LABELS = 4096


@dataclass(frozen=True, kw_only=True)
class RandomWalkerOptions(Options):
    """What holds the walker back, and how exactly it is followed.

    Attributes
    ----------
    contrast, least, smooth, tolerance, iterations : see their `option`
    """

    contrast: float = option(
        10.0,
        "beta: of the squared difference, in units of its mean; larger stops more at weak edges",
        low=0.0,
        high=1e6,
    )
    least: float = option(
        1e-4, "conductance of the strongest edge, where none is 1; larger walks through walls", low=1e-8, high=1.0
    )
    smooth: int = option(1, "rounds of smoothing by [1 2 1] / 4; more for noise, less for thin things", low=0, high=2)
    tolerance: float = option(
        1e-4, "error in energy, of that at the start; probabilities are off by up to 100 times it", low=1e-9, high=0.1
    )
    iterations: int = option(100, "at most so many steps of conjugate gradients", low=1, high=100000)


def random_walker_2006(
    image: Any,
    seeds: Any,
    options: RandomWalkerOptions = RandomWalkerOptions(),
    *,
    return_probability: bool = False,
) -> Any:
    """Labels by random walks, and how probable each is.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB, contiguous
    seeds : (H, W) int32 on the same device: positive labels, 0 what shall be labelled, negative outside
    options : RandomWalkerOptions
    return_probability : also give the probabilities

    Returns
    -------
    labels : (H, W) int32, 0 where no path leads from a seed
    probability : (n, H, W) float32 of the n labels that occur in `seeds`, in ascending order; they add up to 1 wherever
        a label is. With `return_probability` only.

    Raises
    ------
    RangeError
        for more than 4096 labels.

    Notes
    -----
    The probabilities are the potentials of a circuit, solved for by conjugate gradients with a multigrid step, eight
    labels at a time, the last one as what is missing to 1. CPU and GPU add up in another order: probabilities differ in
    the sixth digit, labels only where two are that close. Departures from the paper: differences
    in L*a*b*, rounded to eighths, their square divided by its mean.

    References
    ----------
    [Grady2006]_ eqs. 1 (weights), 10 (equations), 12 (labels)

    Examples
    --------
    >>> image = np.zeros((1, 5, 3), np.uint8)
    >>> labels, probability = random_walker_2006(
    ...     image, np.array([[4, 0, 0, 0, 6]], np.int32), RandomWalkerOptions(tolerance=1e-6), return_probability=True
    ... )
    >>> probability[0].round(3).tolist()
    [[1.0, 0.75, 0.5, 0.25, 0.0]]
    """
    from cvseg.kernels.graph.edge_weights import edge_weights
    from cvseg.kernels.graph.grid_potentials import grid_potentials
    from cvseg.kernels.graph.spanning_forest import spanning_forest
    from cvseg.kernels.graph.walker_system import walker_system

    xp, device = array_module(image), device_of(image)
    levels, unit = smoothed(image, options.smooth)
    weights = edge_weights(levels, np.int32(2), np.float32(WEIGHT_UNITS * unit))
    table = to_device(conductances(_counts(weights), options), device)
    # The nearest along the forest: which pixels are reached at all, and what is kept of ties.
    reached = spanning_forest(weights, seeds)
    names = np.unique(to_host(seeds))
    names = names[names > 0]
    if names.size > MOST_LABELS:
        raise RangeError(f"random_walker_2006: {names.size} labels; expected at most {MOST_LABELS}.")
    # Labels 1 to n; what no seed reaches is outside, as its equations have no solution.
    numbers = xp.where(seeds > 0, xp.searchsorted(to_device(names, device), seeds) + 1, seeds)
    numbers = xp.where((reached == 0) & (seeds == 0), -1, numbers).astype(np.int32)
    labels = xp.where(reached > 0, np.int32(names[0]), np.int32(0)).astype(np.int32)
    best = xp.zeros(seeds.shape, np.float32)
    left = (reached > 0).astype(np.float32)
    layers = []
    for first in range(1, names.size + 1, LAYERS):
        last = min(first + LAYERS, names.size)  # the last label is what the others leave
        if last > first:
            system = walker_system(weights, table, numbers, np.int32(first), np.int32(last - first))
            found = grid_potentials(*system, np.float64(options.tolerance), np.int32(options.iterations))
        for number in range(first, min(first + LAYERS, names.size + 1)):
            if number < names.size:
                share = xp.where(seeds > 0, (numbers == number).astype(np.float32), found[number - first].clip(0, 1))
                left = left - share
            else:
                share = left.clip(0, 1)
            better = share > best
            labels = xp.where(better, np.int32(names[number - 1]), labels)
            best = xp.where(better, share, best)
            if return_probability:
                layers.append(share)
    labels = xp.where(reached > 0, xp.where(seeds > 0, seeds, labels), np.int32(0)).astype(np.int32)
    if not return_probability:
        return labels
    probability = xp.empty((len(layers), *seeds.shape), np.float32)
    for number, share in enumerate(layers):
        probability[number] = share
    total = probability.sum(axis=0)
    return labels, (probability / xp.where(total > 0, total, np.float32(1))).astype(np.float32)


def conductances(counts: NDArray[np.int64], options: RandomWalkerOptions) -> NDArray[np.float32]:
    """(2048,) float32: how well an edge of each weight conducts, 1 for equal pixels.

    Parameters
    ----------
    counts : (2048,) how many edges have each weight
    """
    square = np.arange(counts.size, dtype=np.float64) ** 2
    mean = float((square * counts).sum()) / max(int(counts.sum()), 1)
    conductance = np.exp(-options.contrast * square / max(mean, 1e-9))
    return ((1 - options.least) * conductance + options.least).astype(np.float32)


def _counts(weights: Any) -> NDArray[np.int64]:
    """How many edges of each weight; reads the weights back from a GPU."""
    from cvseg.kernels.graph.edge_weights import WEIGHTS

    host = to_host(weights).reshape(-1)
    return np.bincount(host[host < WEIGHTS], minlength=WEIGHTS).astype(np.int64)
