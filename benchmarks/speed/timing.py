"""How a call is timed: medians and spread, on the CPU by the wall clock, on a GPU by CUDA events."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cvseg.arrays import cupy_module
from cvseg.kernels.cuda import CudaSource

# What 1 ms is at most, in clock cycles of any GPU so far. Longer waiting does no harm.
CYCLES_PER_MS = 2_500_000
# Launches that wait behind the busy GPU; the driver's queue holds about a thousand.
CALLS_IN_QUEUE = 20

_wait = CudaSource(str(Path(__file__).with_name("wait.py")))


def summary(times_ms: list[float]) -> dict[str, float | int]:
    """Median and spread of repeated times; the tenth and the ninetieth percentile, not the extremes."""
    low, median, high = np.percentile(times_ms, [10, 50, 90])
    return {"median_ms": float(median), "p10_ms": float(low), "p90_ms": float(high), "runs": len(times_ms)}


def time_call(
    call: Callable[[], Any],
    device: str,
    *,
    repeats: int,
    warm_up: int = 3,
    before: Callable[[], Any] | None = None,
) -> dict[str, float | int]:
    """Time `call` on `device`.

    Parameters
    ----------
    repeats : timed runs, after `warm_up` runs that are not counted
    before : runs before each call, outside its time

    Returns
    -------
    dict : ``median_ms``, ``p10_ms``, ``p90_ms``, ``runs``; on a GPU the time that the GPU took, and ``host_ms``, the
        median time until the call came back to Python.
    """
    prepare = before or (lambda: None)
    for _ in range(warm_up):
        prepare()
        call()
    return _time_on_gpu(call, repeats, prepare) if device == "cuda" else _time_on_cpu(call, repeats, prepare)


def _time_on_cpu(call: Callable[[], Any], repeats: int, prepare: Callable[[], Any]) -> dict[str, float | int]:
    times_ms = []
    for _ in range(repeats):
        prepare()
        start = time.perf_counter()
        call()
        times_ms.append(1e3 * (time.perf_counter() - start))
    return summary(times_ms)


def _time_on_gpu(call: Callable[[], Any], repeats: int, prepare: Callable[[], Any]) -> dict[str, float | int]:
    cupy = cupy_module()
    cupy.cuda.runtime.deviceSynchronize()
    start = time.perf_counter()
    prepare()
    call()
    host_ms = 1e3 * (time.perf_counter() - start)
    cupy.cuda.runtime.deviceSynchronize()
    pairs, host_times_ms = [], []
    while len(pairs) < repeats:
        calls = min(CALLS_IN_QUEUE, repeats - len(pairs))
        # Behind a busy GPU the launches queue up: the time between two events is then the GPU's alone. Without this a
        # short kernel would be timed with the gap until Python has launched it.
        _wait.launch_blocks("wait", (1,), (1,), np.int64(min(1.5 * calls * host_ms + 1, 200) * CYCLES_PER_MS))
        for _ in range(calls):
            prepare()
            begin, end = cupy.cuda.Event(), cupy.cuda.Event()
            start = time.perf_counter()
            begin.record()
            call()
            end.record()
            host_times_ms.append(1e3 * (time.perf_counter() - start))
            pairs.append((begin, end))
        cupy.cuda.runtime.deviceSynchronize()
    times_ms = [float(cupy.cuda.get_elapsed_time(begin, end)) for begin, end in pairs]
    return {**summary(times_ms), "host_ms": float(np.median(host_times_ms))}


def time_wall(call: Callable[[], Any], device: str, *, repeats: int, warm_up: int = 2) -> dict[str, float | int]:
    """Time `call` as its user sees it: from the call until its result is complete, whatever the device."""

    def complete() -> None:
        call()
        if device == "cuda":
            cupy_module().cuda.runtime.deviceSynchronize()

    for _ in range(warm_up):
        complete()
    return _time_on_cpu(complete, repeats, lambda: None)
