"""Camera motion: the known motion comes back, whatever moves otherwise; odd flows; the same bits always."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cvseg.errors import DtypeError, OptionError, ShapeError
from cvseg.motion import CameraMotionOptions, estimate_camera_motion

SIZE_HW = (60, 80)
AFFINE = np.array([[1.01, -0.02, 1.5], [0.015, 0.99, -2.0], [0, 0, 1]])
HOMOGRAPHY = np.array([[1.01, -0.02, 1.5], [0.015, 0.99, -2.0], [2e-4, -1e-4, 1]])


def flow_of(matrix, size_hw=SIZE_HW):
    """Flow of a background that moves by `matrix`, float64."""
    y, x = np.mgrid[: size_hw[0], : size_hw[1]].astype(float)
    moved = np.einsum("ij,jhw->ihw", matrix, np.stack([x, y, np.ones_like(x)]))
    return np.stack([moved[0] / moved[2] - x, moved[1] / moved[2] - y], axis=-1)


def corners(matrix, size_hw=SIZE_HW):
    height, width = size_hw
    moved = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    return moved[:2] / moved[2]


@pytest.mark.parametrize(("model", "matrix"), [("affine", AFFINE), ("homography", HOMOGRAPHY), ("homography", AFFINE)])
def test_a_known_motion_comes_back_from_a_flow_with_noise_and_two_fifths_of_outliers(model, matrix):
    rng = np.random.default_rng(1)
    flow_xy = flow_of(matrix) + rng.normal(0, 0.05, (*SIZE_HW, 2))
    outlier = rng.random(SIZE_HW) < 0.4
    flow_xy[outlier] = rng.uniform(-12, 12, (int(outlier.sum()), 2))
    camera = estimate_camera_motion(flow_xy.astype(np.float32), CameraMotionOptions(model=model))
    assert np.abs(corners(camera.matrix) - corners(matrix)).max() < 0.05
    assert camera.inlier_share == pytest.approx(0.6, abs=0.03)
    assert camera.matrix[2, 2] == 1


def test_an_object_over_a_third_of_the_picture_does_not_bend_the_camera():
    flow_xy = flow_of(AFFINE)
    flow_xy[10:50, 20:60] += (6.0, 3.0)
    camera = estimate_camera_motion(flow_xy.astype(np.float32))
    assert np.abs(corners(camera.matrix) - corners(AFFINE)).max() < 0.01
    assert camera.residual_px[12, 25] == pytest.approx(np.hypot(6, 3), abs=0.01)
    assert camera.residual_px[:9].max() < 0.01


def test_an_affine_motion_does_not_follow_a_tilt_that_a_homography_follows():
    flow_xy = flow_of(HOMOGRAPHY).astype(np.float32)
    affine = estimate_camera_motion(flow_xy)
    homography = estimate_camera_motion(flow_xy, CameraMotionOptions(model="homography"))
    assert affine.residual_px.mean() > 20 * homography.residual_px.mean()
    assert affine.matrix[2].tolist() == [0, 0, 1]


def test_a_constant_flow_is_a_translation_and_no_flow_is_the_identity():
    camera = estimate_camera_motion(np.full((*SIZE_HW, 2), (2.5, -1.25), np.float32))
    assert_allclose(camera.matrix, [[1, 0, 2.5], [0, 1, -1.25], [0, 0, 1]], atol=1e-9)
    assert camera.displacement_px == pytest.approx(np.hypot(2.5, 1.25))
    assert camera.inlier_share == 1
    still = estimate_camera_motion(np.zeros((*SIZE_HW, 2), np.float32))
    assert_allclose(still.matrix, np.eye(3), atol=1e-12)
    assert still.displacement_px < 1e-9
    assert still.residual_px.max() < 1e-9


def test_vectors_that_are_not_finite_are_left_out():
    flow_xy = flow_of(AFFINE).astype(np.float32)
    flow_xy[20:30, :, 0] = np.nan
    flow_xy[40:45, :, 1] = np.inf
    camera = estimate_camera_motion(flow_xy)
    assert np.abs(corners(camera.matrix) - corners(AFFINE)).max() < 0.01
    assert camera.inlier_share == 1
    assert not camera.residual_px[20:30].any()


def test_a_flow_without_a_finite_vector_is_a_camera_that_stands_still():
    camera = estimate_camera_motion(np.full((6, 7, 2), np.nan, np.float32))
    assert camera.matrix.tolist() == np.eye(3).tolist()
    assert (camera.inlier_share, camera.displacement_px) == (0, 0)
    assert camera.noise_px > 0


@pytest.mark.parametrize("model", ["affine", "homography"])
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 9), (7, 1), (2, 2), (3, 5)])
def test_a_tiny_flow_gives_its_translation(model, size_hw):
    camera = estimate_camera_motion(np.full((*size_hw, 2), (3, -2), np.float32), CameraMotionOptions(model=model))
    y, x = size_hw[0] / 2, size_hw[1] / 2
    there = camera.matrix @ [x, y, 1]
    assert_allclose(there[:2] / there[2], [x + 3, y - 2], atol=1e-4)


def test_a_homography_never_throws_a_pixel_of_the_frame_to_infinity():
    rng = np.random.default_rng(2)
    for _ in range(20):
        flow_xy = rng.normal(0, 40, (9, 11, 2)).astype(np.float32)
        camera = estimate_camera_motion(flow_xy, CameraMotionOptions(model="homography", iterations=3))
        y, x = np.mgrid[:9, :11]
        depth = camera.matrix[2, 0] * x + camera.matrix[2, 1] * y + 1
        assert depth.min() > 0
        assert np.isfinite(camera.residual_px).all()


@given(shift_x=st.floats(-20, 20, width=32), shift_y=st.floats(-20, 20, width=32), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_a_constant_added_to_the_flow_is_added_to_the_motion(shift_x, shift_y, seed):
    rng = np.random.default_rng(seed)
    flow_xy = flow_of(AFFINE, (24, 30)) + rng.normal(0, 0.1, (24, 30, 2))
    flow_xy[4:12, 6:16] += (5, -4)
    shift = np.array([shift_x, shift_y])
    camera = estimate_camera_motion(flow_xy.astype(np.float32))
    shifted = estimate_camera_motion((flow_xy + shift).astype(np.float32))
    expected = camera.matrix.copy()
    expected[:2, 2] += shift
    assert_allclose(shifted.matrix, expected, atol=1e-4)
    assert_allclose(shifted.residual_px, camera.residual_px, atol=1e-4)


@given(seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_a_mirrored_flow_gives_the_mirrored_motion(seed):
    # Pixel x goes to width - 1 - x; the grid is full, so nothing else changes.
    rng = np.random.default_rng(seed)
    width = 31
    flow_xy = flow_of(AFFINE, (25, width)) + rng.normal(0, 0.1, (25, width, 2))
    mirrored = flow_xy[:, ::-1] * (-1, 1)
    flip = np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]])
    camera = estimate_camera_motion(flow_xy.astype(np.float32))
    other = estimate_camera_motion(np.ascontiguousarray(mirrored, np.float32))
    size_hw = (25, width)
    assert np.abs(corners(flip @ camera.matrix @ flip, size_hw) - corners(other.matrix, size_hw)).max() < 0.02


def test_the_bits_are_the_same_for_any_number_of_threads_and_on_any_device(use_threads, device):
    rng = np.random.default_rng(3)
    flow_xy = (flow_of(AFFINE) + rng.normal(0, 0.3, (*SIZE_HW, 2))).astype(np.float32)
    found = set()
    for threads in (1, 2, 5):
        use_threads(threads)
        camera = estimate_camera_motion(device.array(flow_xy))
        found.add((camera.matrix.tobytes(), camera.residual_px.tobytes(), camera.noise_px, camera.inlier_share))
    on_host = estimate_camera_motion(flow_xy)
    assert found == {(on_host.matrix.tobytes(), on_host.residual_px.tobytes(), on_host.noise_px, on_host.inlier_share)}


def test_fewer_samples_find_the_same_camera():
    flow_xy = flow_of(AFFINE).astype(np.float32)
    camera = estimate_camera_motion(flow_xy, CameraMotionOptions(samples=100))
    assert camera.residual_px.size <= 200
    assert np.abs(corners(camera.matrix) - corners(AFFINE)).max() < 0.01


def test_wrong_arguments_are_named():
    with pytest.raises(ShapeError, match=r"flow_xy is \(4, 5, 3\)"):
        estimate_camera_motion(np.zeros((4, 5, 3), np.float32))
    with pytest.raises(ShapeError, match="at least one pixel"):
        estimate_camera_motion(np.zeros((0, 5, 2), np.float32))
    with pytest.raises(DtypeError, match="flow_xy is float64"):
        estimate_camera_motion(np.zeros((4, 5, 2)))
    with pytest.raises(OptionError, match="affine, homography"):
        CameraMotionOptions(model="rigid")
