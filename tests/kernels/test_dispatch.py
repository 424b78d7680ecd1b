"""A kernel runs where its arrays are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import cvseg.kernels
from cvseg.arrays import device_of, to_host
from cvseg.errors import DeviceMismatchError, InputError
from cvseg.kernels import KERNELS
from cvseg.kernels.kernel import Kernel
from cvseg.kernels.warping.warp_backward import warp_backward


def test_result_lives_where_the_arguments_live(device):
    image, flow_xy = device.arrays(*warp_backward.sample(np.random.default_rng(0), (7, 5)))
    assert device_of(warp_backward(image, flow_xy)) == device.name


def test_each_half_is_chosen_by_the_arrays_alone(device):
    kernel = Kernel("which", cpu=lambda *_: "cpu", cuda=lambda *_: "cuda", sample=lambda rng, size_hw: ())
    assert kernel(np.float32(1), device.array(np.zeros(3)), np.int32(4)) == device.name


def test_arrays_on_two_devices_are_refused(cuda_device):
    image, flow_xy = warp_backward.sample(np.random.default_rng(0), (7, 5))
    message = r"warp_backward: arrays on two devices \(argument 0 on cuda, argument 1 on cpu\)"
    with pytest.raises(DeviceMismatchError, match=message):
        warp_backward(cuda_device.array(image), flow_xy)


def test_a_call_without_arrays_is_refused():
    with pytest.raises(InputError, match="warp_backward: no array among the arguments"):
        warp_backward(np.float32(1), 2)


def test_whole_pixel_flow_copies_the_neighbour_and_clamps_at_the_edge(device):
    image = device.array(np.arange(12, dtype=np.float32).reshape(3, 4))
    one_right = device.array(np.tile(np.float32([1, 0]), (3, 4, 1)))
    assert_array_equal(to_host(warp_backward(image, one_right)), to_host(image)[:, [1, 2, 3, 3]])


def test_the_catalogue_is_keyed_by_the_names_of_the_kernels():
    assert KERNELS["warp_backward"] is warp_backward
    assert all(name == kernel.name for name, kernel in KERNELS.items())


def test_a_tolerance_is_a_small_share():
    for kernel in KERNELS.values():
        assert 0 <= kernel.mismatch <= 0.01, kernel.name
        assert 0 <= kernel.atol <= 0.01, kernel.name


def test_the_package_has_no_other_names():
    with pytest.raises(AttributeError, match="has no attribute 'KERNEL'"):
        cvseg.kernels.KERNEL  # noqa: B018
