"""variational_images and variational_solve."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.flow.variational_images import variational_images
from cvseg.kernels.flow.variational_solve import variational_solve


def numbers(fixed_points, sweeps, smoothness=20.0, brightness=5.0, gradient=10.0, relaxation=1.6):
    weights = (np.float32(value) for value in (smoothness, brightness, gradient, relaxation))
    return (np.int32(fixed_points), np.int32(sweeps), *weights)


def test_images_hold_mean_and_change_with_repeated_edges(device):
    rng = np.random.default_rng(0)
    image0, image1 = rng.random((2, 6, 9), dtype=np.float32)
    flow_uv = np.zeros((2, 6, 9), np.float32)
    flow_uv[0] = 1
    images = to_host(variational_images(*device.arrays(image0, np.pad(image1, MARGIN, mode="edge"), flow_uv)))
    warped = image1[:, [1, 2, 3, 4, 5, 6, 7, 8, 8]]
    assert_allclose(images[0], np.pad((image0 + warped) * 127.5, 2, mode="edge"), rtol=1e-5)
    assert_allclose(images[1], np.pad((warped - image0) * 255, 2, mode="edge"), rtol=0, atol=1e-4)


def test_the_flow_that_explains_the_change_is_found(device):
    y, x = np.mgrid[-2:34, -2:42].astype(np.float64)
    mean = 128 + 40 * np.sin(0.4 * x + 0.1 * y) + 40 * np.cos(0.35 * y - 0.2 * x)
    slope_y, slope_x = np.gradient(mean)
    images = np.stack([mean, -(0.3 * slope_x - 0.2 * slope_y)]).astype(np.float32)
    base = np.tile(np.float32([1, 2])[:, None, None], (1, 32, 40))
    flow_uv = to_host(variational_solve(*device.arrays(images, base), *numbers(6, 20)))
    # Edges of np.gradient are one-sided; 8 pixels away nothing of that is left.
    assert_allclose(flow_uv[0, 8:-8, 8:-8], 1.3, rtol=0, atol=0.01)
    assert_allclose(flow_uv[1, 8:-8, 8:-8], 1.8, rtol=0, atol=0.01)


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 20), (20, 1), (5, 3), (17, 33)])
def test_without_structure_the_flow_becomes_its_own_average(size_hw, device):
    height, width = size_hw
    images = np.zeros((2, height + 4, width + 4), np.float32)
    base = np.random.default_rng(0).normal(3, 0.3, (2, height, width)).astype(np.float32)
    before = base.copy()
    # Gauss-Seidel: every new value is a mean of neighbours.
    flow_uv = to_host(variational_solve(*device.arrays(images, base), *numbers(6, 60, relaxation=1.0)))
    assert_array_equal(base, before)
    for plane, old in zip(flow_uv, base, strict=True):
        assert np.ptp(plane) <= 0.3 * np.ptp(old) + 1e-5
        assert old.min() - 1e-4 <= plane.min() <= plane.max() <= old.max() + 1e-4


def test_a_still_scene_stays_exactly_still(device):
    images = np.zeros((2, 24, 28), np.float32)
    images[0] = np.random.default_rng(0).random((24, 28), dtype=np.float32) * 255
    base = np.zeros((2, 20, 24), np.float32)
    assert not to_host(variational_solve(*device.arrays(images, base), *numbers(3, 5))).any()


def test_turning_the_images_turns_the_flow():
    rng = np.random.default_rng(0)
    images = (rng.random((2, 24, 30)) * 50).astype(np.float32)
    base = rng.normal(0, 0.3, (2, 20, 26)).astype(np.float32)
    flow_uv = variational_solve(images, base, *numbers(5, 200, relaxation=1.0))
    turned = variational_solve(
        np.ascontiguousarray(images.transpose(0, 2, 1)),
        np.ascontiguousarray(base[::-1].transpose(0, 2, 1)),
        *numbers(5, 200, relaxation=1.0),
    )
    # u is relaxed before v: what is left is what 200 sweeps have not settled.
    assert_allclose(turned[::-1].transpose(0, 2, 1), flow_uv, rtol=0, atol=2e-3)


def test_bands_with_their_halo_give_the_same_bits_as_one_pass(use_threads):
    rng = np.random.default_rng(0)
    images = (rng.random((2, 404, 44)) * 255).astype(np.float32)
    base = rng.normal(0, 1, (2, 400, 40)).astype(np.float32)
    results = []
    for count in (1, 2, 5):
        use_threads(count)
        results.append(variational_solve(images, base, *numbers(2, 6, relaxation=1.9)))
    assert_array_equal(results[0], results[1])
    assert_array_equal(results[0], results[2])


@pytest.mark.parametrize("sweeps", [1, 4, 5, 8, 11])
@pytest.mark.parametrize("size_hw", [(61, 47), (70, 131)])
def test_tiles_have_the_bits_of_sweeps_over_the_whole_image(size_hw, sweeps, cuda_runner):
    """More sweeps than a launch makes, and several tiles, of which the last is cut."""
    images, base, *_ = variational_solve.sample(np.random.default_rng([*size_hw, sweeps]), size_hw)
    expected = variational_solve.cpu(images, base, *numbers(2, sweeps))
    assert_array_equal(cuda_runner(variational_solve, images, base, *numbers(2, sweeps)), expected)
