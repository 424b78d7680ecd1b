"""Where an array lives, and how it moves. The one place, with kernels/cuda.py, that imports CuPy."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from cvseg.errors import DeviceMismatchError, DeviceUnavailableError, InputError, OptionError

Device = Literal["cpu", "cuda"]


def device_of(array: Any) -> Device:
    """Device of one array: ``"cuda"`` when it offers ``__cuda_array_interface__``, else ``"cpu"``.

    Raises
    ------
    InputError
        when `array` is neither a NumPy nor a CUDA array.
    """
    # Asked on the type: CuPy computes the attribute, and NumPy has none.
    if hasattr(type(array), "__cuda_array_interface__"):
        return "cuda"
    if isinstance(array, np.ndarray):
        return "cpu"
    raise InputError(
        f"expected a NumPy or CuPy array, got {type(array).__name__}. Convert it with numpy.asarray or cupy.asarray."
    )


def common_device(caller: str, *arguments: Any) -> Device:
    """The one device of all arrays among `arguments`; scalars are passed over.

    Raises
    ------
    DeviceMismatchError
        when some arrays live on the CPU and some on a GPU.
    InputError
        when there is no array at all.
    """
    # Nearly every call has NumPy arrays and scalars alone; the sentence below takes longer than a small kernel.
    kinds = set(map(type, arguments))
    if np.ndarray in kinds and not any(hasattr(kind, "__cuda_array_interface__") for kind in kinds):
        return "cpu"
    # NumPy scalars have a dtype too: only arrays have a place.
    places = [
        (i, device_of(a))
        for i, a in enumerate(arguments)
        if isinstance(a, np.ndarray) or hasattr(type(a), "__cuda_array_interface__")
    ]
    devices = {device for _, device in places}
    if not devices:
        raise InputError(f"{caller}: no array among the arguments; expected at least one NumPy or CuPy array.")
    if len(devices) > 1:
        named = ", ".join(f"argument {i} on {device}" for i, device in places)
        raise DeviceMismatchError(
            f"{caller}: arrays on two devices ({named}). Move them together with cvseg.arrays.to_device or to_host."
        )
    return devices.pop()


def cupy_module() -> Any:
    """CuPy, when it is installed and sees a GPU.

    Raises
    ------
    DeviceUnavailableError
        with the reason and the command that repairs it.
    """
    try:
        import cupy
    except ImportError:
        raise DeviceUnavailableError(
            "device 'cuda' needs CuPy, which is not installed. Install cvseg[cuda12] or cvseg[cuda13] "
            "(the CUDA version that nvidia-smi prints), or use device='cpu'."
        ) from None
    if not cupy.is_available():
        raise DeviceUnavailableError(
            "device 'cuda' needs an NVIDIA GPU with a driver; CuPy is installed and finds none. "
            "Run 'cvseg doctor' for details, or use device='cpu'."
        )
    return cupy


def cuda_available() -> bool:
    """True when arrays can be sent to a GPU. Never raises."""
    try:
        cupy_module()
    except DeviceUnavailableError:
        return False
    return True


def choose_device(device: str) -> Device:
    """Turn ``"auto"``, ``"cpu"`` or ``"cuda"`` into a device. ``"cuda"`` without a GPU is an error: no fallback."""
    if device not in ("auto", "cpu", "cuda"):
        raise OptionError(f"device is {device!r}; expected 'auto', 'cpu' or 'cuda'.")
    if device == "auto":
        return "cuda" if cuda_available() else "cpu"
    if device == "cuda":
        cupy_module()
        return "cuda"
    return "cpu"


def array_module(array: Any) -> Any:
    """NumPy or CuPy, whichever made `array`: for whole-array glue that is not worth a kernel."""
    return cupy_module() if device_of(array) == "cuda" else np


def to_device(array: Any, device: Device) -> Any:
    """`array` on `device`, C-contiguous; unchanged when it is there already. An upload synchronises."""
    if device == "cpu":
        return np.ascontiguousarray(to_host(array))
    return cupy_module().ascontiguousarray(cupy_module().asarray(array))


def to_host(array: Any) -> Any:
    """`array` as a NumPy array; a download from a GPU synchronises."""
    if device_of(array) == "cpu":
        return array
    return cupy_module().asnumpy(array)
