"""`ndarray`: stands for ``cupy.ndarray``. As strict as CuPy: it does not mix with host arrays, nor turn into one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

GUARD_BYTES = 4096
ALIGNMENT = 512  # as CuPy's memory pool gives
# Filled around and into fresh memory. Float patterns are NaN, so that a read shows; integers are far from plausible.
_PATTERNS = {
    np.dtype(np.float32): np.uint32(0x7FE5A5A5).tobytes(),
    np.dtype(np.float64): np.uint64(0x7FFDA5A5A5A5A5A5).tobytes(),
    np.dtype(np.float16): np.uint16(0x7FA5).tobytes(),
}
_OTHER_PATTERN = b"\xab"
_PLAIN_ATTRIBUTES = ("dtype", "shape", "ndim", "size", "itemsize", "nbytes", "strides", "flags")
_METHODS = (
    *("all", "any", "argmax", "argmin", "argsort", "astype", "clip", "copy", "cumsum", "diagonal", "dot", "fill"),
    *("flatten", "max", "mean", "min", "nonzero", "prod", "ravel", "repeat", "reshape", "round", "searchsorted"),
    *("sort", "squeeze", "std", "sum", "swapaxes", "take", "trace", "transpose", "var", "view"),
)


class Allocation:
    """A piece of "device memory" between two guard zones that no kernel may write."""

    def __init__(self, nbytes: int, dtype: np.dtype[Any]) -> None:
        pattern = _PATTERNS.get(dtype, _OTHER_PATTERN)
        self.guard = pattern * (GUARD_BYTES // len(pattern))
        room = np.empty(nbytes + 2 * GUARD_BYTES + ALIGNMENT, np.uint8)
        skip = -(room.ctypes.data + GUARD_BYTES) % ALIGNMENT
        room = room[skip : skip + nbytes + 2 * GUARD_BYTES]
        self.before, self.memory, self.behind = np.split(room, [GUARD_BYTES, GUARD_BYTES + nbytes])
        self.before[:] = self.behind[:] = np.frombuffer(self.guard, np.uint8)
        word = np.dtype(f"u{len(pattern)}")
        self.memory.view(word)[:] = np.frombuffer(pattern, word)

    def damage(self) -> str:
        """What was written outside, or an empty string."""
        for place, zone in (("before", self.before), ("behind", self.behind)):
            if zone.tobytes() != self.guard:
                wrong = np.flatnonzero(zone != np.frombuffer(self.guard, np.uint8))
                distance = GUARD_BYTES - int(wrong[-1]) if place == "before" else int(wrong[0]) + 1
                return f"{len(wrong)} bytes {place} it, the nearest {distance} bytes outside"
        return ""


class MemoryPointer:
    """As ``cupy.cuda.MemoryPointer``, of which only the address is used."""

    def __init__(self, address: int) -> None:
        self.ptr = address


class Device:
    """As ``cupy.cuda.Device``: there is one, number 0."""

    def __init__(self, number: int | None = None) -> None:
        self.id = 0 if number is None else int(number)
        if self.id != 0:
            raise RuntimeError(f"cudaErrorInvalidDevice: invalid device ordinal {self.id}")

    compute_capability = "80"

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def use(self) -> None:
        pass

    def synchronize(self) -> None:
        pass


class ndarray(NDArrayOperatorsMixin):
    """An array that only kernels and CuPy functions may touch."""

    __slots__ = ("_allocation", "_host")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, shape: Any, dtype: Any = float, order: str = "C") -> None:
        dtype = np.dtype(dtype)
        shape = (int(shape),) if np.ndim(shape) == 0 else tuple(map(int, shape))
        nbytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        self._allocation = Allocation(nbytes, dtype)
        self._host = self._allocation.memory.view(dtype).reshape(shape, order=order)

    # ---- what CuPy offers beside NumPy's attributes ----
    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        contiguous = self._host.flags.c_contiguous
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.data.ptr, False),
            "version": 3,
            "strides": None if contiguous else self.strides,
        }

    @property
    def device(self) -> Device:
        return Device(0)

    @property
    def data(self) -> MemoryPointer:
        return MemoryPointer(self._host.ctypes.data)

    @property
    def T(self) -> ndarray:
        return wrap(self._host.T, self)

    def get(self) -> np.ndarray[Any, Any]:
        return self._host.copy()

    def set(self, values: np.ndarray[Any, Any]) -> None:
        if values.dtype != self.dtype or values.shape != self.shape:
            raise ValueError(f"set: {values.dtype} {values.shape} into {self.dtype} {self.shape}")
        self._host[...] = values

    def item(self, *place: int) -> Any:
        return self._host.item(*place)

    def tolist(self) -> Any:
        return self._host.tolist()

    # ---- refusals ----
    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array "
            "explicitly."
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method not in ("__call__", "reduce", "accumulate", "at"):
            raise TypeError(f"CuPy has no numpy.{ufunc.__name__}.{method}")
        values = {key: unwrap(value) for key, value in options.items()}
        result = getattr(ufunc, method)(*(unwrap(value) for value in inputs), **values)
        return options["out"][0] if options.get("out") is not None else wrap(result)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        return call(function, arguments, options)

    # ---- NumPy's attributes ----
    def __getitem__(self, key: Any) -> ndarray:
        return wrap(self._host[_key(key)], self)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._host[_key(key)] = unwrap(value)

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self._host)

    def __int__(self) -> int:
        return int(self._host)

    def __float__(self) -> float:
        return float(self._host)

    def __index__(self) -> int:
        return self._host.__index__()

    def __matmul__(self, other: Any) -> ndarray:
        return wrap(self._host @ unwrap(other))

    def __copy__(self) -> ndarray:
        return wrap(self._host.copy())

    def __deepcopy__(self, _: Any) -> ndarray:
        return wrap(self._host.copy())

    def __reduce__(self) -> Any:
        return upload, (self._host.copy(),)

    def __repr__(self) -> str:
        return f"on the emulated GPU: {self._host!r}"

    def _check_guards(self, kernel: str) -> None:
        damage = self._allocation.damage()
        if damage:
            from .raw_module import LaunchError

            raise LaunchError(f"{kernel}: wrote outside an array of shape {self.shape}, {self.dtype}: {damage}.")


def _attribute(name: str) -> property:
    return property(lambda self: getattr(self._host, name))


def _method(name: str) -> Any:
    def method(self: ndarray, *arguments: Any, **options: Any) -> Any:
        values = [unwrap(value) for value in arguments]
        return wrap(getattr(self._host, name)(*values, **{key: unwrap(v) for key, v in options.items()}), self)

    method.__name__ = name
    return method


for _name in _PLAIN_ATTRIBUTES:
    setattr(ndarray, _name, _attribute(_name))
for _name in _METHODS:
    setattr(ndarray, _name, _method(_name))


def upload(values: Any, order: str = "C") -> ndarray:
    """A copy of host values in fresh device memory."""
    values = np.asarray(values)
    result = ndarray(values.shape, values.dtype, order)
    result._host[...] = values
    return result


def wrap(value: Any, owner: ndarray | None = None) -> Any:
    """Turn a NumPy result into a device array; a view into `owner` stays a view."""
    if isinstance(value, (tuple, list)):
        return type(value)(wrap(item, owner) for item in value)
    if not isinstance(value, (np.ndarray, np.generic)):
        return value
    if owner is not None and isinstance(value, np.ndarray) and np.may_share_memory(value, owner._host):
        view = ndarray.__new__(ndarray)
        view._host, view._allocation = value, owner._allocation
        return view
    fortran = isinstance(value, np.ndarray) and value.flags.f_contiguous and not value.flags.c_contiguous
    return upload(value, "F" if fortran else "C")


def unwrap(value: Any) -> Any:
    """The memory of a device array, for NumPy to work on. A host array is refused, as CuPy does."""
    if isinstance(value, ndarray):
        return value._host
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}: CuPy does not mix with NumPy arrays; upload it with asarray.")
    if isinstance(value, (tuple, list)):
        return type(value)(unwrap(item) for item in value)
    return value


def call(function: Any, arguments: Any, options: Any) -> Any:
    """Run a NumPy function on device arrays."""
    owners = [value for value in itertools.chain(arguments, options.values()) if isinstance(value, ndarray)]
    values = [unwrap(value) for value in arguments]
    result = function(*values, **{key: unwrap(value) for key, value in options.items()})
    if options.get("out") is not None:
        return options["out"]
    for owner in owners:
        if isinstance(result, np.ndarray) and np.may_share_memory(result, owner._host):
            return wrap(result, owner)
    return wrap(result)


def _key(key: Any) -> Any:
    if isinstance(key, tuple):
        return tuple(_key(part) for part in key)
    if isinstance(key, np.ndarray):
        raise IndexError(f"Unsupported type {type(key)}: upload the index with asarray.")
    return key._host if isinstance(key, ndarray) else key
