"""label_overlap against counting pairs one by one."""

import numpy as np
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.labeling.label_overlap import label_overlap


def pairs_counted_one_by_one(first, second, shifts_xy, columns):
    counts = np.zeros((len(shifts_xy), columns), np.int32)
    height, width = first.shape
    for y in range(height):
        for x in range(width):
            label = first[y, x]
            if 0 < label < len(shifts_xy):
                other_x, other_y = x + shifts_xy[label, 0], y + shifts_xy[label, 1]
                if 0 <= other_x < width and 0 <= other_y < height and 0 <= second[other_y, other_x] < columns:
                    counts[label, second[other_y, other_x]] += 1
    return counts


def test_counts_equal_those_of_a_plain_loop(device):
    rng = np.random.default_rng(5)
    first = rng.integers(-1, 5, (23, 71), dtype=np.int32)
    second = rng.integers(-1, 6, (23, 71), dtype=np.int32)
    shifts_xy = rng.integers(-9, 10, (4, 2), dtype=np.int32)
    counts = label_overlap(*device.arrays(first, second, shifts_xy), np.int32(5))
    assert_array_equal(to_host(counts), pairs_counted_one_by_one(first, second, shifts_xy, 5))


def test_a_region_moved_onto_itself_overlaps_wholly(device):
    first, second = np.zeros((2, 20, 40), np.int32)
    first[4:9, 5:15] = 1
    second[6:11, 25:35] = 3
    counts = label_overlap(*device.arrays(first, second, np.array([[0, 0], [20, 2]], np.int32)), np.int32(4))
    assert to_host(counts)[1].tolist() == [0, 0, 0, 50]


def test_without_shifts_every_pixel_of_a_region_is_counted_once(device):
    rng = np.random.default_rng(6)
    first, second = rng.integers(0, 7, (2, 31, 33), dtype=np.int32)
    counts = to_host(label_overlap(*device.arrays(first, second, np.zeros((7, 2), np.int32)), np.int32(7)))
    assert not counts[0].any()
    assert_array_equal(counts.sum(1)[1:], np.bincount(first.ravel(), minlength=7)[1:])
    assert_array_equal(counts.sum(0), np.bincount(second[first > 0], minlength=7))


def test_a_region_moved_out_of_the_image_shares_nothing(device):
    labels = np.ones((6, 7), np.int32)
    counts = label_overlap(*device.arrays(labels, labels, np.array([[0, 0], [7, 0]], np.int32)), np.int32(2))
    assert not to_host(counts).any()
