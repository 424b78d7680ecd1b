"""Coarse to fine: a method that finds motion of a pixel or two finds large motion on small copies of the images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cvseg.arrays import array_module
from cvseg.kernels.flow.flow_upsample import flow_upsample
from cvseg.kernels.pyramid.pyramid_down import pyramid_down

LEAST_SIDE = 8  # a smaller image has zero flow


def image_pyramid(image: Any, levels: int, smallest_side: int) -> list[Any]:
    """`image`, then each time half as large (mean of 2x2 pixels); at most `levels` images.

    Examples
    --------
    >>> [level.shape for level in image_pyramid(np.zeros((48, 65), np.float32), 9, 16)]
    [(48, 65), (24, 33)]
    """
    pyramid = [image]
    while len(pyramid) < levels and (min(pyramid[-1].shape) + 1) // 2 >= smallest_side:
        pyramid.append(pyramid_down(pyramid[-1]))
    return pyramid


def coarse_to_fine(
    image0: Any,
    image1: Any,
    improve: Callable[[Any, Any, Any], Any],
    *,
    levels: int,
    smallest_side: int,
    initial: Any = None,
) -> Any:
    """Flow from coarse to fine: each level starts from twice the flow of the coarser one.

    Parameters
    ----------
    image0, image1 : (H, W) float32, C-contiguous, on one device
    improve : ``improve(image0, image1, flow_uv)`` on the images of a level; flow_uv is (2, h, w) float32, pixels. Gives
        a better flow of the same size.
    levels : levels at most, with the full size
    smallest_side : shorter side of the coarsest level, pixels; more than `levels` may allow
    initial : (H, W, 2) float32, pixels: where the coarsest level starts, instead of from zero

    Returns
    -------
    flow_xy : (H, W, 2) float32, pixels, on the same device; zero when a side is shorter than 8 pixels
    """
    xp = array_module(image0)
    height, width = image0.shape
    if min(height, width) < LEAST_SIDE:
        return xp.zeros((height, width, 2), np.float32)
    pyramid0, pyramid1 = (image_pyramid(image, levels, smallest_side) for image in (image0, image1))
    if initial is None:
        flow_uv = xp.zeros((2, *pyramid0[-1].shape), np.float32)
    else:
        planes = [xp.ascontiguousarray(initial[..., c]) for c in (0, 1)]
        for _ in pyramid0[1:]:
            planes = [pyramid_down(plane) * np.float32(0.5) for plane in planes]
        flow_uv = xp.stack(planes)
    for level0, level1 in zip(reversed(pyramid0), reversed(pyramid1), strict=True):
        if flow_uv.shape[1:] != level0.shape:
            size = np.int32(level0.shape[0]), np.int32(level0.shape[1])
            flow_uv = flow_upsample(flow_uv, *size, np.int32(2), np.int32(1))
        flow_uv = improve(level0, level1, flow_uv)
    # Factor 1: nothing but the two planes joined.
    return flow_upsample(flow_uv, np.int32(height), np.int32(width), np.int32(1), np.int32(0))
