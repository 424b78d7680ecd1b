"""cut_weights and cut_steps."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.graph.cut_steps import cut_steps
from cvseg.kernels.graph.cut_weights import cut_weights

STEPS_XY = ((1, 0), (0, 1), (1, 1), (-1, 1))


def pairs(size_hw):
    """Direction, and slices of both ends, of all pairs of neighbours."""
    height, width = size_hw
    for k, (dx, dy) in enumerate(STEPS_XY):
        columns = slice(max(0, -dx), width - max(0, dx))
        moved = slice(max(0, dx), width - max(0, -dx))
        yield k, (slice(0, height - dy), columns), (slice(dy, height), moved)


def plain_weights(image, contrast, floor):
    """The formula of cut_weights in float64."""
    values = image.astype(np.float64)
    squares = [((values[one] - values[other]) ** 2).sum(axis=-1) for _, one, other in pairs(image.shape[:2])]
    mean = np.concatenate([square.ravel() for square in squares]).mean()
    weights = np.zeros((4, *image.shape[:2]))
    for (k, one, _), square in zip(pairs(image.shape[:2]), squares, strict=True):
        weights[k][one] = contrast * (0.7071 if k > 1 else 1) * (floor + np.exp(-square / (2 * mean)))
    return weights


def plain_steps(weights, unary, start, iterations):
    """The formulas of cut_steps in float64, on whole arrays."""
    weights, u = weights.astype(np.float64), start.astype(np.float64)
    totals = np.zeros_like(u)
    for k, one, other in pairs(u.shape):
        totals[one] += weights[k][one]
        totals[other] += weights[k][one]
    going, dual = u.copy(), np.zeros_like(weights)
    for _ in range(iterations):
        pull = unary.astype(np.float64)
        for k, one, other in pairs(u.shape):
            limit = weights[k][one]
            dual[k][one] = np.clip(dual[k][one] + 0.5 * limit * (going[other] - going[one]), -limit, limit)
            pull[one] += dual[k][one]
            pull[other] -= dual[k][one]
        moved = np.clip(u + pull / np.maximum(totals, 1e-9), 0, 1)
        going, u = 2 * moved - u, moved
    return u


@pytest.mark.parametrize("size_hw", [(23, 37), (2, 2), (1, 19)])
def test_weights_are_those_of_the_formula(size_hw, device):
    image = np.random.default_rng(1).integers(0, 256, (*size_hw, 3)).astype(np.uint8)
    image[: size_hw[0] // 2] //= 8
    weights = to_host(cut_weights(device.array(image), np.float32(2), np.float32(0.05)))
    assert_allclose(weights, plain_weights(image, 2, 0.05), rtol=2e-5, atol=0)


def test_pixels_that_look_alike_weigh_the_full_contrast():
    image = np.full((5, 6, 3), 77, np.uint8)
    weights = cut_weights(image, np.float32(3), np.float32(0.25))
    assert_allclose(weights[0, :, :-1], 3.75, rtol=1e-6)
    assert_allclose(weights[2, :-1, :-1], 3.75 * 0.7071, rtol=1e-6)
    assert not weights[0, :, -1].any() and not weights[1, -1].any() and not weights[3, :, 0].any()


def test_the_strongest_edge_still_weighs_the_floor():
    image = np.zeros((40, 40, 3), np.uint8)
    image[20, 20] = 255
    weights = cut_weights(image, np.float32(2), np.float32(0.05))
    assert weights[0, 20, 20] == pytest.approx(0.1)
    assert weights[1, 3, 3] == pytest.approx(2.1)


@pytest.mark.parametrize("iterations", [1, 5, 90])
@pytest.mark.parametrize("size_hw", [(45, 70), (3, 16), (1, 1)])
def test_steps_are_those_of_the_formula(size_hw, iterations):
    weights, unary, start, _ = cut_steps.sample(np.random.default_rng(2), size_hw)
    cut = cut_steps.cpu(weights, unary, start, np.int32(iterations))
    assert_allclose(cut, plain_steps(weights, unary, start, iterations), rtol=0, atol=2e-4)


def test_leaving_out_tiles_changes_no_bit(cuda_runner):
    """The CUDA half leaves out nothing."""
    rng = np.random.default_rng(3)
    weights = rng.exponential(0.5, (4, 50, 140)).astype(np.float32)
    weights[0, :, -1] = weights[1:, -1] = weights[2, :, -1] = weights[3, :, 0] = 0
    unary = np.full((50, 140), -5, np.float32)
    unary[15:45, 30:100] = rng.normal(0, 2, (30, 70))
    unary[20:40, 40:90] = 6
    arguments = weights, unary, (unary > 0).astype(np.float32), np.int32(22)
    assert_array_equal(cut_steps.cpu(*arguments), cuda_runner(cut_steps, *arguments))


def test_bands_of_a_tall_picture_have_the_same_bits_as_one(use_threads):
    arguments = (*cut_steps.sample(np.random.default_rng(4), (200, 21))[:3], np.int32(12))
    use_threads(1)
    alone = cut_steps.cpu(*arguments)
    use_threads(4)
    assert_array_equal(cut_steps.cpu(*arguments), alone)
