"""On a GPU a flow is one graph from the second pair of a kind on: same bits, nothing read back, fresh results."""

from __future__ import annotations

import itertools
import logging

import numpy as np
import pytest
from cuda_on_cpu.raw_module import reverse_thread_order
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.flow import FLOW_METHODS, FlowStream, estimate_flow, flow_with_confidence
from cvseg.flow.replayed import FLOW_REPLAYS

PRESETS = [(method, preset) for method, row in FLOW_METHODS.items() for preset in row.presets]


@pytest.fixture(autouse=True)
def no_graphs_left():
    FLOW_REPLAYS.clear()
    yield
    FLOW_REPLAYS.clear()


@pytest.fixture
def frames(shifted_pair):
    """Four colour frames that move differently."""
    grey = [*shifted_pair((45, 62), 1.25, -0.5), shifted_pair((45, 62), 3, 1)[1], shifted_pair((45, 62), -2, 0.5)[1]]
    return [np.dstack([np.uint8(np.clip(255 * image, 0, 255))] * 3) for image in grey]


def captured():
    return [replay.is_captured for replay in FLOW_REPLAYS._replays.values()]


@pytest.mark.parametrize("preset", ["fast", "balanced", "quality"])
def test_the_replayed_flow_has_the_bits_of_the_plain_one(preset, frames, cuda_device, caplog):
    pairs = list(itertools.pairwise(frames))
    row = FLOW_METHODS["dis"]
    with caplog.at_level(logging.WARNING, "cvseg"):
        for number, pair in enumerate(pairs):
            placed = cuda_device.arrays(*pair)
            result = flow_with_confidence(*placed, preset=preset)
            forward_xy, backward_xy = row.both_ways(*placed, row.presets[preset], None)
            assert_array_equal(to_host(result.flow_xy), to_host(forward_xy))
            assert_array_equal(to_host(result.backward_xy), to_host(backward_xy))
            assert captured() == [number > 0]
    assert not caplog.records
    # The other order in which the GPU may run the branches.
    with reverse_thread_order():
        again = flow_with_confidence(*placed, preset=preset)
    for name in ("flow_xy", "backward_xy", "occluded", "confidence"):
        assert_array_equal(to_host(getattr(again, name)), to_host(getattr(result, name)))


@pytest.mark.parametrize(("method", "preset"), [pair for pair in PRESETS if pair[1] != "quality"])
def test_every_method_can_be_captured(method, preset, frames, cuda_device, caplog):
    frames = [frame[:24, :33] for frame in frames]
    with caplog.at_level(logging.WARNING, "cvseg"):
        for pair in itertools.pairwise(frames):
            placed = cuda_device.arrays(*pair)
            flow_xy = estimate_flow(*placed, method=method, preset=preset)
        FLOW_REPLAYS.clear()
        assert_array_equal(to_host(flow_xy), to_host(estimate_flow(*placed, method=method, preset=preset)))
    assert not caplog.records


def test_a_stream_of_frames_gives_the_flows_of_its_pairs(frames, cuda_device):
    stream = FlowStream("fast")
    results = [stream.update(cuda_device.array(frame)) for frame in (*frames, *frames)]
    assert captured() == [True]
    FLOW_REPLAYS.clear()
    assert results[0] is None
    for (before, now), pair in zip(itertools.pairwise((*frames, *frames)), results[1:], strict=True):
        expected = estimate_flow(*cuda_device.arrays(before, now), preset="fast")
        assert_array_equal(to_host(pair.forward_xy), to_host(expected))


def test_sizes_presets_and_kinds_have_graphs_of_their_own(frames, cuda_device):
    grey = [frame[..., 0].astype(np.float32) / np.float32(255) for frame in frames[:2]]
    small = [frame[:30].copy() for frame in frames[:2]]
    for _ in range(2):
        for pair, preset in ((frames[:2], "fast"), (grey, "fast"), (small, "fast"), (frames[:2], "balanced")):
            flow_xy = estimate_flow(*cuda_device.arrays(*pair), preset=preset)
            assert flow_xy.shape == (*pair[0].shape[:2], 2)
    assert captured() == [True] * 4


def test_an_initial_flow_is_launched_kernel_by_kernel(frames, cuda_device):
    placed = cuda_device.arrays(*frames[:2], np.ones((45, 62, 2), np.float32))
    for _ in range(2):
        estimate_flow(*placed[:2], preset="fast", initial=placed[2])
    assert captured() == []


def test_frames_too_small_for_a_flow_are_replayed_too(cuda_device):
    images = cuda_device.arrays(*np.random.default_rng(0).random((2, 5, 9), dtype=np.float32))
    for _ in range(3):
        assert_array_equal(to_host(estimate_flow(*images)), 0)


def test_on_a_cpu_nothing_is_kept(frames):
    estimate_flow(*frames[:2], preset="fast")
    estimate_flow(*frames[:2], preset="fast")
    assert captured() == []
