"""`ndarray`: stands for ``cupy.ndarray``. As strict as CuPy: it does not mix with host arrays, nor turn into one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from . import graphs

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


class Block:
    """A piece of "device memory" between two guard zones that no kernel may write."""

    def __init__(self, nbytes: int) -> None:
        room = np.empty(nbytes + 2 * GUARD_BYTES + ALIGNMENT, np.uint8)
        skip = -(room.ctypes.data + GUARD_BYTES) % ALIGNMENT
        room = room[skip : skip + nbytes + 2 * GUARD_BYTES]
        self.before, self.memory, self.behind = np.split(room, [GUARD_BYTES, GUARD_BYTES + nbytes])

    def guard_for(self, dtype: np.dtype[Any]) -> None:
        """Guard zones in which a value of this type shows."""
        pattern = _PATTERNS.get(dtype, _OTHER_PATTERN)
        self.guard = pattern * (GUARD_BYTES // len(pattern))
        self.before[:] = self.behind[:] = np.frombuffer(self.guard, np.uint8)

    def damage(self) -> str:
        """What was written outside, or an empty string."""
        for place, zone in (("before", self.before), ("behind", self.behind)):
            if zone.tobytes() != self.guard:
                wrong = np.flatnonzero(zone != np.frombuffer(self.guard, np.uint8))
                distance = GUARD_BYTES - int(wrong[-1]) if place == "before" else int(wrong[0]) + 1
                return f"{len(wrong)} bytes {place} it, the nearest {distance} bytes outside"
        return ""


class Allocation:
    """A block and who may have it: ends with the last array that looks at it."""

    def __init__(self, nbytes: int, dtype: np.dtype[Any]) -> None:
        self.nbytes = nbytes
        self.pool = graphs.current_pool()
        block, self.stream = self.pool.take(nbytes) if self.pool is not None else (None, 0)
        self.block: Block = Block(nbytes) if block is None else block
        self.block.guard_for(dtype)
        self.poison(dtype)

    def __del__(self) -> None:
        if self.pool is not None:
            self.pool.give_back(self.block, self.stream, self.nbytes)

    def poison(self, dtype: np.dtype[Any]) -> None:
        pattern = _PATTERNS.get(dtype, _OTHER_PATTERN)
        word, memory = np.dtype(f"u{len(pattern)}"), self.block.memory

        def run() -> None:
            memory.view(word)[:] = np.frombuffer(pattern, word)

        # In a graph too: what the launch before has left is no value to read.
        graphs.submit(run, []) if graphs.is_recording() else run()

    def lifetime(self) -> Any:
        """A weak reference to what keeps the memory: the pool, or else the arrays."""
        return graphs.reference(self if self.pool is None else self.pool)


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
        graphs.device_synchronize()


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
        self._host = self._allocation.block.memory.view(dtype).reshape(shape, order=order)

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

    def get(self, stream: graphs.Stream | None = None) -> np.ndarray[Any, Any]:
        if (graphs.current_stream() if stream is None else stream).is_capturing():
            graphs.refuse()
        return self._host.copy()

    def set(self, values: np.ndarray[Any, Any]) -> None:
        graphs.demand_no_capture()
        if values.dtype != self.dtype or values.shape != self.shape:
            raise ValueError(f"set: {values.dtype} {values.shape} into {self.dtype} {self.shape}")
        self._host[...] = values

    def item(self, *place: int) -> Any:
        graphs.demand_no_capture()
        return self._host.item(*place)

    def tolist(self) -> Any:
        graphs.demand_no_capture()
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
        hosts = [unwrap(value) for value in inputs]
        owners = _owners(inputs, options)

        def compute() -> Any:
            return getattr(ufunc, method)(*hosts, **values)

        if options.get("out") is not None or method == "at":
            graphs.submit(compute, owners)
            return options["out"][0] if method != "at" else None
        return _computed(compute, owners)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        return call(function, arguments, options)

    # ---- NumPy's attributes ----
    def __getitem__(self, key: Any) -> ndarray:
        parts = key if isinstance(key, tuple) else (key,)
        if any(isinstance(part, ndarray) and part.dtype == np.bool_ for part in parts):
            graphs.demand_no_capture()  # the size of the result is known to the GPU alone
        host, place = self._host, _key(key)
        return _computed(lambda: host[place], [self, *_owners(parts, {})], self)

    def __setitem__(self, key: Any, value: Any) -> None:
        place, new, target = _key(key), unwrap(value), self._host

        def run() -> None:
            target[place] = new

        graphs.submit(run, [self, *_owners((value, *(key if isinstance(key, tuple) else (key,))), {})])

    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        graphs.demand_no_capture()
        return bool(self._host)

    def __int__(self) -> int:
        graphs.demand_no_capture()
        return int(self._host)

    def __float__(self) -> float:
        graphs.demand_no_capture()
        return float(self._host)

    def __index__(self) -> int:
        graphs.demand_no_capture()
        return self._host.__index__()

    def __matmul__(self, other: Any) -> ndarray:
        if graphs.is_recording():
            raise NotImplementedError("calling cuBLAS API during stream capture is currently unsupported")
        return wrap(self._host @ unwrap(other))

    def __copy__(self) -> ndarray:
        return self.copy()

    def __deepcopy__(self, _: Any) -> ndarray:
        return self.copy()

    def __reduce__(self) -> Any:
        graphs.demand_no_capture()
        return upload, (self._host.copy(),)

    def __repr__(self) -> str:
        return f"on the emulated GPU: {self._host!r}"


def _attribute(name: str) -> property:
    return property(lambda self: getattr(self._host, name))


def _method(name: str) -> Any:
    def method(self: ndarray, *arguments: Any, **options: Any) -> Any:
        values = [unwrap(value) for value in arguments]
        words = {key: unwrap(value) for key, value in options.items()}
        owners, host = [self, *_owners(arguments, options)], self._host
        if name in ("fill", "sort"):
            return graphs.submit(lambda: getattr(host, name)(*values, **words), owners)
        if name == "nonzero":
            graphs.demand_no_capture()
        return _computed(lambda: getattr(host, name)(*values, **words), owners, self)

    method.__name__ = name
    return method


for _name in _PLAIN_ATTRIBUTES:
    setattr(ndarray, _name, _attribute(_name))
for _name in _METHODS:
    setattr(ndarray, _name, _method(_name))


def upload(values: Any, order: str = "C") -> ndarray:
    """A copy of host values in fresh device memory."""
    graphs.demand_no_capture()
    return _placed(np.asarray(values), order)


def _placed(values: Any, order: str) -> ndarray:
    values = np.asarray(values)
    result = ndarray(values.shape, values.dtype, order)
    if not graphs.is_recording():
        result._host[...] = values
    return result


def _owners(values: Any, options: Any) -> list[ndarray]:
    """Device arrays among the arguments of a call."""
    found = []
    for value in itertools.chain(values, options.values()):
        if isinstance(value, ndarray):
            found.append(value)
        elif isinstance(value, (tuple, list)):
            found += _owners(value, {})
    return found


def _computed(compute: Any, owners: list[ndarray], owner: ndarray | None = None) -> Any:
    """What `compute` gives, as device arrays; while a graph is recorded it is computed at each launch."""
    if not graphs.is_recording():
        return wrap(compute(), owner)
    with graphs.ignore_numbers():
        result = wrap(compute(), owner)
    new = result if isinstance(result, (tuple, list)) else (result,)
    targets = [
        one for one in new if isinstance(one, ndarray) and (owner is None or one._allocation is not owner._allocation)
    ]
    if targets:
        places = {i: one._host for i, one in enumerate(new) if any(one is target for target in targets)}
        is_list = isinstance(result, (tuple, list))

        def run() -> None:
            values = compute()
            for i, place in places.items():
                place[...] = values[i] if is_list else values

        graphs.submit(run, [*owners, *targets])
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
    return _placed(value, "F" if fortran else "C")


def unwrap(value: Any) -> Any:
    """The memory of a device array, for NumPy to work on. A host array is refused, as CuPy does."""
    if isinstance(value, ndarray):
        return value._host
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}: CuPy does not mix with NumPy arrays; upload it with asarray.")
    if isinstance(value, (tuple, list)):
        return type(value)(unwrap(item) for item in value)
    return value


_IN_PLACE = ("copyto", "put", "place", "putmask", "fill_diagonal")
_SIZE_FROM_VALUES = ("argwhere", "compress", "extract", "flatnonzero", "nonzero", "unique")


def call(function: Any, arguments: Any, options: Any) -> Any:
    """Run a NumPy function on device arrays."""
    values = [unwrap(value) for value in arguments]
    words = {key: unwrap(value) for key, value in options.items()}
    owners = _owners(arguments, options)
    if function.__name__ in _IN_PLACE or options.get("out") is not None:
        graphs.submit(lambda: function(*values, **words), owners)
        return options.get("out")
    if function.__name__ in _SIZE_FROM_VALUES or (function.__name__ == "where" and len(arguments) == 1):
        graphs.demand_no_capture()
    if graphs.is_recording():
        return _computed(lambda: function(*values, **words), owners, owners[0] if owners else None)
    result = function(*values, **words)
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
