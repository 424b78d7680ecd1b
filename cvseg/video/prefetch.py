"""`prefetch`: run an iterator on a thread of its own, a bounded number of items ahead."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

from cvseg.checks import check_range

T = TypeVar("T")


def prefetch(items: Iterable[T], depth: int = 4) -> Prefetch[T]:
    """Iterate over `items` while a thread fetches the next ones.

    Items come in order; an exception comes where it would have come without the thread, after all items before it.
    At most `depth` items wait, and one more is being made, so memory is bounded. Leaving early (``break``, an
    exception, Ctrl-C, the last reference gone) stops the thread and waits until the item in the making is done; no
    further item is asked for.

    Parameters
    ----------
    items : any iterable; a `FrameSource`, to decode while something else computes
    depth : items that may wait, at least 1; more smooths out uneven work and holds more frames in memory

    Returns
    -------
    Prefetch : an iterator with ``close()``; also a context manager

    Examples
    --------
    >>> list(prefetch(range(4), depth=2))
    [0, 1, 2, 3]
    """
    return Prefetch(items, depth)


class _Buffer:
    """What the two threads share. The thread holds only this, so an abandoned `Prefetch` is freed and stops it."""

    def __init__(self, depth: int) -> None:
        self.items: deque[Any] = deque()
        self.depth = depth
        self.error: BaseException | None = None
        self.finished = False  # the thread has ended
        self.stopped = False  # nobody wants more items
        self.changed = threading.Condition()

    def stop(self) -> None:
        """No more items are wanted; call with `changed` held."""
        self.stopped = True
        self.items.clear()
        self.changed.notify_all()

    def put(self, item: Any) -> bool:
        """Wait for room; False when nobody wants the item."""
        with self.changed:
            while len(self.items) >= self.depth and not self.stopped:
                self.changed.wait()
            if not self.stopped:
                self.items.append(item)
                self.changed.notify_all()
            return not self.stopped


def _fetch(items: Iterable[Any], buffer: _Buffer) -> None:
    error: BaseException | None = None
    try:
        iterator = iter(items)
        try:
            for item in iterator:
                if not buffer.put(item):
                    break
                # Else this thread would keep the item alive while it waits for the next one.
                del item
        finally:
            if buffer.stopped and hasattr(iterator, "close"):
                iterator.close()
    except BaseException as caught:  # handed to the consumer, who raises it
        error = caught
    with buffer.changed:
        buffer.error = error
        buffer.finished = True
        buffer.changed.notify_all()


class Prefetch(Generic[T]):
    """The iterator that `prefetch` returns."""

    def __init__(self, items: Iterable[T], depth: int) -> None:
        self._thread: threading.Thread | None = None
        check_range("prefetch", "depth", depth, low=1)
        self._buffer = _Buffer(depth)
        # A source that waits for a pipe has cancel(): its waiting ends, and the thread with it.
        self._cancel = getattr(items, "cancel", None)
        # A daemon, so that a source which waits for ever cannot keep the program from ending.
        self._thread = threading.Thread(target=_fetch, args=(items, self._buffer), name="cvseg-prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        buffer = self._buffer
        with buffer.changed:
            try:
                while not buffer.items and not buffer.finished and not buffer.stopped:
                    buffer.changed.wait()
            except BaseException:  # Ctrl-C: the traceback would keep this object, and so its thread, alive
                buffer.stop()
                raise
            if buffer.items and not buffer.stopped:
                item: T = buffer.items.popleft()
                buffer.changed.notify_all()
                return item
            error, buffer.error = buffer.error, None
            stopped = buffer.stopped
        self.close()
        if error is not None and not stopped:
            raise error
        raise StopIteration

    def close(self) -> None:
        """Stop the thread, wait for its end, and drop the items that wait. Harmless when repeated."""
        thread = self._thread
        if thread is None:
            return
        with self._buffer.changed:
            self._buffer.stop()
            finished = self._buffer.finished
        if not finished and self._cancel is not None:
            self._cancel()
        if thread is not threading.current_thread():
            thread.join()
        self._thread = None

    def __enter__(self) -> Prefetch[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
