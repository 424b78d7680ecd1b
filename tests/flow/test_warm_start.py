"""FlowStream carries the motion of a pair to the next one: it helps steady motion, and a cut is not disturbed."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.color.gray import gray_image
from cvseg.evaluation.endpoint_error import endpoint_error
from cvseg.flow import FlowStream, estimate_flow, forward_backward_consistency
from cvseg.flow.dense_inverse_search_2016 import (
    DENSE_INVERSE_SEARCH_PRESETS,
    _levels,
    _plan,
    _weights,
    dense_inverse_search_both_ways,
    flow_by_kernels,
    levels_by_kernels,
)
from cvseg.kernels.flow.carried_flow import carried_flow
from cvseg.synthetic import SCENES, render_clip

COUNT = 5


def clip(name, **changes):
    """Some frames of a scene, moved on into its middle, each with its truth."""
    rendered = render_clip(replace(SCENES[name], size_hw=(180, 320), **changes))
    return [rendered[10 + i] for i in range(COUNT)]


@pytest.fixture(scope="module")
def rushing():
    """Pillars and objects rush past, twenty pixels a frame where they are near."""
    return clip("parallax", camera_motion=8.0, speed=4.0, parallax=1.6)


def flows(stream, images):
    return [stream.update(image) for image in images][1:]


def mean_error(pairs, frames):
    """Over all pairs but the first, of what stays visible."""
    return np.mean(
        [
            endpoint_error(pair.forward_xy, frame.flow_xy, ~frame.occluded)
            for pair, frame in zip(pairs[1:], frames[1:], strict=False)
        ]
    )


def test_steady_large_motion_is_found_better(rushing):
    images = [frame.image for frame in rushing]
    cold, warm = (mean_error(flows(FlowStream(warm_start=start), images), rushing) for start in (False, True))
    # Measured 1.34 and 1.08.
    assert warm < 0.9 * cold


def test_there_and_back_agree_more_often(rushing):
    images = [frame.image for frame in rushing]
    shares = []
    for start in (False, True):
        pairs = flows(FlowStream("fast", warm_start=start), images)[1:]
        shares.append(
            np.mean([forward_backward_consistency(pair.forward_xy, pair.backward_xy).occluded for pair in pairs])
        )
    assert shares[1] < shares[0]


@pytest.mark.parametrize("preset", ["fast", "balanced"])
def test_after_a_cut_the_error_is_that_of_a_cold_start(preset, rushing):
    other = clip("crossing")
    images = [frame.image for frame in (*rushing[:3], *other[:2])]
    warm = flows(FlowStream(preset), images)[-1].forward_xy
    cold = estimate_flow(*images[-2:], preset=preset)
    truth, seen = other[0].flow_xy, ~other[0].occluded
    # What the pair across the cut lets expect is hardly ever the same there and back.
    assert endpoint_error(warm, truth, seen) < 1.02 * endpoint_error(cold, truth, seen)
    assert np.abs(warm - cold).mean() < 0.02


@pytest.mark.parametrize("preset", ["fast", "balanced", "quality"])
def test_without_it_each_pair_stands_alone(preset, rushing):
    images = [frame.image[:120, :150] for frame in rushing[:3]]
    alone = flows(FlowStream(preset, warm_start=False), images)
    assert_array_equal(alone[1].forward_xy, estimate_flow(*images[1:], preset=preset))
    assert_array_equal(alone[1].backward_xy, estimate_flow(*images[:0:-1], preset=preset))


def test_the_first_pair_is_a_cold_start(rushing):
    images = [frame.image for frame in rushing[:3]]
    first, second = flows(FlowStream("fast"), images)
    assert_array_equal(first.forward_xy, estimate_flow(*images[:2], preset="fast"))
    assert not np.array_equal(second.forward_xy, estimate_flow(*images[1:], preset="fast"))


def test_still_frames_have_exactly_zero_flow_after_moving_ones(rushing):
    images = [frame.image for frame in rushing[:3]]
    last = flows(FlowStream("balanced"), [*images, images[-1]])[-1]
    assert not last.forward_xy.any()
    assert not last.backward_xy.any()


def test_reset_forgets_the_motion(rushing):
    images = [frame.image for frame in rushing[:3]]
    stream = FlowStream("fast")
    flows(stream, images)
    stream.reset()
    assert_array_equal(flows(stream, images[1:])[0].forward_xy, estimate_flow(*images[1:], preset="fast"))


@pytest.mark.parametrize("way", ["state", "pickle"])
def test_a_stream_that_was_put_away_goes_on_alike(way, rushing):
    images = [frame.image for frame in rushing]
    stream = FlowStream("fast")
    flows(stream, images[:3])
    if way == "state":
        other = FlowStream("fast")
        other.load_state_dict(pickle.loads(pickle.dumps(stream.state_dict())))
    else:
        other = pickle.loads(pickle.dumps(stream))
    for image in images[3:]:
        expected, pair = stream.update(image), other.update(image)
        assert_array_equal(pair.forward_xy, expected.forward_xy)
        assert_array_equal(pair.backward_xy, expected.backward_xy)


@pytest.mark.parametrize("preset", ["fast", "balanced"])
@pytest.mark.parametrize("count", [1, 3])
def test_the_program_has_the_bits_of_the_kernels_one_by_one(preset, count, use_threads, rushing):
    use_threads(count)
    options = DENSE_INVERSE_SEARCH_PRESETS[preset]
    before, image0, image1 = (gray_image(frame.image) for frame in rushing[:3])
    carried = carried_flow(*dense_inverse_search_both_ways(before, image0, options))
    pair = dense_inverse_search_both_ways(image0, image1, options, carried=carried)
    levels = [levels_by_kernels(image, options) for image in (image0, image1)]
    numbers = _levels(image0.shape, options)
    for found, ends, expected in zip(pair, (levels, levels[::-1]), carried, strict=True):
        settings = _plan(numbers, options), None, _weights(options)
        assert_array_equal(found, flow_by_kernels(*ends, image0.shape, *settings, expected))


def test_cuda_and_cpu_agree(cuda_device, rushing):
    images = [frame.image[40:150, 60:215] for frame in rushing]
    expected = flows(FlowStream("fast"), images)
    placed = flows(FlowStream("fast"), [cuda_device.array(image) for image in images])
    for pair, other in zip(expected, placed, strict=True):
        assert np.abs(to_host(other.forward_xy) - pair.forward_xy).mean() < 0.01
        assert np.abs(to_host(other.backward_xy) - pair.backward_xy).mean() < 0.01
