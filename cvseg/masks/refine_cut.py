"""A cut at work size made fine: cut again at full size, in a band around its outline."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import array_module, common_device
from cvseg.checks import check_dtype, check_range, check_shapes
from cvseg.masks.minimal_cut import minimal_cut
from cvseg.masks.refinement import upsample_along_edges

_CERTAIN = np.float32(1000)


def refine_cut(
    inside: Any,
    guide: Any,
    image: Any,
    factor: int,
    *,
    color: Any = None,
    band_px: float = 6.0,
    trust: float = 1.0,
    contrast: float = 2.0,
    floor: float = 0.05,
    iterations: int = 40,
) -> Any:
    """Enlarge the result of `minimal_cut` to the full picture, with the outline where the full picture has edges.

    Parameters
    ----------
    inside : (h, w) float32 in [0, 1], h = ceil(H / factor): a cut at work size; pixel j covers the full pixels
        ``[j factor, j factor + factor)``
    guide : (h, w) float32 in [0, 1], the grey picture at that size
    image : (H, W, 3) uint8 RGB, the full picture
    factor : full size / work size, a whole number
    color : (H, W) float32, positive for colours of the object, in the unit of `trust`; None: colours play no part
    band_px : how far the outline may move, in full pixels; pixels farther from it stay on their side
    trust : weight of the enlarged cut; larger moves the outline less
    contrast, floor, iterations : as in `minimal_cut`

    Returns
    -------
    fine : (H, W) float32 in [0, 1] on the same device; the mask is ``fine > 0.5``

    Raises
    ------
    ShapeError, DtypeError, RangeError, DeviceMismatchError

    Examples
    --------
    >>> image = np.full((12, 16, 3), 40, np.uint8)
    >>> image[:, 7:] = 200
    >>> inside = np.zeros((6, 8), np.float32)
    >>> inside[:, 4:] = 1  # begins at full pixel 8
    >>> guide = np.full((6, 8), 0.16, np.float32)
    >>> guide[:, 4:], guide[:, 3] = 0.78, 0.47
    >>> (refine_cut(inside, guide, image, 2)[5] > 0.5).astype(int).tolist()
    [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    from cvseg.regions.distance import distance_transform

    given = {} if color is None else {"color": color}
    common_device("refine_cut", inside, guide, image, *given.values())
    check_shapes("refine_cut", image=(image, "H W 3"), **{k: (v, "H W") for k, v in given.items()})
    check_dtype("refine_cut", "float32", inside=inside, **given)
    check_range("refine_cut", "band_px", band_px, low=0)
    check_range("refine_cut", "trust", trust, low=0)
    soft = upsample_along_edges(inside, guide, image, factor, radius=2)
    xp = array_module(soft)
    unary = np.float32(2 * trust) * xp.clip(soft, np.float32(0), np.float32(1)) - np.float32(trust)
    if color is not None:
        unary = unary + color
    # Distances at work size: a quarter of the work or less, and nothing depends on the last pixel.
    mask = inside > 0.5
    distance = xp.maximum(distance_transform(mask), distance_transform(~mask)) * np.float32(factor)
    side = xp.where(mask, _CERTAIN, -_CERTAIN)
    certain = xp.where(distance > np.float32(band_px), side, np.float32(0)).astype(np.float32)
    for axis in (1, 0):
        certain = xp.repeat(certain, factor, axis=axis)
    # A sum: no evidence comes near to what is certain.
    unary = unary + certain[: image.shape[0], : image.shape[1]]
    return minimal_cut(unary, image, contrast=contrast, floor=floor, iterations=iterations)
