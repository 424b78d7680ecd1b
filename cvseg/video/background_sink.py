"""`BackgroundSink`: run any sink on a thread of its own, a bounded number of pictures behind."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from numpy.typing import NDArray

from cvseg.checks import check_range
from cvseg.errors import OutputError
from cvseg.records.frame import Frame
from cvseg.video.sink import FrameSink


class BackgroundSink:
    """Hands pictures to `sink` on another thread, so that encoding and computing overlap.

    An error of the sink is raised by the next `write` or by `close`; what was queued behind it is dropped. `close`
    writes all that is queued first, also after Ctrl-C: signals reach only the main thread, so the sink is never cut
    off in the middle of a frame. A picture must not be changed after it was handed over.

    Parameters
    ----------
    sink : any `FrameSink`, or anything with ``write``, ``close`` and ``abort``; it belongs to this object from then on
    depth : pictures that may wait, at least 1; `write` blocks when there are more, so memory is bounded
    """

    def __init__(self, sink: FrameSink, depth: int = 4) -> None:
        check_range("BackgroundSink", "depth", depth, low=1)
        self._sink = sink
        self._depth = depth
        self._queue: deque[tuple[NDArray[Any], Frame]] = deque()
        self._changed = threading.Condition()
        self._ending = self._closed = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="cvseg-sink", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._ending:
                    self._changed.wait()
                if not self._queue:
                    return
                image, frame = self._queue[0]
            error: BaseException | None = None
            try:
                self._sink.write(image, frame)
            except BaseException as caught:  # raised again by the next write or close
                error = caught
            with self._changed:
                # Off the queue only now, so that depth counts the picture in the making too.
                if self._queue:
                    self._queue.popleft()
                if error is not None:
                    self._error = error
                    self._queue.clear()
                self._changed.notify_all()
                if error is not None:
                    return
            del image, frame

    def write(self, image: NDArray[Any], frame: Frame) -> None:
        """Queue one picture; waits while `depth` pictures are queued."""
        with self._changed:
            if self._closed or self._ending:
                raise OutputError("the background sink is closed; open a new one to write more.")
            while len(self._queue) >= self._depth and self._error is None:
                self._changed.wait()
            if self._error is None:
                self._queue.append((image, frame))
                self._changed.notify_all()
                return
        self._raise()

    def _raise(self) -> None:
        """Abort the sink and raise its error, once."""
        error, self._error = self._error, None
        self._closed = True
        self._end_thread()
        self._sink.abort()
        if error is not None:
            raise error

    def _end_thread(self) -> None:
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._thread.join()

    def close(self) -> None:
        """Write what is queued, then finish the sink."""
        if self._closed:
            return
        self._end_thread()
        if self._error is not None:
            self._raise()
        self._closed = True
        self._sink.close()

    def abort(self) -> None:
        """Drop what is queued and give the sink up."""
        if self._closed:
            return
        self._closed = True
        with self._changed:
            self._queue.clear()
        self._end_thread()
        self._error = None
        self._sink.abort()

    def __enter__(self) -> BackgroundSink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
