"""Evidence: terms by name, their sum, and their means over an object."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from cvseg.records import EVIDENCE_TERMS, Evidence


def evidence(**terms):
    maps = {name: np.full((2, 3), terms.get(name, 0), np.float32) for name in EVIDENCE_TERMS}
    return Evidence(**maps, factor=2)


def test_terms_come_in_the_order_of_the_pipeline():
    assert tuple(evidence().terms()) == EVIDENCE_TERMS


def test_the_total_is_the_sum_of_all_terms():
    total = evidence(motion=1, time=-0.5, appearance=0.25, outline=-0.75).total
    assert total.dtype == np.float32
    assert_allclose(total, np.zeros((2, 3)))


def test_means_are_taken_inside_only():
    some = evidence(motion=1)
    some.motion[0, 0] = 3
    inside = np.zeros((2, 3), bool)
    inside[0, :2] = True
    means = some.means(inside)
    assert means["motion"] == 2
    assert means["time"] == 0


def test_means_over_no_pixel_are_zero():
    assert set(evidence(motion=1).means(np.zeros((2, 3), bool)).values()) == {0.0}
