"""flow_with_confidence, and `device=` of both functions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import device_of, to_host
from cvseg.errors import OptionError, ShapeError
from cvseg.flow import estimate_flow, flow_with_confidence, forward_backward_consistency
from cvseg.synthetic import SCENES, render_clip


@pytest.mark.parametrize("scene", ["crossing", "demo"])
@pytest.mark.parametrize("preset", ["fast", "balanced"])
def test_confidence_ranks_the_errors_of_generated_scenes(scene, preset):
    clip = render_clip(replace(SCENES[scene], size_hw=(120, 214)))
    frame, following = clip[20], clip[21]
    result = flow_with_confidence(frame.image, following.image, preset=preset)
    error_px = np.hypot(*(result.flow_xy - frame.flow_xy).transpose(2, 0, 1))
    order = np.argsort(-result.confidence, axis=None, kind="stable")
    quarters = [quarter.mean() for quarter in np.array_split(error_px.ravel()[order], 4)]
    # The most trusted quarter is better than the average, the least trusted one worse.
    assert quarters[0] < 0.8 * error_px.mean()
    assert quarters[3] > 1.5 * error_px.mean()


def test_most_of_what_becomes_hidden_is_found():
    clip = render_clip(replace(SCENES["crossing"], size_hw=(120, 214)))
    frame, following = clip[20], clip[21]
    result = flow_with_confidence(frame.image, following.image)
    assert result.occluded[~frame.occluded].mean() < 0.05
    assert result.occluded[frame.occluded].mean() > 5 * result.occluded[~frame.occluded].mean()
    assert not result.confidence[result.occluded].any()


@pytest.mark.parametrize("method", ["dis", "lucas_kanade"])
def test_the_record_holds_both_flows_and_what_they_say_of_each_other(method, shifted_pair):
    image0, image1 = shifted_pair((48, 60), 2, -1)
    result = flow_with_confidence(image0, image1, method=method, preset="fast")
    assert_array_equal(result.flow_xy, estimate_flow(image0, image1, method=method, preset="fast"))
    assert_array_equal(result.backward_xy, estimate_flow(image1, image0, method=method, preset="fast"))
    consistency = forward_backward_consistency(result.flow_xy, result.backward_xy)
    assert_array_equal(result.confidence, consistency.confidence)
    assert_array_equal(result.occluded, consistency.occluded)


def test_an_image_smaller_than_a_patch_is_trusted_to_stand_still():
    image = np.random.default_rng(0).random((5, 9), dtype=np.float32)
    result = flow_with_confidence(image, image)
    assert not result.flow_xy.any()
    assert_array_equal(result.confidence, np.ones((5, 9), np.float32))


def test_results_stay_where_the_images_are(device, shifted_pair):
    images = device.arrays(*shifted_pair((40, 52), 1, 1))
    result = flow_with_confidence(*images, preset="fast")
    for array in (result.flow_xy, result.backward_xy, result.occluded, result.confidence):
        assert device_of(array) == device.name


@pytest.mark.parametrize("where", ["auto", "cpu", "cuda"])
def test_the_flow_comes_back_to_where_the_images_live(where, cuda_device, shifted_pair):
    image0, image1 = shifted_pair((40, 52), 1, 1)
    initial = np.full((40, 52, 2), 0.5, np.float32)
    expected = estimate_flow(image0, image1, preset="fast", initial=initial)
    for arrays, home in (((image0, image1, initial), "cpu"), (cuda_device.arrays(image0, image1, initial), "cuda")):
        flow_xy = estimate_flow(*arrays[:2], preset="fast", initial=arrays[2], device=where)
        assert device_of(flow_xy) == home
        assert np.abs(to_host(flow_xy) - expected).max() < 0.01
        confidence = flow_with_confidence(*arrays[:2], preset="fast", device=where).confidence
        assert device_of(confidence) == home


def test_wrong_arguments_are_named_with_the_function_that_was_called(shifted_pair):
    image, _ = shifted_pair((32, 40), 0, 0)
    with pytest.raises(OptionError, match="flow_with_confidence: unknown preset 'fats'; did you mean 'fast'"):
        flow_with_confidence(image, image, preset="fats")
    with pytest.raises(ShapeError, match=r"flow_with_confidence: image1 is \(31, 40\)"):
        flow_with_confidence(image, image[1:])
    with pytest.raises(OptionError, match="device is 'gpu'; expected 'auto', 'cpu' or 'cuda'"):
        estimate_flow(image, image, device="gpu")
