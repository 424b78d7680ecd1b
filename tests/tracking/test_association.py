"""Fit of boxes and masks, and the one-to-one choice."""

import numpy as np
from numpy.testing import assert_allclose

from cvseg.tracking.association import (
    best_pairs,
    box_gap,
    box_iou,
    histogram_similarity,
    mask_iou,
    nearness,
    similarity,
)


def test_boxes_that_touch_share_nothing_and_equal_boxes_everything():
    boxes = [[0, 0, 4, 2], [4, 0, 8, 2], [0, 0, 4, 2]]
    assert box_iou(boxes, boxes).tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def test_box_iou_equals_mask_iou_of_drawn_boxes():
    rng = np.random.default_rng(3)
    corners = rng.integers(0, 20, (6, 2, 2))
    boxes = np.concatenate((corners.min(1), corners.max(1) + 1), 1)
    masks = np.zeros((6, 22, 22), bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[y0:y1, x0:x1] = True
    flat = masks.reshape(6, -1).astype(int)
    area = flat.sum(1)
    assert_allclose(box_iou(boxes, boxes), mask_iou(flat @ flat.T, area, area))


def test_the_gap_between_boxes_is_zero_when_they_touch():
    assert box_gap((0, 0, 2, 2), (2, 0, 4, 2)) == 0
    assert box_gap((0, 0, 2, 2), (5, 6, 7, 8)) == 5
    assert box_gap((5, 6, 7, 8), (0, 0, 2, 2)) == 5


def test_nearness_is_one_at_the_centre_and_falls_with_the_distance_in_sizes():
    near = nearness([[0, 0, 10, 20]], [[0, 0, 10, 20], [5, 0, 15, 20], [0, 10, 10, 30], [50, 0, 60, 20]])[0]
    assert near[0] == 1
    assert_allclose(near[1], near[2])  # half a side each way
    assert near[3] < 1e-6


def test_a_perfect_fit_is_one():
    one = np.ones((1, 1))
    assert_allclose(similarity(one, one, one), 1)


def test_pairs_below_the_limit_are_not_made_and_push_no_good_one_aside():
    # The sum 0.19 + 0.19 would beat nothing: the pair of 0.9 stays.
    fit = np.array([[0.9, 0.19], [0.19, 0.0]])
    assert best_pairs(fit, 0.2) == [(0, 0)]
    assert best_pairs(fit, 0.95) == []
    assert best_pairs(np.zeros((0, 3)), 0.1) == []


def test_pairs_do_not_depend_on_the_order_of_rows_and_columns():
    rng = np.random.default_rng(9)
    fit = rng.random((7, 9))
    rows, columns = rng.permutation(7), rng.permutation(9)
    permuted = {(int(rows[r]), int(columns[c])) for r, c in best_pairs(fit[np.ix_(rows, columns)], 0.3)}
    assert permuted == set(best_pairs(fit, 0.3))


def test_histograms_are_alike_when_they_are_equal_and_not_when_they_share_no_bin():
    histograms = np.array([[0.5, 0.5, 0], [0, 0, 1.0]])
    assert_allclose(histogram_similarity(histograms, histograms), np.eye(2))
