"""shrink_rgb: rounded block means."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.color.shrink_rgb import shrink_rgb


def block_means(image, factor):
    """The same by one block after the other, in whole numbers."""
    height, width, _ = image.shape
    small = np.empty((-(-height // factor), -(-width // factor), 3), np.uint8)
    for j, k in np.ndindex(small.shape[:2]):
        block = image[j * factor : (j + 1) * factor, k * factor : (k + 1) * factor].reshape(-1, 3).astype(int)
        small[j, k] = (block.sum(axis=0) + len(block) // 2) // len(block)
    return small


@pytest.mark.parametrize("size_hw", [(1, 1), (5, 7), (6, 8), (1, 40), (33, 47), (131, 70)])
@pytest.mark.parametrize("factor", [1, 2, 3, 4, 7, 64, 65])
def test_blocks_have_their_rounded_mean_and_edge_blocks_what_exists(size_hw, factor, device):
    image = np.random.default_rng(factor).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    result = shrink_rgb(device.array(image), np.int32(factor))
    assert_array_equal(to_host(result), block_means(image, factor))


@pytest.mark.parametrize("factor", [2, 3, 5, 64, 80])
def test_the_brightest_picture_stays_the_brightest(factor, device):
    image = np.full((161, 163, 3), 255, np.uint8)
    assert int(to_host(shrink_rgb(device.array(image), np.int32(factor))).min()) == 255


def test_halves_round_up(device):
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0] = 1, 2, 3  # means 0.25, 0.5, 0.75
    assert to_host(shrink_rgb(device.array(image), np.int32(2))).tolist() == [[[0, 1, 1]]]
