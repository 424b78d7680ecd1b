"""Dense optical flow: one function, one table of methods, and a stream for video."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cvseg.arrays import array_module, common_device
from cvseg.checks import check_dtype, check_finite, check_shapes
from cvseg.errors import OptionError, ShapeError, nearest_name
from cvseg.flow.coarse_to_fine_patchmatch_2016 import (
    COARSE_TO_FINE_PATCHMATCH_PRESETS,
    coarse_to_fine_patchmatch_2016,
)
from cvseg.flow.consistency import FlowConsistency, forward_backward_consistency
from cvseg.flow.dense_inverse_search_2016 import DENSE_INVERSE_SEARCH_PRESETS, dense_inverse_search_2016
from cvseg.flow.farneback_2003 import FARNEBACK_PRESETS, farneback_2003
from cvseg.flow.horn_schunck_1981 import HORN_SCHUNCK_PRESETS, horn_schunck_1981
from cvseg.flow.lucas_kanade_1981 import LUCAS_KANADE_PRESETS, lucas_kanade_1981
from cvseg.flow.stream import FlowPair, FlowStream, flow_image
from cvseg.flow.tv_l1_2007 import TV_L1_PRESETS, tv_l1_2007
from cvseg.options import Options


@dataclass(frozen=True)
class FlowMethod:
    """One row of `FLOW_METHODS`.

    Attributes
    ----------
    estimate : ``estimate(image0, image1, options, initial)`` on (H, W) float32 images, returning (H, W, 2) float32
    presets : options by preset name
    """

    estimate: Callable[..., Any]
    presets: Mapping[str, Options]


FLOW_METHODS = {
    "cpm": FlowMethod(coarse_to_fine_patchmatch_2016, COARSE_TO_FINE_PATCHMATCH_PRESETS),
    "dis": FlowMethod(dense_inverse_search_2016, DENSE_INVERSE_SEARCH_PRESETS),
    "horn_schunck": FlowMethod(horn_schunck_1981, HORN_SCHUNCK_PRESETS),
    "tv_l1": FlowMethod(tv_l1_2007, TV_L1_PRESETS),
    "lucas_kanade": FlowMethod(lucas_kanade_1981, LUCAS_KANADE_PRESETS),
    "farneback": FlowMethod(farneback_2003, FARNEBACK_PRESETS),
}

__all__ = [
    "FLOW_METHODS",
    "FlowConsistency",
    "FlowMethod",
    "FlowPair",
    "FlowStream",
    "estimate_flow",
    "forward_backward_consistency",
]


def estimate_flow(
    image0: Any, image1: Any, *, method: str = "dis", preset: str = "balanced", initial: Any = None
) -> Any:
    """Dense optical flow from `image0` to `image1`.

    Parameters
    ----------
    image0, image1 : (H, W) float32 in [0, 1] or (H, W, 3) uint8 RGB, both on one device
    method : a key of `FLOW_METHODS`
    preset : "fast", "balanced" or "quality"
    initial : (H, W, 2) float32, pixels: a guess to start from

    Returns
    -------
    flow_xy : (H, W, 2) float32, pixels, ``[..., 0]`` to the right and ``[..., 1]`` down, on the same device:
        what image0 shows at x is found in image1 at ``x + flow_xy``. Zero when the image is smaller than 8x8.

    Raises
    ------
    ShapeError, DtypeError, RangeError
        for images of different size or kind, or with NaN or infinite values (the test synchronises a GPU).
    OptionError
        for an unknown method or preset.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[0:64, 0:64].astype(np.float32)
    >>> image0 = 0.5 + 0.2 * np.sin(x / 3) + 0.2 * np.cos(y / 4 + x / 9)
    >>> flow_xy = estimate_flow(image0, np.roll(image0, 2, axis=1))
    >>> bool(np.abs(flow_xy[16:48, 16:48] - [2, 0]).mean() < 0.05)
    True
    """
    if method not in FLOW_METHODS:
        raise OptionError(f"estimate_flow: unknown method '{method}'; {nearest_name(method, FLOW_METHODS)}")
    presets = FLOW_METHODS[method].presets
    if preset not in presets:
        raise OptionError(f"estimate_flow: unknown preset '{preset}'; {nearest_name(preset, presets)}")
    common_device("estimate_flow", image0, image1, initial)
    if image0.shape != image1.shape:
        raise ShapeError(
            f"estimate_flow: image1 is {image1.shape}; expected {image0.shape} to match image0. "
            "Resize one of them, or convert both to grey."
        )
    gray0, gray1 = flow_image("estimate_flow", image0, "image0"), flow_image("estimate_flow", image1, "image1")
    if initial is not None:
        check_shapes("estimate_flow", image0=(gray0, "H W"), initial=(initial, "H W 2"))
        check_dtype("estimate_flow", "float32", initial=initial)
        check_finite("estimate_flow", initial=initial)
        initial = array_module(initial).ascontiguousarray(initial)
    return FLOW_METHODS[method].estimate(gray0, gray1, presets[preset], initial)
