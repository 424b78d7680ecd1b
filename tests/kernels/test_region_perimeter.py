"""region_perimeter: outline pixels counted by hand."""

import numpy as np

from cvseg.arrays import to_host
from cvseg.kernels.regions.region_perimeter import region_perimeter


def counted(device, rows, count=2):
    labels = np.array([[int(c) for c in row] for row in rows], np.int32)
    return to_host(region_perimeter(device.array(labels), np.int32(count))).tolist()


def test_a_square_has_straight_outline_pixels_only(device):
    assert counted(device, ["00000", "01110", "01110", "01110", "00000"]) == [[8, 0, 0], [0, 0, 0]]


def test_a_diamond_has_an_outline_of_diagonal_pixels(device):
    rows = ["0000000", "0002000", "0022200", "0222220", "0022200", "0002000", "0000000"]
    # Inner pixels of the diamond touch no other label and do not count; its four tips and four flanks do.
    assert counted(device, rows) == [[0, 0, 0], [0, 8, 0]]


def test_single_pixels_and_ends_of_lines_count_for_nothing(device):
    assert counted(device, ["00000", "01000", "00000", "02200", "00000"]) == [[0, 0, 0], [0, 0, 0]]


def test_labels_above_the_count_and_negative_ones_are_skipped(device):
    labels = np.full((4, 5), 3, np.int32)
    labels[:, 2:] = -1
    assert to_host(region_perimeter(device.array(labels), np.int32(2))).tolist() == [[0, 0, 0], [0, 0, 0]]
