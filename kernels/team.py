"""`run_team`: a whole sequence of passes in compiled code, on all threads, with one start and one join.

`run_bands` starts and joins its threads for every kernel, which costs 20 to 40 us each time: more than the work on a
small image. A team runs one compiled program on every thread. The program is a list of passes; each pass is cut into
chunks, and the threads take chunks until there are none left::

    pass_number, chunk = 0, next_chunk(state, 0, chunks)
    while chunk >= 0:
        ...                                    # chunk number `chunk` of this pass
        chunk_done(state, 0)
        chunk = next_chunk(state, 0, chunks)   # -1 when all chunks of the pass are finished, by whomever

A thread that comes late, or not at all, is no loss but its help: nobody waits for a thread, only for chunks that were
taken. What a chunk writes must not depend on how many there are, so that results are the same on any number of threads.

Memory written before `chunk_done` is seen by every thread after `next_chunk` has said -1.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from cvseg.kernels.bands import available_share, call_helpers
from cvseg.kernels.cpu import cpu_kernel

LINE = 8  # int64 numbers in a cache line: counters that lie in one line slow each other down
SPINS = 2000  # looks at a counter (some microseconds) before the processor is offered to others

# sched_yield is found in the C library of the process; where there is none, waiting is spinning.
_yield_processor = types.ExternalFunction("sched_yield", types.int32()) if hasattr(os, "sched_yield") else None


def _place(context, builder, signature, args):
    data = cgutils.create_struct_proxy(signature.args[0])(context, builder, args[0]).data
    return builder.gep(data, [args[1]])


def _is_counter(array, index):
    return isinstance(array, types.Array) and array.dtype == types.int64 and isinstance(index, types.Integer)


@intrinsic
def _fetch_and_add(typing_context, array, index, value):
    """Add to ``array[index]`` for all threads to see; the number before."""
    if not _is_counter(array, index):
        return None

    def emit(context, builder, signature, args):
        place = _place(context, builder, signature, args)
        return builder.atomic_rmw("add", place, args[2], "seq_cst")

    return types.int64(array, index, types.int64), emit


@intrinsic
def _look(typing_context, array, index):
    """``array[index]`` as other threads have left it."""
    if not _is_counter(array, index):
        return None

    def emit(context, builder, signature, args):
        return builder.load_atomic(_place(context, builder, signature, args), "acquire", 8)

    return types.int64(array, index), emit


@intrinsic
def _step_aside(typing_context):
    """Offer the processor to another thread."""

    def emit(context, builder, signature, args):
        if _yield_processor is not None:
            kind = ir.FunctionType(ir.IntType(32), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.none(), emit


@cpu_kernel(forceinline=True)
def next_chunk(state, number, chunks):
    """The next chunk of pass `number` that nobody has taken; -1 when all are finished."""
    place = (1 + 2 * number) * LINE
    # A look first: a late thread does not write into counters of passes that are over.
    if _look(state, place) < chunks:
        chunk = _fetch_and_add(state, place, 1)
        if chunk < chunks:
            return chunk
    spins = 0
    while _look(state, place + LINE) < chunks and _look(state, 0) == 0:
        spins += 1
        if spins > SPINS:
            _step_aside()
    return -1


@cpu_kernel(forceinline=True)
def chunk_done(state, number):
    """Say that a chunk of pass `number` is finished."""
    _fetch_and_add(state, (2 + 2 * number) * LINE, 1)


@cpu_kernel(forceinline=True)
def claim_member(state):
    """A number for this thread, different from all others' and below `members`: its share of the scratch memory."""
    return _fetch_and_add(state, 1, 1)


def run_team(program: Callable[..., Any], passes: int, *arguments: Any) -> None:
    """Run ``program(state, members, *arguments)`` on as many threads as this task may use.

    Parameters
    ----------
    program : a `cpu_kernel` made of `next_chunk` and `chunk_done`
    passes : most passes that it has
    """
    members = available_share()
    state = np.zeros((2 * passes + 1) * LINE, np.int64)

    def help_out() -> None:
        try:
            program(state, members, *arguments)
        except BaseException:
            state[0] = 1  # its chunk will never be finished: the others must not wait for it
            raise

    helpers = call_helpers(help_out, members - 1)
    program(state, members, *arguments)
    # Every chunk is finished. Helpers still on their way find nothing to do, and need not be waited for.
    for helper in helpers:
        if not helper.cancel() and state[0]:
            helper.result()
