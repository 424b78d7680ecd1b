"""camera_fit: each of its rounds against numpy's own least squares; grids that determine no motion."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cvseg.kernels.motion.camera_fit import TUKEY, camera_fit

SIZE_HW = (60, 80)
SETTINGS = {"ring": 0.075, "floor_px": 0.15, "iterations": 6}


def flow_with_an_object(seed, step):
    rng = np.random.default_rng(seed)
    y, x = (axis.astype(float) for axis in np.mgrid[0 : SIZE_HW[0] : step, 0 : SIZE_HW[1] : step])
    flow = np.stack([0.02 * x - 0.01 * y + 1.5, 0.015 * x - 0.02 * y - 2], axis=2) + rng.normal(0, 0.3, (*x.shape, 2))
    flow[3:12, 4:15] += (6, -4)
    flow[0, 1] = np.nan
    return flow.astype(np.float32)


def plain_affine(flow, step, ring, floor_px, iterations):
    """The same rounds in NumPy, by a least-squares solver that squares nothing; matrix in halves of the longer side."""
    half = max(SIZE_HW) / 2
    rows, columns = np.mgrid[0 : SIZE_HW[0] : step, 0 : SIZE_HW[1] : step]
    x, y = (columns.ravel() - SIZE_HW[1] / 2) / half, (rows.ravel() - SIZE_HW[0] / 2) / half
    vectors = flow.reshape(-1, 2).astype(float) / half
    valid = np.isfinite(vectors).all(1)
    edge = [ring * side for side in SIZE_HW]
    in_ring = (
        (columns < edge[1]) | (columns >= SIZE_HW[1] - edge[1]) | (rows < edge[0]) | (rows >= SIZE_HW[0] - edge[0])
    )
    in_ring = in_ring.ravel()
    x, y, vectors, in_ring = x[valid], y[valid], vectors[valid], in_ring[valid]
    points = np.stack([x, y, np.ones_like(x)], axis=1)
    affine = np.eye(2, 3)
    affine[:, 2] = np.median(vectors[in_ring], axis=0)
    for round_number in range(iterations):
        error = np.linalg.norm(points[:, :2] + vectors - points @ affine.T, axis=1)
        wide = 1.5 if round_number < iterations // 3 else 1
        cutoff = TUKEY * max(1.4826 * np.median(error), floor_px / half) * wide
        weight = np.where(in_ring, 2, 1) * np.maximum(0, 1 - (error / cutoff) ** 2) ** 2
        root = np.sqrt(weight)[:, None]
        affine = np.linalg.lstsq(root * points, root * (points[:, :2] + vectors), rcond=None)[0].T
    error = np.linalg.norm(points[:, :2] + vectors - points @ affine.T, axis=1)
    return affine, 1.4826 * np.median(error[error < cutoff]), (error < cutoff).mean()


@pytest.mark.parametrize(("seed", "step"), [(0, 1), (1, 2), (2, 3)])
def test_an_affine_fit_is_that_of_plain_least_squares_in_every_round(seed, step):
    flow = flow_with_an_object(seed, step)
    fit = camera_fit(flow, step, SIZE_HW, projective=False, **SETTINGS)
    matrix, scale, share = plain_affine(flow, step, **SETTINGS)
    assert_allclose(fit.matrix[:2], matrix, rtol=0, atol=1e-12)
    assert fit.matrix[2].tolist() == [0, 0, 1]
    assert fit.scale == pytest.approx(scale, rel=1e-9)
    assert fit.inlier_share == pytest.approx(share)
    assert fit.error[0, 1] == 0


def test_a_homography_without_noise_is_found_to_many_digits():
    true = np.array([[1.01, -0.02, 0.03], [0.015, 0.99, -0.04], [0.02, -0.03, 1]])
    half = max(SIZE_HW) / 2
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    unit = np.stack([(x - SIZE_HW[1] / 2) / half, (y - SIZE_HW[0] / 2) / half, np.ones(SIZE_HW)])
    moved = np.einsum("ij,jhw->ihw", true, unit)
    flow = ((moved[:2] / moved[2] - unit[:2]) * half).transpose(1, 2, 0).astype(np.float32)
    fit = camera_fit(flow, 1, SIZE_HW, projective=True, **SETTINGS)
    assert_allclose(fit.matrix, true, atol=1e-6)
    assert fit.inlier_share == 1
    assert fit.displacement == pytest.approx(np.linalg.norm(moved[:2] / moved[2] - unit[:2], axis=0).mean(), rel=1e-5)


@pytest.mark.parametrize("projective", [False, True])
def test_points_on_one_line_keep_the_translation_that_the_fit_began_with(projective):
    flow = np.full((1, 20, 2), (3, -2), np.float32)
    fit = camera_fit(flow, 1, (1, 20), projective=projective, **SETTINGS)
    assert_allclose(fit.matrix, [[1, 0, 0.3], [0, 1, -0.2], [0, 0, 1]], atol=1e-7)
    assert not fit.error.max() > 1e-6


def test_without_a_finite_vector_nothing_moves_and_the_scale_is_unknown():
    fit = camera_fit(np.full((4, 5, 2), np.inf, np.float32), 1, (4, 5), projective=False, **SETTINGS)
    assert fit.matrix.tolist() == np.eye(3).tolist()
    assert np.isnan(fit.scale)
    assert (fit.inlier_share, fit.displacement) == (0, 0)
