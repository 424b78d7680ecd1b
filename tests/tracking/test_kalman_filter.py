"""BoxKalmanFilter: what it predicts, how sure it is, and how it moves with the camera."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cvseg.errors import OptionError
from cvseg.tracking import BoxKalmanFilter, KalmanOptions


def box_at(x, y, width=10.0, height=30.0):
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def walking(frames=15, velocity=(3.0, -1.0)):
    kalman = BoxKalmanFilter(box_at(50, 60))
    for t in range(1, frames + 1):
        kalman.predict()
        kalman.update(box_at(50 + velocity[0] * t, 60 + velocity[1] * t))
    return kalman


def test_a_steady_walk_is_learnt():
    kalman = walking()
    # Half a per cent: white-noise acceleration never lets the gain fall to zero, nor the error to the last digit.
    assert_allclose(kalman.velocity_xy, (3, -1), atol=0.02)
    kalman.predict()
    assert_allclose(kalman.center_xy, (50 + 3 * 16, 60 - 16), atol=0.05)
    assert_allclose(kalman.size_wh, (10, 30), rtol=1e-6)


def test_the_covariance_stays_symmetric_and_positive_and_grows_while_unseen():
    kalman = walking()
    spreads = []
    for _ in range(30):
        kalman.predict()
        covariance = kalman.covariance
        assert_allclose(covariance, covariance.T, atol=1e-9)
        assert np.linalg.eigvalsh(covariance).min() > 0
        spreads.append(covariance[0, 0])
    assert (np.diff(spreads) > 0).all()
    kalman.update(box_at(50 + 3 * 40, 60 - 40))
    assert kalman.covariance[0, 0] < spreads[0] * 2


def test_an_unseen_object_slows_down():
    kalman = walking()
    speed = kalman.velocity_xy[0]
    for _ in range(10):
        kalman.predict()
    assert 0 < kalman.velocity_xy[0] < speed


def test_after_a_gap_the_velocity_is_that_of_the_straight_way():
    kalman = walking(velocity=(3.0, 0.0))
    last_x = kalman.center_xy[0]
    for _ in range(12):
        kalman.predict()
    # It turned and came back: 12 frames, 24 pixels to the left.
    kalman.update(box_at(last_x - 24, 60))
    assert_allclose(kalman.velocity_xy, (-2, 0), atol=0.5)


def test_a_box_that_says_nothing_about_size_leaves_the_size():
    kalman = walking()
    kalman.predict()
    kalman.update((90.0, 40.0, 93.0, 44.0), keep_size=True)
    assert_allclose(kalman.size_wh, (10, 30), rtol=1e-6)


def test_more_noise_moves_the_centre_less():
    centers = []
    for noise in (1.0, 5.0):
        kalman = walking()
        kalman.predict()
        before = kalman.center_xy[0]
        kalman.update(box_at(before + 10, 45), noise=noise)
        centers.append(kalman.center_xy[0] - before)
    assert 0 < centers[1] < centers[0] < 10


def test_the_state_moves_with_the_camera():
    kalman = walking()
    (x, y), (vx, vy), (width, height) = kalman.center_xy, kalman.velocity_xy, kalman.size_wh
    # A quarter turn, twice the size, then 5 to the right.
    kalman.move(np.array([[0, -2, 5], [2, 0, 0], [0, 0, 1.0]]))
    assert_allclose(kalman.center_xy, (-2 * y + 5, 2 * x))
    assert_allclose(kalman.velocity_xy, (-2 * vy, 2 * vx))
    assert_allclose(kalman.size_wh, (2 * width, 2 * height))


def test_there_and_back_through_a_homography_changes_nothing():
    kalman = walking()
    before = kalman.state_dict()
    matrix = np.array([[1.1, 0.05, 3], [-0.02, 0.9, 4], [1e-4, -2e-4, 1]])
    kalman.move(matrix)
    assert abs(kalman.center_xy[0] - before["x"][0]) > 1
    kalman.move(np.linalg.inv(matrix))
    assert_allclose(kalman.state_dict()["x"], before["x"], atol=1e-9)
    assert_allclose(kalman.state_dict()["P"], before["P"], atol=1e-9)


def test_distances_of_centres_are_those_of_the_matrix_formula():
    kalman = walking()
    kalman.predict()
    centers = np.random.default_rng(0).normal(90, 10, (7, 2))
    spread = kalman.covariance[:2, :2] + np.diag([(0.06 * 10 + 0.5) ** 2, (0.06 * 30 + 0.5) ** 2])
    away = centers - kalman.center_xy
    expected = np.einsum("ni,ij,nj->n", away, np.linalg.inv(spread), away)
    assert_allclose(kalman.center_distances(centers), expected, rtol=1e-5)


def test_the_state_dict_restores_the_filter_bit_for_bit():
    kalman = walking()
    kalman.predict()
    other = BoxKalmanFilter((0.0, 0.0, 1.0, 1.0))
    other.load_state_dict(kalman.state_dict())
    for each in (kalman, other):
        each.predict()
        each.update(box_at(100, 40))
    assert other.box_xyxy == kalman.box_xyxy
    assert np.array_equal(other.covariance, kalman.covariance)


def test_a_box_without_extent_is_taken_as_one_pixel():
    assert_allclose(BoxKalmanFilter((5.0, 5.0, 5.0, 5.0)).size_wh, (1, 1))


def test_options_outside_their_range_are_refused():
    with pytest.raises(OptionError, match="coasting"):
        KalmanOptions(coasting=1.5)
