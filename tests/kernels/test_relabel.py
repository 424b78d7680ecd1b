"""relabel: a table look-up per pixel."""

import numpy as np
from numpy.testing import assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.labeling.relabel import relabel


def test_labels_go_through_the_table_and_unknown_ones_become_background(device):
    labels = np.array([[0, 1, 2], [3, 4, -1]], np.int32)
    renumbered = relabel(*device.arrays(labels, np.array([9, 8, 7, 6], np.int32)))
    assert_array_equal(to_host(renumbered), [[9, 8, 7], [6, 0, 0]])


def test_a_permutation_and_its_inverse_give_the_labels_back(device):
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 50, (37, 41), dtype=np.int32)
    table = rng.permutation(50).astype(np.int32)
    inverse = np.argsort(table).astype(np.int32)
    there = relabel(*device.arrays(labels, table))
    assert_array_equal(to_host(relabel(there, device.array(inverse))), labels)
