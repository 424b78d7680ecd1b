"""coarse_conductors against P' A P with dense matrices."""

import numpy as np
from numpy.testing import assert_allclose

from cvseg.arrays import to_host
from cvseg.kernels.graph.coarse_conductors import coarse_conductors

STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # dy, dx of right, down, right_down, left_down


def dense(conductors, ground):
    """The matrix of a grid with borders."""
    height, width = ground.shape[0] - 2, ground.shape[1] - 2
    matrix = np.diag(ground[1:-1, 1:-1].ravel().astype(np.float64))
    for (dy, dx), array in zip(STEPS, conductors, strict=True):
        for y, x in np.ndindex(height, width):
            if 0 <= y + dy < height and 0 <= x + dx < width:
                i, j, value = y * width + x, (y + dy) * width + x + dx, float(array[y + 1, x + 1])
                matrix[i, i] += value
                matrix[j, j] += value
                matrix[i, j] -= value
                matrix[j, i] -= value
            else:
                assert array[y + 1, x + 1] == 0
    return matrix


def interpolation(shares, height, width):
    """(fine, coarse) matrix of the shares."""
    coarse_height, coarse_width = (height + 1) // 2, (width + 1) // 2
    matrix = np.zeros((height * width, coarse_height * coarse_width))
    for y, x in np.ndindex(height, width):
        above, left = y // 2, x // 2
        around = [(above, left), (above, left + 1), (above + 1, left), (above + 1, left + 1)]
        if y % 2 == 0 and x % 2 == 0:
            around = around[:1]
        elif y % 2 == 0:
            around = around[:2]
        elif x % 2 == 0:
            around = around[::2]
        for share, (v, u) in zip(shares[y + 1, x + 1], around, strict=False):
            if v < coarse_height and u < coarse_width:
                matrix[y * width + x, v * coarse_width + u] = share
            else:
                assert share == 0
    return matrix


def test_coarse_equations_are_the_fine_ones_between_the_shares(device):
    for size_hw in ((7, 10), (6, 5), (1, 6), (5, 1), (2, 2)):
        fine = coarse_conductors.sample(np.random.default_rng(3), size_hw)
        shares, *coarse = (to_host(array) for array in coarse_conductors(*device.arrays(*fine)))
        spread = interpolation(shares, *size_hw)
        expected = spread.T @ dense(fine[:4], fine[4]) @ spread
        assert_allclose(dense(coarse[:4], coarse[4]), expected, atol=1e-5)  # shares and conductors are float32


def test_equal_conductors_without_ground_share_evenly(device):
    arrays = [np.zeros((7, 7), np.float32) for _ in range(5)]
    arrays[0][1:6, 1:5] = 1
    arrays[1][1:5, 1:6] = 1
    shares, *_, ground = (to_host(array) for array in coarse_conductors(*device.arrays(*arrays)))
    assert shares[1, 2].tolist() == [0.5, 0.5, 0, 0]
    assert shares[2, 1].tolist() == [0.5, 0.5, 0, 0]
    assert shares[2, 2].tolist() == [0.25] * 4
    assert not ground.any()


def test_a_wall_is_not_crossed_by_shares(device):
    arrays = [np.zeros((7, 7), np.float32) for _ in range(5)]
    arrays[0][1:6, 1:5] = 1
    arrays[0][:, 2] = 0  # between the second and the third column
    arrays[1][1:5, 1:6] = 1
    shares = to_host(coarse_conductors(*device.arrays(*arrays))[0])
    assert shares[1, 2].tolist() == [1, 0, 0, 0]
    assert shares[3, 2].tolist() == [1, 0, 0, 0]
    assert shares[2, 2].tolist() == [0.5, 0, 0.5, 0]
