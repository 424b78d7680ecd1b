"""FlowStream: both directions of a video, each frame looked at once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import device_of, to_host
from cvseg.errors import DeviceMismatchError, OptionError, RangeError, ShapeError
from cvseg.flow import FlowStream, estimate_flow, forward_backward_consistency
from cvseg.flow.dense_inverse_search_2016 import DenseInverseSearchOptions, dense_inverse_search_2016


@pytest.fixture
def frames(shifted_pair):
    first, second = shifted_pair((60, 76), 1.5, -1)
    _, third = shifted_pair((60, 76), 3, -2)
    return first, second, third


@pytest.mark.parametrize("preset", ["fast", "balanced", "quality"])
def test_each_pair_equals_the_flow_of_two_images(preset, frames):
    stream = FlowStream(preset)
    assert stream.update(frames[0]) is None
    for before, now in itertools.pairwise(frames):
        pair = stream.update(now)
        assert_array_equal(pair.forward_xy, estimate_flow(before, now, preset=preset))
        assert_array_equal(pair.backward_xy, estimate_flow(now, before, preset=preset))


def test_options_of_ones_own_replace_the_preset(frames):
    options = DenseInverseSearchOptions(finest_level=1, warps=1)
    stream = FlowStream("fast", options)
    stream.update(frames[0])
    assert_array_equal(stream.update(frames[1]).forward_xy, dense_inverse_search_2016(*frames[:2], options))


def test_colour_and_grey_frames_may_be_mixed(frames):
    colour = [np.dstack([np.round(255 * frame).astype(np.uint8)] * 3) for frame in frames[:2]]
    stream = FlowStream("fast")
    stream.update(colour[0])
    gray = colour[1][..., 0].astype(np.float32) / np.float32(255)
    assert_array_equal(stream.update(gray).forward_xy, estimate_flow(*colour, preset="fast"))


def test_flows_stay_on_the_device_of_the_frames(device, frames):
    stream = FlowStream("fast")
    stream.update(device.array(frames[0]))
    pair = stream.update(device.array(frames[1]))
    assert device_of(pair.forward_xy) == device_of(pair.backward_xy) == device.name
    assert np.isfinite(to_host(pair.forward_xy)).all()


def test_the_two_directions_agree_on_what_moves(frames):
    stream = FlowStream()
    stream.update(frames[0])
    pair = stream.update(frames[1])
    consistency = forward_backward_consistency(pair.forward_xy, pair.backward_xy)
    assert not consistency.occluded[6:-6, 6:-6].any()
    assert consistency.confidence[6:-6, 6:-6].min() > 0.5


@pytest.mark.parametrize("count", [1, 2, 5])
def test_any_number_of_threads_gives_the_same_bits(count, use_threads, frames):
    def run():
        stream = FlowStream()
        stream.update(frames[0])
        pair = stream.update(frames[1])
        return np.stack([pair.forward_xy, pair.backward_xy])

    use_threads(1)
    expected = run()
    use_threads(count)
    assert_array_equal(run(), expected)


def test_a_reused_frame_buffer_does_no_harm(frames):
    stream, buffer = FlowStream("fast"), frames[0].copy()
    stream.update(buffer)
    buffer[:] = frames[1]
    assert_array_equal(stream.update(buffer).forward_xy, estimate_flow(frames[0], frames[1], preset="fast"))


def test_flows_given_out_are_never_written_again(frames):
    stream = FlowStream("fast")
    stream.update(frames[0])
    pair = stream.update(frames[1])
    kept = pair.forward_xy.copy()
    for frame in (frames[2], frames[0], frames[2]):
        stream.update(frame)
    assert_array_equal(pair.forward_xy, kept)


def test_reset_starts_a_new_video_of_another_size(frames):
    stream = FlowStream("fast")
    stream.update(frames[0])
    stream.reset()
    assert stream.update(frames[1][:40, :40]) is None


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 30), (30, 1), (7, 9)])
def test_tiny_frames_have_zero_flow(size_hw):
    stream = FlowStream()
    for image in np.random.default_rng(0).random((2, *size_hw), dtype=np.float32):
        pair = stream.update(image)
    assert_array_equal(pair.forward_xy, np.zeros((*size_hw, 2), np.float32))
    assert_array_equal(pair.backward_xy, np.zeros((*size_hw, 2), np.float32))


def test_a_saved_state_goes_on_where_it_stopped(frames):
    stream = FlowStream("fast")
    stream.update(frames[0])
    state = stream.state_dict()
    expected = stream.update(frames[1])
    other = FlowStream("fast")
    other.load_state_dict(state)
    assert_array_equal(other.update(frames[1]).forward_xy, expected.forward_xy)
    empty = FlowStream("fast")
    empty.load_state_dict(FlowStream("fast").state_dict())
    assert empty.update(frames[0]) is None
    with pytest.raises(OptionError, match="preset 'fast'"):
        FlowStream("quality").load_state_dict(state)


def test_wrong_frames_get_one_sentence(frames, emulated_cuda):
    stream = FlowStream("fast")
    stream.update(frames[0])
    with pytest.raises(ShapeError, match=r"image is \(50, 76\); the frame before was \(60, 76\)"):
        stream.update(frames[1][10:])
    with pytest.raises(DeviceMismatchError, match="image is on cuda; the frame before was on cpu"):
        stream.update(emulated_cuda.asarray(frames[1]))
    with pytest.raises(RangeError, match="NaN"):
        stream.update(np.full((60, 76), np.nan, np.float32))
    # None of these has disturbed it.
    assert_array_equal(stream.update(frames[1]).forward_xy, estimate_flow(frames[0], frames[1], preset="fast"))
    with pytest.raises(OptionError, match="did you mean 'quality'"):
        FlowStream("qualty")


def test_on_a_gpu_a_frame_with_nan_is_reported_with_the_next(cuda_device, frames):
    stream = FlowStream("fast")
    bad = frames[1].copy()
    bad[3, 4] = np.nan
    stream.update(cuda_device.array(frames[0]))
    stream.update(cuda_device.array(bad))
    with pytest.raises(RangeError, match=r"FlowStream.update: the image before held NaN or infinite values"):
        stream.update(cuda_device.array(frames[2]))
    assert stream.update(cuda_device.array(frames[0])) is None
    pair = stream.update(cuda_device.array(frames[1]))
    assert_array_equal(to_host(pair.forward_xy), estimate_flow(frames[0], frames[1], preset="fast"))


def test_on_a_gpu_a_stream_of_frames_reads_back_sums_alone(emulated_cuda, frames, monkeypatch):
    read, stream = [], FlowStream("fast")
    placed = [emulated_cuda.asarray(frame) for frame in frames]
    original = emulated_cuda.ndarray.get
    monkeypatch.setattr(
        emulated_cuda.ndarray, "get", lambda self, **words: read.append(self.shape) or original(self, **words)
    )
    for name in ("item", "tolist", "__bool__", "__int__", "__float__", "__index__"):
        monkeypatch.setattr(emulated_cuda.ndarray, name, lambda self, *_: pytest.fail("a value was read back"))
    for frame in (*placed, *placed):
        stream.update(frame)
    assert read == [()] * 5
    colour = [emulated_cuda.asarray(np.dstack([np.uint8(255 * np.clip(frame, 0, 1))] * 3)) for frame in frames]
    stream.reset()
    for frame in colour:
        stream.update(frame)
    assert len(read) == 5
