"""`run_bands`: one CPU kernel over bands of rows, a thread each. Same bits for any number of threads."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

from cvseg.errors import OptionError


@cache
def thread_count() -> int:
    """Threads that kernels use: ``CVSEG_NUM_THREADS``, else the cores this process may use."""
    text = os.environ.get("CVSEG_NUM_THREADS", "")
    if text:
        if not text.isdigit() or int(text) < 1:
            raise OptionError(f"CVSEG_NUM_THREADS is {text!r}; expected a whole number of at least 1.")
        return int(text)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    # Keyed by process: a forked child has none of the parent's threads.
    return ThreadPoolExecutor(max_workers=max(1, thread_count() - 1), thread_name_prefix="cvseg-kernel")


_own = threading.local()  # .share: threads that the task running here may use


def available_share() -> int:
    """Threads that the task running here may use."""
    return getattr(_own, "share", None) or thread_count()


def _with_share(task: Callable[[], Any], share: int) -> Callable[[], Any]:
    def run() -> Any:
        before = getattr(_own, "share", None)
        _own.share = share
        try:
            return task()
        finally:
            _own.share = before

    return run


def run_alone(task: Callable[[], Any]) -> Any:
    """Run `task` so that nothing in it is divided among threads: for callers that keep all threads busy themselves."""
    return _with_share(task, 1)()


def run_together(*tasks: Callable[[], Any]) -> list[Any]:
    """Run independent `tasks`, on as many threads as there are; their results in order.

    Tasks may call `run_together` and `run_bands` again: a task that no thread has taken is run by the caller, so
    nothing waits for a free thread. The tasks divide the threads among them, so that bands inside them are not cut
    finer than there are threads to run them.
    """
    if thread_count() == 1 or len(tasks) == 1:
        return [task() for task in tasks]
    pool = _pool(os.getpid())
    share = max(1, available_share() // len(tasks))
    tasks = tuple(_with_share(task, share) for task in tasks)
    futures: list[Future[Any]] = [pool.submit(task) for task in tasks[1:]]
    results = [tasks[0]()]
    for task, future in zip(tasks[1:], futures, strict=True):
        results.append(task() if future.cancel() else future.result())
    return results


def call_helpers(task: Callable[[], Any], count: int) -> list[Future[Any]]:
    """Let up to `count` threads that are free run `task`, without waiting for them."""
    pool = _pool(os.getpid()) if count else None
    return [pool.submit(_with_share(task, 1)) for _ in range(count)] if pool else []


def run_bands(function: Callable[..., Any], rows: int, *arguments: Any, least: int = 48, align: int = 1) -> None:
    """Call ``function(first_row, end_row, *arguments)`` for bands that together are ``range(rows)``.

    Parameters
    ----------
    function : a `cpu_kernel` that writes only the rows it is given, so that bands do not change the result
    least : rows below which a band is not worth a thread (a hand-over costs about 20 us)
    align : band edges are multiples of this
    """
    bands = max(1, min(available_share(), rows // least))
    if bands == 1:
        function(0, rows, *arguments)
        return
    edges = [rows * band // bands // align * align for band in range(bands)] + [rows]

    def task(first: int, end: int) -> Callable[[], Any]:
        return lambda: function(first, end, *arguments)

    run_together(*(task(first, end) for first, end in itertools.pairwise(edges)))
