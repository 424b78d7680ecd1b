"""Evidence: terms by name, their sum, and their means over an object."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from cvseg.records import EVIDENCE_TERMS, Evidence


def evidence(**terms):
    """Maps of 2 x 3 for a frame of 3 x 5: the last row and column cover one pixel row and column."""
    maps = {name: np.full((2, 3), terms.get(name, 0), np.float32) for name in EVIDENCE_TERMS}
    return Evidence(**maps, factor=2)


def test_terms_come_in_the_order_of_the_pipeline():
    assert tuple(evidence().terms()) == EVIDENCE_TERMS


def test_the_total_is_the_sum_of_all_terms():
    total = evidence(motion=1, time=-0.5, appearance=0.25, outline=-0.75).total
    assert total.dtype == np.float32
    assert_allclose(total, np.zeros((2, 3)))


def test_means_weigh_every_full_size_pixel_alike():
    some = evidence(motion=1)
    some.motion[0, 0], some.motion[1, 2] = 4, 10
    inside = np.zeros((3, 5), bool)
    inside[:2, 1] = True  # two pixels of the map's first
    inside[2, 4] = True  # all of its last
    inside[0, 2] = True
    means = some.means(inside)
    assert means["motion"] == (2 * 4 + 10 + 1) / 4
    assert means["time"] == 0


def test_means_over_no_pixel_are_zero():
    assert set(evidence(motion=1).means(np.zeros((3, 5), bool)).values()) == {0.0}


def test_each_track_has_means_of_its_own():
    some = evidence()
    some.time[:] = [[1, 2, 3], [4, 5, 6]]
    labels = np.zeros((3, 5), np.int32)
    labels[0, 0], labels[2, 4], labels[1, 2] = 7, 9, 9
    means = some.track_means(labels, (7, 9))
    assert list(means) == [7, 9]
    assert means[7]["time"] == 1
    assert means[9]["time"] == 4
