"""region_histogram: colours counted per region."""

import numpy as np

from cvseg.arrays import to_host
from cvseg.kernels.regions.region_histogram import BINS, region_histogram


def test_pixels_are_counted_in_the_bin_of_their_colour(device):
    labels = np.array([[1, 1, 2, 0, 3]], np.int32)
    image = np.array([[[255, 0, 0], [224, 31, 31], [0, 255, 32], [9, 9, 9], [9, 9, 9]]], np.uint8)
    counts = to_host(region_histogram(*device.arrays(labels, image), np.int32(2)))
    assert counts.shape == (2, BINS)
    assert counts[0, 7 * 64] == 2  # both reds fall into the last red bin
    assert counts[1, 7 * 8 + 1] == 1
    assert counts.sum() == 3  # background and a label beyond the count are not counted
