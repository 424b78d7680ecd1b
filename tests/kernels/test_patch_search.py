"""patch_start, patch_search and patch_densify against plain NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cvseg.arrays import to_host
from cvseg.kernels.flow.patch_densify import patch_densify
from cvseg.kernels.flow.patch_grid import MARGIN, patch_grid
from cvseg.kernels.flow.patch_search import FLAT, PULL, patch_search
from cvseg.kernels.flow.patch_start import patch_start

STRIDE = 4
NO_SPREAD = np.int32(0)


def texture(y, x):
    return (0.5 + 0.1 * np.sin(0.5 * x + 0.2 * y) + 0.1 * np.cos(0.45 * y - 0.3 * x) + 0.05 * np.sin(0.9 * y)).astype(
        np.float32
    )


def pair(size_hw, shift_x, shift_y):
    """image0 and image1 with their margin, where image1(x + shift) = image0(x)."""
    height, width = size_hw
    y, x = np.mgrid[-MARGIN : height + MARGIN, -MARGIN : width + MARGIN].astype(np.float64)
    return texture(y, x), texture(y - shift_y, x - shift_x)


def read_patch(padded1, x, y):
    """8x8 pixels of image1 with their corner at (x, y), bilinear."""
    x, y = x + MARGIN, y + MARGIN
    x0, y0 = int(x), int(y)
    fx, fy = x - x0, y - y0
    window = padded1[y0 : y0 + 9, x0 : x0 + 9].astype(np.float64)
    rows = window[:, :-1] * (1 - fx) + window[:, 1:] * fx
    return rows[:-1] * (1 - fy) + rows[1:] * fy


def one_step(padded0, padded1, corner_x, corner_y, u, v):
    """The first step of the search, from the formulas."""
    patch = np.s_[corner_y + MARGIN : corner_y + MARGIN + 8, corner_x + MARGIN : corner_x + MARGIN + 8]
    gradient_y, gradient_x = np.gradient(padded0.astype(np.float64))
    g = np.stack([gradient_x[patch].ravel(), gradient_y[patch].ravel()])
    g -= g.mean(axis=1, keepdims=True)
    matrix = g @ g.T
    matrix += (PULL * np.trace(matrix) + FLAT) * np.eye(2)
    residual = read_patch(padded1, corner_x + u, corner_y + v) - padded0[patch]
    return np.array([u, v]) - np.linalg.solve(matrix, g @ residual.ravel())


def test_one_step_is_the_formula(device):
    images = pair((29, 37), 0.8, -0.6)
    rows, columns = patch_grid((29, 37), STRIDE)
    start = np.random.default_rng(0).normal(0, 0.5, (rows, columns, 2)).astype(np.float32)
    numbers = np.int32(STRIDE), np.int32(1), NO_SPREAD
    found = to_host(patch_search(*device.arrays(*images, start, start), *numbers))
    for row, column in [(0, 0), (2, 3), (rows - 1, columns - 1), (1, columns - 1)]:
        corner_x, corner_y = min(column * STRIDE, 37 - 8), min(row * STRIDE, 29 - 8)
        expected = one_step(*images, corner_x, corner_y, *start[row, column])
        assert_allclose(found[row, column], expected, rtol=0, atol=2e-4)  # sums of 64 float32 products


def test_the_search_finds_the_shift(device):
    images = pair((45, 51), 1.7, -0.9)
    start = np.zeros((*patch_grid((45, 51), STRIDE), 2), np.float32)
    numbers = np.int32(STRIDE), np.int32(20), NO_SPREAD
    found = to_host(patch_search(*device.arrays(*images, start, start), *numbers))
    error = np.hypot(found[..., 0] - 1.7, found[..., 1] + 0.9)
    assert np.median(error) < 0.15  # the pull holds back by a few per cent, the gradients smooth a little
    assert_array_equal(to_host(images[0]), pair((45, 51), 0, 0)[0])


def test_a_still_pair_stays_exactly_at_zero(device):
    images = pair((24, 24), 0, 0)
    start = np.zeros((*patch_grid((24, 24), STRIDE), 2), np.float32)
    found = patch_search(*device.arrays(*images, start, start), np.int32(STRIDE), np.int32(9), np.int32(5))
    assert not to_host(found).any()


def test_a_flat_image_keeps_its_start(device):
    padded = np.full((20 + 2 * MARGIN, 20 + 2 * MARGIN), 0.5, np.float32)
    start = np.full((*patch_grid((20, 20), STRIDE), 2), 1.25, np.float32)
    found = patch_search(
        *device.arrays(padded, padded, start, np.zeros_like(start)), np.int32(STRIDE), np.int32(9), NO_SPREAD
    )
    assert_array_equal(to_host(found), start)


def test_a_better_hint_replaces_a_wrong_start(device):
    images = pair((32, 32), 0, 0)
    start = np.full((*patch_grid((32, 32), STRIDE), 2), 5.5, np.float32)
    hint = np.zeros_like(start)
    found = patch_search(*device.arrays(*images, start, hint), np.int32(STRIDE), np.int32(4), NO_SPREAD)
    assert_array_equal(to_host(found), hint)


def test_a_neighbour_that_fits_better_is_followed(device):
    images = pair((32, 32), 0, 0)
    start = np.full((*patch_grid((32, 32), STRIDE), 2), 6.0, np.float32)
    start[::2, ::2] = start[1::2, 1::2] = 0  # like a chess board: every wrong patch has right neighbours
    found = patch_search(*device.arrays(*images, start, start), np.int32(STRIDE), np.int32(1), np.int32(6))
    assert np.abs(to_host(found)).max() < 0.05


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1e30, 1e30])
def test_absurd_starts_stay_inside_the_margin(bad, device):
    images = pair((24, 33), 0, 0)
    start = np.full((*patch_grid((24, 33), STRIDE), 2), bad, np.float32)
    found = to_host(patch_search(*device.arrays(*images, start, start), np.int32(STRIDE), np.int32(5), np.int32(3)))
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 33 + 8


def test_start_is_twice_the_coarse_flow_at_the_centre(device):
    y, x = np.mgrid[0:12, 0:16].astype(np.float32)
    coarse = device.array(np.stack([x, -y]))
    start = to_host(patch_start(coarse, np.int32(24), np.int32(32), np.int32(STRIDE)))
    corner_y, corner_x = np.mgrid[0:17:STRIDE, 0:25:STRIDE].astype(np.float32)
    # The centre of pixels c .. c + 7 is c + 3.5, in coarse pixels (c + 3.5 + 0.5) / 2 - 0.5.
    assert_allclose(start[..., 0], 2 * (corner_x / 2 + 1.5), rtol=1e-6)
    assert_allclose(start[..., 1], -2 * (corner_y / 2 + 1.5), rtol=1e-6)


def test_densify_weighs_patches_by_how_well_they_fit(device):
    padded0, padded1 = pair((21, 26), 0.4, 0.2)
    image0 = padded0[MARGIN:-MARGIN, MARGIN:-MARGIN].copy()
    rows, columns = patch_grid((21, 26), STRIDE)
    patches = np.random.default_rng(0).normal(0, 1, (rows, columns, 2)).astype(np.float32)
    total, sums = np.zeros((21, 26)), np.zeros((2, 21, 26))
    for row in range(rows):
        for column in range(columns):
            x, y = min(column * STRIDE, 26 - 8), min(row * STRIDE, 21 - 8)
            u, v = patches[row, column].astype(np.float64)
            place = np.s_[y : y + 8, x : x + 8]
            weight = 1 / np.maximum(np.abs(read_patch(padded1, x + u, y + v) - image0[place]), 1 / 255)
            total[place] += weight
            sums[:, y : y + 8, x : x + 8] += weight * np.array([u, v])[:, None, None]
    flow_uv = to_host(patch_densify(*device.arrays(image0, padded1, patches), np.int32(STRIDE)))
    assert_allclose(flow_uv, sums / total, rtol=0, atol=1e-4)
