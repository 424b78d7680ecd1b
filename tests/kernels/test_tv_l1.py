"""tv_l1_terms and tv_l1_solve."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.flow.patch_grid import MARGIN
from cvseg.kernels.flow.tv_l1_solve import tv_l1_solve
from cvseg.kernels.flow.tv_l1_terms import tv_l1_terms

WEIGHT, EDGE = np.float32(1.5), np.float32(20)


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


def plain_solve(terms, flow_uv, iterations):
    """The formulas of tv_l1_solve in whole-array float64."""
    nx, ny, offset, limit, smooth = terms.astype(np.float64)
    flow = flow_uv.astype(np.float64)
    going, dual = flow.copy(), np.zeros((4, *smooth.shape))
    for _ in range(iterations):
        dual += 0.5 * np.stack([*differences(going[0]), *differences(going[1])])
        dual *= np.minimum(1 / 1.005, smooth / np.maximum(np.sqrt((dual**2).sum(0)), 1e-10))
        moved = flow + 0.25 * np.stack([divergence(*dual[:2]), divergence(*dual[2:])])
        distance = nx * moved[0] + ny * moved[1] + offset
        step = np.clip(distance, -0.25 * limit, 0.25 * limit)
        moved -= np.stack([nx * step, ny * step])
        going, flow = 2 * moved - flow, moved
    return flow, dual


def random_problem(size_hw, seed=0):
    return tv_l1_solve.sample(np.random.default_rng(seed), size_hw)[:2]


def test_the_line_runs_through_the_true_flow(device):
    image0, image1 = waves((40, 56), 0, 0), waves((40, 56), 0.3, -0.2)
    flow_uv = np.zeros((2, 40, 56), np.float32)
    nx, ny, offset, limit, smooth = to_host(tv_l1_terms(*device.arrays(image0, padded(image1), flow_uv), WEIGHT, EDGE))
    inside = np.s_[4:-4, 4:-4]
    assert_allclose(np.hypot(nx, ny)[inside], 1, rtol=0, atol=2e-3)  # gradients of a tenth of a level count less
    assert np.abs(nx * 0.3 - ny * 0.2 + offset)[inside].mean() < 0.01
    along_y, along_x = np.gradient(255 * (waves((40, 56), 0.15, -0.1)).astype(np.float64))
    squares = along_x**2 + along_y**2
    assert_allclose(limit[inside], (1.5 * np.sqrt(squares / (squares + 25)))[inside], rtol=0, atol=0.06)
    assert_allclose(smooth[inside], (1 / (1 + squares / 400))[inside], rtol=0, atol=0.03)


def test_where_the_flow_points_is_where_image1_is_read(device):
    rng = np.random.default_rng(0)
    image1 = rng.random((20, 30), dtype=np.float32)
    flow_uv = np.tile(np.float32([3, -2])[:, None, None], (1, 20, 30))
    moved = image1[np.clip(np.arange(20) - 2, 0, 19)][:, np.clip(np.arange(30) + 3, 0, 29)]
    nx, ny, offset, limit, _ = to_host(tv_l1_terms(*device.arrays(moved, padded(image1), flow_uv), WEIGHT, EDGE))
    assert_allclose(nx * 3 + ny * -2 + offset, 0, rtol=0, atol=1e-5)  # nothing is left to explain
    leaves = np.zeros((20, 30), bool)
    leaves[:2], leaves[:, 27:] = True, True
    assert not limit[leaves].any()
    assert (limit[~leaves] > 0).all()


def test_cubic_reading_follows_a_parabola(device):
    x = np.arange(30, dtype=np.float64)
    image1 = np.tile((x**2 / 1000).astype(np.float32), (12, 1))
    flow_uv = np.zeros((2, 12, 30), np.float32)
    flow_uv[0] = 0.4
    # Where image0 is the parabola moved by the flow, the change is zero: a linear reading would be off by 0.06 levels.
    image0 = np.tile(((x + 0.4) ** 2 / 1000).astype(np.float32), (12, 1))
    nx, _, offset, _, _ = to_host(tv_l1_terms(*device.arrays(image0, padded(image1), flow_uv), WEIGHT, EDGE))
    assert_allclose((nx * 0.4 + offset)[:, 4:-4], 0, rtol=0, atol=1e-4)


def test_a_still_pair_leaves_exactly_nothing_to_explain(device):
    image = np.random.default_rng(0).random((17, 37), dtype=np.float32)
    terms = to_host(tv_l1_terms(*device.arrays(image, padded(image), np.zeros((2, 17, 37), np.float32)), WEIGHT, EDGE))
    assert not terms[2].any()


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 40), (40, 1), (7, 15), (9, 16), (23, 49)])
@pytest.mark.parametrize("iterations", [1, 2, 10, 25])
def test_solving_follows_the_formulas(size_hw, iterations, device):
    terms, flow_uv = random_problem(size_hw)
    dual = np.zeros((4, *size_hw), np.float32)
    result = tv_l1_solve(*device.arrays(terms, flow_uv, dual), np.int32(iterations))
    expected = plain_solve(terms, flow_uv, iterations)
    for got, wanted in zip(result, expected, strict=True):
        assert_allclose(to_host(got), wanted, rtol=0, atol=1e-4)


def test_solving_lowers_the_energy_to_its_least():
    terms, flow_uv = random_problem((24, 40))

    def energy(flow):
        nx, ny, offset, limit, smooth = terms.astype(np.float64)
        flow = flow.astype(np.float64)
        jumps = np.sqrt(sum(part**2 for plane in flow for part in differences(plane)))
        rounded = np.where(jumps < 0.01 * smooth, jumps**2 / (0.02 * smooth), jumps - 0.005 * smooth)
        return (limit * np.abs(nx * flow[0] + ny * flow[1] + offset) + smooth * rounded).sum()

    dual = np.zeros((4, 24, 40), np.float32)
    energies = [energy(tv_l1_solve(terms, flow_uv, dual, np.int32(count))[0]) for count in (0, 10, 100, 1000, 4000)]
    assert energies[0] > 2 * energies[1] > 2 * energies[2]
    assert abs(energies[3] - energies[4]) < 1e-3 * energies[4]


def test_iterations_can_be_divided_when_the_flow_has_settled(device):
    # Going on from a result forgets where the flow was going, which is nothing once it has arrived.
    terms, flow_uv = random_problem((20, 33))
    settled = tv_l1_solve(terms, flow_uv, np.zeros((4, 20, 33), np.float32), np.int32(4000))
    again = tv_l1_solve(*device.arrays(terms, *settled), np.int32(10))
    assert_allclose(to_host(again[0]), settled[0], rtol=0, atol=2e-3)


def test_bands_with_their_halo_give_the_same_bits_as_one_pass(use_threads):
    terms, flow_uv = random_problem((400, 40))
    results = []
    for count in (1, 2, 5):
        use_threads(count)
        results.append(tv_l1_solve(terms, flow_uv, np.zeros((4, 400, 40), np.float32), np.int32(23)))
    for other in results[1:]:
        assert_array_equal(results[0][0], other[0])
        assert_array_equal(results[0][1], other[1])
