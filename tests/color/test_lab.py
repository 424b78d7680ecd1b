"""lab_image against scikit-image and the definition."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from skimage.color import rgb2lab

from cvseg.arrays import to_host
from cvseg.color.lab import lab_image
from cvseg.errors import DtypeError, ShapeError


def test_colours_are_those_of_scikit_image(device):
    steps = np.r_[0:16, 20:256:11, 255].astype(np.uint8)  # dark ones lie on the straight part of the curve
    image = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(len(steps), -1, 3)
    # 0.01: scikit-image rounds its matrix to six digits, and white is not exactly white there
    assert_allclose(to_host(lab_image(device.array(image))), rgb2lab(image), rtol=0, atol=0.01)


def test_greys_have_no_colour_and_rising_lightness(device):
    image = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    lab = to_host(lab_image(device.array(np.ascontiguousarray(image))))[0]
    assert abs(lab[:, 1:]).max() < 1e-4
    assert (np.diff(lab[:, 0]) > 0).all()
    assert lab[0, 0] == pytest.approx(0, abs=1e-5)
    assert lab[255, 0] == pytest.approx(100, abs=1e-4)


def test_a_view_of_a_picture_is_taken_as_it_is(device):
    image = np.random.default_rng(1).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    assert_array_equal(
        to_host(lab_image(device.array(image)[::2, ::-1])), to_host(lab_image(device.array(image[::2, ::-1])))
    )


def test_other_inputs_are_refused():
    with pytest.raises(ShapeError, match=r"lab_image: image is \(4, 5\)"):
        lab_image(np.zeros((4, 5), np.uint8))
    with pytest.raises(DtypeError, match="lab_image: image is float32"):
        lab_image(np.zeros((4, 5, 3), np.float32))
