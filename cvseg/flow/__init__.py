"""Dense optical flow: one function, one table of methods, and a stream for video."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cvseg.arrays import array_module, choose_device, common_device, device_of, to_device
from cvseg.checks import check_dtype, check_finite, check_shapes
from cvseg.errors import OptionError, ShapeError, nearest_name
from cvseg.flow.coarse_to_fine_patchmatch_2016 import (
    COARSE_TO_FINE_PATCHMATCH_PRESETS,
    coarse_to_fine_patchmatch_2016,
)
from cvseg.flow.consistency import FlowConsistency, FlowWithConfidence, forward_backward_consistency
from cvseg.flow.dense_inverse_search_2016 import (
    DENSE_INVERSE_SEARCH_PRESETS,
    dense_inverse_search_2016,
    dense_inverse_search_both_ways,
)
from cvseg.flow.farneback_2003 import FARNEBACK_PRESETS, farneback_2003
from cvseg.flow.horn_schunck_1981 import HORN_SCHUNCK_PRESETS, horn_schunck_1981
from cvseg.flow.lucas_kanade_1981 import LUCAS_KANADE_PRESETS, lucas_kanade_1981
from cvseg.flow.replayed import replayed
from cvseg.flow.stream import FlowPair, FlowStream, flow_image, flow_picture
from cvseg.flow.tv_l1_2007 import TV_L1_PRESETS, tv_l1_2007
from cvseg.options import Options


@dataclass(frozen=True)
class FlowMethod:
    """One row of `FLOW_METHODS`.

    Attributes
    ----------
    estimate : ``estimate(image0, image1, options, initial)`` on (H, W) float32 images, returning (H, W, 2) float32
    presets : options by preset name
    takes_rgb : `estimate` also takes (H, W, 3) uint8 RGB, and need not be given a grey image of full size
    both_ways : ``both_ways(image0, image1, options, initial)`` returning the flow and the flow back, where that is
        less work than `estimate` twice
    """

    estimate: Callable[..., Any]
    presets: Mapping[str, Options]
    takes_rgb: bool = False
    both_ways: Callable[..., tuple[Any, Any]] | None = None


FLOW_METHODS = {
    "cpm": FlowMethod(coarse_to_fine_patchmatch_2016, COARSE_TO_FINE_PATCHMATCH_PRESETS),
    "dis": FlowMethod(
        dense_inverse_search_2016,
        DENSE_INVERSE_SEARCH_PRESETS,
        takes_rgb=True,
        both_ways=dense_inverse_search_both_ways,
    ),
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
    "FlowWithConfidence",
    "estimate_flow",
    "flow_with_confidence",
    "forward_backward_consistency",
]


def estimate_flow(
    image0: Any,
    image1: Any,
    *,
    method: str = "dis",
    preset: str = "balanced",
    initial: Any = None,
    device: str = "auto",
) -> Any:
    """Dense optical flow from `image0` to `image1`.

    Parameters
    ----------
    image0, image1 : (H, W) float32 in [0, 1] or (H, W, 3) uint8 RGB, both on one device
    method : a key of `FLOW_METHODS`
    preset : "fast", "balanced" or "quality"
    initial : (H, W, 2) float32, pixels: a guess to start from
    device : where to compute: "auto" is where the images live, "cpu" or "cuda" moves them there and the flow back

    Returns
    -------
    flow_xy : (H, W, 2) float32, pixels, ``[..., 0]`` to the right and ``[..., 1]`` down, on the same device:
        what image0 shows at x is found in image1 at ``x + flow_xy``. Zero when the image is smaller than 8x8.

    Raises
    ------
    ShapeError, DtypeError, RangeError
        for images of different size or kind, or with NaN or infinite values (the test synchronises a GPU).
    OptionError
        for an unknown method, preset or device.
    DeviceUnavailableError
        for "cuda" without a GPU.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[0:64, 0:64].astype(np.float32)
    >>> image0 = 0.5 + 0.2 * np.sin(x / 3) + 0.2 * np.cos(y / 4 + x / 9)
    >>> flow_xy = estimate_flow(image0, np.roll(image0, 2, axis=1))
    >>> bool(np.abs(flow_xy[16:48, 16:48] - [2, 0]).mean() < 0.05)
    True
    """
    images = _checked("estimate_flow", image0, image1, method, preset, initial, device)
    row = FLOW_METHODS[method]
    options = row.presets[preset]
    if images[2] is None:
        flow_xy = replayed(method, row.estimate, *images[:2], options)
    else:
        flow_xy = row.estimate(*images[:2], options, images[2])
    return to_device(flow_xy, device_of(image0))


def flow_with_confidence(
    image0: Any,
    image1: Any,
    *,
    method: str = "dis",
    preset: str = "balanced",
    initial: Any = None,
    device: str = "auto",
) -> FlowWithConfidence:
    """Dense optical flow from `image0` to `image1`, and where it can be trusted, at about twice the time.

    Parameters
    ----------
    image0, image1, method, preset, initial, device : as for `estimate_flow`; `initial` is for the way there only

    Returns
    -------
    FlowWithConfidence
        on the device of the images: the flow there and back, and what `forward_backward_consistency` says of them.

    Raises
    ------
    ShapeError, DtypeError, RangeError, OptionError, DeviceUnavailableError
        as `estimate_flow`.

    Notes
    -----
    The confidence is that of the round trip alone. How well the images fit along the flow, and how much structure
    they have, were measured as further factors: they rank the errors of real and rendered pairs no better.

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.mgrid[0:64, 0:64].astype(np.float32)
    >>> image0 = 0.5 + 0.2 * np.sin(x / 3) + 0.2 * np.cos(y / 4 + x / 9)
    >>> result = flow_with_confidence(image0, np.roll(image0, 2, axis=1))
    >>> bool(result.confidence[16:48, 16:48].min() > 0.8)
    True
    """
    images = _checked("flow_with_confidence", image0, image1, method, preset, initial, device)
    row = FLOW_METHODS[method]
    options = row.presets[preset]

    def confident(image0: Any, image1: Any, options: Options, initial: Any = None) -> tuple[Any, ...]:
        if row.both_ways is not None:
            flow_xy, backward_xy = row.both_ways(image0, image1, options, initial)
        else:
            flow_xy = row.estimate(image0, image1, options, initial)
            backward_xy = row.estimate(image1, image0, options, None)
        consistency = forward_backward_consistency(flow_xy, backward_xy)
        return flow_xy, backward_xy, consistency.occluded, consistency.confidence

    if images[2] is None:
        results = replayed(f"{method} with confidence", confident, *images[:2], options)
    else:
        results = confident(*images[:2], options, images[2])
    return FlowWithConfidence(*(to_device(result, device_of(image0)) for result in results))


def _checked(
    caller: str, image0: Any, image1: Any, method: str, preset: str, initial: Any, device: str
) -> tuple[Any, Any, Any]:
    """Both images and the initial flow as the method takes them, on the device that computes."""
    if method not in FLOW_METHODS:
        raise OptionError(f"{caller}: unknown method '{method}'; {nearest_name(method, FLOW_METHODS)}")
    row = FLOW_METHODS[method]
    if preset not in row.presets:
        raise OptionError(f"{caller}: unknown preset '{preset}'; {nearest_name(preset, row.presets)}")
    here = common_device(caller, image0, image1, initial)
    there = here if device == "auto" else choose_device(device)
    if image0.shape != image1.shape:
        raise ShapeError(
            f"{caller}: image1 is {image1.shape}; expected {image0.shape} to match image0. "
            "Resize one of them, or convert both to grey."
        )
    prepare = flow_picture if row.takes_rgb else flow_image
    # Checked where they are, so that nothing is moved that would be refused.
    images = [prepare(caller, image, name) for image, name in ((image0, "image0"), (image1, "image1"))]
    if initial is not None:
        check_shapes(
            caller, image0=(images[0][:, :, 0] if images[0].ndim == 3 else images[0], "H W"), initial=(initial, "H W 2")
        )
        check_dtype(caller, "float32", initial=initial)
        check_finite(caller, initial=initial)
        initial = to_device(array_module(initial).ascontiguousarray(initial), there)
    return to_device(images[0], there), to_device(images[1], there), initial
