"""`BackgroundModel`: what all background models share: checks, where the state lives, saving and restoring it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from cvseg.arrays import Device, array_module, device_of, to_device, to_host
from cvseg.background.result import BackgroundResult
from cvseg.checks import check_dtype, check_range
from cvseg.errors import OptionError, ShapeError
from cvseg.options import Options


class BackgroundModel(ABC):
    """A state per pixel, and a number of frames that it has learned from.

    A method is a class with `method` (its key in `BACKGROUND_METHODS`), `_begin` and `_compare`. All state is in
    ``self._arrays`` (arrays on one device) and ``self._numbers`` (plain numbers): nothing else may influence results.
    """

    method: ClassVar[str]

    def __init__(self, options: Options) -> None:
        self.options: Any = options
        self.reset()

    def reset(self) -> None:
        """Forget the background; the next picture may have another size."""
        self._size_hw: tuple[int, int] | None = None
        self._arrays: dict[str, Any] = {}
        self._numbers: dict[str, float] = {"frames": 0}

    @abstractmethod
    def _begin(self, image: Any) -> None:
        """Fill ``self._arrays`` and ``self._numbers`` from the first picture, on its device."""

    @abstractmethod
    def _compare(self, image: Any, learning_rate: float | None) -> BackgroundResult:
        """Compare a picture of the right size with the background; learn from it unless the rate is 0."""

    def update(self, image: Any, *, learning_rate: float | None = None) -> BackgroundResult:
        """Compare one picture with the background, then learn from it.

        Parameters
        ----------
        image : (h, w, 3) uint8 RGB, of the same size as before
        learning_rate : share of this picture in the background, 0 to 1. 0 leaves the model exactly as it is (the first
            picture is always taken as background); None takes the rate of the options, and more in the first frames.

        Returns
        -------
        BackgroundResult : on the device of `image`

        Raises
        ------
        InputError, ShapeError, DtypeError
            for what is no array of 8-bit colours, and for a picture of another size than before.
        RangeError
            for a learning rate outside [0, 1].
        """
        caller = f"{type(self).__name__}.update"
        device = device_of(image)
        shape = tuple(int(n) for n in image.shape)
        if len(shape) == 2:
            raise ShapeError(
                f"{caller}: image is {shape}; expected (h, w, 3). "
                "Repeat a grey picture: numpy.repeat(image[..., None], 3, axis=2)."
            )
        if len(shape) != 3 or shape[2] != 3 or 0 in shape:
            raise ShapeError(f"{caller}: image is {shape}; expected (h, w, 3) with at least one pixel.")
        check_dtype(caller, "uint8", image=image)
        if learning_rate is not None:
            check_range(caller, "learning_rate", learning_rate, low=0, high=1)
        if self._size_hw is not None and shape[:2] != self._size_hw:
            raise ShapeError(
                f"{caller}: image is {shape}; expected {(*self._size_hw, 3)} as before. "
                "Call reset() to begin with another size."
            )
        image = array_module(image).ascontiguousarray(image)
        if self._size_hw is None:
            self._begin(image)
            self._size_hw = shape[:2]
        self._move(device)
        return self._compare(image, learning_rate)

    def _move(self, device: Device) -> None:
        self._arrays = {name: to_device(array, device) for name, array in self._arrays.items()}

    def state_dict(self) -> dict[str, Any]:
        """Everything that is learned, as numbers and host arrays; `load_state_dict` restores it bit for bit."""
        return {
            "method": self.method,
            "size_hw": None if self._size_hw is None else list(self._size_hw),
            **self._numbers,
            "arrays": {name: np.array(to_host(array)) for name, array in self._arrays.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken; the options stay those of this model.

        Raises
        ------
        OptionError
            when the state is that of another method.
        ShapeError
            when its arrays do not fit these options, or parts are missing; the model then stays as it was.
        """
        caller = f"{type(self).__name__}.load_state_dict"
        if state.get("method") != self.method:
            raise OptionError(
                f"{caller}: the state is that of method {state.get('method')!r}; expected {self.method!r}. "
                "Make the model with that method."
            )
        fresh = type(self)(self.options)
        arrays, size_hw = state.get("arrays", {}), state.get("size_hw")
        if size_hw is not None:
            size_hw = (int(size_hw[0]), int(size_hw[1]))
            fresh._begin(np.zeros((*size_hw, 3), np.uint8))
        for name, number in fresh._numbers.items():
            if name not in state:
                raise ShapeError(f"{caller}: the state has no {name!r}. Take it again with state_dict().")
            fresh._numbers[name] = type(number)(state[name])
        for name, like in fresh._arrays.items():
            array = np.asarray(arrays[name]) if name in arrays else None
            if array is None or array.shape != like.shape or array.dtype != like.dtype:
                came = "missing" if array is None else f"{array.shape} {array.dtype}"
                raise ShapeError(
                    f"{caller}: array {name!r} is {came}; expected {like.shape} {like.dtype}. "
                    "Load it with the options it was learned with."
                )
            fresh._arrays[name] = np.array(array)
        self._size_hw, self._arrays, self._numbers = size_hw, fresh._arrays, fresh._numbers

    def __getstate__(self) -> dict[str, Any]:
        # As host arrays: a model that learned on a GPU can be unpickled where there is none.
        return {"options": self.options, "state": self.state_dict()}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.options = state["options"]
        self.reset()
        self.load_state_dict(state["state"])
