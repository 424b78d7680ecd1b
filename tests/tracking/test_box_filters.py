"""The filters of many boxes at once give what filterpy gives for each alone, and their covariances stay sound."""

from __future__ import annotations

import numpy as np
import pytest
from filterpy.kalman import IMMEstimator, KalmanFilter
from numpy.testing import assert_allclose

from cvseg.tracking.box_filters import BoxFilters, boxes_of, measurements_of
from cvseg.tracking.box_tracker_options import MOTION_MODELS, BoxMotionOptions
from cvseg.tracking.track_smoothing import smooth_values


def random_boxes(rng, count):
    corner, side = rng.uniform(0, 500, (count, 2)), rng.uniform(8, 200, (count, 2))
    return np.concatenate([corner, corner + side], axis=1)


def oracle(filters, row, model):
    """filterpy's filter in the state of one row."""
    kalman = KalmanFilter(dim_x=filters.size, dim_z=4)
    kalman.H = np.zeros((4, filters.size))
    kalman.H[np.arange(4), filters.measured] = 1
    kalman.F = filters.steps[model].copy()
    kalman.x, kalman.P = filters.x[model, row].copy(), filters.P[model, row].copy()
    return kalman


@pytest.mark.parametrize("model", ["velocity", "acceleration"])
def test_a_filter_among_many_equals_filterpys_alone(model):
    rng = np.random.default_rng(1)
    filters = BoxFilters(BoxMotionOptions(model=model, coasting=1.0))
    boxes = random_boxes(rng, 7)
    filters.append(measurements_of(boxes))
    alone = [oracle(filters, row, 0) for row in range(7)]
    for step in range(25):
        noise = filters._process_noise()[0]
        filters.predict()
        for row, kalman in enumerate(alone):
            kalman.predict(Q=noise[row])
        boxes += rng.normal(0, 3, (7, 4)) * [1, 1, 1, 1]
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 4)
        measured = measurements_of(boxes)
        rows = np.flatnonzero(rng.random(7) < 0.8)
        filters.update(rows, measured[rows])
        for row in rows:
            alone[row].update(measured[row], R=np.diag(filters.noise(measured[row : row + 1])[0]))
        for row, kalman in enumerate(alone):
            assert_allclose(filters.mean[row], kalman.x, rtol=0, atol=1e-9, err_msg=f"step {step}")
            assert_allclose(filters.spread[row], kalman.P, rtol=1e-9, atol=1e-9)


def test_interacting_models_equal_filterpys():
    rng = np.random.default_rng(2)
    filters = BoxFilters(BoxMotionOptions(model="interacting", coasting=1.0))
    boxes = random_boxes(rng, 4)
    filters.append(measurements_of(boxes))
    alone = [
        IMMEstimator([oracle(filters, row, m) for m in (0, 1)], np.array([0.5, 0.5]), filters.switching.copy())
        for row in range(4)
    ]
    for step in range(20):
        noise = filters._process_noise()
        filters.predict()
        for row, estimator in enumerate(alone):
            for m, kalman in enumerate(estimator.filters):
                kalman.Q = noise[m, row]
            estimator.predict()
        boxes += 0.2 * step + rng.normal(0, 1, (4, 4))
        measured = measurements_of(boxes)
        filters.update(np.arange(4), measured)
        for row, estimator in enumerate(alone):
            for kalman in estimator.filters:
                kalman.R = np.diag(filters.noise(measured[row : row + 1])[0])
            estimator.update(measured[row])
            assert_allclose(filters.weight[row], estimator.mu, rtol=0, atol=1e-9, err_msg=f"step {step}")
            assert_allclose(filters.mean[row], estimator.x, rtol=0, atol=1e-9)
            assert_allclose(filters.spread[row], estimator.P, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("model", MOTION_MODELS)
@pytest.mark.parametrize("seed", range(4))
def test_the_covariance_stays_symmetric_and_positive(model, seed):
    rng = np.random.default_rng(seed)
    filters = BoxFilters(BoxMotionOptions(model=model))
    filters.append(measurements_of(random_boxes(rng, 5)))
    for _ in range(60):
        if rng.random() < 0.2:
            turn = np.eye(3) + rng.normal(0, 0.05, (3, 3)) * [[1, 1, 100], [1, 1, 100], [1e-3, 1e-3, 0]]
            filters.move(turn)
        filters.predict(rng.random(5) < 0.3)
        rows = np.flatnonzero(rng.random(5) < 0.6)
        filters.update(rows, measurements_of(random_boxes(rng, len(rows))))
        for spread in [*filters.P.reshape(-1, filters.size, filters.size), *filters.spread]:
            assert_allclose(spread, spread.T, rtol=1e-12, atol=1e-12 * np.abs(spread).max())
            assert np.linalg.eigvalsh(spread).min() >= -1e-9 * np.abs(spread).max()


def test_boxes_become_measurements_and_return():
    boxes = random_boxes(np.random.default_rng(3), 50)
    assert_allclose(boxes_of(measurements_of(boxes)), boxes, atol=1e-9)


def test_moving_the_camera_moves_places_turns_velocities_and_scales_sides():
    filters = BoxFilters()
    filters.append(measurements_of([[10, 20, 30, 60]]))
    filters.x[0, 0, 2:4] = (3, 1)
    filters.move(np.array([[0, -2, 5], [2, 0, 7], [0, 0, 1.0]]))  # a quarter turn, twice as large
    x = filters.mean[0]
    assert_allclose(x[:2], (-2 * 40 + 5, 2 * 20 + 7))
    assert_allclose(x[2:4], (-2, 6))
    assert_allclose(np.exp(x[4:]), (40, 80))


@pytest.mark.parametrize("push", [0.3, 0.0])
def test_smoothing_equals_filterpys(push):
    rng = np.random.default_rng(4)
    frames, noise, drift = 30, 2.0, 0.1
    values = np.cumsum(rng.normal(1, 1, frames))
    seen = rng.random(frames) < 0.7
    seen[0] = True
    ours = smooth_values(
        values[:, None], seen[:, None], np.full((frames, 1), noise), np.array([drift]), np.array([push])
    )
    kalman = KalmanFilter(dim_x=2, dim_z=1)
    kalman.x, kalman.F, kalman.H = (
        np.array([values[0], 0.0]),
        np.array([[1.0, 1.0], [0.0, 1.0]]),
        np.array([[1.0, 0.0]]),
    )
    kalman.P = np.diag([noise, 25 * noise if push else 0.0])
    kalman.Q, kalman.R = np.diag([drift, push]), np.array([[noise]])
    means, spreads = [kalman.x.copy()], [kalman.P.copy()]
    for t in range(1, frames):
        kalman.predict()
        kalman.update(values[t] if seen[t] else None)
        means.append(kalman.x.copy())
        spreads.append(kalman.P.copy())
    inverse = np.linalg.pinv if push == 0 else np.linalg.inv  # a velocity that is known has no inverse
    smoothed = kalman.rts_smoother(np.array(means), np.array(spreads), inv=inverse)[0]
    assert_allclose(ours[:, 0], smoothed[:, 0], rtol=0, atol=1e-9)
