"""Specks go, holes close, everything else stays."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage

from cvseg.arrays import to_host
from cvseg.errors import DtypeError, RangeError
from cvseg.regions import fill_holes, label_components, region_properties, remove_small_regions


def noise(density=0.55):
    return np.random.default_rng(7).random((37, 53)) < density


def test_only_components_of_the_least_area_stay(device):
    mask = noise(0.3)
    cleaned = to_host(remove_small_regions(device.array(mask), 5))
    labels, count = label_components(mask)
    large = np.flatnonzero(region_properties(labels, count=count).area_px >= 5) + 1
    assert 0 < len(large) < count
    assert cleaned.dtype == bool
    assert_array_equal(cleaned, np.isin(labels, large))


def test_labels_that_stay_keep_their_numbers(device):
    labels = np.array([[1, 0, 2, 2], [0, 0, 2, 0], [5, 5, 5, 5]], np.int32)
    assert to_host(remove_small_regions(device.array(labels), 3)).tolist() == [[0, 0, 2, 2], [0, 0, 2, 0], [5, 5, 5, 5]]


def test_a_byte_mask_keeps_its_value(device):
    mask = np.zeros((4, 6), np.uint8)
    mask[1:3, 1:5] = 255
    mask[0, 5] = 255
    cleaned = to_host(remove_small_regions(device.array(mask), 2, connectivity=4))
    assert cleaned.dtype == np.uint8
    assert cleaned.max() == 255 and cleaned[0, 5] == 0 and cleaned.sum() == 8 * 255


def test_all_holes_close_as_in_scipy(device):
    # Foreground of 8 neighbours: the background passes only over edges, which is SciPy's default.
    mask = noise()
    assert_array_equal(to_host(fill_holes(device.array(mask))), ndimage.binary_fill_holes(mask))
    assert ndimage.binary_fill_holes(mask).sum() > mask.sum()


def test_holes_larger_than_the_limit_stay_open(device):
    mask = np.ones((12, 20), np.uint8) * 7
    mask[2:4, 2:4] = 0
    mask[5:10, 5:10] = 0
    filled = to_host(fill_holes(device.array(mask), max_area=4))
    assert (filled[2:4, 2:4] == 7).all()
    assert not filled[5:10, 5:10].any()
    assert fill_holes(device.array(mask), max_area=3).sum() == mask.sum()


def test_a_bay_at_the_border_is_no_hole(device):
    mask = np.ones((6, 6), bool)
    mask[0:3, 2] = False
    assert_array_equal(to_host(fill_holes(device.array(mask))), mask)


@pytest.mark.parametrize("size_hw", [(0, 3), (1, 1)])
def test_the_smallest_masks_pass(device, size_hw):
    mask = device.array(np.ones(size_hw, bool))
    assert to_host(fill_holes(mask)).all()
    assert to_host(remove_small_regions(mask, 1)).shape == size_hw


def test_floats_and_negative_areas_are_refused():
    with pytest.raises(DtypeError):
        remove_small_regions(np.zeros((2, 2), np.float32), 3)
    with pytest.raises(DtypeError):
        fill_holes(np.zeros((2, 2), np.int32))
    with pytest.raises(RangeError):
        fill_holes(np.zeros((2, 2), bool), max_area=-1)
    with pytest.raises(RangeError):
        remove_small_regions(np.zeros((2, 2), bool), -1)
