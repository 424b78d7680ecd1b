"""What ``import cupy`` gives in tests: the part of CuPy that cvseg uses, on the CPU.

Tests put this module into ``sys.modules["cupy"]``; product code does not know. Functions that are not written here are
NumPy's, on device arrays only.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np

from . import device_array, graphs
from .device_array import Device, call, ndarray, unwrap, upload, wrap
from .raw_module import CompileException, RawModule

__all__ = ["CompileException", "RawModule", "ndarray"]
__version__ = "emulated"
# What NumPy has and CuPy 14.2 has not; and modules and files, which nothing in cvseg may use on a device.
_ABSENT = {
    *(
        "asmatrix",
        "block",
        "bmat",
        "einsum_path",
        "errstate",
        "frompyfunc",
        "fromregex",
        "geomspace",
        "insert",
        "isnat",
    ),
    *("histogram_bin_edges", "matrix", "matvec", "memmap", "nanpercentile", "nanquantile", "ndenumerate", "nditer"),
    *("nested_iters", "polyder", "polydiv", "polyint", "recarray", "spacing", "unstack", "vecdot", "vecmat"),
    *("fft", "linalg", "load", "loadtxt", "ma", "random", "save", "savetxt", "savez"),
}


def is_available() -> bool:
    return True


def asarray(values: Any, dtype: Any = None, order: Any = None) -> ndarray:
    """Upload; a device array comes back as it is unless its type has to change."""
    if isinstance(values, ndarray):
        return wrap(np.asarray(values._host, dtype, order=order), values) if dtype or order else values
    return upload(np.asarray(values, dtype, order=order))


def array(values: Any, dtype: Any = None, copy: bool = True, order: Any = "K") -> ndarray:
    if isinstance(values, ndarray):
        return wrap(np.array(values._host, dtype, copy=copy or None, order=order), values)
    return upload(np.array(values, dtype))


def ascontiguousarray(values: Any, dtype: Any = None) -> ndarray:
    if isinstance(values, ndarray):
        same = values.flags.c_contiguous and dtype in (None, values.dtype)
        return values if same else wrap(np.ascontiguousarray(values._host, dtype), values)
    return upload(np.ascontiguousarray(values, dtype))


def asnumpy(values: Any) -> np.ndarray[Any, Any]:
    """Download."""
    return values.get() if isinstance(values, ndarray) else np.asarray(values)


def empty(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    """Poisoned: NaN, or 0xAB in every byte of an integer."""
    return ndarray(shape, dtype, order)


def empty_like(other: ndarray, dtype: Any = None, order: str = "C", subok: Any = None, shape: Any = None) -> ndarray:
    _demand_device(other)
    return ndarray(other.shape if shape is None else shape, dtype or other.dtype)


def full(shape: Any, value: Any, dtype: Any = None, order: str = "C") -> ndarray:
    result = ndarray(shape, dtype or np.asarray(unwrap(value)).dtype, order)
    result[...] = value
    return result


def full_like(other: ndarray, value: Any, dtype: Any = None, shape: Any = None) -> ndarray:
    result = empty_like(other, dtype, shape=shape)
    result[...] = value
    return result


def zeros(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    return full(shape, 0, dtype, order)


def zeros_like(other: ndarray, dtype: Any = None, order: str = "C", subok: Any = None, shape: Any = None) -> ndarray:
    return full_like(other, 0, dtype, shape)


def ones(shape: Any, dtype: Any = float, order: str = "C") -> ndarray:
    return full(shape, 1, dtype, order)


def ones_like(other: ndarray, dtype: Any = None, order: str = "C", subok: Any = None, shape: Any = None) -> ndarray:
    return full_like(other, 1, dtype, shape)


def get_array_module(*values: Any) -> Any:
    return sys.modules[__name__] if any(isinstance(value, ndarray) for value in values) else np


def get_default_memory_pool() -> Any:
    return SimpleNamespace(free_all_blocks=lambda: None, used_bytes=lambda: 0, total_bytes=lambda: 0)


def get_default_pinned_memory_pool() -> Any:
    return SimpleNamespace(free_all_blocks=lambda: None)


def _demand_device(values: Any) -> None:
    if not isinstance(values, ndarray):
        raise TypeError(f"expected a cupy.ndarray, got {type(values).__name__}")


def _device_properties(number: int) -> dict[str, Any]:
    Device(number)
    return {
        "name": b"CUDA on the CPU",
        "multiProcessorCount": 1,
        "totalGlobalMem": 1 << 30,
        "memoryClockRate": 0,
        "l2CacheSize": 0,
        "major": 8,
        "minor": 0,
    }


cuda = SimpleNamespace(
    Device=Device,
    Event=graphs.Event,
    Graph=graphs.Graph,
    MemoryPool=graphs.MemoryPool,
    Stream=graphs.Stream,
    get_current_stream=lambda device_id=-1: graphs.current_stream(),
    get_elapsed_time=graphs.elapsed_time,
    using_allocator=graphs.using_allocator,
    is_available=is_available,
    compiler=SimpleNamespace(CompileException=CompileException),
    nvrtc=SimpleNamespace(getVersion=lambda: (0, 0)),
    runtime=SimpleNamespace(
        getDeviceCount=lambda: 1,
        getDeviceProperties=_device_properties,
        driverGetVersion=lambda: 0,
        runtimeGetVersion=lambda: 0,
        CUDARuntimeError=graphs.CUDARuntimeError,
        deviceSynchronize=graphs.device_synchronize,
        memGetInfo=lambda: (1 << 30, 1 << 30),
    ),
    MemoryPointer=device_array.MemoryPointer,
)


def __getattr__(name: str) -> Any:
    value = getattr(np, name, None)
    if value is None or name in _ABSENT or name.startswith("_"):
        raise AttributeError(f"the emulated CuPy has no {name!r}; add it to tests/cuda_on_cpu if CuPy has it.")
    if isinstance(value, type) or not callable(value):
        return value  # a dtype or a constant

    def function(*arguments: Any, **options: Any) -> Any:
        return call(value, arguments, options)

    function.__name__ = name
    return function
