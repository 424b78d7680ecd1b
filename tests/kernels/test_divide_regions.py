"""divide_regions: who gets which pixel of a shared region."""

import numpy as np
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.regions.divide_regions import divide_regions


def two_owners(device, *, previous=None, discount=1.0, shifts_xy=((0, 0), (0, 0), (0, 0)), sides=(10, 10)):
    regions = np.zeros((8, 40), np.int32)
    regions[2:6, 2:38] = 1
    previous = np.zeros_like(regions) if previous is None else previous
    ellipses = np.ones((3, 4), np.float32)
    ellipses[1] = 10, 4, 2 / sides[0], 0.2
    ellipses[2] = 30, 4, 2 / sides[1], 0.2
    tables = np.array([0, 0, 2], np.int32), np.array([1, 2], np.int32), ellipses, np.array(shifts_xy, np.int32)
    return to_host(divide_regions(*device.arrays(regions, previous, *tables), np.float32(discount)))


def test_equal_owners_share_at_the_middle_and_a_tie_goes_to_the_first(device):
    divided = two_owners(device)
    assert_array_equal(np.unique(divided[2:6, 2:21]), [1])
    assert_array_equal(np.unique(divided[2:6, 21:38]), [2])
    assert not divided[:2].any() and not divided[:, :2].any()


def test_a_wider_owner_gets_more(device):
    assert (two_owners(device, sides=(30, 10)) == 1).sum() > (two_owners(device) == 1).sum()


def test_the_moved_mask_of_an_owner_attracts_its_pixels(device):
    previous = np.zeros((8, 40), np.int32)
    previous[2:6, 15:18] = 2
    divided = two_owners(device, previous=previous, discount=0.01, shifts_xy=((0, 0), (0, 0), (-1, 0)))
    assert_array_equal(np.unique(divided[2:6, 14:17]), [2])
    assert_array_equal(np.unique(divided[2:6, 17:20]), [1])


def test_regions_with_one_owner_go_to_it_and_those_with_none_vanish(device):
    regions = np.array([[0, 1, 2, 3]], np.int32)
    tables = (
        np.array([0, 0, 1, 1], np.int32),  # region 1 is owned by 5, region 2 by nobody, region 3 is unknown
        np.array([5], np.int32),
        np.ones((6, 4), np.float32),
        np.zeros((6, 2), np.int32),
    )
    divided = divide_regions(*device.arrays(regions, np.zeros_like(regions), *tables), np.float32(0.5))
    assert to_host(divided).tolist() == [[0, 5, 0, 0]]
