"""median: windows of 3x3 and 5x5 by sorting networks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.filtering.median import median


def window_medians(planes, radius):
    """The same by sorting every window."""
    padded = np.pad(planes, ((0, 0), (radius, radius), (radius, radius)), mode="edge")
    side = 2 * radius + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
    return np.median(windows, axis=(3, 4))


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 40), (1, 40, 1), (2, 3, 15), (1, 9, 16), (3, 12, 33), (1, 20, 2)])
@pytest.mark.parametrize("radius", [1, 2])
def test_every_window_has_its_median(shape, radius, device):
    planes = np.random.default_rng(radius).normal(0, 3, shape).astype(np.float32)
    assert_array_equal(to_host(median(device.array(planes), np.int32(radius))), window_medians(planes, radius))


@pytest.mark.parametrize("radius", [1, 2])
def test_patterns_of_two_values_have_their_median(radius, device):
    # The 0-1 principle: a network that is right for zeros and ones is right for all numbers.
    planes = (np.random.default_rng(0).random((24, 37, 41)) < 0.5).astype(np.float32)
    assert_array_equal(to_host(median(device.array(planes), np.int32(radius))), window_medians(planes, radius))


def test_a_lone_wrong_pixel_vanishes_and_an_edge_stays(device):
    planes = np.zeros((1, 12, 24), np.float32)
    planes[:, :, 10:] = 5
    clean = planes.copy()
    planes[0, 6, 4], planes[0, 3, 17] = 100, -100
    for radius in (1, 2):
        assert_array_equal(to_host(median(device.array(planes), np.int32(radius))), clean)
