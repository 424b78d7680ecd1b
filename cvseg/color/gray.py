"""Grey images: the form in which flow and motion look at a picture."""

from __future__ import annotations

from typing import Any

from cvseg.arrays import array_module, device_of
from cvseg.checks import check_dtype, check_shapes


def gray_image(image: Any) -> Any:
    """Grey of an RGB picture, BT.601 luma.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB, NumPy or CuPy

    Returns
    -------
    gray : (H, W) float32 in [0, 1], on the same device

    Raises
    ------
    ShapeError, DtypeError

    Examples
    --------
    >>> import numpy as np
    >>> gray_image(np.full((1, 2, 3), 255, np.uint8)).tolist()
    [[1.0, 1.0]]
    """
    from cvseg.kernels.color.gray_from_rgb import gray_from_rgb

    device_of(image)
    check_shapes("gray_image", image=(image, "H W 3"))
    check_dtype("gray_image", "uint8", image=image)
    return gray_from_rgb(array_module(image).ascontiguousarray(image))
