"""Number the connected components of a mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvseg.arrays import to_host
from cvseg.checks import check_shapes
from cvseg.errors import DtypeError, RangeError


def label_components(mask: Any, connectivity: int = 8) -> tuple[Any, int]:
    """Give the pixels of each connected component the same number.

    Parameters
    ----------
    mask : (H, W) bool or uint8, non-zero inside
    connectivity : 4 joins pixels that share an edge, 8 also those that share a corner

    Returns
    -------
    labels : (H, W) int32 on the mask's device; 0 outside, 1..n in raster order of each component's first pixel
    count : n; reading it synchronises a GPU

    Raises
    ------
    ShapeError, DtypeError, RangeError

    Notes
    -----
    On the CPU, runs of pixels are joined by union-find; on a GPU, pixels are. Both number alike.

    Examples
    --------
    >>> labels, count = label_components(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 0, 0]], bool))
    >>> count, labels.tolist()
    (2, [[1, 0, 1], [0, 1, 0], [0, 0, 0], [2, 0, 0]])
    """
    from cvseg.kernels.labeling.label_components import label_components as kernel

    check_shapes("label_components", mask=(mask, "H W"))
    if connectivity not in (4, 8):
        raise RangeError(f"label_components: connectivity is {connectivity!r}; it must be 4 or 8.")
    labels, count = kernel(mask_bytes("label_components", mask), np.int32(connectivity))
    return labels, int(to_host(count)[0])


def mask_bytes(caller: str, mask: Any) -> Any:
    """`mask` as contiguous bytes, without a copy where it is contiguous.

    Raises
    ------
    DtypeError
        for anything but bool and uint8: a float mask needs a threshold that only the caller can choose.
    """
    if mask.dtype not in (np.dtype(bool), np.dtype(np.uint8)):
        raise DtypeError(f"{caller}: mask is {mask.dtype}; expected bool or uint8. Compare it with a threshold first.")
    from cvseg.arrays import array_module

    return array_module(mask).ascontiguousarray(mask).view(np.uint8)
