"""L*a*b* pictures: the colour space in which appearance is compared."""

from __future__ import annotations

from functools import cache
from typing import Any

from cvseg.arrays import array_module, device_of, to_device
from cvseg.checks import check_dtype, check_shapes


@cache
def _table(module_id: int, device_id: int, device: Any) -> Any:
    # Keyed by module and device number: a table made on one GPU cannot be read on another.
    from cvseg.kernels.color.lab_from_rgb import linear_light_table

    return to_device(linear_light_table(), device)


def lab_image(image: Any) -> Any:
    """CIE L*a*b* of an sRGB picture, white point D65.

    Parameters
    ----------
    image : (H, W, 3) uint8 RGB, NumPy or CuPy

    Returns
    -------
    lab : (H, W, 3) float32 on the same device: L in [0, 100], a and b about [-110, 110]; greys have a = b = 0
        within 1e-4. Within 0.01 of scikit-image's ``rgb2lab``.

    Raises
    ------
    ShapeError, DtypeError

    Examples
    --------
    >>> import numpy as np
    >>> lab_image(np.full((1, 1, 3), 255, np.uint8)).round(3).tolist()
    [[[100.0, 0.0, 0.0]]]
    """
    from cvseg.kernels.color.lab_from_rgb import lab_from_rgb

    device = device_of(image)
    check_shapes("lab_image", image=(image, "H W 3"))
    check_dtype("lab_image", "uint8", image=image)
    module = array_module(image)
    table = _table(id(module), image.device.id if device == "cuda" else -1, device)
    return lab_from_rgb(module.ascontiguousarray(image), table)
