"""recycled_empty: memory is given out again, and never while anybody looks at it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from cvseg.kernels import recycled
from cvseg.kernels.recycled import recycled_empty

SHAPE = (300, 401)


@pytest.fixture(autouse=True)
def own_buffers(monkeypatch):
    monkeypatch.setattr(recycled, "_buffers", [])


def test_result_is_contiguous_and_starts_on_a_cache_line():
    for dtype in (np.float32, np.bool_, np.int64):
        array = recycled_empty((700, 401), dtype)
        assert array.shape == (700, 401)
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.ctypes.data % 64 == 0


def test_memory_of_a_forgotten_array_is_used_again():
    first = recycled_empty(SHAPE)
    place = first.ctypes.data
    del first
    assert recycled_empty(SHAPE).ctypes.data == place


@pytest.mark.parametrize(
    "look",
    [
        lambda array: array,
        lambda array: array[5:, ::3],
        lambda array: array.reshape(-1).view(np.int32)[7:9],
        memoryview,
        lambda array: np.lib.stride_tricks.sliding_window_view(array, (3, 3)),
    ],
    ids=["array", "slice", "view", "memoryview", "windows"],
)
def test_memory_that_is_looked_at_is_not_given_out(look):
    array = recycled_empty(SHAPE)
    array[:] = 1
    held = look(array)
    del array
    for _ in range(3):
        other = recycled_empty(SHAPE)
        other[:] = 2
        assert not np.shares_memory(other, np.asarray(held))
    assert not (np.asarray(held) == 2).any()


def test_small_arrays_are_ordinary():
    assert recycled_empty((10, 10)).base is None
    assert not recycled._buffers


def test_idle_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(recycled, "MOST_BYTES", 1 << 20)
    for rows in range(400, 4000, 400):
        recycled_empty((rows, 401))
    assert sum(buffer.nbytes for buffer in recycled._buffers) < (1 << 20) + 2 * 4 * 4000 * 401


def test_threads_never_share_a_buffer():
    mixed = []

    def work(number):
        for _ in range(50):
            array = recycled_empty(SHAPE)
            array[:] = number
            if not (array == number).all():
                mixed.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not mixed
