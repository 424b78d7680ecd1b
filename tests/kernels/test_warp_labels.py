"""warp_labels: nearest pixel, background outside."""

import numpy as np
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.labeling.warp_labels import warp_labels


def test_a_whole_pixel_flow_moves_the_labels_and_lets_background_in(device):
    labels = np.arange(1, 13, dtype=np.int32).reshape(3, 4)
    flow_xy = np.tile(np.float32([1, -1]), (3, 4, 1))
    warped = to_host(warp_labels(*device.arrays(labels, flow_xy)))
    assert_array_equal(warped, [[0, 0, 0, 0], [2, 3, 4, 0], [6, 7, 8, 0]])


def test_less_than_half_a_pixel_changes_nothing_and_more_reads_the_neighbour(device):
    labels = np.array([[1, 2, 3]], np.int32)
    for shift, expected in ((0.49, [1, 2, 3]), (0.51, [2, 3, 0]), (-0.49, [1, 2, 3]), (-0.51, [0, 1, 2])):
        flow_xy = np.zeros((1, 3, 2), np.float32)
        flow_xy[..., 0] = shift
        assert to_host(warp_labels(*device.arrays(labels, flow_xy)))[0].tolist() == expected


def test_an_invalid_or_infinite_flow_reads_background(device):
    labels = np.ones((2, 2), np.int32)
    flow_xy = np.zeros((2, 2, 2), np.float32)
    flow_xy[0, 0] = np.nan
    flow_xy[0, 1, 1] = np.inf
    flow_xy[1, 0, 0] = -1e30
    assert_array_equal(to_host(warp_labels(*device.arrays(labels, flow_xy))), [[0, 0], [0, 1]])
