"""displaced_difference: nothing where the flow is right, large against the contrast where the picture changes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, ShapeError
from cvseg.motion.displaced_difference import CONTRAST_SIGMA_PX, displaced_difference


def picture(seed, size_hw=(40, 56)):
    rough = np.random.default_rng(seed).random((size_hw[0], size_hw[1] + 8))
    return gaussian_filter(rough, 1.5).astype(np.float32)


def flow(size_hw, x=0.0, y=0.0):
    return np.tile(np.float32([x, y]), (*size_hw, 1))


def test_a_picture_that_moves_as_the_flow_says_leaves_nothing(device):
    wide = picture(0)
    gray, before = (np.ascontiguousarray(wide[:, shift : shift + 56]) for shift in (0, 3))
    found = displaced_difference(*device.arrays(gray, before, flow(gray.shape, -3)))
    difference = to_host(found.difference)
    assert_array_equal(difference[:, 3:], 0)
    assert difference[:, :3].max() > 0  # what comes into the picture cannot be found
    wrong = displaced_difference(*device.arrays(gray, before, flow(gray.shape)))
    assert to_host(wrong.difference)[:, 3:].mean() > 0.3 * to_host(wrong.contrast).mean()


def test_the_contrast_is_the_standard_deviation_in_a_gaussian_window(device):
    gray = picture(1)[:, :56].copy()
    found = displaced_difference(*device.arrays(gray, gray, flow(gray.shape)))
    values = gray.astype(np.float64)
    mean, square = (gaussian_filter(v, CONTRAST_SIGMA_PX, mode="nearest", truncate=3.0) for v in (values, values**2))
    assert_allclose(to_host(found.contrast), np.sqrt(square - mean**2), atol=2e-4)


def test_a_picture_without_any_contrast_is_no_division_by_zero(device):
    gray = np.full((9, 13), 0.5, np.float32)
    found = displaced_difference(*device.arrays(gray, gray, flow(gray.shape, 100, -100)))
    assert_array_equal(to_host(found.difference), 0)
    assert np.isfinite(to_host(found.contrast)).all()


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 9), (9, 1), (37, 61)])
def test_both_devices_agree(cuda_device, size_hw):
    rng = np.random.default_rng(4)
    gray, before = rng.random((2, *size_hw), dtype=np.float32)
    flow_xy = rng.normal(0, 5, (*size_hw, 2)).astype(np.float32)
    host = displaced_difference(gray, before, flow_xy)
    other = displaced_difference(*cuda_device.arrays(gray, before, flow_xy))
    assert_allclose(to_host(other.difference), host.difference, atol=1e-6)
    assert_allclose(to_host(other.contrast), host.contrast, atol=1e-4)


def test_wrong_arrays_are_refused_in_a_sentence():
    gray = np.zeros((4, 6), np.float32)
    with pytest.raises(ShapeError, match="before"):
        displaced_difference(gray, gray[:3], flow(gray.shape))
    with pytest.raises(DtypeError, match="gray"):
        displaced_difference(gray.astype(np.float64), gray, flow(gray.shape))
