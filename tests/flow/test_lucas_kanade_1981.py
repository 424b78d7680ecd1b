"""Lucas and Kanade: the window's least squares against a slow solution, and what its options do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cvseg.arrays import to_host
from cvseg.evaluation.endpoint_error import endpoint_error
from cvseg.flow.lucas_kanade_1981 import (
    LUCAS_KANADE_PRESETS,
    LucasKanadeOptions,
    gaussian_window,
    lucas_kanade_1981,
    smaller_eigenvalue,
)
from cvseg.kernels.flow.lucas_kanade_equations import lucas_kanade_equations
from cvseg.kernels.flow.window_flow import window_flow
from cvseg.synthetic import SCENES, render_clip

PLAIN = LucasKanadeOptions(robust=1e6, least_gradient=255.0, pull=1e-6, median=0, full_size_iterations=1, levels=1)


@pytest.mark.parametrize("size_hw", [(1, 1), (3, 20), (21, 5), (30, 41)])
def test_window_flow_equals_least_squares_with_one_row_per_pixel(size_hw):
    height, width = size_hw
    rng = np.random.default_rng(3)
    constraint = rng.normal(0, 0.5, (3, *size_hw)).astype(np.float32)
    flow_uv = rng.normal(0, 1, (2, *size_hw)).astype(np.float32)
    weights, pull = gaussian_window(1.2), 0.05
    equations = lucas_kanade_equations(constraint, flow_uv, np.float32(1e6))
    solved = window_flow(equations, flow_uv, weights, np.float32(pull))
    for y, x in {(0, 0), (height // 2, width // 2), (height - 1, width - 1)}:
        rows, right = [], []
        for at_y in range(max(0, y - 3), min(height, y + 4)):
            for at_x in range(max(0, x - 3), min(width, x + 4)):
                ix, iy, it = constraint[:, at_y, at_x].astype(np.float64)
                share = np.sqrt(np.float64(weights[abs(at_y - y)]) * weights[abs(at_x - x)])
                rows.append([share * ix, share * iy])
                right.append(-share * it)
        matrix = np.array(rows).T @ rows
        eigenvalue = np.linalg.eigvalsh(matrix)[0]
        for axis in (0, 1):  # the pull: two more equations, that nothing changes
            rows.append(np.sqrt(pull) * np.eye(2)[axis])
            right.append(np.sqrt(pull) * flow_uv[axis, y, x])
        expected = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
        assert_allclose(solved[:, y, x], [*expected, eigenvalue], rtol=0, atol=2e-4)


def test_a_pixel_far_from_its_constraint_counts_less(device):
    constraint = np.float32([[0.6, 0.6], [0, 0], [-0.6, -6]]).reshape(3, 1, 2)
    flow_uv = np.ones((2, 1, 2), np.float32)  # fits the first pixel exactly
    equations = lucas_kanade_equations(device.array(constraint), device.array(flow_uv), np.float32(0.3))
    weight = 1 / np.hypot(1, 5.4 / 0.3)
    expected = [[0.36, 0.36 * weight], [0, 0], [0, 0], [0.36, 3.6 * weight], [0, 0]]
    assert_allclose(to_host(equations)[:, 0], expected, atol=1e-6)


def test_least_squares_alone_finds_a_small_shift_and_no_large_one(shifted_pair):
    errors = []
    for dx in (0.5, 6):
        image0, image1 = shifted_pair((64, 80), dx, 0)
        truth_xy = np.broadcast_to(np.float32([dx, 0]), (64, 80, 2)).copy()
        errors.append(endpoint_error(lucas_kanade_1981(image0, image1, PLAIN), truth_xy, border_px=10))
    assert errors[0] < 0.1
    assert errors[1] > 3


def test_flat_regions_take_the_flow_of_the_coarser_level(shifted_pair):
    image0, image1 = (image.copy() for image in shifted_pair((96, 128), 2, 0))
    for image in (image0, image1):
        image[38:58, 50:78] = 0.5  # farther from the border than the window reaches
    assert smaller_eigenvalue(image0)[48, 64] == 0
    flow_xy = lucas_kanade_1981(image0, image1)
    # It does not move; but seen from afar it is a part of what does.
    assert 0.5 < flow_xy[48, 64, 0] < 2.5


def test_the_smaller_eigenvalue_sees_the_aperture_problem(device):
    y, x = np.mgrid[0:40, 0:48].astype(np.float32)
    flat, stripes, checks = np.full_like(x, 0.5), 0.5 + 0.2 * np.sin(x), 0.5 + 0.1 * np.sin(x) + 0.1 * np.sin(y)
    seen = [to_host(smaller_eigenvalue(device.array(image)))[10:-10, 10:-10] for image in (flat, stripes, checks)]
    assert not seen[0].any()
    assert np.abs(seen[1]).max() < 1e-5
    assert seen[2].min() > 0.1
    assert seen[2].max() <= 0.5


def test_what_moves_differently_does_not_spoil_the_window():
    clip = render_clip(replace(SCENES["crossing"], size_hw=(120, 214)))
    from cvseg.color.gray import gray_image

    frame, following = clip[20], clip[21]
    pair = gray_image(frame.image), gray_image(following.image)
    robust, plain = (
        endpoint_error(lucas_kanade_1981(*pair, LucasKanadeOptions(robust=value)), frame.flow_xy, ~frame.occluded)
        for value in (0.15, 1e6)
    )
    # Measured 0.12 and 0.15; zero flow has 0.9.
    assert robust < 0.9 * plain
    assert robust < 0.15


def test_constant_images_have_no_flow(device):
    black, white = (device.array(np.full((40, 52), value, np.float32)) for value in (0.0, 1.0))
    for options in LUCAS_KANADE_PRESETS.values():
        assert not to_host(lucas_kanade_1981(black, white, options)).any()


def test_a_guess_leads_beyond_what_is_found_alone(shifted_pair):
    image0, image1 = shifted_pair((64, 160), 40, 0)
    options = LucasKanadeOptions(levels=2)
    guess = np.full((64, 160, 2), [37, 0], np.float32)
    led = lucas_kanade_1981(image0, image1, options, guess)[12:-12, 12:-52]
    alone = lucas_kanade_1981(image0, image1, options)[12:-12, 12:-52]
    assert np.abs(led - [40, 0]).max() < 0.1
    assert np.median(np.abs(alone[..., 0] - 40)) > 1
