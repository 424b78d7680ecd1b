"""flow_upsample: place, length and layout."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.flow.flow_upsample import flow_upsample

INTERLEAVED, PLANAR = np.int32(0), np.int32(1)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_linear_flow_stays_linear_and_grows_with_the_factor(factor, device):
    y, x = np.mgrid[0:6, 0:9].astype(np.float32)
    coarse = device.array(np.stack([0.5 * x + 1, 2 - 0.25 * y]))
    height, width = 6 * factor, 9 * factor
    flow_xy = to_host(flow_upsample(coarse, np.int32(height), np.int32(width), np.int32(factor), INTERLEAVED))
    inside = slice(factor, -factor)
    coarse_x = (np.arange(width) + 0.5) / factor - 0.5
    coarse_y = (np.arange(height) + 0.5) / factor - 0.5
    assert_allclose(flow_xy[3, inside, 0], (factor * (0.5 * coarse_x + 1))[inside], rtol=1e-5)
    assert_allclose(flow_xy[inside, 4, 1], (factor * (2 - 0.25 * coarse_y))[inside], rtol=1e-5)


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
@pytest.mark.parametrize("size_hw", [(1, 1), (3, 5), (9, 2), (13, 37), (8, 33), (8, 34), (8, 35), (8, 36), (16, 129)])
def test_every_factor_and_width_is_the_formula(factor, size_hw):
    height, width = size_hw
    coarse = np.random.default_rng(0).normal(0, 3, (2, -(-height // factor), -(-width // factor))).astype(np.float32)
    expected = np.zeros((2, height, width))
    for axis_y in range(height):
        y = np.clip((axis_y + 0.5) / factor - 0.5, 0, coarse.shape[1] - 1)
        y0 = int(y)
        row = coarse[:, y0] + (y - y0) * (coarse[:, min(y0 + 1, coarse.shape[1] - 1)] - coarse[:, y0].astype(float))
        x = np.clip((np.arange(width) + 0.5) / factor - 0.5, 0, coarse.shape[2] - 1)
        for plane in range(2):
            expected[plane, axis_y] = factor * np.interp(x, np.arange(coarse.shape[2]), row[plane])
    numbers = np.int32(height), np.int32(width), np.int32(factor)
    assert_allclose(flow_upsample(coarse, *numbers, INTERLEAVED), expected.transpose(1, 2, 0), rtol=0, atol=2e-5)
    assert_allclose(flow_upsample(coarse, *numbers, PLANAR), expected, rtol=0, atol=2e-5)


def test_planes_hold_the_same_numbers_as_pairs(device):
    coarse = device.array(np.random.default_rng(0).normal(0, 3, (2, 4, 7)).astype(np.float32))
    numbers = np.int32(7), np.int32(13), np.int32(2)
    pairs = to_host(flow_upsample(coarse, *numbers, INTERLEAVED))
    planes = to_host(flow_upsample(coarse, *numbers, PLANAR))
    assert_array_equal(planes, pairs.transpose(2, 0, 1))
