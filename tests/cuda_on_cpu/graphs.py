"""Streams, events, memory pools and graphs of the emulated CuPy.

While a stream captures, nothing runs: what is submitted to it becomes a node of a graph, after the nodes it has to wait
for. `Graph.launch` runs the nodes. What CUDA or CuPy forbid meanwhile raises here too.

Memory of a pool is used again as soon as no array holds it, stream by stream, as CuPy does it: a graph whose branches
disturb each other gives wrong results when its nodes run in another permitted order (`reverse_thread_order`).
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_SYNCHRONOUS = "the current stream is capturing, so synchronous API calls are disallowed"
_numbers = itertools.count(16)
_thread = threading.local()  # .streams: stack of current streams; .pool: what using_allocator has set
_captures: list[Capture] = []  # under way


class CUDARuntimeError(RuntimeError):
    """As ``cupy.cuda.runtime.CUDARuntimeError``."""


class Node:
    """One thing to run, after the nodes `after`; `alive` says whether its memory still exists."""

    def __init__(self, number: int, after: frozenset[int], run: Callable[[], None], alive: list[Any]) -> None:
        self.number, self.after, self.run, self.alive = number, after, run, alive


class Capture:
    """What is being captured, from `origin` and the streams that have waited for it."""

    def __init__(self, origin: Stream) -> None:
        self.origin = origin
        self.nodes: list[Node] = []
        self.tails: dict[Stream, frozenset[int]] = {origin: frozenset()}
        self.invalid = ""

    def add(self, stream: Stream, run: Callable[[], None], alive: list[Any]) -> None:
        node = Node(len(self.nodes), self.tails[stream], run, alive)
        self.nodes.append(node)
        self.tails[stream] = frozenset([node.number])

    def ancestors(self, tail: frozenset[int]) -> set[int]:
        found, open_nodes = set(tail), list(tail)
        while open_nodes:
            for number in self.nodes[open_nodes.pop()].after - found:
                found.add(number)
                open_nodes.append(number)
        return found


def abandon_captures() -> None:
    """Forget captures that a failed program left under way, as the end of its process would."""
    for capture in _captures:
        for stream in capture.tails:
            stream._capture = None
    _captures.clear()


class Stream:
    """As ``cupy.cuda.Stream``; outside a capture everything is done when the launch returns."""

    null: Stream

    def __init__(self, null: bool = False, non_blocking: bool = False, ptds: bool = False) -> None:
        self.ptr = 0 if null else next(_numbers)
        self.device_id = -1 if null else 0
        self.is_non_blocking = non_blocking
        self._capture: Capture | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.ptr == other.ptr

    def __hash__(self) -> int:
        return self.ptr

    def __enter__(self) -> Stream:
        _stack().append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _stack().pop()

    def use(self) -> Stream:
        _stack()[-1] = self
        return self

    def is_capturing(self) -> bool:
        return self._capture is not None

    def synchronize(self) -> None:
        if self._capture is not None:
            self._capture.invalid = "synchronize"
            raise CUDARuntimeError(
                "cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing"
            )

    @property
    def done(self) -> bool:
        if self._capture is not None:
            self._capture.invalid = "done"
            return False
        return True

    def record(self, event: Event | None = None) -> Event:
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        capture = event._capture
        if capture is None:
            if self._capture is not None:
                self._capture.invalid = "an event of another stream"
                raise CUDARuntimeError(
                    "cudaErrorStreamCaptureIsolation: dependency on uncaptured work in another stream"
                )
            return
        if capture not in _captures or self._capture not in (None, capture):
            raise CUDARuntimeError("cudaErrorStreamCaptureMerge: the event belongs to another capture")
        if self.ptr == 0:
            raise CUDARuntimeError("cudaErrorStreamCaptureImplicit: the legacy stream cannot join a capture")
        self._capture = capture
        capture.tails[self] = capture.tails.get(self, frozenset()) | event._nodes

    def begin_capture(self, mode: int | None = None) -> None:
        if self.ptr == 0:
            raise RuntimeError("cannot capture on the default (legacy) stream")
        if self._capture is not None:
            raise CUDARuntimeError("cudaErrorIllegalState: the stream is capturing already")
        self._capture = Capture(self)
        _captures.append(self._capture)

    def end_capture(self) -> Graph:
        capture = self._capture
        if capture is None or capture.origin is not self:
            raise CUDARuntimeError("cudaErrorIllegalState: no capture was begun on this stream")
        _captures.remove(capture)
        for stream in capture.tails:
            stream._capture = None
        joined = capture.ancestors(capture.tails[self])
        if capture.invalid:
            raise CUDARuntimeError(f"cudaErrorStreamCaptureInvalidated: by {capture.invalid}")
        if any(not tail <= joined for tail in capture.tails.values()):
            raise CUDARuntimeError("cudaErrorStreamCaptureUnjoined: a stream was not joined to the one that began")
        return Graph._of(capture.nodes)


Stream.null = Stream(null=True)


class Event:
    """As ``cupy.cuda.Event``; the time is the wall clock's."""

    def __init__(self, block: bool = False, disable_timing: bool = False, interprocess: bool = False) -> None:
        self._capture: Capture | None = None
        self._nodes: frozenset[int] = frozenset()
        self._time_s: float | None = None
        self._timed = not disable_timing

    def record(self, stream: Stream | None = None) -> None:
        stream = current_stream() if stream is None else stream
        self._capture = stream._capture
        if self._capture is not None:
            self._nodes = self._capture.tails[stream]
        elif self._timed:
            self._time_s = time.perf_counter()

    def synchronize(self) -> None:
        if self._capture is not None:
            self._capture.invalid = "an event's synchronize"
            raise CUDARuntimeError(
                "cudaErrorCapturedEvent: operation not permitted on an event last recorded in a capture"
            )


