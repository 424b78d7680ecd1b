"""label_components against SciPy, and on shapes whose answer is known."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from cvseg.arrays import to_host
from cvseg.kernels.labeling.label_components import TILE, label_components

STRUCTURES = {4: None, 8: np.ones((3, 3))}


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("density", [0.05, 0.4, 0.6, 0.95])
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 70), (67, 1), (33, 65), (40, 131)])
def test_numbers_equal_those_of_scipy(size_hw, density, connectivity):
    mask = (np.random.default_rng(3).random(size_hw) < density).astype(np.uint8)
    labels, count = label_components.cpu(mask, np.int32(connectivity))
    expected, expected_count = ndimage.label(mask, STRUCTURES[connectivity])
    assert count[0] == expected_count
    assert_array_equal(labels, expected)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_corner_neighbours_join_only_with_eight(device, connectivity):
    mask = device.array(np.array([[1, 0, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1]], np.uint8))
    labels, count = label_components(mask, np.int32(connectivity))
    assert int(to_host(count)[0]) == (1 if connectivity == 8 else 5)
    expected = [[1, 0, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1]]
    if connectivity == 4:
        expected = [[1, 0, 0, 2], [0, 3, 3, 0], [4, 0, 0, 5]]
    assert_array_equal(to_host(labels), expected)


def test_a_spiral_is_one_component_and_its_gap_another(device):
    spiral = np.ones((9, 9), np.uint8)
    spiral[1, :8] = spiral[1:8, 7] = spiral[7, 1:8] = spiral[3:8, 1] = spiral[3, 1:6] = spiral[3:6, 5] = 0
    for mask in (spiral, 1 - spiral):
        labels, count = label_components(device.array(mask), np.int32(4))
        expected, expected_count = ndimage.label(mask)
        assert int(to_host(count)[0]) == expected_count
        assert_array_equal(to_host(labels), expected)


def test_a_comb_joined_in_its_last_row_gets_the_number_of_its_first_tooth(device):
    comb = np.zeros((6, 75), np.uint8)
    comb[:, ::2] = 1
    comb[5] = 1
    labels, count = label_components(device.array(comb), np.int32(8))
    assert int(to_host(count)[0]) == 1
    assert_array_equal(to_host(labels), comb)


def test_more_components_than_one_block_numbers(device):
    # A dot in every second pixel: the prefix sum runs over several tiles.
    mask = np.zeros((60, 94), np.uint8)
    mask[::2, ::2] = 255
    assert mask.size > 4 * TILE
    labels, count = label_components(device.array(mask), np.int32(8))
    assert int(to_host(count)[0]) == 30 * 47
    assert_array_equal(to_host(labels)[::2, ::2].ravel(), np.arange(1, 30 * 47 + 1))


@pytest.mark.parametrize("size_hw", [(0, 5), (5, 0)])
def test_an_empty_mask_has_no_component(device, size_hw):
    labels, count = label_components(device.array(np.zeros(size_hw, np.uint8)), np.int32(8))
    assert labels.shape == size_hw
    assert int(to_host(count)[0]) == 0


def test_a_full_and_a_blank_mask(device):
    for value in (0, 1):
        labels, count = label_components(device.array(np.full((5, 66), value, np.uint8)), np.int32(4))
        assert int(to_host(count)[0]) == value
        assert (to_host(labels) == value).all()
