"""The emulated CuPy is as strict as CuPy: what would fail on a GPU fails here."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from cuda_on_cpu import stand_in
from numpy.testing import assert_array_equal


@pytest.fixture
def array():
    return stand_in.asarray(np.arange(12, dtype=np.float32).reshape(3, 4))


def test_a_device_array_is_no_numpy_array_and_does_not_become_one(array):
    assert not isinstance(array, np.ndarray)
    for convert in (np.asarray, np.array, np.ascontiguousarray, list):
        if convert is list:
            assert all(isinstance(row, stand_in.ndarray) for row in convert(array))
            continue
        with pytest.raises(TypeError, match="Implicit conversion to a NumPy array is not allowed"):
            convert(array)


@pytest.mark.parametrize(
    "mix",
    [
        lambda a, host: a + host,
        lambda a, host: host + a,
        lambda a, host: np.add(a, host),
        lambda a, host: np.maximum(host, a),
        lambda a, host: np.concatenate([a, host]),
        lambda a, host: np.where(a > 1, a, host),
        lambda a, host: stand_in.stack([a, host]),
        lambda a, host: stand_in.sqrt(host),
        lambda a, host: a.__setitem__(slice(None), host),
        lambda a, host: a.__iadd__(host),
        lambda a, host: a.dot(host.T),
        lambda a, host: stand_in.empty_like(host),
    ],
)
def test_host_arrays_do_not_mix_in(array, mix):
    with pytest.raises(TypeError, match=r"Unsupported type|expected a cupy.ndarray"):
        mix(array, np.ones((3, 4), np.float32))


def test_a_host_index_array_is_refused(array):
    with pytest.raises(IndexError, match="upload the index"):
        array[np.array([0, 2])]
    assert_array_equal(array[stand_in.asarray(np.array([0, 2]))].get(), array.get()[[0, 2]])


@pytest.mark.parametrize(
    "operation",
    [
        lambda a, xp: a * np.float32(2) + 1,
        lambda a, xp: xp.hypot(a, a).astype(xp.int32),
        lambda a, xp: np.sqrt(a),
        lambda a, xp: a[1:, ::2],
        lambda a, xp: a[a > 4],
        lambda a, xp: a.sum(axis=0),
        lambda a, xp: a.mean(),
        lambda a, xp: a.T.reshape(2, 6),
        lambda a, xp: xp.stack([a, -a], axis=-1),
        lambda a, xp: xp.pad(a, 1, mode="edge"),
        lambda a, xp: xp.where(a > 3, a, xp.float32(0)),
        lambda a, xp: xp.zeros_like(a, dtype=xp.uint8),
        lambda a, xp: xp.full((2, 3), 7, xp.int16),
        lambda a, xp: xp.arange(5, dtype=xp.float32),
        lambda a, xp: xp.argsort(-a.ravel()),
        lambda a, xp: a.view(np.int32) & 0xFF,
        lambda a, xp: ~(a < 3),
    ],
)
def test_other_functions_compute_as_numpy_and_stay_on_the_device(array, operation):
    host = array.get()
    result, expected = operation(array, stand_in), operation(host, np)
    assert isinstance(result, stand_in.ndarray)
    assert result.dtype == expected.dtype
    assert_array_equal(result.get(), expected)


def test_in_place_updates_and_views_share_memory(array):
    address = array.data.ptr
    array += 1
    array[1] = 0
    np.multiply(array, 2, out=array)
    array[:, 1:3].fill(5)
    assert array.data.ptr == address
    assert array[1:].data.ptr == address + 16
    assert_array_equal(array.get(), [[2, 5, 5, 8], [0, 5, 5, 0], [18, 5, 5, 24]])


def test_copies_do_not_share_memory(array):
    others = [
        array.copy(),
        copy.copy(array),
        copy.deepcopy(array),
        pickle.loads(pickle.dumps(array)),
        array[array >= 0],
    ]
    host = array.get()
    array.fill(-1)
    for other in others:
        assert_array_equal(other.get().ravel(), host.ravel())
    assert (host >= 0).all()


def test_upload_and_download_copy():
    host = np.zeros(4, np.float32)
    array = stand_in.asarray(host)
    host[:] = 1
    back = array.get()
    back[:] = 2
    assert_array_equal(stand_in.asnumpy(array), 0)
    assert stand_in.asarray(array) is array
    assert stand_in.ascontiguousarray(array) is array


def test_scalars_come_out_only_when_asked(array):
    total = array.sum()
    assert isinstance(total, stand_in.ndarray) and total.shape == ()
    assert float(total) == total.item() == 66.0
    assert int(array.argmax()) == 11
    assert bool((array >= 0).all())
    assert len(array) == 3


def test_layout_is_visible(array):
    assert array.flags.c_contiguous and not array.T.flags.c_contiguous
    assert array.__cuda_array_interface__["data"] == (array.data.ptr, False)
    assert array.data.ptr % 512 == 0
    assert array.device.id == stand_in.cuda.Device().id == 0


def test_what_is_not_emulated_says_so():
    with pytest.raises(AttributeError, match="the emulated CuPy has no 'random'"):
        stand_in.random.default_rng()
