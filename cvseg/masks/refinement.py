"""Soft masks drawn to the edges of the picture: the guided filter, and its fast form that also enlarges."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module, common_device
from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.errors import ShapeError


def smooth_along_edges(values: Any, guide: Any, *, radius: int = 6, epsilon: float = 1e-3) -> Any:
    """Smooth `values` where `guide` is smooth, and keep or create edges where `guide` has them.

    Parameters
    ----------
    values : (h, w) float32, finite
    guide : (h, w) float32 in [0, 1], on the same device
    radius : half the window's side in pixels; larger smooths farther
    epsilon : variance of the guide, in squared units of it, below which a window counts as smooth; larger smooths more

    Returns
    -------
    smoothed : (h, w) float32 on the same device. Near strong edges it may leave the range of `values` a little.

    Raises
    ------
    ShapeError, DtypeError, RangeError, DeviceMismatchError

    References
    ----------
    [He2010]_ eqs. 5, 6 and 8, with a grey guide. Windows end at the image's edge.

    Examples
    --------
    >>> guide = np.repeat(np.float32([[0, 0, 0, 1, 1, 1]]), 6, axis=0)
    >>> noisy = guide * np.float32(0.8) + np.float32(0.1) * (np.indices((6, 6)).sum(axis=0) % 2)
    >>> smooth = smooth_along_edges(noisy.astype(np.float32), guide, radius=2)
    >>> bool(np.abs(smooth[:, :3] - 0.05).max() < 0.02), bool(np.abs(smooth[:, 3:] - 0.85).max() < 0.02)
    (True, True)
    """
    coefficients = _lines("smooth_along_edges", values, guide, radius, epsilon)
    return coefficients[0] * guide + coefficients[1]


def upsample_along_edges(
    values: Any, guide: Any, image: Any, factor: int, *, radius: int = 6, epsilon: float = 1e-3
) -> Any:
    """Enlarge `values` to the full picture, with edges where the full picture has them.

    Parameters
    ----------
    values : (ceil(H / factor), ceil(W / factor)) float32, finite; pixel j covers the full pixels
        ``[j factor, j factor + factor)``
    guide : as `values`, in [0, 1]: the grey picture at that size
    image : (H, W, 3) uint8 RGB, the full picture
    factor : 1 gives `smooth_along_edges`
    radius : half the window's side in pixels of `values`; larger smooths farther
    epsilon : as in `smooth_along_edges`

    Returns
    -------
    enlarged : (H, W) float32 on the same device. Near strong edges it may leave the range of `values` a little.

    Raises
    ------
    ShapeError, DtypeError, RangeError, DeviceMismatchError

    References
    ----------
    [He2015]_: lines fitted at the small size, interpolated, applied to the full-size grey (BT.601 luma).

    Examples
    --------
    >>> image = np.zeros((6, 8, 3), np.uint8)
    >>> image[:, 3:] = 255
    >>> guide = np.float32([[0, 0.5, 1, 1]]).repeat(3, axis=0)
    >>> full = upsample_along_edges(guide, guide, image, 2, radius=1)
    >>> (full[0] > 0.5).tolist()
    [False, False, False, True, True, True, True, True]
    """
    from cvseg.kernels.filtering.guided_apply import guided_apply

    check_range("upsample_along_edges", "factor", factor, low=1)
    common_device("upsample_along_edges", values, guide, image)
    check_shapes("upsample_along_edges", image=(image, "H W 3"))
    check_dtype("upsample_along_edges", "uint8", image=image)
    needed = tuple(-(-int(side) // factor) for side in image.shape[:2])
    if tuple(values.shape) != needed:
        raise ShapeError(
            f"upsample_along_edges: values is {tuple(values.shape)}; expected {needed} for image "
            f"{tuple(image.shape[:2])} and factor {factor}. Shrink the picture with the same factor."
        )
    coefficients = _lines("upsample_along_edges", values, guide, radius, epsilon)
    return guided_apply(coefficients, array_module(image).ascontiguousarray(image), np.int32(factor))


def _lines(caller: str, values: Any, guide: Any, radius: int, epsilon: float) -> Any:
    """Mean a and b per pixel: (2, h, w) float32."""
    from cvseg.kernels.filtering.box_mean import box_mean
    from cvseg.kernels.filtering.guided_coefficients import guided_coefficients
    from cvseg.kernels.filtering.guided_products import guided_products

    common_device(caller, values, guide)
    check_shapes(caller, values=(values, "h w"), guide=(guide, "h w"))
    check_dtype(caller, "float32", values=values, guide=guide)
    check_range(caller, "radius", radius, low=1)
    check_range(caller, "epsilon", epsilon, low=1e-8)
    xp = array_module(values)
    planes = guided_products(xp.ascontiguousarray(values), xp.ascontiguousarray(guide))
    lines = guided_coefficients(box_mean(planes, np.int32(radius)), np.float32(epsilon))
    return box_mean(lines, np.int32(radius))
