"""The contract of every row of BACKGROUND_METHODS."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import device_of, to_host
from cvseg.background import BACKGROUND_METHODS, background_model
from cvseg.errors import DtypeError, OptionError, RangeError, ShapeError
from cvseg.options import Options

every_method = pytest.mark.parametrize("method", BACKGROUND_METHODS)


def video(frames, size_hw=(17, 23), seed=0):
    rng = np.random.default_rng(seed)
    scene = rng.integers(60, 200, (*size_hw, 3))
    pictures = []
    for i in range(frames):
        image = scene + rng.normal(0, 3, scene.shape)
        image[4:12, i % 12 : i % 12 + 8] = 240, 20, 20
        pictures.append(np.clip(image, 0, 255).astype(np.uint8))
    return pictures


@every_method
def test_result_has_the_size_type_and_device_of_the_picture(method, device):
    model = background_model(method)
    for i, image in enumerate(video(3)):
        result = model.update(device.array(image))
        assert device_of(result.foreground) == device_of(result.background) == device.name
        assert (result.foreground.shape, result.foreground.dtype) == ((17, 23), np.float32)
        assert (result.background.shape, result.background.dtype) == ((17, 23, 3), np.uint8)
        assert result.frames == i + 1
        assert to_host(result.foreground).min() >= 0
        assert to_host(result.foreground).max() <= 1


@every_method
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 19), (19, 1)])
def test_tiny_pictures_work(method, size_hw):
    model = background_model(method)
    for i in range(10):
        result = model.update(np.full((*size_hw, 3), i, np.uint8))
    assert result.foreground.shape == size_hw


@every_method
def test_devices_agree(method, cuda_device):
    on_cpu, on_cuda = background_model(method), background_model(method)
    for image in video(20):
        expected, result = on_cpu.update(image), on_cuda.update(cuda_device.array(image))
        assert_array_equal(to_host(result.foreground), expected.foreground)
        assert_array_equal(to_host(result.background), expected.background)


@every_method
def test_state_continues_bit_for_bit_on_either_device(method, device):
    pictures = video(30)
    model, other = background_model(method), background_model(method)
    for image in pictures[:11]:
        model.update(device.array(image))
    other.load_state_dict(pickle.loads(pickle.dumps(model.state_dict())))
    copy = pickle.loads(pickle.dumps(model))
    for image in pictures[11:]:
        results = [each.update(device.array(image)) for each in (model, other, copy)]
    for result in results[1:]:
        assert_array_equal(to_host(result.foreground), to_host(results[0].foreground))
        assert_array_equal(to_host(result.background), to_host(results[0].background))
        assert result.frames == results[0].frames


@every_method
def test_learning_rate_zero_gives_the_same_answer_for_ever(method):
    model = background_model(method)
    pictures = video(12)
    for image in pictures:
        model.update(image)
    first = model.update(pictures[5], learning_rate=0).foreground.copy()
    for image in pictures:
        model.update(image, learning_rate=0)
    assert_array_equal(model.update(pictures[5], learning_rate=0).foreground, first)


@every_method
def test_results_are_not_changed_by_later_frames(method):
    model = background_model(method)
    result = model.update(video(1)[0])
    kept = result.foreground.copy(), result.background.copy()
    for image in video(5, seed=1):
        model.update(image)
    assert_array_equal(result.foreground, kept[0])
    assert_array_equal(result.background, kept[1])


@every_method
def test_reset_is_a_new_beginning(method):
    used, fresh = background_model(method), background_model(method)
    for image in video(9, seed=2):
        used.update(image)
    used.reset()
    for image in video(9, size_hw=(8, 21)):
        one, two = used.update(image), fresh.update(image)
    assert_array_equal(one.foreground, two.foreground)
    assert one.frames == two.frames == 9


@every_method
def test_wrong_arguments_are_refused(method):
    model = background_model(method)
    model.update(np.zeros((6, 8, 3), np.uint8))
    with pytest.raises(ShapeError, match=r"image is \(6, 9, 3\); expected \(6, 8, 3\) as before"):
        model.update(np.zeros((6, 9, 3), np.uint8))
    with pytest.raises(ShapeError, match="expected"):
        model.update(np.zeros((6, 8), np.uint8))
    with pytest.raises(DtypeError, match="image is float32"):
        model.update(np.zeros((6, 8, 3), np.float32))
    with pytest.raises(RangeError, match=r"learning_rate is 1\.5"):
        model.update(np.zeros((6, 8, 3), np.uint8), learning_rate=1.5)


def test_unknown_methods_and_foreign_options_are_refused():
    with pytest.raises(OptionError, match="did you mean 'running_gaussian'"):
        background_model("running_gauss")
    with pytest.raises(OptionError, match="options are Options; method 'running_gaussian' needs RunningGaussianOp"):
        background_model("running_gaussian", Options())
