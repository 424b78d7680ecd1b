"""`FlowStream`: flow of a video, both directions, each frame's pyramid built once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvseg.arrays import array_module, device_of
from cvseg.checks import check_dtype, check_finite, check_shapes
from cvseg.color.gray import gray_image
from cvseg.errors import DeviceMismatchError, DtypeError, OptionError, ShapeError, nearest_name
from cvseg.flow.dense_inverse_search_2016 import (
    DENSE_INVERSE_SEARCH_PRESETS,
    DenseInverseSearchOptions,
    FlowPyramid,
    dense_inverse_search_both_ways,
    flow_between,
    flow_pyramids,
)
from cvseg.flow.later_check import LateRangeError, LaterFiniteCheck
from cvseg.flow.replayed import replayed
from cvseg.kernels.bands import run_together
from cvseg.kernels.flow.carried_flow import carried_flow, cell_grid


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


def flow_picture(caller: str, image: Any, name: str = "image", finite: Callable[..., None] = check_finite) -> Any:
    """`image` checked: (H, W, 3) uint8 RGB or (H, W) float32 grey, C-contiguous. `finite` tests the values.

    Raises
    ------
    ShapeError, DtypeError, RangeError
    """
    device_of(image)
    if image.dtype == "uint8" and image.ndim == 3:
        check_shapes(caller, **{name: (image, "H W 3")})
        _check_not_empty(caller, image, name)
        return array_module(image).ascontiguousarray(image)
    return flow_image(caller, image, name, finite)


def flow_image(caller: str, image: Any, name: str = "image", finite: Callable[..., None] = check_finite) -> Any:
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
    finite(caller, **{name: image})
    return array_module(image).ascontiguousarray(image)


def _check_not_empty(caller: str, image: Any, name: str) -> None:
    if 0 in image.shape:
        raise ShapeError(f"{caller}: {name} is {image.shape}; expected at least one pixel.")


class FlowStream:
    """Flow of a video by dense inverse search, frame by frame.

    Parameters
    ----------
    preset : "fast", "balanced" or "quality"
    options : settings of one's own, instead of the preset's
    warm_start : let each pair also try the motion of the pair before. False gives the flow of `estimate_flow`, which
        depends on the two frames alone. With `options.match_tries` (preset "quality") it has no effect.

    Notes
    -----
    The motion of the pair before is carried along itself (`carried_flow`), where it is the same there and back; a patch
    of level 2 or 3 begins with it where it fits better than what coarser levels have found. On seven sequences of DAVIS
    flow there and back agrees more often for it, most where motion is large: docs/methods/dense_inverse_search_2016.md.

    Examples
    --------
    >>> import numpy as np
    >>> stream = FlowStream("fast")
    >>> stream.update(np.zeros((32, 32), np.float32)) is None
    True
    >>> float(abs(stream.update(np.zeros((32, 32), np.float32)).forward_xy).max())
    0.0
    """

    def __init__(
        self,
        preset: str = "balanced",
        options: DenseInverseSearchOptions | None = None,
        *,
        warm_start: bool = True,
    ) -> None:
        if preset not in DENSE_INVERSE_SEARCH_PRESETS:
            raise OptionError(
                f"FlowStream: unknown preset '{preset}'; {nearest_name(preset, DENSE_INVERSE_SEARCH_PRESETS)}"
            )
        self.preset = preset
        self.options = DENSE_INVERSE_SEARCH_PRESETS[preset] if options is None else options
        self.warm_start = warm_start
        self.reset()

    def reset(self) -> None:
        """Forget the previous frame: the next `update` starts a new video."""
        self._picture: Any = None
        self._pyramid: FlowPyramid | None = None
        self._carried: tuple[Any, Any] | None = None
        self._later = LaterFiniteCheck()

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
        ShapeError, DtypeError, DeviceMismatchError
        RangeError
            for NaN or infinite values. On a GPU, where looking at once would mean to wait, the next `update` raises
            it instead: the flow of the frame before was void then. The stream is reset.
        """
        finite = check_finite if device_of(image) == "cpu" else self._later
        try:
            picture = flow_picture("FlowStream.update", image, finite=finite)
        except LateRangeError:
            self.reset()
            raise
        before, pyramid_before = self._picture, self._pyramid
        if before is not None:
            if picture.shape[:2] != before.shape[:2]:
                raise ShapeError(
                    f"FlowStream.update: image is {picture.shape}; the frame before was {before.shape}. "
                    "Resize the frames to one size, or call reset() for a new video."
                )
            if device_of(picture) != device_of(before):
                raise DeviceMismatchError(
                    f"FlowStream.update: image is on {device_of(picture)}; the frame before was on "
                    f"{device_of(before)}. Move the frames to one device, or call reset()."
                )
        if picture is image:
            picture = picture.copy()  # the caller may reuse its buffer for the next frame
        self._picture = picture
        if device_of(picture) == "cuda":
            if before is None:
                return None
            # Both pyramids anew: in a graph they are built at the same time, and no pyramid goes from graph to graph.
            return self._carry(*self._both_ways_on_gpu(before, picture))
        (self._pyramid,) = flow_pyramids((picture,), self.options)
        return None if pyramid_before is None else self._carry(*self._both_ways(pyramid_before, self._pyramid))

    @property
    def _carries(self) -> bool:
        return self.warm_start and not self.options.match_tries

    def _carry(self, forward_xy: Any, backward_xy: Any, *carried: Any) -> FlowPair:
        if self._carries:
            self._carried = carried or carried_flow(forward_xy, backward_xy)
        return FlowPair(forward_xy, backward_xy)

    def _both_ways(self, before: FlowPyramid, now: FlowPyramid) -> tuple[Any, ...]:
        if now.arena is None and not now.levels:
            zero = array_module(self._picture).zeros
            return zero((*now.size_hw, 2), "float32"), zero((*now.size_hw, 2), "float32")
        onward, back = self._carried or (None, None)
        return tuple(
            run_together(
                lambda: flow_between(before, now, self.options, None, onward),
                lambda: flow_between(now, before, self.options, None, back),
            )
        )

    def _both_ways_on_gpu(self, before: Any, now: Any) -> tuple[Any, ...]:
        if not self._carries:
            return tuple(replayed("dis both", dense_inverse_search_both_ways, before, now, self.options))
        if self._carried is None:  # nothing to carry: one graph for all pairs
            grid = cell_grid(now.shape[:2])
            self._carried = tuple(array_module(now).full((*grid, 2), np.nan, "float32") for _ in range(2))

        def both_ways(image0: Any, image1: Any, onward: Any, back: Any, options: DenseInverseSearchOptions) -> Any:
            flows = dense_inverse_search_both_ways(image0, image1, options, None, (onward, back))
            return (*flows, *carried_flow(*flows))

        return tuple(replayed("dis stream", both_ways, before, now, *self._carried, self.options))

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on later: preset, previous frame and what its flow lets expect (None before)."""
        carried = None if self._carried is None else tuple(array.copy() for array in self._carried)
        return {
            "preset": self.preset,
            "image": None if self._picture is None else self._picture.copy(),
            "carried": carried,
        }

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
        if state["image"] is not None:
            self._picture = flow_picture("FlowStream.load_state_dict", state["image"]).copy()
            if device_of(self._picture) == "cpu":
                (self._pyramid,) = flow_pyramids((self._picture,), self.options)
            if state["carried"] is not None and self._carries:
                self._carried = tuple(array.copy() for array in state["carried"])
