"""smooth_planes: a Gaussian over channels that lie side by side, the edge repeated."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter

from cvseg.arrays import to_host
from cvseg.kernels.filtering.smooth_planes import gaussian_taps, smooth_planes


@pytest.mark.parametrize("sigma_px", [0.2, 1.0, 1.5, 4.0])
def test_taps_mirrored_sum_to_one_and_fall(sigma_px):
    taps = gaussian_taps(sigma_px)
    assert 2 * taps.sum() - taps[0] == pytest.approx(1, abs=1e-6)
    assert (np.diff(taps) < 0).all()
    assert len(taps) == max(1, np.ceil(3 * sigma_px)) + 1


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 19, 2), (17, 2, 3), (23, 40, 3)])
@pytest.mark.parametrize("sigma_px", [1.0, 1.5])
def test_every_channel_is_smoothed_on_its_own(shape, sigma_px, device):
    image = np.random.default_rng(2).normal(0, 3, shape).astype(np.float32)
    taps = gaussian_taps(sigma_px)
    result = to_host(smooth_planes(*device.arrays(image, taps)))
    for c in range(shape[2]):
        expected = gaussian_filter(image[..., c].astype(float), sigma_px, mode="nearest", radius=len(taps) - 1)
        assert_allclose(result[c], expected, atol=1e-5)


def test_one_colour_stays_the_same_everywhere(device):
    image = np.broadcast_to(np.float32([0.3, -7.7]), (11, 13, 2)).copy()
    result = to_host(smooth_planes(*device.arrays(image, gaussian_taps(1.5))))
    assert_array_equal(result, np.broadcast_to(result[:, :1, :1], result.shape))
    assert_allclose(result[:, 0, 0], [0.3, -7.7], rtol=1e-6)
