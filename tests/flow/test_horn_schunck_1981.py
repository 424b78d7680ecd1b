"""Horn and Schunck: one step by hand, the plain method of the paper, and what the options do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cvseg.arrays import to_host
from cvseg.evaluation.endpoint_error import endpoint_error
from cvseg.flow.horn_schunck_1981 import HORN_SCHUNCK_PRESETS, HornSchunckOptions, horn_schunck_1981
from cvseg.kernels.flow.brightness_constraint import brightness_constraint
from cvseg.kernels.flow.horn_schunck_relax import horn_schunck_relax

AVERAGE = np.float64([[1, 2, 1], [2, 0, 2], [1, 2, 1]]) / 12


def jacobi(constraint, flow_uv, iterations):
    """The equations of the paper, slowly, in float64."""
    from scipy.ndimage import correlate

    ix, iy, it = constraint.astype(np.float64)
    u, v = flow_uv.astype(np.float64)
    for _ in range(iterations):
        u, v = (correlate(plane, AVERAGE, mode="nearest") for plane in (u, v))
        t = ix * u + iy * v + it
        u, v = u - ix * t, v - iy * t
    return np.stack([u, v])


@pytest.mark.parametrize(("size_hw", "iterations"), [((1, 1), 1), ((5, 3), 2), ((31, 47), 29), ((130, 20), 12)])
def test_relaxation_equals_the_equations_of_the_paper(size_hw, iterations):
    constraint, flow_uv, _ = horn_schunck_relax.sample(np.random.default_rng(1), size_hw)
    expected = jacobi(constraint, flow_uv, iterations)
    assert_allclose(horn_schunck_relax(constraint, flow_uv, np.int32(iterations)), expected, rtol=0, atol=2e-5)


def test_derivatives_of_a_moving_ramp_are_exact(device):
    y, x = np.mgrid[-2:9, -2:12].astype(np.float32)  # two pixels of frame
    mean, change = 3 * x - 2 * y, np.full_like(x, 5)
    flow_uv = np.zeros((2, 7, 10), np.float32)
    flow_uv[0] = 0.5
    flow_uv[:, 3, 4] = [-9, 0]  # leaves the image
    constraint = to_host(
        brightness_constraint(device.array(np.stack([mean, change])), device.array(flow_uv), np.float32(2))
    )
    assert_allclose(constraint[:, 2, 2] * np.sqrt(4 + 9 + 4), [3, -2, 5 - 3 * 0.5], atol=1e-5)
    assert not constraint[:, 3, 4].any()


def test_one_level_without_warps_is_the_plain_method(shifted_pair):
    plain = HornSchunckOptions(levels=1, warps=1, median=0, iterations=300, smoothness=3.0)
    errors = []
    for dx in (0.5, 6):
        image0, image1 = shifted_pair((64, 80), dx, 0)
        truth_xy = np.broadcast_to(np.float32([dx, 0]), (64, 80, 2)).copy()
        errors.append(endpoint_error(horn_schunck_1981(image0, image1, plain), truth_xy, border_px=10))
    # Linear in the displacement: half a pixel is found, six are not.
    assert errors[0] < 0.1
    assert errors[1] > 3


def test_smoother_flow_varies_less(shifted_pair):
    image0, image1 = shifted_pair((64, 80), 1, 0)
    image1 = image1 + np.random.default_rng(0).normal(0, 0.02, image1.shape).astype(np.float32)
    spread = [
        horn_schunck_1981(image0, image1, HornSchunckOptions(smoothness=value))[12:-12, 12:-12].std()
        for value in (1.0, 10.0, 50.0)
    ]
    assert spread[0] > spread[1] > spread[2]


def test_constant_images_have_no_flow(device):
    black, white = (device.array(np.full((40, 52), value, np.float32)) for value in (0.0, 1.0))
    for options in HORN_SCHUNCK_PRESETS.values():
        assert not to_host(horn_schunck_1981(black, white, options)).any()


def test_a_guess_leads_beyond_what_is_found_alone(shifted_pair):
    image0, image1 = shifted_pair((64, 160), 40, 0)
    options = HornSchunckOptions(levels=2)
    guess = np.full((64, 160, 2), [37, 0], np.float32)
    led = horn_schunck_1981(image0, image1, options, guess)[12:-12, 12:-52]
    alone = horn_schunck_1981(image0, image1, options)[12:-12, 12:-52]
    assert np.abs(led - [40, 0]).max() < 0.1
    assert np.median(np.abs(alone[..., 0] - 40)) > 1