def elapsed_time(start: Event, end: Event) -> float:
    if start._time_s is None or end._time_s is None:
        raise CUDARuntimeError("cudaErrorInvalidResourceHandle: an event without a time")
    return 1e3 * (end._time_s - start._time_s)


class Graph:
    """As ``cupy.cuda.Graph``."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError(
            "currently this class cannot be initiated by the user and must be created via capture"
        )

    @classmethod
    def _of(cls, nodes: list[Node]) -> Graph:
        graph = cls.__new__(cls)
        graph.nodes = nodes
        return graph

    def upload(self, stream: Stream | None = None) -> None:
        pass

    def launch(self, stream: Stream | None = None) -> None:
        from .raw_module import _order

        stream = current_stream() if stream is None else stream
        if stream.is_capturing():
            raise NotImplementedError("a graph inside a graph is not emulated")
        for node in self.nodes:
            if any(reference() is None for reference in node.alive):
                raise CUDARuntimeError("cudaErrorIllegalAddress: the graph touches memory that has been freed")
        done: set[int] = set()
        left = list(reversed(self.nodes)) if _order["reverse"] else list(self.nodes)
        while left:
            node = next(node for node in left if node.after <= done)
            node.run()
            done.add(node.number)
            left.remove(node)


# ---- what is current ----


def _stack() -> list[Stream]:
    if not hasattr(_thread, "streams"):
        _thread.streams = [Stream.null]
    return _thread.streams


def current_stream() -> Stream:
    return _stack()[-1]


def is_recording() -> bool:
    """Whether what is submitted now becomes part of a graph."""
    return current_stream()._capture is not None


def submit(run: Callable[[], None], arrays: list[Any]) -> None:
    """Run now, or record; `arrays` are what it reads and writes."""
    stream = current_stream()
    if stream._capture is not None:
        stream._capture.add(stream, run, [array._allocation.lifetime() for array in arrays])
        return
    if stream.ptr == 0:
        for capture in _captures:
            if not capture.origin.is_non_blocking:
                capture.invalid = "work on the legacy stream"
                raise CUDARuntimeError("cudaErrorStreamCaptureImplicit: the legacy stream waits for a capturing one")
    run()


def demand_no_capture() -> None:
    """What has to wait for the GPU is refused while the current stream captures."""
    if is_recording():
        refuse()


def refuse() -> None:
    raise RuntimeError(_SYNCHRONOUS)


def device_synchronize() -> None:
    for capture in _captures:
        capture.invalid = "deviceSynchronize"
        raise CUDARuntimeError("cudaErrorStreamCaptureUnsupported: operation not permitted when a stream is capturing")


# ---- memory ----


class MemoryPool:
    """As ``cupy.cuda.MemoryPool``: keeps what was freed, and gives it out again on the same stream.

    `blocks` are handed to `device_array`, which makes them.
    """

    def __init__(self, allocator: Any = None) -> None:
        self.free: dict[tuple[int, int], list[Any]] = {}
        self.taken = 0

    def malloc(self, size: int) -> Any:
        raise NotImplementedError("the emulated pool is for using_allocator only")

    def take(self, nbytes: int) -> tuple[Any, int]:
        """A block that was freed on the current stream, or None; and the stream."""
        stream = current_stream().ptr
        self.taken += nbytes
        blocks = self.free.get((stream, nbytes))
        return (blocks.pop() if blocks else None), stream

    def give_back(self, block: Any, stream: int, nbytes: int) -> None:
        self.taken -= nbytes
        self.free.setdefault((stream, nbytes), []).append(block)

    def used_bytes(self) -> int:
        return self.taken

    def total_bytes(self) -> int:
        return self.taken + sum(nbytes * len(blocks) for (_, nbytes), blocks in self.free.items())

    def free_all_blocks(self, stream: Stream | None = None) -> None:
        self.free = {key: [] for key in self.free if stream is not None and key[0] != stream.ptr}


@contextlib.contextmanager
def using_allocator(allocator: Any = None) -> Iterator[None]:
    """As ``cupy.cuda.using_allocator``; takes the `malloc` of a `MemoryPool`."""
    before = current_pool()
    _thread.pool = getattr(allocator, "__self__", None)
    try:
        yield
    finally:
        _thread.pool = before


def current_pool() -> MemoryPool | None:
    return getattr(_thread, "pool", None)


def reference(thing: Any) -> Any:
    return weakref.ref(thing)


def ignore_numbers() -> Any:
    """While a graph is recorded NumPy computes on memory without meaning, for the shapes alone."""
    return np.errstate(all="ignore")
