"""`Replay`: a function of device arrays, captured as one CUDA graph and launched as a whole from then on.

A flow has some two hundred launches. One by one they cost Python more time than most of them take on the GPU; a graph
is one call, and the GPU goes from kernel to kernel by itself.

What a graph needs, and how it is kept here:

- It writes to the addresses that it was captured with. They come from a memory pool of its own that nothing else takes
  from; the inputs are copied in, the results are copied out.
- Nothing may be read back or waited for while it is captured: such a function is run launch by launch, as before.
- Branches (`run_together_on_gpu`) have streams of their own, so that the pool does not hand the memory of one branch to
  another that runs at the same time.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from cvseg.arrays import array_module, cupy_module

_log = logging.getLogger("cvseg")
_thread = threading.local()  # .capture: the replay that this thread is capturing

# Graphs that `ReplayCache` keeps. Each holds the memory of its intermediate results, some hundred MB at 1080p.
MOST_REPLAYS = 4

MOST_CONSTANTS = 64
_constants: dict[Any, Any] = {}
_constants_lock = threading.Lock()


class Replay:
    """Run ``function(*arrays)``: the first time launch by launch, then as a CUDA graph.

    Parameters
    ----------
    function : of device arrays, returning a device array or a tuple of them. What it does may depend on their shapes
        and dtypes, never on their values; whatever else it uses must stay the same. It may not keep what it allocates.

    Attributes
    ----------
    is_captured : whether calls are launches of a graph by now

    Notes
    -----
    The first call compiles what has to be compiled, and may be the only one; the second captures. Arrays of another
    shape, dtype or device than the first ones are refused. The results are fresh arrays. Several threads may call.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._kind: tuple[Any, ...] | None = None
        self._launches = False  # the graph could not be made
        self._graph: Any = None
        # What the graph uses must live as long as it does; the pool longer than arrays from it.
        self._pool: Any = None
        self._streams: list[Any] = []
        self._used: list[Any] = []  # events and constants
        self._inputs: tuple[Any, ...] = ()
        self._results: Any = ()
        self._copied: Any = None  # event: the last results have been copied out

    @property
    def is_captured(self) -> bool:
        return self._graph is not None

    def __call__(self, *arrays: Any) -> Any:
        kind, stream = kind_of(*arrays), cupy_module().cuda.get_current_stream()
        if stream.ptr != 0 and stream.is_capturing():
            return self._function(*arrays)  # becomes part of the graph that is being captured
        with self._lock:
            is_first, self._kind = self._kind is None, self._kind or kind
            if kind != self._kind:
                raise ValueError(f"Replay: arrays of kind {kind}; the first ones were {self._kind}.")
            if self._graph is None and not is_first and not self._launches:
                self._capture(arrays)
            if self._graph is not None:
                return self._replay(arrays, stream)
        return self._function(*arrays)

    def _capture(self, arrays: tuple[Any, ...]) -> None:
        cupy = cupy_module()
        self._pool = cupy.cuda.MemoryPool()
        stream = cupy.cuda.Stream(non_blocking=True)
        self._streams = [stream]
        _thread.capture = self
        try:
            with cupy.cuda.using_allocator(self._pool.malloc):
                self._inputs = tuple(cupy.empty(array.shape, array.dtype) for array in arrays)
                with stream:
                    stream.begin_capture()
                    try:
                        self._results = self._function(*self._inputs)
                    except BaseException:
                        with contextlib.suppress(RuntimeError):
                            stream.end_capture()
                        raise
                    self._graph = stream.end_capture()
            self._copied = cupy.cuda.Event(disable_timing=True)
        except (RuntimeError, MemoryError) as error:
            self._launches, self._graph, self._inputs, self._results = True, None, (), ()
            _log.warning("A CUDA graph could not be captured, kernels are launched one by one: %s", error)
        finally:
            del _thread.capture

    def _replay(self, arrays: tuple[Any, ...], stream: Any) -> Any:
        # Another thread's results may not have been copied yet, on another stream.
        stream.wait_event(self._copied)
        for buffer, array in zip(self._inputs, arrays, strict=True):
            array_module(buffer).copyto(buffer, array)
        self._graph.launch(stream)
        is_tuple = isinstance(self._results, tuple)
        results = tuple(array.copy() for array in (self._results if is_tuple else (self._results,)))
        self._copied.record(stream)
        return results if is_tuple else results[0]

    def branch(self, cupy: Any) -> Any:
        """A stream for a part of the graph. A new one each time: the pool keeps what was freed apart by streams."""
        self._streams.append(cupy.cuda.Stream(non_blocking=True))
        return self._streams[-1]

    def mark(self, cupy: Any, stream: Any) -> Any:
        """An event that other branches of the graph can wait for."""
        event = cupy.cuda.Event(disable_timing=True)
        event.record(stream)
        self._used.append(event)
        return event


def run_together_on_gpu(*tasks: Callable[[], Any]) -> list[Any]:
    """Run independent tasks, whose results come in order.

    While a graph is captured they become branches that the GPU may run at the same time; else they run one after the
    other. What a task reads must be held by the caller until all have returned.
    """
    capture = getattr(_thread, "capture", None)
    if capture is None or len(tasks) == 1:
        return [task() for task in tasks]
    cupy = cupy_module()
    trunk = cupy.cuda.get_current_stream()
    begin = capture.mark(cupy, trunk)
    results = [tasks[0]()]
    ends = []
    for task in tasks[1:]:
        branch = capture.branch(cupy)
        branch.wait_event(begin)
        with branch:
            results.append(task())
        ends.append(capture.mark(cupy, branch))
    for end in ends:
        trunk.wait_event(end)
    return results


def constant_like(array: Any, values: Any) -> Any:
    """Small NumPy `values` where `array` is. On a GPU they are uploaded once: an upload cannot be captured."""
    xp = array_module(array)
    if isinstance(values, type(array)):
        return values
    key = values.tobytes(), values.shape, str(values.dtype), array.device.id, id(xp)
    with _constants_lock:
        placed = _constants[key] = _constants.pop(key) if key in _constants else xp.asarray(values)
        if len(_constants) > MOST_CONSTANTS:
            del _constants[next(iter(_constants))]
    capture = getattr(_thread, "capture", None)
    if capture is not None:
        capture._used.append(placed)  # the graph reads it
    return placed


def kind_of(*arrays: Any) -> tuple[Any, ...]:
    """What a graph depends on: shape, dtype and device of its inputs."""
    return tuple((array.shape, str(array.dtype), array.device.id) for array in arrays)


class ReplayCache:
    """Replays by key, of which the ones used last are kept."""

    def __init__(self, most: int = MOST_REPLAYS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._replays: OrderedDict[Hashable, Replay] = OrderedDict()

    def run(self, key: Hashable, function: Callable[..., Any], *arrays: Any) -> Any:
        """``function(*arrays)``, as a graph from the second call on with this key and arrays of this kind."""
        key = key, kind_of(*arrays), id(array_module(arrays[0]))
        with self._lock:
            replay = self._replays.setdefault(key, Replay(function))
            self._replays.move_to_end(key)
            while len(self._replays) > self._most:
                self._replays.popitem(last=False)
        return replay(*arrays)

    def clear(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._replays.clear()
