"""motion_outliers: vectors beyond given bounds."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from cvseg.arrays import to_host
from cvseg.kernels.motion.motion_outliers import angle_of, motion_outliers

NOTHING = [-1e9, 1e9, 0, 1, 0]


def table(u=NOTHING, v=NOTHING, length=NOTHING, direction=NOTHING, usual_rad=0.0, clear_px=1.0):
    numbers = [np.cos(usual_rad), np.sin(usual_rad), clear_px, *u, *v, *length, *direction]
    return np.asarray(numbers, np.float32)


def scores_of(device, vectors, own, other=None):
    flow_xy = np.asarray([vectors], np.float32)
    tables = np.stack([own, own if other is None else other])
    return to_host(motion_outliers(*device.arrays(flow_xy, flow_xy, tables)))[0]


def test_a_vector_within_the_bounds_scores_nothing_and_one_beyond_by_its_deviation(device):
    scores = scores_of(device, [(0, 0), (2, 9), (4, 0), (9, 0), (-3, 0)], table(u=[-1, 2, 1, 5, 0.8]))
    assert_allclose(scores, [0, 0, 0.8 * 3 / 5, 0.8, 0.8 * 4 / 5], atol=1e-6)


def test_features_add_up_and_both_flows_are_averaged(device):
    both = table(u=[-1, 1, 0, 4, 0.6], length=[0, 2, 1, 2, 0.9])
    scores = scores_of(device, [(3, 0), (0, 3)], both, table(v=[-1, 1, 0, 6, 0.8]))
    assert_allclose(scores, [(0.6 * 3 / 4 + 0.9) / 2, (0.9 + 0.8 / 2) / 2], atol=1e-6)


def test_directions_are_measured_from_the_usual_one_and_short_vectors_count_less(device):
    own = table(direction=[-0.5, 0.5, 0, 2, 1], usual_rad=3.0, clear_px=2.0)
    angles = np.array([3.0, -3.0, 3.6, 3.6, 1.0])
    lengths = np.array([5, 5, 5, 1, 5])
    vectors = np.stack([np.cos(angles) * lengths, np.sin(angles) * lengths], axis=1)
    assert_allclose(scores_of(device, vectors, own), [0, 0, 0.3, 0.15, 1], atol=3e-4)


def test_the_angle_is_right_all_around():
    angles = np.linspace(-3.14, 3.14, 700)
    for length in (1e-3, 1.0, 300.0):
        found = [angle_of(np.float32(length * np.cos(a)), np.float32(length * np.sin(a))) for a in angles]
        assert_allclose(found, angles, atol=2e-4)
    assert angle_of(np.float32(0), np.float32(0)) == 0
