"""`prefetch`: same items, same errors, bounded, and no thread is left behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvseg.errors import RangeError
from cvseg.video import prefetch


def own_threads():
    return [thread for thread in threading.enumerate() if thread.name == "cvseg-prefetch"]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    gc.collect()
    assert own_threads() == []


class Broken(Exception):
    pass


@settings(max_examples=60, deadline=None)
@given(
    items=st.lists(st.integers()),
    depth=st.integers(1, 5),
    error_at=st.none() | st.integers(0, 12),
    leave_at=st.none() | st.integers(0, 12),
)
def test_items_errors_and_early_exits_are_those_of_the_plain_iterator(items, depth, error_at, leave_at):
    def produce():
        for i, item in enumerate(items):
            if i == error_at:
                raise Broken(i)
            yield item

    def consume(iterator):
        got = []
        try:
            for item in iterator:
                if len(got) == leave_at:
                    break
                got.append(item)
        except Broken as error:
            got.append(repr(error))
        return got

    iterator = prefetch(produce(), depth)
    assert consume(iterator) == consume(produce())
    iterator.close()
    assert own_threads() == []


@pytest.mark.parametrize("depth", [1, 3])
def test_at_most_depth_items_wait_and_one_is_in_the_making(depth):
    made = []

    def produce():
        for i in range(100):
            made.append(i)
            yield i

    with prefetch(produce(), depth) as items:
        for taken in range(1, 20):
            next(items)
            deadline = time.monotonic() + 5
            while len(made) < min(taken + depth, 100) and time.monotonic() < deadline:
                time.sleep(0.001)
            assert len(made) <= taken + depth + 1


def test_items_really_are_made_ahead():
    ahead = threading.Event()

    def produce():
        yield 0
        ahead.set()
        yield 1

    with prefetch(produce()) as items:
        assert next(items) == 0
        assert ahead.wait(10)


def test_closing_closes_the_generator_in_its_thread():
    closed = []

    def produce():
        try:
            i = 0
            while True:
                yield i
                i += 1
        finally:
            closed.append(threading.current_thread().name)

    items = prefetch(produce())
    assert next(items) == 0
    items.close()
    items.close()
    assert closed == ["cvseg-prefetch"]
    with pytest.raises(StopIteration):
        next(items)


def test_an_abandoned_iterator_stops_its_thread():
    def produce():
        while True:
            yield bytes(10)

    items = prefetch(produce())
    next(items)
    thread = own_threads()[0]
    del items
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_an_error_in_the_consumer_stops_the_thread():
    with pytest.raises(Broken):
        for _ in prefetch(iter(range(1000))):
            raise Broken
    gc.collect()
    assert own_threads() == []


def test_an_error_while_the_iterator_begins_is_delivered():
    class Unready:
        def __iter__(self):
            raise Broken("not ready")

    with pytest.raises(Broken, match="not ready"):
        next(prefetch(Unready()))


def test_the_error_comes_once_then_the_iteration_has_ended():
    def produce():
        yield 1
        raise Broken

    items = prefetch(produce())
    assert next(items) == 1
    with pytest.raises(Broken):
        next(items)
    with pytest.raises(StopIteration):
        next(items)


def test_items_are_let_go_of_once_they_are_taken():
    import weakref

    class Item:
        pass

    taken = []

    def produce():
        for _ in range(3):
            yield Item()
        taken[0].wait(10)

    taken.append(threading.Event())
    with prefetch(produce()) as items:
        references = []
        for _ in range(3):
            item = next(items)
            references.append(weakref.ref(item))
            del item
        gc.collect()
        # The third may still be the loop variable of the producer's generator machinery, never the first two.
        assert [reference() is None for reference in references[:2]] == [True, True]
        taken[0].set()


def test_ctrl_c_ends_the_program_at_once_and_without_noise():
    program = """
import os, signal, threading, time
from cvseg.video import prefetch

def produce():
    i = 0
    while True:
        time.sleep(0.01)
        yield i
        i += 1

threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    for item in prefetch(produce()):
        pass
except KeyboardInterrupt:
    time.sleep(0.05)
    print("interrupted", [t.name for t in threading.enumerate() if t.name == "cvseg-prefetch"])
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "interrupted []\n", "")


def test_depth_below_one_is_refused():
    with pytest.raises(RangeError, match="prefetch: depth is 0; it must be at least 1"):
        prefetch([], 0)
