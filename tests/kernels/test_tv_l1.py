"""tv_l1_terms and tv_l1_solve."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.flow.tv_l1_solve import tv_l1_solve
from cvseg.kernels.flow.tv_l1_terms import tv_l1_terms

LIGHT, EDGE, WEIGHT = np.float32(2), np.float32(20), np.float32(1.5)


def padded(image):
    return np.pad(image, MARGIN, mode="edge")


def waves(size_hw, dx, dy):
    y, x = np.mgrid[: size_hw[0], : size_hw[1]].astype(np.float64)
    x, y = x - dx, y - dy
    return (0.5 + 0.2 * np.sin(0.35 * x + 0.1 * y) + 0.2 * np.cos(0.3 * y - 0.15 * x)).astype(np.float32)


def differences(plane):
    """To the right and down; 0 at the last pixel."""
    along_x, along_y = np.zeros_like(plane), np.zeros_like(plane)
    along_x[:, :-1], along_y[:-1] = np.diff(plane, axis=1), np.diff(plane, axis=0)
    return along_x, along_y


def divergence(along_x, along_y):
    """The transpose of `differences`, negative."""
    total = along_x + along_y
    total[:, 1:] -= along_x[:, :-1]
    total[1:] -= along_y[:-1]
    return total


def plain_solve(terms, flow_uv, light, iterations):
    """The formulas of tv_l1_solve in whole-array float64."""
    factors, constant, smooth, inverse = terms[:3].astype(np.float64), *terms[3:].astype(np.float64)
    state = np.concatenate([flow_uv, light[None]]).astype(np.float64)
    going, dual = state.copy(), np.zeros((6, *smooth.shape))
    limit = 0.25 * float(WEIGHT)
    for _ in range(iterations):
        dual += 0.5 * np.concatenate([differences(plane) for plane in going])
        for part in (dual[:4], dual[4:]):
            part *= np.minimum(1 / 1.005, smooth / np.maximum(np.sqrt((part**2).sum(0)), 1e-10))
        moved = state + 0.25 * np.stack([divergence(*dual[k : k + 2]) for k in (0, 2, 4)])
        moved -= factors * np.clip(((factors * moved).sum(0) + constant) * inverse, -limit, limit)
        going, state = 2 * moved - state, moved
    return state[:2], state[2], dual


def random_problem(size_hw, seed=0):
    """terms, flow_uv, light and a dual vector of zeros."""
    return tv_l1_solve.sample(np.random.default_rng(seed), size_hw)[:4]


def test_the_true_flow_explains_the_change(device):
    image0, image1 = waves((40, 56), 0, 0), waves((40, 56), 0.3, -0.2)
    flow_uv = np.zeros((2, 40, 56), np.float32)
    a, b, c, constant, smooth, inverse = to_host(
        tv_l1_terms(*device.arrays(image0, padded(image1), flow_uv), LIGHT, EDGE)
    )
    inside = np.s_[4:-4, 4:-4]
    assert np.abs(constant)[inside].mean() > 0.1
    assert np.abs(a * 0.3 - b * 0.2 + constant)[inside].mean() < 0.005
    along_y, along_x = np.gradient(255 * waves((40, 56), 0.15, -0.1).astype(np.float64))
    squares = along_x**2 + along_y**2
    assert_allclose(np.hypot(a, b)[inside], np.sqrt(squares / (squares + 25))[inside], rtol=0, atol=0.05)
    assert_allclose(c[inside], (2 / np.sqrt(squares + 25))[inside], rtol=0, atol=0.02)
    assert_allclose(smooth[inside], (1 / (1 + squares / 400))[inside], rtol=0, atol=0.03)
    assert_allclose(inverse * (a * a + b * b + c * c), 1, rtol=0, atol=1e-4)


def test_brighter_light_is_a_constant_change(device):
    image = waves((20, 30), 0, 0)
    brighter = image + np.float32(6 / 255)
    flow_uv = np.zeros((2, 20, 30), np.float32)
    _, _, c, constant, _, _ = to_host(tv_l1_terms(*device.arrays(image, padded(brighter), flow_uv), LIGHT, EDGE))
    assert_allclose(c * -3 + constant, 0, rtol=0, atol=1e-4)  # 6 levels are 3 times `light`, with the other sign


def test_where_the_flow_points_is_where_image1_is_read(device):
    rng = np.random.default_rng(0)
    image1 = rng.random((20, 30), dtype=np.float32)
    flow_uv = np.tile(np.float32([3, -2])[:, None, None], (1, 20, 30))
    moved = image1[np.clip(np.arange(20) - 2, 0, 19)][:, np.clip(np.arange(30) + 3, 0, 29)]
    a, b, c, constant, _, _ = to_host(tv_l1_terms(*device.arrays(moved, padded(image1), flow_uv), LIGHT, EDGE))
    assert_allclose(a * 3 + b * -2 + constant, 0, rtol=0, atol=1e-5)  # nothing is left to explain
    leaves = np.zeros((20, 30), bool)
    leaves[:2], leaves[:, 27:] = True, True
    for term in (a, b, c, constant):
        assert not term[leaves].any()
    assert (c[~leaves] > 0).all()


def test_cubic_reading_follows_a_parabola(device):
    x = np.arange(30, dtype=np.float64)
    image1 = np.tile((x**2 / 1000).astype(np.float32), (12, 1))
    flow_uv = np.zeros((2, 12, 30), np.float32)
    flow_uv[0] = 0.4
    # Where image0 is the parabola moved by the flow, the change is zero: a linear reading would be off by 0.06 levels.
    image0 = np.tile(((x + 0.4) ** 2 / 1000).astype(np.float32), (12, 1))
    a, _, _, constant, _, _ = to_host(tv_l1_terms(*device.arrays(image0, padded(image1), flow_uv), LIGHT, EDGE))
    assert_allclose((a * 0.4 + constant)[:, 4:-4], 0, rtol=0, atol=1e-4)


def test_a_still_pair_leaves_exactly_nothing_to_explain(device):
    image = np.random.default_rng(0).random((17, 37), dtype=np.float32)
    terms = to_host(tv_l1_terms(*device.arrays(image, padded(image), np.zeros((2, 17, 37), np.float32)), LIGHT, EDGE))
    assert not terms[3].any()


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 40), (40, 1), (7, 15), (9, 16), (23, 49)])
@pytest.mark.parametrize("iterations", [1, 2, 10, 25])
def test_solving_follows_the_formulas(size_hw, iterations, device):
    terms, flow_uv, light, dual = random_problem(size_hw)
    result = tv_l1_solve(*device.arrays(terms, flow_uv, light, dual), WEIGHT, np.int32(iterations))
    for got, wanted in zip(result, plain_solve(terms, flow_uv, light, iterations), strict=True):
        assert_allclose(to_host(got), wanted, rtol=0, atol=1e-4)


def test_solving_lowers_the_energy_to_its_least():
    terms, flow_uv, light, dual = random_problem((24, 40))
    smooth = terms[4].astype(np.float64)

    def rounded(jumps):
        small = 0.01 * np.maximum(smooth, 1e-12)
        return np.where(jumps < small, jumps**2 / (2 * small), jumps - small / 2)

    def energy(flow, w):
        state = np.concatenate([flow, w[None]]).astype(np.float64)
        left = (terms[:3] * state).sum(axis=0) + terms[3]
        jumps = [sum(part**2 for part in differences(plane)) for plane in state]
        return (
            WEIGHT * np.abs(left) + smooth * (rounded(np.sqrt(jumps[0] + jumps[1])) + rounded(jumps[2] ** 0.5))
        ).sum()

    energies = [
        energy(*tv_l1_solve(terms, flow_uv, light, dual, WEIGHT, np.int32(count))[:2])
        for count in (0, 10, 100, 1000, 4000)
    ]
    assert energies[0] > 2 * energies[1] > 2 * energies[2]
    assert abs(energies[3] - energies[4]) < 1e-2 * energies[4]


def test_going_on_from_a_settled_flow_stays_there(device):
    # Going on from a result forgets where the flow was going, which is nothing once it has arrived.
    terms, flow_uv, light, dual = random_problem((20, 33))
    settled = tv_l1_solve(terms, flow_uv, light, dual, WEIGHT, np.int32(4000))
    again = tv_l1_solve(*device.arrays(terms, *settled), WEIGHT, np.int32(10))
    assert_allclose(to_host(again[0]), settled[0], rtol=0, atol=0.01)


def test_bands_with_their_halo_give_the_same_bits_as_one_pass(use_threads):
    problem = random_problem((400, 40))
    results = []
    for count in (1, 2, 5):
        use_threads(count)
        results.append(tv_l1_solve(*problem, WEIGHT, np.int32(23)))
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            assert_array_equal(one, two)
