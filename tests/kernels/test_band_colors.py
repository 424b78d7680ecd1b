"""band_colors: sums of the colours of every region, by thirds of its box."""

import numpy as np
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.regions.band_colors import BANDS, SUMS, band_colors


def test_each_third_of_a_box_has_its_own_sums(device):
    labels = np.array([[1, 1, 0], [1, 2, 2], [1, 0, 3]], np.int32)
    image = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    boxes = np.array([[0, 0, 2, 3], [1, 1, 3, 2]], np.int32)
    sums = to_host(band_colors(*device.arrays(labels, image, boxes)))
    assert sums.shape == (2, BANDS, SUMS)
    assert_array_equal(sums[0, 0], [2, 0 + 3, 1 + 4, 2 + 5, 9, 17, 29])
    assert_array_equal(sums[0, 1], [1, 9, 10, 11, 81, 100, 121])
    assert_array_equal(sums[0, 2], [1, 18, 19, 20, 324, 361, 400])
    # One row high: all of it is the first third. The label beyond the boxes is not counted.
    assert_array_equal(sums[1, :, 0], [2, 0, 0])
    assert sums[..., 0].sum() == 6


def test_rows_outside_a_box_count_to_its_nearest_third(device):
    labels = np.ones((9, 1), np.int32)
    sums = to_host(
        band_colors(*device.arrays(labels, np.zeros((9, 1, 3), np.uint8), np.array([[0, 3, 1, 6]], np.int32)))
    )
    assert sums[0, :, 0].tolist() == [4, 1, 4]
