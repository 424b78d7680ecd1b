"""box_mean: window means, cut off at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.filtering.box_mean import box_mean


def window_means(planes, radius):
    """The same in float64, one window after the other."""
    means = np.empty(planes.shape)
    for c, y, x in np.ndindex(planes.shape):
        rows = slice(max(y - radius, 0), y + radius + 1)
        columns = slice(max(x - radius, 0), x + radius + 1)
        means[c, y, x] = planes[c, rows, columns].astype(np.float64).mean()
    return means


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 15), (1, 9, 16), (2, 7, 17), (3, 12, 33), (1, 20, 2)])
@pytest.mark.parametrize("radius", [0, 1, 3, 8, 40])
def test_every_window_has_its_mean(shape, radius, device):
    planes = np.random.default_rng(radius).random(shape, dtype=np.float32)
    result = to_host(box_mean(device.array(planes), np.int32(radius)))
    assert_allclose(result, window_means(planes, radius), rtol=0, atol=2e-6)  # 6561 float32 additions of up to 1


def test_radius_zero_copies(device):
    planes = np.random.default_rng(3).random((2, 5, 19), dtype=np.float32)
    assert_array_equal(to_host(box_mean(device.array(planes), np.int32(0))), planes)


def test_planes_do_not_see_each_other(device):
    planes = np.zeros((3, 9, 20), np.float32)
    planes[1] = 1
    result = to_host(box_mean(device.array(planes), np.int32(4)))
    assert [float(plane.min()) for plane in result] == [float(plane.max()) for plane in result] == [0.0, 1.0, 0.0]
