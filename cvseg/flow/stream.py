"""`FlowStream`: flow of a video, both directions, each frame's pyramid built once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cvseg.arrays import array_module, device_of
from cvseg.checks import check_dtype, check_finite, check_shapes
from cvseg.color.gray import gray_image
from cvseg.errors import DeviceMismatchError, DtypeError, OptionError, ShapeError, nearest_name
from cvseg.flow.dense_inverse_search_2016 import (
    DENSE_INVERSE_SEARCH_PRESETS,
    FlowLevel,
    flow_between,
    flow_pyramid,
)
from cvseg.kernels.bands import run_together


@dataclass(frozen=True)
class FlowPair:
    """Flow between two frames of a video.

    Attributes
    ----------
    forward_xy : (H, W, 2) float32, pixels, from the previous to the current frame
    backward_xy : (H, W, 2) float32, pixels, from the current to the previous frame
    """

    forward_xy: Any
    backward_xy: Any


def flow_image(caller: str, image: Any, name: str = "image") -> Any:
    """`image` as the flow methods take it: (H, W) float32, C-contiguous. RGB becomes grey; nothing is rescaled.

    Raises
    ------
    ShapeError, DtypeError, RangeError
    """
    device_of(image)
    if image.dtype == "uint8" and image.ndim == 3:
        check_shapes(caller, **{name: (image, "H W 3")})
        _check_not_empty(caller, image, name)
        return gray_image(image)
    if image.ndim == 3:
        raise DtypeError(
            f"{caller}: {name} is {image.shape} {image.dtype}; expected (H, W, 3) uint8 RGB or (H, W) float32 grey. "
            "Convert it, with values 0 to 255 as uint8 or 0 to 1 as float32."
        )
    check_shapes(caller, **{name: (image, "H W")})
    check_dtype(caller, "float32", **{name: image})
    _check_not_empty(caller, image, name)
    check_finite(caller, **{name: image})
    return array_module(image).ascontiguousarray(image)


def _check_not_empty(caller: str, image: Any, name: str) -> None:
    if 0 in image.shape:
        raise ShapeError(f"{caller}: {name} is {image.shape}; expected at least one pixel.")


class FlowStream:
    """Flow of a video by dense inverse search, frame by frame.

    Parameters
    ----------
    preset : "fast", "balanced" or "quality"

    Examples
    --------
    >>> import numpy as np
    >>> stream = FlowStream("fast")
    >>> stream.update(np.zeros((32, 32), np.float32)) is None
    True
    >>> float(abs(stream.update(np.zeros((32, 32), np.float32)).forward_xy).max())
    0.0
    """

    def __init__(self, preset: str = "balanced") -> None:
        if preset not in DENSE_INVERSE_SEARCH_PRESETS:
            raise OptionError(
                f"FlowStream: unknown preset '{preset}'; {nearest_name(preset, DENSE_INVERSE_SEARCH_PRESETS)}"
            )
        self.preset = preset
        self.options = DENSE_INVERSE_SEARCH_PRESETS[preset]
        self.reset()

    def reset(self) -> None:
        """Forget the previous frame: the next `update` starts a new video."""
        self._gray: Any = None
        self._levels: dict[int, FlowLevel] = {}

    def update(self, image: Any) -> FlowPair | None:
        """Take the next frame.

        Parameters
        ----------
        image : (H, W) float32 in [0, 1] or (H, W, 3) uint8 RGB; same size and device as the frame before

        Returns
        -------
        FlowPair, or None for the first frame

        Raises
        ------
        ShapeError, DtypeError, RangeError, DeviceMismatchError
        """
        gray = flow_image("FlowStream.update", image)
        before, levels_before = self._gray, self._levels
        if before is not None:
            if gray.shape != before.shape:
                raise ShapeError(
                    f"FlowStream.update: image is {gray.shape}; the frame before was {before.shape}. "
                    "Resize the frames to one size, or call reset() for a new video."
                )
            if device_of(gray) != device_of(before):
                raise DeviceMismatchError(
                    f"FlowStream.update: image is on {device_of(gray)}; the frame before was on {device_of(before)}. "
                    "Move the frames to one device, or call reset()."
                )
        if gray is image:
            gray = gray.copy()  # the caller may reuse its buffer for the next frame
        levels = flow_pyramid(gray, self.options)
        self._gray, self._levels = gray, levels
        if before is None:
            return None
        if not levels:
            zero = array_module(gray).zeros
            return FlowPair(zero((*gray.shape, 2), "float32"), zero((*gray.shape, 2), "float32"))
        size_hw = gray.shape
        if device_of(gray) == "cpu":
            forward_xy, backward_xy = run_together(
                lambda: flow_between(levels_before, levels, size_hw, self.options),
                lambda: flow_between(levels, levels_before, size_hw, self.options),
            )
        else:
            forward_xy = flow_between(levels_before, levels, size_hw, self.options)
            backward_xy = flow_between(levels, levels_before, size_hw, self.options)
        return FlowPair(forward_xy, backward_xy)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on later: preset and previous grey frame (None before the first)."""
        return {"preset": self.preset, "gray": None if self._gray is None else self._gray.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the state of another stream with the same preset.

        Raises
        ------
        OptionError
            when it was made with another preset.
        """
        if state["preset"] != self.preset:
            raise OptionError(
                f"FlowStream.load_state_dict: the state is of preset '{state['preset']}'; this stream has "
                f"'{self.preset}'. Make it with FlowStream(preset='{state['preset']}')."
            )
        self.reset()
        if state["gray"] is not None:
            self._gray = flow_image("FlowStream.load_state_dict", state["gray"]).copy()
            self._levels = flow_pyramid(self._gray, self.options)
