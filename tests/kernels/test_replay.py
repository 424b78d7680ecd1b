"""`Replay`: a captured function computes what the plain one does, on new values, and reads nothing back meanwhile."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest
from cuda_on_cpu import graphs
from cuda_on_cpu.raw_module import reverse_thread_order
from numpy.testing import assert_array_equal

from cvseg.arrays import array_module, cupy_module
from cvseg.kernels.flow.variational_images import variational_images
from cvseg.kernels.pyramid.pad_edges import pad_edges
from cvseg.kernels.pyramid.pyramid_down import pyramid_down
from cvseg.kernels.replay import Replay, ReplayCache, run_together_on_gpu


@pytest.fixture
def images(cuda_device):
    rng = np.random.default_rng(3)
    return [cuda_device.array(rng.random((37, 52)), np.float32) for _ in range(5)]


def levels(image):
    """Kernels, a memset and whole-array arithmetic."""
    half = pyramid_down(image)
    quarter = pyramid_down(half) * np.float32(0.5)
    zero = array_module(image).zeros((2, *half.shape), np.float32)
    return pad_edges(quarter, np.int32(3)), variational_images(half, pad_edges(half, np.int32(16)), zero)


def assert_same(results, expected):
    for result, wanted in zip(results, expected, strict=True):
        assert_array_equal(result.get(), wanted.get())


def test_every_call_gives_what_the_function_gives(images):
    replay = Replay(levels)
    for number, image in enumerate(images):
        assert_same(replay(image), levels(image))
        assert replay.is_captured == (number > 0)


def test_a_single_result_stays_single(images):
    replay = Replay(pyramid_down)
    for image in images[:3]:
        assert_array_equal(replay(image).get(), pyramid_down(image).get())


def test_results_are_not_written_again(images):
    replay = Replay(levels)
    results = [replay(image) for image in images]
    for result, image in zip(results, images, strict=True):
        assert_same(result, levels(image))


def test_inputs_may_change_or_go_after_the_call(images):
    expected = levels(images[1])
    replay = Replay(levels)
    replay(images[0])
    buffer = images[1].copy()
    results = replay(buffer)
    buffer.fill(7)
    assert_same(results, expected)
    del buffer
    assert_same(replay(images[1]), expected)


def test_branches_do_not_disturb_each_other(images):
    """On the emulator the nodes of the graph also run in the opposite permitted order."""

    def both(image0, image1):
        first, second = run_together_on_gpu(lambda: levels(image0), lambda: levels(image1))
        third, fourth = run_together_on_gpu(lambda: levels(first[0]), lambda: levels(second[0]))
        return (*first, *second, *third, *fourth)

    replay = Replay(both)
    expected = replay(*images[:2])
    assert_same(replay(*images[:2]), expected)
    with reverse_thread_order():
        assert_same(replay(*images[:2]), expected)
    assert replay.is_captured


def test_threads_may_share_a_replay(images):
    replay, results = Replay(levels), {}
    replay(images[0])

    def work(number):
        results[number] = replay(images[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, image in enumerate(images):
        assert_same(results[number], levels(image))


@pytest.mark.parametrize(
    "read_back",
    [
        lambda image: float(image.sum()),
        lambda image: image.get(),
        lambda image: image[image > 0.5],
        lambda image: bool(image[0, 0] > 0),
        lambda image: cupy_module().asarray(np.zeros(3, np.float32)),
        lambda image: cupy_module().cuda.get_current_stream().synchronize(),
    ],
)
def test_what_cannot_be_captured_runs_launch_by_launch_and_says_so_once(images, read_back, caplog):
    def function(image):
        read_back(image)
        return pyramid_down(image)

    replay = Replay(function)
    with caplog.at_level(logging.WARNING, "cvseg"):
        for image in images:
            assert_array_equal(replay(image).get(), pyramid_down(image).get())
    assert not replay.is_captured
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "could not be captured" in caplog.text


def test_other_arrays_than_the_first_are_refused(images):
    replay = Replay(pyramid_down)
    replay(images[0])
    with pytest.raises(ValueError, match=r"\(37, 51\).*the first ones were.*\(37, 52\)"):
        replay(images[0][:, :51].copy())


def test_a_cache_keeps_the_ones_used_last(images):
    cache = ReplayCache(most=2)
    calls = []

    def function(image):
        calls.append(image.shape)
        return pyramid_down(image)

    sizes = [images[0][:, :width].copy() for width in (52, 40, 30)]
    for _ in range(4):
        cache.run("down", function, sizes[0])
    assert len(calls) == 2  # launched, captured, then replayed
    for image in (*sizes, sizes[0]):
        assert_array_equal(cache.run("down", function, image).get(), pyramid_down(image).get())
    assert len(calls) == 5  # two new sizes, and the first had to go
    cache.clear()
    cache.run("down", function, sizes[0])
    assert len(calls) == 6


# ---- the emulated streams and graphs are as strict as CUDA ----


@pytest.fixture
def stream(emulated_cuda):
    return emulated_cuda.cuda.Stream(non_blocking=True)


def test_nothing_runs_while_a_stream_captures(emulated_cuda, stream):
    values = emulated_cuda.ones(4, np.float32)
    with stream:
        stream.begin_capture()
        assert stream.is_capturing()
        values += 1
        values[1] = 7
        total = values.sum()
        graph = stream.end_capture()
    assert not stream.is_capturing()
    assert_array_equal(values.get(), 1)
    for expected in ([2, 7, 2, 2], [3, 7, 3, 3]):
        graph.launch()
        assert_array_equal(values.get(), expected)
        assert float(total) == sum(expected)


def test_the_legacy_stream_cannot_capture(emulated_cuda):
    with pytest.raises(RuntimeError, match="cannot capture on the default"):
        emulated_cuda.cuda.Stream.null.begin_capture()


def test_waiting_spoils_a_capture(emulated_cuda, stream):
    with stream:
        stream.begin_capture()
        with pytest.raises(graphs.CUDARuntimeError, match="cudaErrorStreamCaptureUnsupported"):
            emulated_cuda.cuda.runtime.deviceSynchronize()
        with pytest.raises(graphs.CUDARuntimeError, match="cudaErrorStreamCaptureInvalidated"):
            stream.end_capture()
    stream.synchronize()


def test_a_branch_must_be_joined(emulated_cuda, stream):
    branch = emulated_cuda.cuda.Stream(non_blocking=True)
    values = emulated_cuda.zeros(3, np.float32)
    with stream:
        stream.begin_capture()
        branch.wait_event(stream.record())
        with branch:
            values += 1
        with pytest.raises(graphs.CUDARuntimeError, match="cudaErrorStreamCaptureUnjoined"):
            stream.end_capture()


def test_uncaptured_work_cannot_be_waited_for(emulated_cuda, stream):
    event = emulated_cuda.cuda.Stream(non_blocking=True).record()
    stream.begin_capture()
    with pytest.raises(graphs.CUDARuntimeError, match="cudaErrorStreamCaptureIsolation"):
        stream.wait_event(event)


def test_a_blocking_stream_that_captures_forbids_the_legacy_stream(emulated_cuda):
    stream, values = emulated_cuda.cuda.Stream(), emulated_cuda.zeros(3, np.float32)
    stream.begin_capture()
    with pytest.raises(graphs.CUDARuntimeError, match="cudaErrorStreamCaptureImplicit"):
        values += 1
    with pytest.raises(graphs.CUDARuntimeError, match="cudaErrorStreamCaptureInvalidated"):
        stream.end_capture()


def test_a_graph_that_outlives_its_memory_fails(emulated_cuda, stream):
    values = emulated_cuda.zeros(3, np.float32)
    with stream:
        stream.begin_capture()
        values += 1
        graph = stream.end_capture()
    graph.launch()
    del values
    with pytest.raises(graphs.CUDARuntimeError, match="memory that has been freed"):
        graph.launch()


def test_a_pool_gives_freed_memory_to_the_same_stream_only(emulated_cuda, stream):
    pool = emulated_cuda.cuda.MemoryPool()
    with emulated_cuda.cuda.using_allocator(pool.malloc):
        address = emulated_cuda.zeros(100, np.float32).data.ptr
        with stream:
            other = emulated_cuda.zeros(100, np.float32)
        same = emulated_cuda.zeros(100, np.float32)
    assert same.data.ptr == address != other.data.ptr
    assert pool.used_bytes() == pool.total_bytes() == 800
    assert emulated_cuda.zeros(100, np.float32).data.ptr not in (address, other.data.ptr)


def test_memory_that_two_branches_share_shows(emulated_cuda, stream):
    """What the product avoids by a stream for each branch: an array of one branch on the memory of another."""
    pool = emulated_cuda.cuda.MemoryPool()
    source = emulated_cuda.asarray(np.arange(6, dtype=np.float32))
    side = emulated_cuda.cuda.Stream(non_blocking=True)
    with emulated_cuda.cuda.using_allocator(pool.malloc), stream:
        stream.begin_capture()
        scratch = source + 1
        side.wait_event(stream.record())
        with side:
            result = scratch * 5
        del scratch  # to the pool of `stream`, although `side` may not have read it yet
        reused = source * 3
        stream.wait_event(side.record())
        graph = stream.end_capture()
    graph.launch()
    right = 5 * np.arange(6) + 5
    assert_array_equal(result.get(), right)
    with reverse_thread_order():
        graph.launch()
    assert not np.array_equal(result.get(), right)
    assert_array_equal(reused.get(), 3 * np.arange(6))


def test_a_graph_is_made_by_capture_alone(emulated_cuda):
    with pytest.raises(NotImplementedError, match="via capture"):
        emulated_cuda.cuda.Graph()
