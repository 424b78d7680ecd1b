"""Farneback: polynomials are expanded into their own coefficients, and what the options do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cvseg.arrays import to_host
from cvseg.evaluation.endpoint_error import endpoint_error
from cvseg.flow.farneback_2003 import FARNEBACK_PRESETS, FarnebackOptions, expansion_weights, farneback_2003
from cvseg.kernels.flow.farneback_equations import farneback_equations
from cvseg.kernels.flow.polynomial_expansion import polynomial_expansion


def quadratic(size_hw, b1, b2, a11, a12, a22):
    """Grey levels of one polynomial around (12, 10), as an image in [0, 1], and its coefficients at every pixel."""
    y, x = np.mgrid[0 : size_hw[0], 0 : size_hw[1]].astype(np.float64)
    x, y = x - 12, y - 10
    image = 100 + b1 * x + b2 * y + a11 * x * x + 2 * a12 * x * y + a22 * y * y
    same = np.ones_like(x)
    coefficients = b1 + 2 * (a11 * x + a12 * y), b2 + 2 * (a12 * x + a22 * y), a11 * same, a12 * same, a22 * same
    return (image / 255).astype(np.float32), np.stack(coefficients)


@pytest.mark.parametrize("sigma", [0.6, 0.8, 1.5])
def test_a_polynomial_is_its_own_expansion(sigma, device):
    image, coefficients = quadratic((21, 27), 1.5, -2, 0.3, -0.2, 0.5)
    weights = expansion_weights(sigma)
    expansion = to_host(polynomial_expansion(device.array(image), device.array(weights)))
    inside = np.s_[:, 5:-5, 5:-5]
    assert_allclose(expansion[inside], coefficients[inside], atol=2e-3)


def test_expansion_equals_weighted_least_squares():
    rng = np.random.default_rng(4)
    image = rng.random((13, 15), dtype=np.float32)
    weights = expansion_weights(1.0)
    radius = weights.shape[1] - 1
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float64)
    basis = np.stack([np.ones_like(x), x, y, x * x, 2 * x * y, y * y], axis=-1).reshape(-1, 6)
    share = np.sqrt(np.exp(-(x**2 + y**2) / 2)).reshape(-1)
    patch = 255 * image[6 - radius : 7 + radius, 7 - radius : 8 + radius].astype(np.float64).reshape(-1)
    expected = np.linalg.lstsq(share[:, None] * basis, share * patch, rcond=None)[0][1:]
    assert_allclose(polynomial_expansion(image, weights)[:, 6, 7], expected, rtol=1e-4, atol=1e-3)


def test_the_equations_of_a_moved_polynomial_give_its_motion(device):
    # image1(x) = image0(x - motion) has the same A; around the point x + guess its b is b0 + 2 A (guess - motion).
    curvature = np.float64([[0.3, -0.2], [-0.2, 0.5]])
    motion, guess = np.float64([0.7, -0.4]), np.float64([0.5, 0.25])
    slope = np.float64([1.5, -2])
    around0 = np.float32([*slope, 0.3, -0.2, 0.5])
    around1 = np.float32([*(slope + 2 * curvature @ (guess - motion)), 0.3, -0.2, 0.5])
    planes = [np.ascontiguousarray(np.broadcast_to(c[:, None, None], (len(c), 9, 11))) for c in (around0, around1)]
    flow_uv = np.ascontiguousarray(np.broadcast_to(guess.astype(np.float32)[:, None, None], (2, 9, 11)))
    arrays = [device.array(array) for array in (*planes, flow_uv)]
    equations = to_host(farneback_equations(*arrays, np.float32(0.5), np.float32(1e6)))
    g11, g12, g22, h1, h2 = equations[:, 4, 5]
    assert_allclose(np.linalg.solve([[g11, g12], [g12, g22]], [h1, h2]), motion, atol=1e-4)
    assert not equations[:, :, 10].any()  # leaves image1


def test_one_level_finds_a_small_shift_and_no_large_one(shifted_pair):
    errors = []
    for dx in (0.5, 9):
        image0, image1 = shifted_pair((64, 80), dx, 0)
        truth_xy = np.broadcast_to(np.float32([dx, 0]), (64, 80, 2)).copy()
        flow_xy = farneback_2003(image0, image1, FarnebackOptions(levels=1))
        errors.append(endpoint_error(flow_xy, truth_xy, border_px=10))
    assert errors[0] < 0.1
    assert errors[1] > 3


def test_a_change_of_light_is_not_motion(shifted_pair):
    image0, image1 = shifted_pair((64, 80), 1, 0)
    flow_xy = farneback_2003(image0, image1 + np.float32(0.1))  # the constant term is not looked at
    inside = flow_xy[12:-12, 12:-12]
    assert np.hypot(inside[..., 0] - 1, inside[..., 1]).max() < 0.1


def test_constant_images_have_no_flow(device):
    black, white = (device.array(np.full((40, 52), value, np.float32)) for value in (0.0, 1.0))
    for options in FARNEBACK_PRESETS.values():
        assert not to_host(farneback_2003(black, white, options)).any()


def test_a_guess_leads_beyond_what_is_found_alone(shifted_pair):
    image0, image1 = shifted_pair((64, 160), 40, 0)
    options = FarnebackOptions(levels=2)
    guess = np.full((64, 160, 2), [37, 0], np.float32)
    led = farneback_2003(image0, image1, options, guess)[12:-12, 12:-52]
    alone = farneback_2003(image0, image1, options)[12:-12, 12:-52]
    assert np.abs(led - [40, 0]).max() < 0.1
    assert np.median(np.abs(alone[..., 0] - 40)) > 1
