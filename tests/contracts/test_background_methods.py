"""What every method of `BACKGROUND_METHODS` promises."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import device_of, to_host
from cvseg.background import BACKGROUND_METHODS, BACKGROUND_PRESETS, BackgroundResult, background_model
from cvseg.errors import DtypeError, InputError, OptionError, RangeError, ShapeError
from cvseg.options import Options

every_method = pytest.mark.parametrize("method", BACKGROUND_METHODS)
# Motion energy says what moved in the middle of its frames.
LAG_FRAMES = {"flux_tensor": 2}
# Optical flow and the guided filter round differently on a GPU; all other methods agree to the bit.
FOREGROUND_TOLERANCE = {"fused": 2e-3}
FIELDS = ("foreground", "mask", "background", "shadow")


def video(frames, size_hw=(17, 23), seed=0):
    """A noisy scene, and a red box that goes to and fro before it."""
    rng = np.random.default_rng(seed)
    scene = rng.integers(60, 200, (*size_hw, 3))
    pictures = []
    for i in range(frames):
        image = scene + rng.normal(0, 3, scene.shape)
        image[4:12, i % 12 : i % 12 + 8] = 240, 20, 20
        pictures.append(np.clip(image, 0, 255).astype(np.uint8))
    return pictures


def assert_same(one: BackgroundResult, two: BackgroundResult, tolerance: float = 0.0) -> None:
    for field in FIELDS:
        values = [to_host(getattr(result, field)) for result in (one, two)]
        if tolerance and field == "foreground":
            assert_allclose(*values, rtol=0, atol=tolerance)
        else:
            assert_array_equal(*values, err_msg=field)
    assert one.frames == two.frames


def assert_same_state(one, two):
    """Nested dicts of numbers and arrays, equal to the bit."""
    assert type(one) is type(two)
    if isinstance(one, dict):
        assert one.keys() == two.keys()
        for key in one:
            assert_same_state(one[key], two[key])
    elif isinstance(one, np.ndarray):
        assert one.dtype == two.dtype
        assert one.shape == two.shape
        assert one.tobytes() == two.tobytes()
    else:
        assert one == two


@every_method
def test_result_has_the_size_types_and_device_of_the_picture(method, device):
    model = background_model(method)
    for i, image in enumerate(video(3)):
        result = model.update(device.array(image))
        assert {device_of(getattr(result, field)) for field in FIELDS} == {device.name}
        assert (result.foreground.shape, result.foreground.dtype) == ((17, 23), np.float32)
        assert (result.mask.shape, result.mask.dtype) == ((17, 23), np.bool_)
        assert (result.background.shape, result.background.dtype) == ((17, 23, 3), np.uint8)
        assert (result.shadow.shape, result.shadow.dtype) == ((17, 23), np.bool_)
        assert result.frames == i + 1
        assert to_host(result.foreground).min() >= 0
        assert to_host(result.foreground).max() <= 1


@every_method
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 19), (19, 1)])
def test_tiny_pictures_work(method, size_hw):
    model = background_model(method)
    for i in range(10):
        result = model.update(np.full((*size_hw, 3), i, np.uint8))
    assert result.mask.shape == size_hw


@every_method
@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_constant_picture_has_no_foreground(method, level):
    model = background_model(method)
    for _ in range(20):
        result = model.update(np.full((24, 33, 3), level, np.uint8))
        assert not result.mask.any()
        assert result.foreground.max() < 0.5
    assert abs(result.background.astype(int) - level).max() <= 1


@every_method
def test_what_enters_is_found_and_noise_is_not(method, device):
    rng, model = np.random.default_rng(4), background_model(method)
    truths, box = [], rng.integers((170, 10, 10), (255, 120, 60), (20, 20, 3))
    for step in range(26):
        image = np.clip(rng.normal(110, 3, (48, 72, 3)), 0, 255)
        truth = np.zeros((48, 72), bool)
        if step >= 14:
            left = 4 * (step - 14)
            truth[14:34, left : left + 20] = True
            image[truth] = box[:, : 72 - left].reshape(-1, 3)
        truths.append(truth)
        result = model.update(device.array(image.astype(np.uint8)))
        if step == 13:
            assert to_host(result.mask).mean() < 0.01
    mask = to_host(result.mask)
    truth = truths[-1 - LAG_FRAMES.get(method, 0)]
    assert (mask & truth).sum() / (mask | truth).sum() > (0.5 if method in LAG_FRAMES else 0.75)


@every_method
def test_devices_agree_and_the_model_may_move_between_them(method, cuda_device):
    on_cpu, on_cuda, moving = (background_model(method) for _ in range(3))
    for i, image in enumerate(video(20)):
        expected = on_cpu.update(image)
        tolerance = FOREGROUND_TOLERANCE.get(method, 0.0)
        assert_same(on_cuda.update(cuda_device.array(image)), expected, tolerance)
        assert_same(moving.update(image if i % 6 < 3 else cuda_device.array(image)), expected, tolerance)


@every_method
def test_saved_in_the_middle_it_continues_bit_for_bit_on_either_device(method, device):
    pictures = video(26)
    model, other = background_model(method), background_model(method)
    for image in pictures[:11]:
        model.update(device.array(image))
    other.load_state_dict(pickle.loads(pickle.dumps(model.state_dict())))
    copy = pickle.loads(pickle.dumps(model))
    for image in pictures[11:]:
        results = [each.update(device.array(image)) for each in (model, other, copy)]
        for result in results[1:]:
            assert_same(result, results[0])
    assert_same_state(other.state_dict(), model.state_dict())


@every_method
def test_saved_on_one_device_it_continues_on_another_as_if_it_had_only_moved(method, cuda_device):
    pictures = video(24)
    host, cuda = (lambda image: image), cuda_device.array
    for first, second in ((host, cuda), (cuda, host)):
        model, other = background_model(method), background_model(method)
        for image in pictures[:9]:
            model.update(first(image))
        other.load_state_dict(model.state_dict())
        copy = pickle.loads(pickle.dumps(model))
        for image in pictures[9:]:
            results = [each.update(second(image)) for each in (model, other, copy)]
            for result in results[1:]:
                assert_same(result, results[0])
        assert_same_state(other.state_dict(), model.state_dict())


@every_method
def test_a_state_that_was_taken_is_not_changed_by_later_frames(method):
    model, pictures = background_model(method), video(12)
    for image in pictures[:6]:
        model.update(image)
    state = model.state_dict()
    kept = pickle.loads(pickle.dumps(state))
    other = background_model(method)
    other.load_state_dict(state)
    for image in pictures[6:]:
        model.update(image)
        other.update(image)
    assert_same_state(state, kept)


@every_method
def test_learning_rate_zero_freezes_every_bit(method, device):
    model = background_model(method)
    pictures = [device.array(image) for image in video(12)]
    for image in pictures:
        model.update(image)
    before = model.state_dict()
    first = model.update(pictures[5], learning_rate=0)
    for image in pictures:
        model.update(image, learning_rate=0)
    assert_same(model.update(pictures[5], learning_rate=0), first)
    assert_same_state(model.state_dict(), before)


@every_method
def test_a_model_that_begins_frozen_takes_the_first_picture_as_background(method):
    model, image = background_model(method), np.full((16, 20, 3), 70, np.uint8)
    assert not model.update(image, learning_rate=0).mask.any()
    result = model.update(image, learning_rate=0)
    assert not result.mask.any()
    assert_array_equal(result.background, image)


@every_method
def test_a_learning_rate_of_the_caller_moves_the_background(method):
    model = background_model(method)
    for _ in range(30):
        model.update(np.full((12, 14, 3), 100, np.uint8))
    for _ in range(20):
        result = model.update(np.full((12, 14, 3), 106, np.uint8), learning_rate=0.5)
    assert abs(result.background.astype(int) - 106).max() <= 1


@every_method
def test_results_are_not_changed_by_later_frames(method):
    model = background_model(method)
    result = model.update(video(1)[0])
    kept = {field: getattr(result, field).copy() for field in FIELDS}
    for image in video(5, seed=1):
        model.update(image)
    for field in FIELDS:
        assert_array_equal(getattr(result, field), kept[field])


@every_method
def test_the_picture_is_not_changed_and_need_not_be_contiguous(method):
    wide = np.repeat(video(1)[0], 2, axis=1)
    image, kept = wide[:, ::2], wide.copy()
    one, two = background_model(method), background_model(method)
    for _ in range(3):
        assert_same(one.update(image), two.update(np.ascontiguousarray(image)))
    assert_array_equal(wide, kept)


@every_method
def test_reset_is_a_new_beginning(method):
    used, fresh = background_model(method), background_model(method)
    for image in video(9, seed=2):
        used.update(image)
    used.reset()
    for image in video(9, size_hw=(16, 21)):
        assert_same(used.update(image), fresh.update(image))


@every_method
def test_threads_do_not_change_a_bit(method, use_threads):
    results = []
    for threads in (1, 3):
        use_threads(threads)
        model = background_model(method)
        for image in video(8, size_hw=(151, 61)):
            result = model.update(image)
        results.append((result, model.state_dict()))
    assert_same(results[0][0], results[1][0])
    assert_same_state(results[0][1], results[1][1])


@every_method
def test_wrong_pictures_are_refused_and_leave_the_model_as_it_was(method):
    model = background_model(method)
    model.update(np.zeros((6, 8, 3), np.uint8))
    before = model.state_dict()
    with pytest.raises(ShapeError, match=r"image is \(6, 9, 3\); expected \(6, 8, 3\) as before. Call reset"):
        model.update(np.zeros((6, 9, 3), np.uint8))
    with pytest.raises(ShapeError, match=r"image is \(6, 8\); expected \(h, w, 3\). Repeat a grey picture"):
        model.update(np.zeros((6, 8), np.uint8))
    with pytest.raises(ShapeError, match="with at least one pixel"):
        model.update(np.zeros((0, 8, 3), np.uint8))
    with pytest.raises(ShapeError, match="expected"):
        model.update(np.zeros((6, 8, 4), np.uint8))
    with pytest.raises(DtypeError, match="image is float32; expected uint8"):
        model.update(np.full((6, 8, 3), np.nan, np.float32))
    with pytest.raises(InputError, match="expected a NumPy or CuPy array, got list"):
        model.update([[0, 0, 0]])
    for rate in (1.5, -0.1, float("nan")):
        with pytest.raises(RangeError, match=f"learning_rate is {rate}"):
            model.update(np.zeros((6, 8, 3), np.uint8), learning_rate=rate)
    assert_same_state(model.state_dict(), before)


@every_method
def test_states_of_other_methods_sizes_and_files_cut_short_are_refused(method):
    model = background_model(method)
    model.update(np.zeros((6, 8, 3), np.uint8))
    before = model.state_dict()
    with pytest.raises(OptionError, match=f"the state is that of method 'other'; expected '{method}'"):
        model.load_state_dict({**before, "method": "other"})
    name = next(iter(before["arrays"]))
    cut = {key: array for key, array in before["arrays"].items() if key != name}
    with pytest.raises(ShapeError, match=f"array '{name}' is missing"):
        model.load_state_dict({**before, "arrays": cut})
    with pytest.raises(ShapeError, match=f"array '{name}' is .*; expected"):
        model.load_state_dict({**before, "arrays": {**before["arrays"], name: np.zeros(3, np.float64)}})
    with pytest.raises(ShapeError, match="the state has no 'frames'"):
        model.load_state_dict({key: value for key, value in before.items() if key != "frames"})
    assert_same_state(model.state_dict(), before)


@every_method
def test_an_untouched_model_can_be_saved_and_restored(method):
    model = background_model(method)
    model.load_state_dict(background_model(method).state_dict())
    image = video(1)[0]
    assert_same(model.update(image), background_model(method).update(image))


@every_method
def test_many_frames_of_noise_leave_the_model_as_it_was_after_few(method):
    """No drift, no NaN. benchmarks/speed/background_endurance.py does the same with a million."""
    rng, model = np.random.default_rng(6), background_model(method)
    pictures = np.clip(rng.normal(120, 5, (64, 16, 20, 3)), 0, 255).astype(np.uint8)
    order = rng.integers(0, 64, 1200)
    for step, k in enumerate(order):
        result = model.update(pictures[k])
        assert not result.mask.any() or step < 30
    for array in model.state_dict()["arrays"].values():
        assert np.isfinite(array).all()
    assert abs(result.background.astype(float) - 120).max() < 16
    assert np.isfinite(result.foreground).all()
    box = pictures[0].copy()
    box[3:13, 4:16] = 30, 220, 30
    found = model.update(box).mask
    assert found[5:11, 6:14].mean() > 0.9 or method == "flux_tensor"


def test_unknown_methods_and_foreign_options_are_refused():
    with pytest.raises(OptionError, match="did you mean 'running_gaussian'"):
        background_model("running_gauss")
    with pytest.raises(OptionError, match="options are Options; method 'running_gaussian' needs RunningGaussianOp"):
        background_model("running_gaussian", Options())


def test_presets_name_methods():
    for preset, method in BACKGROUND_PRESETS.items():
        assert type(background_model(preset)) is BACKGROUND_METHODS[method].model
        assert preset not in BACKGROUND_METHODS
    assert type(background_model()) is BACKGROUND_METHODS["fused"].model
