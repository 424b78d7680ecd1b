"""affine_fit: exact on exact flow, the larger of two motions, what is drawn to the prior, bounds of the noise."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cvseg.kernels.motion.affine_fit import affine_fit

STILL = np.zeros((2, 3))
MOTION = np.array([[1.5, 0.02, -0.01], [-0.5, 0.03, 0.04]])


def grid(width=24, height=20, step=2):
    y, x = np.mgrid[0:height, 0:width] * float(step)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def flow_of(model, points):
    return points @ model[:, 1:].T + model[:, 0]


def fit(points, flow, *, start=(), windows=12, radius=8.0, ridge=0.0, prior=STILL):
    start = np.array(start, np.float64).reshape(-1, 2, 3)
    return affine_fit(points, flow, prior, start, windows, radius, ridge, 0.4, 1.5, 4)


def test_exact_flow_gives_the_exact_motion_and_the_least_noise():
    points = grid()
    model, noise = fit(points, flow_of(MOTION, points))
    assert_allclose(model, MOTION, atol=1e-9)
    assert noise == 0.4


@pytest.mark.parametrize("seed", range(4))
def test_the_motion_of_most_is_found_among_a_third_that_moves_otherwise(seed):
    rng = np.random.default_rng(seed)
    points = grid()
    flow = flow_of(MOTION, points) + rng.normal(0, 0.1, points.shape)
    other = points[:, 0] < 16
    flow[other] += rng.uniform(3, 6, 2)
    model, _ = fit(points, flow)
    assert_allclose(flow_of(model, points)[~other], flow_of(MOTION, points)[~other], atol=0.15)


def test_from_a_start_alone_the_smaller_of_two_motions_is_followed():
    points = grid()
    flow = np.where(points[:, :1] < 16, [4.0, 0.0], [0.0, 0.0])
    few = np.array([[3.7, 0, 0], [0.2, 0, 0]])
    assert_allclose(fit(points, flow, start=few, windows=-1)[0][:, 0], [4, 0], atol=1e-6)
    assert_allclose(fit(points, flow, start=few)[0][:, 0], [0, 0], atol=1e-6)


def test_few_samples_keep_the_linear_terms_of_the_prior():
    points = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2], [4, 2]])
    prior = np.array([[0, 0.1, 0], [0, 0, 0.1]])
    flow = flow_of(prior, points) + np.array([1.0, 2.0])
    flow[0, 0] += 0.3
    loose, tight = (fit(points, flow, ridge=ridge, prior=prior)[0] for ridge in (0.0, 1e4))
    assert np.abs(loose[:, 1:] - prior[:, 1:]).max() > 0.02
    assert_allclose(tight[:, 1:], prior[:, 1:], atol=1e-3)


def test_one_sample_is_enough():
    model, noise = fit(np.array([[3.0, 4.0]]), np.array([[1.0, -2.0]]))
    assert_allclose(flow_of(model, np.array([[3.0, 4.0]])), [[1.0, -2.0]])
    assert noise == 0.4
