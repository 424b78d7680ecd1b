"""gray_from_rgb: BT.601 luma."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.color.gray import gray_image
from cvseg.errors import DtypeError, InputError, ShapeError
from cvseg.kernels.color.gray_from_rgb import gray_from_rgb


def test_grey_pixels_keep_their_value_exactly(device):
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    gray = to_host(gray_from_rgb(device.array(np.dstack([levels] * 3))))
    assert_array_equal(gray, levels.astype(np.float32) / np.float32(255))


def test_pure_colours_have_their_weights(device):
    rgb = device.array(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8))
    assert_allclose(to_host(gray_from_rgb(rgb)), [[0.299, 0.587, 0.114]], rtol=0, atol=1e-5)


def test_gray_image_takes_a_sliced_picture(device):
    picture = np.random.default_rng(0).integers(0, 256, (9, 14, 3), dtype=np.uint8)
    whole, part = gray_image(device.array(picture)), gray_image(device.array(picture)[::2, 3:])
    assert_array_equal(to_host(part), to_host(whole)[::2, 3:])


def test_gray_image_refuses_what_is_not_rgb():
    with pytest.raises(ShapeError, match=r"image is \(4, 5, 4\); expected"):
        gray_image(np.zeros((4, 5, 4), np.uint8))
    with pytest.raises(DtypeError, match="float32; expected uint8"):
        gray_image(np.zeros((4, 5, 3), np.float32))
    with pytest.raises(InputError, match="list"):
        gray_image([[1, 2, 3]])
