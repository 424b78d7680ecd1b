"""`run_team`: every chunk once, passes in order, late helpers and errors do no harm."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.kernels import team
from cvseg.kernels.cpu import cpu_kernel
from cvseg.kernels.team import chunk_done, claim_member, next_chunk, run_team


@cpu_kernel
def _sums(state, members, values, taken_by, passes, chunks):
    """Each pass adds to every number the one to its right from the pass before."""
    member = claim_member(state)
    size = values.shape[1]
    for number in range(passes):
        chunk = next_chunk(state, number, chunks)
        while chunk >= 0:
            for i in range(size * chunk // chunks, size * (chunk + 1) // chunks):
                values[number + 1, i] = values[number, i] + values[number, (i + 1) % size]
            taken_by[number, chunk] = member
            chunk_done(state, number)
            chunk = next_chunk(state, number, chunks)


def _expected(size, passes):
    values = np.zeros((passes + 1, size), np.int64)
    values[0] = np.arange(size)
    for number in range(passes):
        values[number + 1] = (values[number] + np.roll(values[number], -1)) % (1 << 40)
    return values


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("chunks", [1, 2, 7])
def test_a_pass_sees_all_of_the_pass_before(threads, chunks, use_threads):
    use_threads(threads)
    for _ in range(50):
        values, taken_by = np.zeros((31, 1000), np.int64), np.full((30, chunks), -1)
        values[0] = np.arange(1000)
        run_team(_sums, 30, values, taken_by, 30, chunks)
        assert_array_equal(values, _expected(1000, 30))
        assert taken_by.min() >= 0
        assert taken_by.max() < threads


def test_members_have_numbers_of_their_own():
    state = np.zeros(8, np.int64)
    claim = cpu_kernel(lambda state: claim_member(state))
    assert [claim(state) for _ in range(4)] == [0, 1, 2, 3]


def test_helpers_that_never_come_are_not_waited_for(use_threads, monkeypatch):
    use_threads(4)
    monkeypatch.setattr(team, "call_helpers", lambda task, count: [])
    values, taken_by = np.zeros((4, 50), np.int64), np.zeros((3, 5), np.int64)
    values[0] = np.arange(50)
    run_team(_sums, 3, values, taken_by, 3, 5)
    assert_array_equal(values, _expected(50, 3))


def test_an_error_of_a_helper_reaches_the_caller(use_threads):
    use_threads(2)
    caller, taken = threading.get_ident(), threading.Event()

    def program(state, members):
        if threading.get_ident() == caller:
            assert taken.wait(20)
            assert _next(state, 0, 2) in (-1, 1)
            assert _next(state, 0, 2) == -1  # does not wait for the chunk that will never be finished
        else:
            _next(state, 0, 2)
            taken.set()
            raise ZeroDivisionError("in a helper")

    with pytest.raises(ZeroDivisionError, match="in a helper"):
        run_team(program, 1)


@cpu_kernel
def _next(state, number, chunks):
    return next_chunk(state, number, chunks)
