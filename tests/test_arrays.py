"""Where arrays live and how they move."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import (
    array_module,
    choose_device,
    common_device,
    cuda_available,
    cupy_module,
    device_of,
    to_device,
    to_host,
)
from cvseg.errors import DeviceMismatchError, DeviceUnavailableError, InputError, OptionError


@pytest.fixture
def without_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # "import cupy" raises ImportError


@pytest.fixture
def without_gpu(emulated_cuda, monkeypatch):
    monkeypatch.setattr(emulated_cuda, "is_available", lambda: False)


def test_an_array_goes_to_a_device_and_comes_back(device):
    values = np.arange(6, dtype=np.int32).reshape(2, 3)
    array = to_device(values, device.name)
    assert device_of(array) == device.name
    assert_array_equal(to_host(array), values)
    assert to_host(array).dtype == np.int32
    assert isinstance(to_host(array), np.ndarray)


def test_moving_to_where_it_is_copies_nothing(device):
    array = device.array(np.ones((2, 3), np.float32))
    moved = to_device(array, device.name)
    moved[0, 0] = 5
    assert to_host(array)[0, 0] == 5


def test_arrays_arrive_contiguous(device):
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    for view in (values.T, values[:, ::2], device.array(values).T):
        array = to_device(view, device.name)
        assert array.flags.c_contiguous
        assert_array_equal(to_host(array), to_host(view))


def test_an_upload_is_a_copy(cuda_device):
    values = np.ones(3, np.float32)
    array = to_device(values, "cuda")
    values[:] = 0
    assert_array_equal(to_host(array), 1)


def test_an_array_comes_down_to_the_cpu(cuda_device):
    assert device_of(to_device(cuda_device.array(np.ones(3)), "cpu")) == "cpu"


def test_array_module_makes_arrays_on_the_same_device(device):
    xp = array_module(device.array(np.ones(3)))
    assert device_of(xp.zeros(4)) == device.name


@pytest.mark.parametrize("value", [[1, 2], 3.0, "image", None])
def test_what_is_no_array_is_refused(value):
    with pytest.raises(InputError, match=f"expected a NumPy or CuPy array, got {type(value).__name__}"):
        device_of(value)


def test_the_common_device_passes_over_scalars(device):
    assert common_device("f", 1, np.float32(2), device.array(np.ones(3)), None) == device.name


def test_mixed_devices_are_named_by_argument(cuda_device):
    with pytest.raises(
        DeviceMismatchError, match=r"f: arrays on two devices \(argument 1 on cpu, argument 2 on cuda\)"
    ):
        common_device("f", 7, np.ones(3), cuda_device.array(np.ones(3)))


def test_no_array_at_all_is_refused():
    with pytest.raises(InputError, match="f: no array among the arguments"):
        common_device("f", 1, 2)


# ---- choosing ----


def test_cuda_without_cupy_is_an_error_that_names_the_install_command(without_cupy):
    with pytest.raises(DeviceUnavailableError, match=r"CuPy, which is not installed.*cvseg\[cuda12\]"):
        choose_device("cuda")
    with pytest.raises(DeviceUnavailableError):
        to_device(np.ones(3), "cuda")


def test_cuda_without_a_gpu_is_an_error_and_never_a_fallback(without_gpu):
    with pytest.raises(DeviceUnavailableError, match="needs an NVIDIA GPU with a driver"):
        choose_device("cuda")
    with pytest.raises(DeviceUnavailableError):
        cupy_module()


def test_auto_takes_the_cpu_when_there_is_no_gpu(without_gpu):
    assert choose_device("auto") == "cpu"
    assert not cuda_available()


def test_auto_takes_the_gpu_when_there_is_one(cuda_device):
    assert cuda_available()
    assert choose_device("auto") == choose_device("cuda") == "cuda"
    assert choose_device("cpu") == "cpu"


def test_an_unknown_device_is_refused():
    with pytest.raises(OptionError, match="device is 'gpu'; expected 'auto', 'cpu' or 'cuda'"):
        choose_device("gpu")
