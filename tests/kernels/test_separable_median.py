"""The separable median equals SciPy's, line by line."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.ndimage import median_filter

from cvseg.arrays import to_host
from cvseg.kernels.filtering.separable_median import separable_median


@pytest.mark.parametrize("radius", [1, 2, 3])
@pytest.mark.parametrize("size_hw", [(1, 1), (2, 19), (23, 3), (37, 50)])
def test_two_medians_of_lines_one_after_the_other(radius, size_hw):
    planes = np.random.default_rng(2).normal(size=(2, *size_hw)).astype(np.float32)
    side = 2 * radius + 1
    columns = np.stack([median_filter(plane, (side, 1), mode="nearest") for plane in planes])
    expected = np.stack([median_filter(plane, (1, side), mode="nearest") for plane in columns])
    assert_array_equal(separable_median(planes, np.int32(radius)), expected)


def test_a_single_wrong_pixel_goes_and_a_corner_stays(device):
    plane = np.zeros((1, 9, 9), np.float32)
    plane[0, 5:, 5:] = 1
    wrong = plane.copy()
    wrong[0, 2, 2] = 7
    assert_array_equal(to_host(separable_median(device.array(wrong), np.int32(1))), plane)
