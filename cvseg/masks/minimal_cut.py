"""The mask with the least energy: evidence per pixel against the length of its outline, cheap along edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module, common_device
from cvseg.checks import check_dtype, check_range, check_shapes


def minimal_cut(
    unary: Any, image: Any, *, contrast: float = 2.0, floor: float = 0.05, iterations: int = 40, start: Any = None
) -> Any:
    """The mask that agrees best with `unary`, and whose outline follows the edges of `image`. Does not synchronise.

    Parameters
    ----------
    unary : (h, w) float32, finite: how much better the pixel is inside than outside; positive wants to be inside
    image : (h, w, 3) uint8 RGB, on the same device
    contrast : what it costs to cut between two pixels that look alike; larger gives smoother masks that trust
        `unary` less
    floor : what the strongest edge still costs, as a share of `contrast`; larger gives shorter outlines everywhere
    iterations : more come nearer to the minimum; 40 leave 1 to 3 % of what is to be gained over ``unary > 0``
    start : (h, w) float32 in [0, 1] to start from, say the last frame's result moved along; None: `unary` > 0

    Returns
    -------
    inside : (h, w) float32 in [0, 1], on the same device; the mask is ``inside > 0.5``

    Raises
    ------
    ShapeError, DtypeError, RangeError, DeviceMismatchError

    Notes
    -----
    The least of ``sum -unary u + sum w |u_p - u_q|`` over masks u, with eight neighbours and
    ``w = contrast (floor + exp(-d^2 / (2 mean d^2)))`` for the RGB difference d, 0.7071 of it along diagonals. Allowing
    u between 0 and 1 makes the problem convex without making it another one: every threshold of a least u is a minimum
    cut. The same bits on a CPU, on any number of threads, and on a GPU.

    References
    ----------
    The relaxation is exact [ChanEsedogluNikolova2006]_. Primal-dual steps [ChambollePock2011]_ algorithm 1 with
    theta = 1. Departure: a step size per pixel and per pair.

    Examples
    --------
    >>> image = np.full((6, 8, 3), 40, np.uint8)
    >>> image[:, 3:] = 200
    >>> unary = np.full((6, 8), -1, np.float32)
    >>> unary[:, 2:] = 1  # one column too early
    >>> unary[2, 5] = -4  # a hole
    >>> (minimal_cut(unary, image) > 0.5)[2].tolist()
    [False, False, False, True, True, True, True, True]
    """
    from cvseg.kernels.graph.cut_steps import cut_steps
    from cvseg.kernels.graph.cut_weights import cut_weights

    given = {} if start is None else {"start": start}
    common_device("minimal_cut", unary, image, *given.values())
    check_shapes(
        "minimal_cut", unary=(unary, "h w"), image=(image, "h w 3"), **{k: (v, "h w") for k, v in given.items()}
    )
    check_dtype("minimal_cut", "float32", unary=unary, **given)
    check_dtype("minimal_cut", "uint8", image=image)
    check_range("minimal_cut", "contrast", contrast, low=0)
    check_range("minimal_cut", "floor", floor, low=0)
    check_range("minimal_cut", "iterations", iterations, low=1)
    xp = array_module(unary)
    unary = xp.ascontiguousarray(unary)
    begin = (unary > 0).astype(np.float32) if start is None else xp.clip(xp.ascontiguousarray(start), 0, 1)
    if unary.size == 0:
        return begin
    weights = cut_weights(xp.ascontiguousarray(image), np.float32(contrast), np.float32(floor))
    return cut_steps(weights, unary, begin, np.int32(iterations))
