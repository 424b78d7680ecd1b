"""Measures frames on all threads: while one reads its files, another counts."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from cvseg.evaluation.protocols import Progress, report_progress

Item = TypeVar("Item")
Value = TypeVar("Value")


def measure_frames(
    measure: Callable[[Item], Value], items: Sequence[Item], progress: Progress | None = None
) -> list[Value]:
    """``[measure(item) for item in items]``, on as many threads as kernels use.

    Parameters
    ----------
    measure : reads the files of one frame and counts; the first error ends everything and is raised
    items : frames
    progress : told after every frame, in order

    Raises
    ------
    EvaluationStopped
        when `progress` says so.

    Examples
    --------
    >>> measure_frames(lambda number: number * number, [3, 1, 2])
    [9, 1, 4]
    """
    return list(measured_frames(measure, items, progress))


def measured_frames(
    measure: Callable[[Item], Value], items: Sequence[Item], progress: Progress | None = None
) -> Iterator[Value]:
    """As `measure_frames`, one value after the other: for callers that keep only sums of them."""
    from cvseg.kernels.bands import run_alone, thread_count

    done = 0
    # A few frames ahead keep the threads busy; all at once would pile up frames when one is slow.
    with ThreadPoolExecutor(max_workers=thread_count(), thread_name_prefix="cvseg-measure") as pool:
        waiting: deque[Future[Value]] = deque()
        try:
            for item in items:
                # Kernels inside a frame are not divided: the other threads have frames of their own.
                waiting.append(pool.submit(run_alone, functools.partial(measure, item)))
                if len(waiting) >= 2 * thread_count():
                    yield waiting.popleft().result()
                    done += 1
                    report_progress(progress, done, len(items))
            while waiting:
                yield waiting.popleft().result()
                done += 1
                report_progress(progress, done, len(items))
        finally:
            for future in waiting:
                future.cancel()
