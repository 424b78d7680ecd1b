"""region_properties against sums made pixel by pixel."""

import numpy as np
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.regions.region_properties import WEIGHT_UNIT, region_properties

NO_WEIGHTS = np.empty((0, 0), np.float32)


def test_sums_and_boxes_equal_those_of_numpy(device):
    rng = np.random.default_rng(8)
    labels = rng.integers(-1, 6, (29, 77), dtype=np.int32)
    weights = rng.random((29, 77), dtype=np.float32)
    moments, boxes, sums = (to_host(a) for a in region_properties(*device.arrays(labels, weights), np.int32(4)))
    assert moments.dtype == np.int64
    for label in range(1, 5):
        y, x = np.nonzero(labels == label)
        assert moments[label - 1].tolist() == [len(x), x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()]
        assert boxes[label - 1].tolist() == [x.min(), y.min(), x.max() + 1, y.max() + 1]
        exact = np.floor(weights[labels == label].astype(np.float64) / WEIGHT_UNIT + 0.5).sum()
        # float32 holds a weight below 1 in multiples finer than 2^-20, so only the halves may round otherwise.
        assert abs(sums[label - 1] - exact) <= 2


def test_negative_weights_are_subtracted_and_sums_are_signed(device):
    labels = np.array([[1, 1, 2]], np.int32)
    weights = np.array([[0.25, -1.5, -0.5]], np.float32)
    sums = to_host(region_properties(*device.arrays(labels, weights), np.int32(2))[2])
    assert_array_equal(sums * WEIGHT_UNIT, [-1.25, -0.5])


def test_a_label_that_does_not_occur_has_no_pixels(device):
    labels = np.array([[0, 2]], np.int32)
    moments, _, _ = region_properties(*device.arrays(labels, NO_WEIGHTS), np.int32(3))
    assert to_host(moments)[:, 0].tolist() == [0, 1, 0]


def test_sums_of_a_wide_image_do_not_overflow_32_bits(device):
    labels = np.ones((2, 5000), np.int32)
    moments = to_host(region_properties(*device.arrays(labels, NO_WEIGHTS), np.int32(1))[0])
    x = np.arange(5000, dtype=np.int64)
    assert moments[0].tolist() == [10000, 2 * x.sum(), 5000, 2 * (x * x).sum(), 5000, x.sum()]
    assert moments[0, 3] > 2**31
